"""Every kind of page of the console against WCAG 2.2 AA: light and dark, on a desk, on a phone and enlarged."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from playwright.sync_api import TimeoutError  # noqa: A004

from core.models import User
from core.tests.axe import ADVICE, COLOURS, WCAG
from marketplace import models
from marketplace.enums import Status
from marketplace.tests.browser.conftest import STILL, admin_url, choose, request_at
from marketplace.tests.people import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = (1440, 390)
ENLARGED = (720, 320)
"""A window of 1440 pixels at 200 %, one of 1280 at 400 %."""
GRAVE = ("serious", "critical")
FEWER_ROWS = "document.querySelectorAll('#result_list > tbody:nth-of-type(n + 9)').forEach((row) => row.remove())"
"""Eight rows of a list show what fifty do, in a fraction of the time."""
ALLOWED = {
    # The two boxes of a role's rights: Django's own script puts a name on the icon that explains them.
    ("aria-prohibited-attr", ".help-tooltip"),
}
"""Rule and part of a selector that cannot be mended from here."""
S = Status


class Faults(dict[tuple[str, str], list[str]]):
    """What keeps people out, and on which pages in which guise."""

    def add(self, place, finding):
        allowed = any(finding.rule == rule and part in finding.selector for rule, part in ALLOWED)
        if finding.impact in GRAVE and not finding.is_advice and not allowed:
            # The same element of another row is the same fault.
            self.setdefault((finding.rule, re.sub(r"\d+", "0", finding.html)), []).append(f"{place}: {finding}")

    def __str__(self):
        return "".join(f"\n  {len(where)} times {rule}, first in {where[0]}" for (rule, _), where in self.items())


@pytest.fixture
def look_at(axe, request):
    """`look_at(page, name)`: the page as it stands, in every guise. What was found is told when the test ends.

    Best practices beyond WCAG fail nothing: `-rP` shows them.
    """
    faults = Faults()
    advice = set()

    def look(page, name):
        page.add_style_tag(content=STILL)
        page.evaluate(FEWER_ROWS)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            for scheme in ("light", "dark"):
                page.evaluate("scheme => Alpine.$data(document.documentElement).switchTheme(scheme)", scheme)
                for finding in axe(page, rules=() if scheme == "light" else COLOURS, tags=(*WCAG, *ADVICE)):
                    faults.add(f"{name}, {scheme}, {width}", finding)
                    if finding.is_advice:
                        advice.add(f"{finding.rule} at {finding.selector}")
        page.evaluate("Alpine.$data(document.documentElement).switchTheme('auto')")
        for width in ENLARGED:
            page.set_viewport_size({"width": width, "height": 450})
            try:
                page.wait_for_function("document.documentElement.scrollWidth <= innerWidth", timeout=500)
            except TimeoutError:
                faults.setdefault(("reflow", name), []).append(f"{name}: wider than a window of {width} pixels")
        page.set_viewport_size({"width": WIDTHS[0], "height": 900})

    yield look
    request.node.add_report_section("call", "best practices", "\n".join(sorted(advice)))
    assert not faults, str(faults)


# --- Pages


def test_the_sign_in(page, demo, look_at):
    page.goto(demo.console)
    look_at(page, "sign-in")
    page.get_by_label("E-mail address or username").fill("nobody@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Please enter the correct").wait_for()
    look_at(page, "sign-in refused")


def test_everything_in_the_sidebar(console_as, demo, look_at):
    page = console_as("boss")
    places = page.locator("#nav-sidebar-apps a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert len(places) > 35
    # A queue is its list with fewer rows: one of each is enough.
    for place in {place.partition("?")[0]: place for place in places}.values():
        assert page.goto(demo.site + place).status == 200
        look_at(page, place)


def the_objects() -> Iterator[object]:
    """One of each model whose page has something of its own."""
    yield models.Payment.objects.filter(outcome="LATE").first()
    yield models.Refund.objects.filter(status="DUE").first()
    yield models.ServicemanProfile.objects.filter(approval="PENDING").first()
    yield models.ServicemanProfile.objects.filter(approval="APPROVED").first()
    yield models.ClientProfile.objects.first()
    yield models.LedgerEntry.objects.first()
    yield models.PriceNegotiation.objects.first()
    yield models.Notification.objects.first()
    yield models.Rating.objects.first()
    yield models.BusinessSettings.current()
    yield models.Category.objects.first()
    yield Group.objects.first()
    yield User.objects.get(email__startswith="dispatcher")


def test_the_page_of_a_row(console_as, demo, look_at):
    page = console_as("boss")
    for record in the_objects():
        assert page.goto(demo.site + admin_url(record)).status == 200
        look_at(page, f"{record._meta.verbose_name} {record.pk}")


def test_trails_forms_and_exports(console_as, demo, look_at):
    page = console_as("boss")
    request = request_at(S.COMPLETED)
    places = [
        admin_url(request, "history"),
        reverse("admin:marketplace_servicerequest_simple_history", args=[request.pk, request.history.first().pk]),
        reverse("admin:marketplace_category_add"),
        reverse("admin:marketplace_payment_export"),
        reverse("admin:marketplace_servicerequest_changelist") + "?q=nobody-is-called-that",
        reverse("admin:password_change"),
    ]
    for place in places:
        assert page.goto(demo.site + place).status == 200
        look_at(page, place)


# --- A request


STATES = (
    S.PENDING_ADMIN_ASSIGNMENT, S.SERVICEMAN_INSPECTED, S.AWAITING_PAYMENT, S.WORK_COMPLETED, S.COMPLETED, S.CANCELLED,
)  # fmt: skip
"""One of each colour, and of each who must act."""


def test_a_request_in_several_states(console_as, demo, look_at):
    page = console_as("boss")
    for status in STATES:
        page.goto(demo.site + admin_url(request_at(status)))
        look_at(page, status)


@pytest.mark.parametrize("status", [S.NEGOTIATING, S.COMPLETED])
def test_every_tab_of_a_request(status, console_as, demo, look_at):
    page = console_as("boss")
    page.goto(demo.site + admin_url(request_at(status)))
    for tab in page.get_by_role("tab").all()[1:]:
        tab.click()
        look_at(page, f"{status}, {tab.inner_text()}")


DIALOGS = {
    "Assign serviceman": (S.PENDING_ADMIN_ASSIGNMENT,),
    "Reassign": (S.ASSIGNED_TO_SERVICEMAN,),
    "Set final cost": (S.SERVICEMAN_INSPECTED,),
    "Counter the proposal": (S.NEGOTIATING,),
    "Cancel request": (S.PAYMENT_CONFIRMED, S.IN_PROGRESS),
    "Record a payment by hand": (S.AWAITING_PAYMENT,),
}


def test_dialogs_while_they_are_open(console_as, demo, hand, look_at):
    page = console_as("boss")
    for name, statuses in DIALOGS.items():
        page.goto(demo.site + admin_url(request_at(*statuses)))
        choose(hand, page, name)
        look_at(page, name)


def test_the_search_while_it_is_open(console_as, look_at):
    page = console_as("boss")
    page.keyboard.press("Control+k")
    page.locator("#search-input-command:focus").wait_for()
    page.keyboard.type("SR-")
    page.locator("#command-results-list li").first.wait_for()
    look_at(page, "search")


# --- The control: what is said of pages that are at fault


def test_a_page_with_faults_does_not_pass(page, axe):
    page.set_content("""<html lang="en"><title>Faults</title><main><h1>Faults</h1>
        <img src="data:,"><p style="color: #999; background: #fff">Pale</p><input><button></button></main></html>""")
    found = {finding.rule: finding for finding in axe(page)}
    assert set(found) >= {"image-alt", "color-contrast", "label", "button-name"}
    faults = Faults()
    faults.add("here", found["image-alt"])
    assert "first in here: critical image-alt at img" in str(faults)


def test_a_page_without_faults_passes(page, axe):
    page.set_content("""<html lang="en"><title>Fine</title><main><h1>Fine</h1>
        <img src="data:," alt="A tap"><label>Name <input></label></main></html>""")
    assert axe(page) == []
