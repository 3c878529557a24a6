"""Every address of the console, found by walking its URLs, for everybody: who gets in; and looking changes nothing.

What each role may stands here by hand, so that a right given away by a migration or a page shows as a wrong cell.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import nullcontext
from http.cookies import SimpleCookie
from io import BytesIO
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection, transaction
from django.template import Template
from django.template.response import SimpleTemplateResponse
from django.test.utils import CaptureQueriesContext
from django.urls import URLResolver, get_resolver, resolve, reverse
from unfold.sites import UnfoldAdminSite

from marketplace.models import Attachment, Notification, ServiceRequest

pytestmark = pytest.mark.django_db

# --- Who may what, by hand


def named(text: str) -> set[str]:
    return set(text.split())


SEEN = named(
    "user attachment category clientprofile consultation issue note notification offer payment price pricenegotiation "
    "rating refund servicemanprofile servicerequest unavailabledate"
)
TRAILS = named("category clientprofile servicemanprofile servicerequest payment refund")
BOOKS = named(
    "bankaccount dailyrevenue dispute ledgerentry ledgerline payout payoutbatch receipt reconciliationdifference "
    "reconciliationrun webhookevent"
)
CODENAMES = "assign verify price cancel approve_servicemen settle refund pay_out export announce manage_catalog"
WITH_TRAIL = TRAILS | {"bankaccount", "payout", "user", "businesssettings"}


def rights(codenames: str = "", views: set[str] = SEEN, trails: set[str] = TRAILS) -> set[str]:
    return {"staff", *named(codenames), *(f"view {m}" for m in views), *(f"trail of {m}" for m in trails)}


PEOPLE: dict[str, set[str] | None] = {
    "dispatcher": rights("assign verify cancel approve_servicemen announce manage_catalog"),
    "pricing": rights("price cancel"),
    "finance": rights("settle refund pay_out export", SEEN | BOOKS, TRAILS | {"bankaccount", "payout"}),
    "viewer": rights(),
    "superuser": None,  # everything
    "blind": rights(CODENAMES, set(), set()),
    "clerk": {"staff"},
    "client": set(),
    "stranger": set(),
}
NOBODY = "nobody"
"""A right that superusers lack, too."""

DIALOGS: dict[str, dict[str, str]] = {
    "servicerequest": {
        "assign": "assign reassign accept decline withdraw submit_estimate start_work complete_work approve_price "
        "reschedule set_emergency lift_emergency add_note book",
        "verify": "verify return_to_work raise_issue resolve_issue",
        "price": "set_final_cost propose_price accept_proposal counter reject_proposal withdraw_proposal consult "
        "price-preview",
        "cancel": "cancel soft_delete",
        "settle": "record_payment",
        "pay_out": "compensate",
    },
    "payment": {"settle": "settle approve reject set_aside", "refund": "refund"},
    "refund": {"refund": "approve send follow provide_account pay_by_hand waive"},
    "dispute": {"settle": "ask_paystack write_down"},
    "webhookevent": {"settle": "replay"},
    "servicemanprofile": {"approve_servicemen": "approve reject suspend reinstate"},
    "rating": {"verify": "hide show"},
    "notification": {"announce": "announce resend preview"},
    "user": {"change user": "sign_out password"},
    "failure": {"change failure": "retry"},
    "schedule": {"change schedule": "run_now"},
}
"""Model -> right -> the dialogs it opens, for whoever may view the row."""
WRITTEN = {
    "category": {"add": "manage_catalog", "change": "manage_catalog"},
    "businesssettings": {"change": "manage_settings"},
    "user": {"add": "add user", "change": "change user"},
    "group": {"add": "add group", "change": "change group", "delete": "delete group"},
}
"""The few forms that are saved."""
BULK = {
    ("servicerequest", "assign_best_match"): "assign",
    ("servicerequest", "mark_emergency"): "assign",
    ("notification", "resend_chosen"): "announce",
    ("group", "delete_selected"): "delete group",
}
SITE = {
    "": "staff",
    "search": "staff",
    "password_change": "staff",
    "done": "staff",
    "autocomplete": "staff",
    "jsi18n": "staff",
    "r": "staff",
    "no-such": "staff",
    "login": "",
    "logout": "",
    "previews": "announce, view notification",
    "at-risk": "view payment, view refund",
    "revenue": "view payment, view refund",
    "operations": "view servicerequest, view offer, view payment",
    "servicemen": "view servicemanprofile, view offer, view payment",
    "categories": "view category, view payment",
    "ratings": "view rating",
    "workflow": "view servicerequest",
    "marketplace": "view servicerequest",
    "core": "view user",
    "auth": "view group",
    "django_q": "view schedule",
}
"""Pages that belong to no model."""
ODD = {"logout": 405, "r": 404, "no-such": 404, "autocomplete": 403}
"""What a bare GET of these answers whoever is let in: there is nothing to see."""
LETS_NOBODY_IN = {"marketplace": 404, "core": 404, "auth": 404, "django_q": 404}
"""The list of an app says so instead of 403."""

SUGGESTED = named("user servicerequest payment category group pricenegotiation refund ledgerentry payout")
"""Models that can be searched from a filter or a form."""


class Address(NamedTuple):
    """An address: its model ("" for none), which of its pages it is, and the path."""

    model: str
    page: str
    path: str

    def needs(self, method: str) -> set[str]:
        """The rights it takes."""
        if not self.model:
            return set(filter(None, SITE[self.page].split(", ")))
        seen = f"view {self.model}"
        if self.page in ("add", "delete") or (self.page == "change" and method == "POST"):
            return {"staff", seen, WRITTEN.get(self.model, {}).get(self.page, NOBODY)}
        for right, names in DIALOGS.get(self.model, {}).items():
            if self.page in names.split():
                return {seen, right}
        return {
            "bare": {"staff"},  # sends on to the page
            "changelist": {seen},
            "change": {seen},
            "file": {seen},
            "history": {seen, f"trail of {self.model}"} if self.model in WITH_TRAIL else {seen},
            "version": {seen, f"trail of {self.model}"},
            "export": {seen, "export"},
        }[self.page]


def may(person: str, needed: set[str]) -> bool:
    held = PEOPLE[person]
    return NOBODY not in needed if held is None else needed <= held


# --- Finding the addresses


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from routes(each, prefix + str(each.pattern))
        else:
            yield prefix + str(each.pattern)


def model_and_page(route: str) -> tuple[Any, str]:
    """What a route of the console leads to: a model and which of its pages, or None and a page of the site."""
    parts = route.removeprefix("admin/").replace("^", "").replace("$", "").strip("/").split("/")
    model = apps.all_models.get(parts[0], {}).get(parts[1]) if len(parts) > 1 else None
    if model is None:
        return None, "r" if parts[0] == "r" else "app" if "app_label" in route else parts[-1]
    names = [part for part in parts[2:] if part and not set("<([") & set(part)]
    if "(" in route:
        return model, "version"
    return model, names[0] if names else "bare" if "<" in route else "changelist"


@pytest.fixture
def addresses(a_row_each: Any) -> list[Address]:
    """All of them, with the ids of rows filled in."""
    a_row_each[Attachment].file.save("tap.png", BytesIO(b"png"))
    home, found = reverse("admin:index"), set()
    for route in routes(get_resolver()):
        if not route.startswith("admin/"):
            continue
        model, page = model_and_page(route)
        rest = route.removeprefix("admin/").replace("^", "").replace("$", "")
        if model:
            row = a_row_each[model]
            ids = [str(row.pk)]
            if page == "version":
                row.save()
                ids.append(str(row.history.latest().pk))
            for each in ids:
                rest = re.sub(r"<[^>]+>|\(\[[^)]+\)", each, rest, count=1)
            found.add(Address(model._meta.model_name, page, home + rest))
        elif page == "app":
            labels = rest.partition(">")[2].rstrip(")/").split("|")
            found |= {Address("", label, f"{home}{label}/") for label in labels}
        elif rest.startswith("(?P<url>"):
            found.add(Address("", "no-such", f"{home}no-such/"))
        else:
            found.add(Address("", page, home + re.sub(r"<[^>]+>", "1", rest)))
    return sorted(found)


# --- Knocking


class Knock:
    """One person at every door. What a POST writes is taken back, and so is what a call leaves in the cookies."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.cookies = {key: morsel.value for key, morsel in client.cookies.items()}

    def __call__(self, method: str, path: str, data: Any = None) -> Any:
        self.client.cookies = SimpleCookie(self.cookies)
        with nullcontext() if method == "GET" else transaction.atomic():
            answer = getattr(self.client, method.lower())(path, data, headers={"HX-Request": "true"})
            if answer.streaming:
                list(answer)
            if method == "POST":
                transaction.set_rollback(True)
        return answer


