"""A dispatcher's day on the demo, by clicks: assigning, offering anew, verifying, letting servicemen in."""

import re

import pytest

from marketplace.models import ServicemanProfile, ServiceRequest
from marketplace.services.assignment import suggest
from marketplace.tests.browser.conftest import choose, fresh, message, next_of, submit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_oldest_emergency_is_assigned_in_three_clicks(console_as, hand):
    waiting = ServiceRequest.objects.to_assign().filter(is_emergency=True).order_by("due_at", "pk").first()
    assert waiting
    page = console_as("dispatcher")
    hand.click(next_of(page, "To assign"))
    choose(hand, page, "Assign serviceman")
    best = page.locator(".c-candidate").first
    assert best.get_by_role("radio").is_checked()
    assert best.get_by_text("Best match").is_visible()
    submit(hand, page, "Send the offer")
    message(page, "Offered to").wait_for()
    assert hand.clicks <= 3
    assert fresh(waiting).serviceman is not None
    assert page.get_by_role("heading", name=waiting.code).first.is_visible(), "he is where he was"


def test_an_offer_nobody_answers_goes_to_another(console_as, hand):
    record = next(r for r in ServiceRequest.objects.unanswered() if suggest([r], limit=1)[r.pk])
    page = console_as("dispatcher")
    hand.click(page.locator("a.c-queue", has_text="Unanswered offers"))
    hand.click(page.get_by_role("link", name=re.compile(record.code)))
    choose(hand, page, "Reassign")
    page.locator("#dialog").get_by_label("Reason").fill("He does not pick up.")
    submit(hand, page, "Take the job and offer it")
    message(page, "Taken back and offered to").wait_for()
    assert fresh(record).serviceman not in (None, record.serviceman)
    assert record.offers.filter(answer="TAKEN_BACK").get().serviceman == record.serviceman
    assert hand.clicks <= 5


def test_a_completion_is_verified(console_as, hand):
    record = ServiceRequest.objects.to_verify().filter(issues=None).order_by("due_at").first()
    assert record
    page = console_as("dispatcher")
    hand.click(page.locator("a.c-queue", has_text="Awaiting verification"))
    hand.click(page.get_by_role("link", name=re.compile(record.code)))
    choose(hand, page, "Verify completion")
    submit(hand, page, "Verify completion")
    message(page, "Verified: the request is completed.").wait_for()
    assert fresh(record).status == "COMPLETED"
    assert hand.clicks <= 4


def test_an_application_is_approved_in_three_clicks(console_as, hand):
    oldest = ServicemanProfile.objects.filter(approval="PENDING").order_by("pk").first()
    assert oldest
    page = console_as("dispatcher")
    hand.click(next_of(page, "Serviceman applications"))
    hand.click(page.locator("#header-inner").get_by_role("link", name="Approve"))
    page.locator("#dialog").wait_for()
    submit(hand, page, "Approve")
    message(page, "Approved.").wait_for()
    assert fresh(oldest).approval == "APPROVED"
    assert hand.clicks <= 3


def test_a_selection_goes_to_its_best_matches_row_by_row(console_as, hand):
    page = console_as("dispatcher")
    hand.click(page.locator("a.c-queue", has_text="To assign"))
    page.locator("#result_list").wait_for()
    address = page.url
    codes = [row.locator(".field-what b").inner_text().split()[0] for row in page.locator(".data-row").all()[:2]]
    for code in codes:
        hand.click(page.locator(".data-row", has_text=code).get_by_role("checkbox"))
    page.locator("select[name=action]").select_option(label="Offer each to its best match")
    hand.click(page.get_by_role("button", name="Run"))
    told = message(page, re.compile("offered to|nobody fits"))
    told.first.wait_for()
    assert told.count() == len(codes)
    assert page.url == address, "he is where he was"
    for code in codes:
        line = told.filter(has_text=code)
        record = ServiceRequest.objects.get(code=code)
        assert ("offered to" in line.inner_text()) == (record.serviceman is not None)
    assert "offered to" in told.first.inner_text()
    hand.click(told.first.get_by_role("link"))
    page.get_by_role("heading", name=codes[0]).first.wait_for()
