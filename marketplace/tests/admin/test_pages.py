"""Every page of the console answers: lists, forms, trails; to whoever may see them, and to nobody else."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import reverse

from core.models import User
from marketplace.models import BusinessSettings, Category

pytestmark = pytest.mark.django_db

ADDED_BY_HAND = {Category, Group, User}
WITH_HISTORY = [model for model in admin.site._registry if hasattr(model, "history")]


def pages_of(row):
    """Every address of a row's pages, with what it takes to see it as boss."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
    yield reverse(f"{name}_changelist"), {200, 302}
    yield reverse(f"{name}_change", args=[row.pk]), {200}
    yield reverse(f"{name}_history", args=[row.pk]), {200}
    yield reverse(f"{name}_add"), {200} if type(row) in ADDED_BY_HAND else {403}
    yield reverse(f"{name}_delete", args=[row.pk]), {200} if type(row) is Group else {403}


def test_the_boss_can_open_every_page(console, boss, a_row_each):
    client = console(boss)
    wrong = [
        (path, status)
        for row in a_row_each.values()
        for path, wanted in pages_of(row)
        if (status := client.get(path).status_code) not in wanted
    ]
    assert not wrong


def test_whoever_has_no_role_sees_no_page(console, make_admin, a_row_each):
    client = console(make_admin())
    paths = [path for row in a_row_each.values() for path, _ in pages_of(row)]
    seen = [(path, status) for path in paths if (status := client.get(path).status_code) != 403]
    assert not seen
    assert "no role yet" in client.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("role", ["dispatcher", "finance"])
def test_a_role_sees_the_models_it_may_view_and_no_others(role, console, make_admin, a_row_each):
    person = make_admin(role)
    client = console(person)
    for model, row in a_row_each.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        may = person.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")
        for path in (reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[row.pk])):
            assert client.get(path).status_code == (200 if may else 403), path


def test_no_role_can_write_through_a_page(console, make_admin, a_row_each):
    client = console(make_admin("dispatcher", "pricing", "finance"))
    wrong = []
    for model, row in a_row_each.items():
        listed, *others = [path for path, _ in pages_of(row)]
        if model is Category:  # the dispatcher's own; deleting is nobody's
            others = others[-1:]
        before = model._default_manager.count()
        client.post(listed, {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"})
        wrong += [
            (path, status)
            for path in others
            if (status := client.post(path, {"post": "yes", "name": "x"}).status_code) not in (403, 405)
        ]
        assert model._default_manager.count() == before
    assert not wrong


def test_no_list_puts_a_link_into_a_link(a_row_each):
    """A browser takes the inner one out, and leaves the way to the row without words."""
    for model, row in a_row_each.items():
        model_admin = admin.site._registry[model]
        for name in model_admin.list_display_links or model_admin.list_display[:1]:
            shown = name != "__str__" and getattr(model_admin, name, None)
            assert not shown or "<a" not in str(shown(row)), model_admin


def test_the_boss_cannot_edit_what_only_services_write(console, boss, a_row_each):
    client = console(boss)
    for model, row in a_row_each.items():
        if model in ADDED_BY_HAND or model is BusinessSettings:
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for page in ("change", "delete"):
            assert client.post(reverse(f"{name}_{page}", args=[row.pk]), {"post": "yes"}).status_code == 403, name
        assert client.post(reverse(f"{name}_add"), {}).status_code == 403, name


def test_an_id_that_is_no_number_is_not_found(console, boss, a_row_each):
    client = console(boss)
    for model in a_row_each:
        for page in ("change", "history"):
            path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=["no-such"])
            assert client.get(path).status_code in (302, 404), path


def test_old_versions_can_be_read_but_never_written_back(console, boss, a_row_each):
    client = console(boss)
    for model in WITH_HISTORY:
        row = a_row_each[model]
        row.save()
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        old = reverse(f"{name}_simple_history", args=[row.pk, row.history.latest().pk])
        versions = row.history.count()
        for path in (reverse(f"{name}_history", args=[row.pk]), old):
            assert client.get(path).status_code == 200, path
            for verb in (client.post, client.put, client.patch, client.delete):
                assert verb(path).status_code == 405, path
        assert row.history.count() == versions


def test_a_bank_account_is_masked_in_its_trail_too(console, boss, a_row_each):
    from marketplace.models import BankAccount

    account = a_row_each[BankAccount]
    account.account_number = "9876543210"
    account.save()
    client = console(boss)
    for page in ("change", "history"):
        html = client.get(reverse(f"admin:marketplace_bankaccount_{page}", args=[account.pk])).content.decode()
        assert "987654" not in html
        assert "012345" not in html
        assert "3210" in html