@pytest.fixture
def knock_as(console: Any, make_admin: Any, boss: Any, ada: Any, client: Any, settings: Any, monkeypatch: Any) -> Any:
    """Session, account and rights are read once, not with each of thousands of calls."""
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    monkeypatch.setattr(Template, "_render", lambda self, context: self.nodelist.render(context))  # no copy is kept
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)  # a traceback for each refusal

    def knock_as(name: str) -> Knock:
        if name == "stranger":
            return Knock(client)
        known = {"superuser": boss, "client": ada, "clerk": None, "blind": None}
        person = known.get(name) or make_admin(*([] if name in known else [name]))
        if name == "blind":
            person.user_permissions.set(Permission.objects.filter(codename__in=PEOPLE["blind"]))
        monkeypatch.setattr(ModelBackend, "get_user", lambda self, pk: person if pk == person.pk else None)
        return Knock(console(person))

    return knock_as


@pytest.fixture
def unrendered(monkeypatch: Any) -> None:
    """Who is let in is settled before a page is drawn."""
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")
    monkeypatch.setattr(UnfoldAdminSite, "each_context", lambda self, request: {})


def wrong(person: str, method: str, address: Address, answer: Any) -> bool:
    """Whether an answer is not what the tables say."""
    status, location = answer.status_code, answer.headers.get("Location", "")
    if address.needs(method) == set():
        return status not in (200, 302, ODD.get(address.page))
    if PEOPLE[person] == set():
        return not (status == 302 and location.startswith(reverse("admin:login")))
    if not may(person, address.needs(method)):
        # The trail is read-only for everybody: that is said first.
        shut = {405} if method == "POST" and address.page in ("history", "version") else set()
        return status not in shut | {LETS_NOBODY_IN.get(address.page, 403)}
    if location.startswith(reverse("admin:login")):
        return True
    if method == "GET":
        return status != ODD.get(address.page) and status not in (200, 302, 303)
    return status not in {200, 302, 303, 405, ODD.get(address.page)}


