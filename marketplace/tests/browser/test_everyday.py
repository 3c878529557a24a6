"""What everybody does all day: there and back, the search, the keyboard, forms that are left half filled in."""

import re

import pytest
from django.urls import reverse

from core.models import User
from marketplace import models
from marketplace.enums import Status
from marketplace.tests.browser.conftest import admin_url, choose, message, request_at

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FOCUS = """() => {
    const element = document.activeElement;
    const ring = [element, element.parentElement].map((each) => getComputedStyle(each));
    return {
        where: element.outerHTML.slice(0, 80),
        isSeen: ring.some((style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2),
        inWindow: !!element.closest("#dialog"),
    };
}"""
"""What the keyboard is at, whether that is seen, and whether it is in the dialog."""


# --- There and back


def test_the_list_is_as_it_was_after_a_visit_to_a_row(console_as, demo):
    page = console_as("dispatcher")
    the_list = reverse("admin:marketplace_servicerequest_changelist")
    for query in ("?queue=overdue", "?overdue=yes&q=SR-", "?o=-1&status__exact=COMPLETED"):
        address = f"{demo.site}{the_list}{query}"
        page.goto(address)
        rows = page.locator(".data-row .field-what b").all_inner_texts()
        assert rows, query

        def is_back():
            page.wait_for_url(lambda url: "/change/" not in url)
            assert page.locator(".data-row .field-what b").all_inner_texts() == rows, page.url  # noqa: B023

        for way in (
            page.get_by_title("Go back"),
            page.locator("#header-inner").get_by_role("link", name="All requests"),
        ):
            page.locator(".data-row a").first.click()
            page.locator(".c-head").wait_for()
            way.click()
            is_back()
        page.locator(".data-row a").first.click()
        page.locator(".c-head").wait_for()
        page.go_back()
        is_back()


def test_whoever_acts_stays_on_the_page_and_the_tab(console_as, demo, hand):
    page = console_as("dispatcher")
    page.goto(demo.site + admin_url(request_at(Status.IN_PROGRESS)) + "?_changelist_filters=queue%3Doverdue")
    page.get_by_role("tab", name="People").click()
    choose(hand, page, "Add a note")
    page.locator("#dialog").get_by_label("Note").fill("Rings at noon.")
    page.locator("#dialog").get_by_role("button", name="Add a note").click()
    message(page, "The note is kept.").wait_for()
    assert page.get_by_role("tab", name="People").get_attribute("aria-selected") == "true"
    page.get_by_title("Go back").click()
    page.wait_for_url("**/servicerequest/?queue=overdue")


def test_what_is_empty_says_what_to_do(console_as, demo):
    page = console_as("boss")
    page.goto(f"{demo.console}marketplace/servicerequest/?q=nobody-is-called-that")
    page.get_by_text("Try other words, or fewer filters.").wait_for()
    page.get_by_role("link", name="Show everything").click()
    page.locator(".data-row").first.wait_for()
    page.goto(f"{demo.console}marketplace/payout/")
    page.get_by_text("Payouts will be listed here.").wait_for()
    page.goto(demo.site + admin_url(request_at(Status.PENDING_ADMIN_ASSIGNMENT, Status.AWAITING_BOOKING_FEE)))
    page.get_by_role("tab", name=re.compile("Negotiation")).click()
    page.get_by_text("The client has not proposed another price, and nor have we.").wait_for()


# --- The search


@pytest.mark.parametrize("what", ["code", "name"])
def test_the_keyboard_finds_a_request_and_a_person(what, console_as, demo):
    record = request_at(Status.COMPLETED)
    words, target = (record.code, record) if what == "code" else (record.client.name, record.client.client_profile)
    page = console_as("boss")
    page.keyboard.press("Control+k")
    page.locator("#search-input-command:focus").wait_for()
    page.keyboard.type(words, delay=20)
    page.locator("#command-results-list a", has_text=words).first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(demo.site + admin_url(target))


# --- Forms left half filled in


def the_forms():
    yield admin_url(models.BusinessSettings.current()), "booking_fee", "3500"
    yield admin_url(models.Category.objects.first()), "name", "Another name"
    yield reverse("admin:marketplace_category_add"), "name", "A new trade"
    yield admin_url(User.objects.get(email__startswith="viewer")), "last_name", "Another"


def test_leaving_a_form_that_was_changed_is_asked_about(console_as, demo):
    page = console_as("boss")
    asked = []
    page.on("dialog", lambda window: (asked.append(window.type), window.accept()))
    for place, field, value in the_forms():
        page.goto(demo.site + place)
        page.locator("#header-inner").get_by_role("link", name="Home", exact=True).click()
        page.wait_for_url(demo.console)
        assert asked == [], "nothing was changed"
        page.goto(demo.site + place)
        page.locator(f"#id_{field}").fill("")
        page.locator(f"#id_{field}").press_sequentially(value)
        page.locator("#header-inner").get_by_role("link", name="Home", exact=True).click()
        page.wait_for_url(demo.console)
        assert asked == ["beforeunload"], place
        asked.clear()


# --- The keyboard


def test_the_first_stop_leads_past_the_sidebar_and_every_stop_is_seen(console_as):
    page = console_as("boss")
    page.keyboard.press("Tab")
    assert page.get_by_role("link", name="Skip to the content").evaluate("link => link === document.activeElement")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main, [role=main]').contains(document.activeElement)")
    stops = []
    for _ in range(25):
        stops.append(page.evaluate(FOCUS))
        page.keyboard.press("Tab")
    assert [stop for stop in stops if not stop["isSeen"]] == []
    assert len({stop["where"] for stop in stops}) > 15


def test_the_sidebar_is_worked_by_keys(console_as):
    page = console_as("boss")
    group = page.get_by_role("button", name="Insight")
    assert group.get_attribute("aria-expanded") == "false"
    group.press("Enter")
    page.get_by_role("link", name="Operations").wait_for()
    assert group.get_attribute("aria-expanded") == "true"
    page.get_by_role("button", name=re.compile("boss@")).press(" ")
    page.get_by_role("button", name="Log out").wait_for()
    page.get_by_role("button", name="Dark", exact=True).press("Enter")
    assert page.evaluate("document.documentElement.className") == "dark"
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    page.locator("#header-inner").get_by_role("button", name="Menu").press("Enter")
    page.get_by_role("link", name="All requests").click()
    page.wait_for_url("**/servicerequest/")


def test_a_dialog_takes_the_focus_keeps_it_and_gives_it_back(console_as, demo):
    page = console_as("boss")
    page.goto(demo.site + admin_url(request_at(Status.PAYMENT_CONFIRMED)))
    page.get_by_role("button", name="More").press("Enter")
    page.get_by_role("button", name="Cancel request").press("Enter")
    page.get_by_role("dialog", name="Cancel request").wait_for()
    page.locator("#dialog textarea:focus").wait_for()
    stops = []
    for _ in range(8):
        stops.append(page.evaluate(FOCUS))
        page.keyboard.press("Tab")
    assert all(stop["inWindow"] for stop in stops)
    assert len({stop["where"] for stop in stops}) >= 3
    # What is wrong has the focus after it was refused.
    page.locator("#dialog").get_by_role("button", name="Cancel request").press("Enter")
    page.locator("#dialog .errors textarea:focus").wait_for()
    page.keyboard.press("Escape")
    page.locator("#dialog").wait_for(state="hidden")
    page.locator(".c-more > button:focus").wait_for()
