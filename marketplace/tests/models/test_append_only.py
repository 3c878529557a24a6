"""The ledger is written once, also against raw SQL; on PostgreSQL the histories too, but for erasure."""

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from marketplace.models import BusinessSettings, LedgerEntry, LedgerLine

pytestmark = pytest.mark.django_db

on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql",
    reason="SQLite has no setting that a trigger could read: there only the ledger is held",
)


@pytest.fixture
def entry(db):
    entry = LedgerEntry.objects.create(kind="x", dedupe_key="x")
    LedgerLine.objects.create(entry=entry, account="BANK", amount_kobo=5)
    LedgerLine.objects.create(entry=entry, account="CLIENT", amount_kobo=-5)
    return entry


def run(sql: str) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.rowcount


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE marketplace_ledgerline SET amount_kobo = 6",
        "UPDATE marketplace_ledgerline SET amount_kobo = amount_kobo",
        "DELETE FROM marketplace_ledgerline",
        "UPDATE marketplace_ledgerentry SET memo = 'mine'",
        "DELETE FROM marketplace_ledgerentry",
    ],
)
def test_the_ledger_refuses_raw_sql(sql, entry):
    before = [list(model.objects.values()) for model in (LedgerEntry, LedgerLine)]
    with pytest.raises(DatabaseError, match="append-only"):
        run(sql)
    assert [list(model.objects.values()) for model in (LedgerEntry, LedgerLine)] == before


def test_the_ledger_refuses_its_own_models(entry):
    for row in (entry, entry.lines.first()):
        with pytest.raises(TypeError, match="append-only"):
            row.save()
        with pytest.raises(TypeError, match="append-only"):
            row.delete()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        LedgerLine.objects.all().delete()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        LedgerLine.objects.update(amount_kobo=7)


def histories():
    return [
        model
        for app in ("core", "marketplace")
        for model in apps.get_app_config(app).get_models()
        if model.__name__.startswith("Historical")
    ]


@on_postgresql
def test_every_history_table_is_held():
    with connection.cursor() as cursor:
        cursor.execute("SELECT event_object_table, event_manipulation FROM information_schema.triggers")
        held = set(cursor.fetchall())
    for model in histories():
        for verb in ("UPDATE", "DELETE"):
            assert (model._meta.db_table, verb) in held
    assert len(histories()) >= 10


@on_postgresql
def test_histories_refuse_raw_sql(request_in):
    request = request_in("IN_PROGRESS")
    BusinessSettings.objects.create(pk=1)
    rows = 0
    for model in histories():
        if not model.objects.exists():
            continue
        rows += 1
        table = model._meta.db_table
        for sql in (f"UPDATE {table} SET history_change_reason = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError, match="append-only"):
                run(sql)
    assert rows >= 5
    assert request.history.count() == 1


@on_postgresql
def test_erasure_may_write_to_histories_and_to_nothing_else(request_in, entry):
    request = request_in("IN_PROGRESS")
    with transaction.atomic():
        run("SET LOCAL serviceman.erasure = 'on'")
        assert run("UPDATE marketplace_historicalservicerequest SET client_address = ''") == 1
        assert request.history.get().client_address == ""
        with pytest.raises(DatabaseError, match="append-only"):
            run("UPDATE marketplace_ledgerline SET amount_kobo = 6")
        with pytest.raises(DatabaseError, match="append-only"):
            run("DELETE FROM marketplace_ledgerentry")
        run("SET LOCAL serviceman.erasure = 'off'")
        with pytest.raises(DatabaseError, match="append-only"):
            run("UPDATE marketplace_historicalservicerequest SET client_address = 'x'")


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_the_flag_ends_with_its_transaction(request_in):
    request_in("IN_PROGRESS")
    with transaction.atomic():
        run("SET LOCAL serviceman.erasure = 'on'")
        run("UPDATE marketplace_historicalservicerequest SET client_address = ''")
    with pytest.raises(DatabaseError, match="append-only"):
        run("UPDATE marketplace_historicalservicerequest SET client_address = 'x'")
