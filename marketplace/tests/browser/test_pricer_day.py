"""A day of whoever sets the prices, on the demo, by clicks: pricing, answering proposals, asking servicemen."""

import re

import pytest

from marketplace.models import Consultation, ServiceRequest
from marketplace.tests.browser.conftest import choose, fresh, message, next_of, submit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def to_answer():
    return ServiceRequest.objects.to_price().filter(status="NEGOTIATING").order_by("-is_emergency", "due_at", "pk")


def test_an_inspected_job_is_priced_in_three_clicks(console_as, hand):
    waiting = ServiceRequest.objects.to_price().filter(status="SERVICEMAN_INSPECTED")
    record = waiting.order_by("-is_emergency", "due_at", "pk").first()
    assert record
    page = console_as("pricing")
    hand.click(next_of(page, "To price"))
    choose(hand, page, "Set final cost")
    page.locator("#dialog").get_by_label("Markup", exact=True).fill("15")
    submit(hand, page, "Send the price to the client")
    message(page, "The client was sent the price.").wait_for()
    assert hand.clicks <= 3
    assert (fresh(record).status, fresh(record).admin_markup_percentage) == ("AWAITING_CLIENT_APPROVAL", 15)


def test_the_serviceman_is_asked_about_a_proposal(console_as, hand):
    record = to_answer().exclude(negotiations__consultations__closed_at=None).last() or to_answer().last()
    page = console_as("pricing")
    hand.click(page.locator("a.c-queue", has_text="Negotiations to answer"))
    hand.click(page.get_by_role("link", name=re.compile(record.code)))
    choose(hand, page, "Ask the serviceman")
    page.locator("#dialog").get_by_label("Question").fill("Is there room for this price?")
    submit(hand, page, "Ask the serviceman")
    message(page, "The serviceman was asked.").wait_for()
    assert Consultation.objects.get(question="Is there room for this price?").serviceman == record.serviceman
    page.get_by_role("tab", name=re.compile("Negotiation")).click()
    page.locator(".c-thread").get_by_text("Is there room for this price?").wait_for()


def test_a_proposal_is_answered_in_three_clicks(console_as, hand):
    record = to_answer().first()
    proposal = record.open_proposal
    page = console_as("pricing")
    hand.click(next_of(page, "Negotiations to answer"))
    choose(hand, page, "Accept the proposal")
    submit(hand, page, "Accept the proposal")
    message(page, "Accepted: the agreed amount is the price now.").wait_for()
    assert hand.clicks <= 3
    assert (fresh(record).status, fresh(record).final_cost) == ("AWAITING_PAYMENT", proposal.proposed_amount)
