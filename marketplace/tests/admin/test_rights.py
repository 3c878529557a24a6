"""Dialogs: what they ask for and show, and which buttons a page has. Who may open which: test_every_url."""

import pytest
from django.contrib import admin
from django.db import connection
from django.forms.widgets import DateInput, NumberInput, Select, Textarea, TextInput
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketplace.models import ServiceRequest

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def dialogs(rows):
    """(model, name of the dialog, its address)."""
    for model, row in rows.items():
        meta, site = model._meta, admin.site._registry[model]
        for name in getattr(site, "actions_detail", ()):
            yield model, name, reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=[row.pk])
        for name in getattr(site, "actions_list", ()):
            yield model, name, reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}")


def test_every_action_is_a_dialog_and_nothing_is_edited_in_a_list(a_row_each):
    for model, name, _ in dialogs(a_row_each):
        assert getattr(admin.site._registry[model], name).dialog, f"{name} would be a plain link"
    assert not [site for site in admin.site._registry.values() if site.list_editable]


def test_opening_a_dialog_writes_nothing(console, boss, request_in):
    client = console(boss)
    client.get(reverse("admin:index"))
    for request in map(request_in, ("PENDING_ADMIN_ASSIGNMENT", "NEGOTIATING", "IN_PROGRESS", "WORK_COMPLETED")):
        for _, name, url in dialogs({ServiceRequest: request}):
            with CaptureQueriesContext(connection) as captured:
                assert client.get(url, headers=HTMX).status_code == 200
            writes = [q["sql"] for q in captured if q["sql"].split(" ", 1)[0] in ("INSERT", "UPDATE", "DELETE")]
            assert not [sql for sql in writes if "django_session" not in sql], name


def test_every_input_of_a_dialog_is_drawn_as_one(console, boss, a_row_each, request_in):
    client = console(boss)
    states = [("ASSIGNED_TO_SERVICEMAN", True), ("ASSIGNED_TO_SERVICEMAN", False), ("PENDING_ADMIN_ASSIGNMENT", None)]
    requests = [request_in(status, accepted=accepted) for status, accepted in states]
    bare, seen = set(), 0
    for rows in [a_row_each, *(a_row_each | {ServiceRequest: request} for request in requests)]:
        for _, name, url in dialogs(rows):
            form = (client.get(url, headers=HTMX).context or {}).get("form")
            for field in form.visible_fields() if form else ():
                seen += 1
                plain = type(field.field.widget) in (NumberInput, TextInput, Textarea, DateInput, Select)
                if plain and "border" not in field.field.widget.attrs.get("class", ""):
                    bare.add((name, field.name))
    assert seen
    assert not bare


def test_a_dialog_wants_the_csrf_token(console, boss, request_in):
    record = request_in("WORK_COMPLETED")
    client = console(boss, enforce_csrf_checks=True)
    url = reverse("admin:marketplace_servicerequest_verify", args=[record.pk])
    assert client.post(url, {"_form_submitted": "on"}, headers=HTMX).status_code == 403
    record = ServiceRequest.objects.get(pk=record.pk)
    assert record.status == "WORK_COMPLETED"


def test_a_dialog_of_a_row_that_is_not_there_is_not_found(console, boss):
    client = console(boss)
    for pk in ("999999", "no-such", "1" * 40):
        assert client.get(reverse("admin:marketplace_servicerequest_assign", args=[pk])).status_code == 404
        assert client.post(reverse("admin:marketplace_payment_settle", args=[pk])).status_code == 404


def test_a_page_shows_only_the_buttons_possible_now_and_allowed(console, boss, make_admin, request_in):
    record = request_in("WORK_COMPLETED")
    url = reverse("admin:marketplace_servicerequest_change", args=[record.pk])

    def buttons(person):
        context = console(person).get(url).context
        shown = [*context["buttons"], *(action for _, actions in context["menu"] for action in actions)]
        return {action.path for action in shown}

    everything = {"verify", "return_to_work", "set_emergency", "raise_issue", "add_note", "cancel"}
    money = {"record_payment"}
    assert buttons(boss) == everything | money
    assert buttons(make_admin("finance")) == money
    assert buttons(make_admin("pricing")) == {"cancel"}
    assert buttons(make_admin("viewer")) == set()
    assert buttons(make_admin("dispatcher")) == everything
