"""A day of whoever looks after the money, on the demo, by clicks: money at risk, refunds, a transfer, an export."""

import csv
import io
import re

import pytest

from marketplace.models import Payment, Refund, ServiceRequest
from marketplace.money import naira_text
from marketplace.tests.browser.conftest import choose, fresh, message, next_of, submit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def action(page, name):
    """A dialog of a payment's or a refund's page."""
    return page.locator("#header-inner").get_by_role("link", name=name, exact=True)


def test_money_at_risk_is_worked_through(console_as, hand):
    late = Payment.objects.filter(outcome="LATE").get()
    refund = late.refunds.get()
    page = console_as("finance")
    hand.click(page.locator("a.c-queue", has_text="Money at risk"))
    line = page.locator("#late tr", has_text=late.paystack_reference)
    assert naira_text(refund.amount) in line.inner_text()

    # Each time the line names the one step that is next, and leads to it.
    hand.click(line.get_by_role("link", name="Approve the refund"))
    hand.click(action(page, "Approve"))
    submit(hand, page, "Approve")
    message(page, "Approved: it can be sent now.").wait_for()
    assert fresh(refund).status == "APPROVED"
    assert hand.clicks <= 4

    hand.click(action(page, "Send"))
    submit(hand, page, "Send")
    message(page, "Sent through Paystack.").wait_for()
    assert fresh(refund).status in ("SENT", "PROCESSING", "PROCESSED")

    page.get_by_role("link", name="At risk").click()
    page.get_by_role("heading", name="Paid twice").wait_for()
    assert page.locator("#late").get_by_role("link", name="Approve the refund").count() == 0


def test_a_refund_is_approved_in_three_clicks(console_as, hand):
    page = console_as("finance")
    hand.click(next_of(page, "Refunds to decide"))
    refund = Refund.objects.get(pk=re.search(r"/refund/(\d+)/", page.url)[1])
    assert refund.status in ("DUE", "REVIEW", "FAILED", "NEEDS_ATTENTION")
    if refund.status == "NEEDS_ATTENTION":
        pytest.fail("The demo's first refund to decide is one to approve.")
    hand.click(action(page, "Approve"))
    submit(hand, page, "Approve")
    message(page, "Approved: it can be sent now.").wait_for()
    assert fresh(refund).status == "APPROVED"
    assert hand.clicks <= 3


def test_a_transfer_is_recorded(console_as, demo, hand):
    record = ServiceRequest.objects.filter(status="AWAITING_PAYMENT", is_deleted=False).first()
    page = console_as("finance")
    page.get_by_role("link", name="All requests").click()
    page.get_by_placeholder("Code, name").fill(record.code)
    page.keyboard.press("Enter")
    hand.click(page.get_by_role("link", name=re.compile(record.code)))
    choose(hand, page, "Record a payment by hand")
    window = page.locator("#dialog")
    assert window.get_by_label("Amount that came").input_value() == str(record.final_cost)
    window.get_by_label("Evidence").fill("GTB transfer 000013241125094012")
    submit(hand, page, "Record")
    message(page, "Recorded: it counts once it is approved.").wait_for()
    payment = record.payments.get(channel="MANUAL")
    assert (payment.status, payment.amount) == ("PENDING", record.final_cost)
    assert hand.clicks <= 4

    # It waits for a second person, who finds it from the home page.
    page.goto(demo.console)
    next_of(page, "Payments to approve").click()
    page.get_by_text("GTB transfer 000013241125094012").wait_for()
    assert action(page, "Approve").count() == 0, "not by whoever recorded it"


def test_the_list_as_it_is_filtered_goes_out_as_csv(console_as, demo, hand, tmp_path):
    page = console_as("finance")
    page.goto(f"{demo.console}marketplace/payment/?payment_type__exact=FINAL_PAYMENT&status__exact=SUCCESSFUL")
    hand.click(page.get_by_role("link", name="Export"))
    with page.expect_download() as waiting:
        hand.click(page.get_by_role("button", name="Download"))
    waiting.value.save_as(tmp_path / "payments.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "payments.csv").read_bytes().decode("utf-8-sig"), newline="")))
    paid = {p.paystack_reference: p for p in Payment.objects.filter(payment_type="FINAL_PAYMENT", status="SUCCESSFUL")}
    assert {row["reference"] for row in rows} == set(paid)
    for row in rows:
        assert row["amount"] == str(paid[row["reference"]].amount)
    assert hand.clicks <= 2
    hand.click(page.get_by_role("link", name="Back to the list"))
    assert "payment_type__exact=FINAL_PAYMENT" in page.url
