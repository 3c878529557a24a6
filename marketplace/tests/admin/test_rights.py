"""What an admin may not do is refused by GET and by POST, in every dialog of every page; and a GET changes nothing."""

import pytest
from django.contrib import admin
from django.db import connection
from django.forms.widgets import DateInput, NumberInput, Select, Textarea, TextInput
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketplace.models import Payment, ServiceRequest

pytestmark = pytest.mark.django_db

ROLES = ("dispatcher", "pricing", "finance", "viewer")
HTMX = {"HX-Request": "true"}
SUPERUSERS_ONLY = {"core.change_user", "django_q.change_failure", "django_q.change_schedule"}
MATRIX = {
    "dispatcher": {"assign", "verify", "cancel", "approve_servicemen", "announce"},
    "pricing": {"price", "cancel"},
    "finance": {"settle", "refund", "pay_out"},
    "viewer": set(),
}


def dialogs(rows):
    """(model, name of the dialog, the right it asks for, its address)."""
    for model, site in admin.site._registry.items():
        meta = model._meta
        for name in getattr(site, "actions_detail", ()):
            url = reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=[rows[model].pk])
            yield model, name, getattr(site, name).allowed_permissions[1], url
        for name in getattr(site, "actions_list", ()):
            url = reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}")
            yield model, name, getattr(site, name).allowed_permissions[1], url


def test_every_action_is_a_dialog_that_asks_for_the_right_to_view_and_one_more(a_row_each):
    asked = set()
    for model, name, may, _ in dialogs(a_row_each):
        method = getattr(admin.site._registry[model], name)
        assert method.dialog, f"{name} would be a plain link"
        assert method.allowed_permissions[0] == "view"
        asked.add(may)
    assert asked == SUPERUSERS_ONLY | {f"marketplace.{code}" for codes in MATRIX.values() for code in codes}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_its_own_dialogs_and_no_others(role, console, make_admin, a_row_each):
    client = console(make_admin(role))
    mine = {f"marketplace.{code}" for code in MATRIX[role]}
    refused = 0
    for model, name, may, url in dialogs(a_row_each):
        if may in mine:
            assert client.get(url, headers=HTMX).status_code == 200, f"{role} may not open {model.__name__} {name}"
            continue
        refused += 1
        for answer in (client.get(url, headers=HTMX), client.post(url, {"_form_submitted": "on"}, headers=HTMX)):
            assert answer.status_code == 403, f"{role} got through to {model.__name__} {name}"
    assert refused


def test_a_right_without_the_right_to_view_opens_nothing(console, make_admin, a_row_each):
    from django.contrib.auth.models import Permission

    person = make_admin(name="blind")
    codes = {code for codes in MATRIX.values() for code in codes}
    person.user_permissions.set(Permission.objects.filter(content_type__app_label="marketplace", codename__in=codes))
    client = console(person)
    for _, name, _, url in dialogs(a_row_each):
        assert client.get(url, headers=HTMX).status_code == 403, name


def test_opening_a_dialog_writes_nothing(console, boss, a_row_each, request_in):
    client = console(boss)
    rows = [a_row_each, *(a_row_each | {ServiceRequest: request_in(s)} for s in ("IN_PROGRESS", "WORK_COMPLETED"))]
    client.get(reverse("admin:index"))
    for of in rows:
        for model, name, _, url in dialogs(of):
            with CaptureQueriesContext(
                connection,
            ) as captured:
                assert client.get(url, headers=HTMX).status_code == 200
            writes = [q["sql"] for q in captured if q["sql"].split(" ", 1)[0] in ("INSERT", "UPDATE", "DELETE")]
            assert not [sql for sql in writes if "django_session" not in sql], (model.__name__, name)


def test_every_input_of_a_dialog_is_drawn_as_one(console, boss, a_row_each, request_in):
    client = console(boss)
    states = [("ASSIGNED_TO_SERVICEMAN", True), ("ASSIGNED_TO_SERVICEMAN", False), ("PENDING_ADMIN_ASSIGNMENT", None)]
    requests = [request_in(status, accepted=accepted) for status, accepted in states]
    bare, seen = set(), 0
    for rows in [a_row_each, *(a_row_each | {ServiceRequest: request} for request in requests)]:
        for _, name, _, url in dialogs(rows):
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


def test_strangers_and_clients_are_sent_to_the_sign_in(console, ada, request_in, client):
    record = request_in("PENDING_ADMIN_ASSIGNMENT")
    url = reverse("admin:marketplace_servicerequest_assign", args=[record.pk])
    for caller in (client, console(ada)):
        for answer in (caller.get(url), caller.post(url)):
            assert answer.status_code == 302
            assert reverse("admin:login") in answer["Location"]


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


def test_money_rows_have_no_way_to_be_edited(a_row_each, rf, boss):
    request = rf.get("/")
    request.user = boss
    for model, site in admin.site._registry.items():
        if model._meta.app_label == "marketplace" and model.__name__ not in ("Category", "BusinessSettings"):
            assert not site.has_change_permission(request)
            assert not site.has_add_permission(request)
        if model is not admin.site._registry.get("Group") and model.__name__ != "Group":
            assert not site.has_delete_permission(request)
        assert not site.list_editable
    assert not admin.site._registry[Payment].get_actions(request).get("delete_selected")
