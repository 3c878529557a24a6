"""Money by hand in the console: one records it on the request, another approves it; money goes back likewise."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from core import clock
from marketplace.models import Payment, Refund, ServiceRequest
from marketplace.services import ledger

pytestmark = pytest.mark.django_db


@pytest.fixture
def funke(console, make_admin):
    return console(make_admin("finance", name="funke"))


@pytest.fixture
def femi(console, make_admin):
    return console(make_admin("finance", name="femi"))


@pytest.fixture
def recorded(funke, open_dialog, said, request_in):
    booking = request_in("AWAITING_BOOKING_FEE")
    form = open_dialog(funke, booking, "record_payment", method="get").content.decode()
    assert "Fee ₦2,000.00" in form
    assert 'value="2000.00"' in form
    values = {"payment_type": "INITIAL_BOOKING", "amount": "2000", "evidence": "GTB 0911", "paid_on": clock.today()}
    open_dialog(funke, booking, "record_payment", **values)
    assert said(funke) == ["Recorded: it counts once it is approved."]
    return Payment.objects.get(channel="MANUAL")


def test_the_message_leads_to_the_payment_that_was_recorded_and_not_to_the_page_one_is_on(
    funke, femi, open_dialog, request_in
):
    values = {"payment_type": "INITIAL_BOOKING", "amount": "2000", "evidence": "GTB 0911", "paid_on": clock.today()}
    open_dialog(funke, request_in("AWAITING_BOOKING_FEE"), "record_payment", **values)
    payment = Payment.objects.get(channel="MANUAL")
    page = reverse("admin:marketplace_payment_change", args=[payment.pk])
    (told,) = map(str, funke.get(reverse("admin:index")).context["messages"])
    assert f'href="{page}">Show the payment</a>' in told
    open_dialog(femi, payment, "approve")
    assert [str(message) for message in femi.get(page).context["messages"]] == ["Approved, and applied."]


def test_one_records_and_another_approves(funke, femi, open_dialog, said, recorded):
    open_dialog(funke, recorded, "approve")
    assert said(funke) == ["You recorded it yourself: somebody else must approve it."]
    assert "GTB 0911" in open_dialog(femi, recorded, "approve", method="get").content.decode()
    open_dialog(femi, recorded, "approve")
    assert said(femi) == ["Approved, and applied."]
    assert ServiceRequest.objects.get().status == "PENDING_ADMIN_ASSIGNMENT"
    open_dialog(femi, recorded, "approve")
    assert said(femi) == ["This payment is not waiting for approval."]


def test_it_is_rejected_with_a_reason(femi, open_dialog, said, recorded):
    assert open_dialog(femi, recorded, "reject").status_code == 200
    open_dialog(femi, recorded, "reject", reason="The bank knows of no such transfer.")
    assert said(femi) == ["Rejected: nothing was booked."]
    recorded.refresh_from_db()
    assert recorded.status == "FAILED"


def test_refusals_stand_at_their_field(funke, open_dialog, recorded, request_in):
    other = request_in("AWAITING_BOOKING_FEE")
    values = {"payment_type": "INITIAL_BOOKING", "amount": "2000", "evidence": "GTB 0912", "paid_on": clock.today()}
    tomorrow = clock.today().replace(year=clock.today().year + 1)
    answer = open_dialog(funke, other, "record_payment", **values | {"paid_on": tomorrow})
    assert "still to come" in answer.content.decode()
    answer = open_dialog(funke, other, "record_payment", **values | {"amount": "0"})
    assert answer.status_code == 200
    assert Payment.objects.filter(channel="MANUAL").count() == 1


def test_a_gesture_goes_from_asking_to_a_payment_by_hand(funke, femi, open_dialog, said, request_in):
    done = request_in("COMPLETED")
    payment = done.applied_payment("FINAL_PAYMENT")
    ledger.post_payment_in(payment)
    ledger.post_completion_earned(done, by=None)
    open_dialog(funke, payment, "refund", amount="1500", reason="The tap drips again.")
    (words,) = said(funke)
    assert strip_tags(words) == "Asked for: somebody else approves it under Refunds."
    assert 'href="/admin/marketplace/refund/?queue=to_decide"' in words
    refund = Refund.objects.get()
    open_dialog(funke, refund, "approve")
    assert said(funke) == ["You asked for it: somebody else must approve it."]
    open_dialog(femi, refund, "approve")
    open_dialog(femi, refund, "pay_by_hand", note_text="Cash")
    assert said(femi)[-1] == "You approved it: somebody else pays it back by hand."
    open_dialog(funke, refund, "pay_by_hand", note_text="Transfer GTB 77")
    assert said(funke) == ["Recorded: the money has gone back."]
    refund.refresh_from_db()
    assert (refund.status, refund.amount, refund.note) == ("PROCESSED", Decimal(1500), "Transfer GTB 77")


def test_an_open_request_returns_nothing_by_itself(funke, open_dialog, said, request_in):
    payment = request_in("IN_PROGRESS").applied_payment("FINAL_PAYMENT")
    open_dialog(funke, payment, "refund", amount="1500", reason="Kind.")
    assert said(funke) == ["The request is open: cancelling it says what goes back."]


def test_wrong_money_is_set_aside_with_a_note(funke, open_dialog, said, request_in):
    payment = Payment.objects.create(
        service_request=request_in("AWAITING_PAYMENT"),
        payment_type="FINAL_PAYMENT",
        amount=22000,
        paystack_reference="usd",
        status="FAILED",
        outcome="MISMATCH",
        metadata={"wrong": ["currency"]},
    )
    open_dialog(funke, payment, "set_aside", note_text="Returned in Paystack's dashboard.")
    assert said(funke) == ["Set aside: it is off the list of risks."]
    payment.refresh_from_db()
    assert payment.metadata["set_aside"]["note"] == "Returned in Paystack's dashboard."
    assert payment.metadata["wrong"] == ["currency"]
    open_dialog(funke, payment, "set_aside", note_text="Again.")
    assert said(funke) == ["It is set aside already."]


def test_others_do_not_touch_money(console, make_admin, open_dialog, recorded, request_in):
    for role in ("dispatcher", "pricing", "viewer"):
        client = console(make_admin(role))
        for record, name in [(request_in("AWAITING_BOOKING_FEE"), "record_payment"), (recorded, "approve")]:
            assert open_dialog(client, record, name, evidence="x").status_code == 403
    assert Payment.objects.get(pk=recorded.pk).status == "PENDING"
