"""The ledger is written once, also against raw SQL; on PostgreSQL the histories too.

Erasing personal data from a history is allowed inside a transaction that says
``SET LOCAL serviceman.erasure = 'on'``. SQLite has no such setting, so there only the ledger is held.
"""

from django.db import migrations

LEDGER = ("marketplace_ledgerentry", "marketplace_ledgerline")
HISTORIES = (
    "core_historicaluser",
    *(
        f"marketplace_historical{model}"
        for model in (
            "bankaccount businesssettings category clientprofile payment payout refund servicemanprofile servicerequest"
        ).split()
    ),
)


def hold(apps, schema_editor):
    """Make the triggers."""
    vendor = schema_editor.connection.vendor
    if vendor == "postgresql":
        schema_editor.execute(
            """
            CREATE FUNCTION serviceman_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_ARGV[0] = 'history' AND current_setting('serviceman.erasure', true) = 'on' THEN
                    RETURN COALESCE(NEW, OLD);
                END IF;
                RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
            END $$
            """,
            params=None,  # the % is plpgsql's, not a placeholder
        )
        for table in (*LEDGER, *HISTORIES):
            kind = "ledger" if table in LEDGER else "history"
            schema_editor.execute(
                f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION serviceman_append_only('{kind}')"
            )
    elif vendor == "sqlite":
        for table in LEDGER:
            for verb in ("UPDATE", "DELETE"):
                schema_editor.execute(
                    f"CREATE TRIGGER append_only_{verb.lower()}_{table} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )


def release(apps, schema_editor):
    """Drop the triggers."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION IF EXISTS serviceman_append_only() CASCADE")
    elif schema_editor.connection.vendor == "sqlite":
        for table in LEDGER:
            for verb in ("update", "delete"):
                schema_editor.execute(f"DROP TRIGGER IF EXISTS append_only_{verb}_{table}")


class Migration(migrations.Migration):
    """Append-only, whoever writes."""

    dependencies = [("marketplace", "0002_roles")]
    operations = [migrations.RunPython(hold, release)]