def wrong_cells(person: str, methods: tuple[str, ...], knock: Knock, addresses: list[Address]) -> list[Any]:
    sent = {"GET": None, "POST": {"_form_submitted": "on"}}
    return [
        (method, address.path, answer.status_code)
        for address in addresses
        for method in methods
        if wrong(person, method, address, answer := knock(method, address.path, sent[method]))
    ]


@pytest.mark.usefixtures("unrendered")
@pytest.mark.parametrize("person", PEOPLE)
def test_everybody_gets_in_where_he_may_and_nowhere_else(person, knock_as, addresses):
    methods = ("POST",) if person == "superuser" else ("GET", "POST")  # what superusers look at is drawn, below
    assert wrong_cells(person, methods, knock_as(person), addresses) == []


def test_superusers_see_every_page_and_looking_changes_nothing(knock_as, addresses):
    assert len(addresses) >= 317
    assert {address.model for address in addresses} >= {model._meta.model_name for model in admin.site._registry}
    knock = knock_as("superuser")
    with CaptureQueriesContext(connection) as captured:
        assert wrong_cells("superuser", ("GET",), knock, addresses) == []
    assert len(captured) > len(addresses)
    reads = re.compile(r"\(?SELECT |DECLARE \S+ NO SCROLL CURSOR FOR SELECT ")
    assert [query["sql"] for query in captured if not reads.match(query["sql"])] == []


