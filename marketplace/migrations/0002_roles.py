"""The roles of the backoffice, as groups over codenames."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

EVERYBODY = (
    ["core.user"]
    + [
        f"marketplace.{model}"
        for model in (
            "attachment category clientprofile consultation issue note notification offer payment price pricenegotiation "
            "rating refund servicemanprofile servicerequest unavailabledate"
        ).split()
    ]
    + [
        f"marketplace.historical{model}"
        for model in "category clientprofile servicemanprofile servicerequest payment refund".split()
    ]
)
FINANCE = [
    f"marketplace.{model}"
    for model in (
        "bankaccount dailyrevenue dispute ledgerentry ledgerline payout payoutbatch receipt reconciliationdifference "
        "reconciliationrun webhookevent historicalbankaccount historicalpayout"
    ).split()
]
ROLES = {
    "dispatcher": (EVERYBODY, "assign verify cancel approve_servicemen announce manage_catalog".split()),
    "pricing": (EVERYBODY, "price cancel".split()),
    "finance": (EVERYBODY + FINANCE, "settle refund pay_out export".split()),
    "viewer": (EVERYBODY, []),
}


def make_roles(apps, schema_editor):
    """Permissions are normally made after all migrations; the groups need them now."""
    for label in ("core", "marketplace"):
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0)
        config.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    known = {
        (label, codename): pk
        for pk, label, codename in Permission.objects.filter(
            content_type__app_label__in=("core", "marketplace")
        ).values_list("pk", "content_type__app_label", "codename")
    }
    for name, (models, codenames) in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        wanted = [tuple(model.split(".")) for model in models]
        wanted = [(label, f"view_{model}") for label, model in wanted]
        wanted += [("marketplace", codename) for codename in codenames]
        if "manage_catalog" in codenames:
            wanted += [("marketplace", "add_category"), ("marketplace", "change_category")]
        group.permissions.set([known[each] for each in wanted])


class Migration(migrations.Migration):
    """Dispatcher, pricing, finance, viewer."""

    dependencies = [
        ("marketplace", "0001_initial"),
        ("core", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
