"""The roles of the backoffice hold exactly the codenames of the console's table, and views."""

import pytest
from django.contrib.auth.models import Group, Permission

from core.models import User

pytestmark = pytest.mark.django_db

# codename -> dispatcher, pricing, finance, viewer
TABLE = {
    "assign": "x---",
    "verify": "x---",
    "price": "-x--",
    "cancel": "xx--",
    "approve_servicemen": "x---",
    "settle": "--x-",
    "refund": "--x-",
    "pay_out": "--x-",
    "export": "--x-",
    "announce": "x---",
    "manage_catalog": "x---",
    "manage_settings": "----",
}
ROLES = ("dispatcher", "pricing", "finance", "viewer")
FINANCE_ALONE = {"bankaccount", "ledgerentry", "ledgerline", "payout", "payoutbatch", "webhookevent", "dispute"}
SEEN_BY_ALL = {"servicerequest", "servicemanprofile", "clientprofile", "payment", "refund", "offer", "rating", "issue"}


def held(role: str) -> set[str]:
    return set(Group.objects.get(name=role).permissions.values_list("codename", flat=True))


def test_there_are_these_roles_and_no_other(db):
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_holds_its_codenames_views_and_nothing_else(role):
    column = ROLES.index(role)
    told = {codename for codename, marks in TABLE.items() if marks[column] == "x"}
    others = {codename for codename in held(role) if not codename.startswith("view_")}
    assert others - {"add_category", "change_category"} == told
    assert ("add_category" in others) == (role == "dispatcher")
    assert {f"view_{model}" for model in SEEN_BY_ALL} <= held(role)
    assert {f"view_{model}" for model in FINANCE_ALONE} & held(role) == (
        {f"view_{model}" for model in FINANCE_ALONE} if role == "finance" else set()
    )


def test_every_codename_of_ours_stands_in_the_table():
    ours = Permission.objects.filter(content_type__app_label="marketplace").exclude(
        codename__regex=r"^(add|change|delete|view)_"
    )
    assert set(ours.values_list("codename", flat=True)) == set(TABLE)


@pytest.mark.parametrize("role", ROLES)
def test_nobody_but_superusers_may_make_himself_more(role, make_admin, boss):
    admin = make_admin(role)
    powers = [
        *(
            f"{verb}_{model}"
            for verb in ("add", "change", "delete")
            for model in ("servicerequest", "payment", "refund")
        ),
        "manage_settings",
    ]
    for power in powers:
        assert not admin.has_perm(f"marketplace.{power}")
    for model in ("core.add_user", "core.change_user", "core.delete_user", "auth.change_group", "auth.add_group"):
        assert not admin.has_perm(model)
        assert boss.has_perm(model)
    assert User.objects.get(pk=admin.pk).is_superuser is False