@pytest.mark.parametrize(("person", "models"), [("viewer", SEEN | {""}), ("finance", BOOKS)])
def test_a_page_leads_only_to_where_its_reader_may_go(person, models, knock_as, addresses):
    knock, closed, followed = knock_as(person), set(), 0
    for address in addresses:
        if address.page in ODD or address.model not in models or not may(person, address.needs("GET")):
            continue
        answer = knock("GET", address.path)
        html = "" if answer.streaming else answer.content.decode()
        for attribute, target in re.findall(r'(href|hx-get|hx-post|action|src)="(/admin/[^"?#]*)', html):
            model, page = model_and_page(resolve(target).route)
            page = target.strip("/").rpartition("/")[2] if page == "app" else page
            followed += 1
            if not may(person, Address(model._meta.model_name if model else "", page, target).needs("GET")):
                closed.add((address.path, attribute, target))
    assert followed > 1000
    assert closed == set()


@pytest.mark.usefixtures("unrendered")
@pytest.mark.parametrize("person", PEOPLE)
def test_a_bulk_action_works_for_whoever_may_and_for_nobody_else(person, knock_as, a_row_each, request_in, bola):
    rows = a_row_each | {ServiceRequest: request_in("PENDING_ADMIN_ASSIGNMENT")}
    Notification.objects.update(sent_to_email=True)
    done, offered, names = set(), set(), {"delete_selected", *(name for _, name in BULK)}
    knock = knock_as(person)
    for model, row in rows.items():
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        if form := getattr(knock("GET", path), "context_data", {}).get("action_form"):
            offered |= {(model._meta.model_name, name) for name, _ in form.fields["action"].choices if name}
        for name in names | set(admin.site._registry[model].actions or ()):
            with CaptureQueriesContext(connection) as captured:
                knock("POST", path, {"action": name, "_selected_action": [row.pk], "post": "yes"})
            if any(query["sql"].startswith(("INSERT", "UPDATE", "DELETE")) for query in captured):
                done.add((model._meta.model_name, name))
    assert done == offered == {key for key, right in BULK.items() if may(person, {f"view {key[0]}", right})}


@pytest.mark.parametrize("person", PEOPLE)
def test_a_file_goes_to_whoever_may_export(person, knock_as, addresses):
    knock = knock_as(person)
    lists = [address for address in addresses if address.page == "export"]
    pages = [address for address in addresses if "/insight/" in address.path]
    assert (len(lists), len(pages)) == (7, 6)
    for kind, number in (("csv", 0), ("xlsx", 1)):
        for address in lists + pages:
            how = ("POST", {"format": number}) if address in lists else ("GET", {"export": kind})
            answer = knock(how[0], address.path, how[1])
            got = answer.status_code == 200 and kind in answer.headers.get("Content-Disposition", "")
            assert got == may(person, {*address.needs("GET"), "export"}), (address.path, answer.status_code)


@pytest.mark.usefixtures("unrendered")
@pytest.mark.parametrize("person", PEOPLE)
def test_suggestions_come_only_from_what_one_may_view(person, knock_as, a_row_each):
    fields = [
        (model, field)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and field.related_model
    ]
    assert len(fields) > 100
    knock, found = knock_as(person), set()
    for model, field in fields:
        asked = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field.name}
        answer = knock("GET", reverse("admin:autocomplete"), asked)
        if answer.status_code == 200:
            found.add(field.related_model._meta.model_name)
    assert found == {target for target in SUGGESTED if may(person, {f"view {target}"})}


@pytest.mark.parametrize("person", PEOPLE)
def test_the_search_finds_only_what_one_may_view(person, knock_as, a_row_each):
    knock, found = knock_as(person), set()
    cache.clear()
    for term in ("sr-", "ad", "test-", "pay", "job", "e"):
        answer = knock("GET", reverse("admin:search"), {"s": term})
        for target in re.findall(r'href="(/admin/[^"?#]*)', answer.content.decode()):
            if (model := model_and_page(resolve(target).route)[0]) is not None:
                found.add(model._meta.model_name)
    assert {model for model in found if not may(person, {f"view {model}"})} == set()
    assert ({"servicerequest", "clientprofile", "payment"} <= found) == may(person, {"view payment"})
