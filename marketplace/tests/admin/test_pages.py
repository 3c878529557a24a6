"""What pages of the console do with odd ids, old versions and secrets; who may open which: test_every_url."""

import pytest
from django.contrib import admin
from django.urls import reverse

from marketplace.models import BankAccount

pytestmark = pytest.mark.django_db

WITH_HISTORY = [model for model in admin.site._registry if hasattr(model, "history")]


def test_whoever_has_no_role_is_told_so(console, make_admin):
    assert "no role yet" in console(make_admin()).get(reverse("admin:index")).content.decode()


def test_an_id_that_is_no_number_is_not_found(console, boss, a_row_each):
    client = console(boss)
    for model in a_row_each:
        for page in ("change", "history"):
            path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=["no-such"])
            assert client.get(path).status_code in (302, 404), path


def test_old_versions_are_never_written_back(console, boss, a_row_each):
    client = console(boss)
    for model in WITH_HISTORY:
        row = a_row_each[model]
        row.save()
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        old = reverse(f"{name}_simple_history", args=[row.pk, row.history.latest().pk])
        versions = row.history.count()
        for path in (reverse(f"{name}_history", args=[row.pk]), old):
            for verb in (client.post, client.put, client.patch, client.delete):
                assert verb(path).status_code == 405, path
        assert row.history.count() == versions


def test_a_bank_account_is_masked_in_its_trail_too(console, boss, a_row_each):
    account = a_row_each[BankAccount]
    account.account_number = "9876543210"
    account.save()
    client = console(boss)
    for page in ("change", "history"):
        html = client.get(reverse(f"admin:marketplace_bankaccount_{page}", args=[account.pk])).content.decode()
        assert "987654" not in html
        assert "012345" not in html
        assert "3210" in html


def test_no_list_puts_a_link_into_a_link(a_row_each):
    """A browser takes the inner one out, and leaves the way to the row without words."""
    for model, row in a_row_each.items():
        model_admin = admin.site._registry[model]
        for name in model_admin.list_display_links or model_admin.list_display[:1]:
            shown = name != "__str__" and getattr(model_admin, name, None)
            assert not shown or "<a" not in str(shown(row)), model_admin
