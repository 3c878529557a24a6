"""Money finance gives back on its own: asked for by one, approved by another, sent through Paystack or by hand."""

from decimal import Decimal

import pytest

from core.errors import Conflict, Forbidden, Invalid, Missing
from marketplace.enums import (
    Account,
    Channel,
    NotificationType,
    PaymentOutcome,
    PaymentStatus,
    RefundStatus,
    SecondPerson,
)
from marketplace.models import Notification, Payment, Refund
from marketplace.sandbox import store
from marketplace.services import ledger, payments, refunds, requests
from marketplace.services.settings import change_settings
from marketplace.tests.gateway import Gateway, proof

pytestmark = pytest.mark.django_db

S = RefundStatus


@pytest.fixture
def finance(make_admin):
    return make_admin("finance", name="funke")


@pytest.fixture
def other(make_admin):
    return make_admin("finance", name="femi")


@pytest.fixture
def done(request_in):
    """The final payment of a completed job, 22,000 naira of which 20,000 are the serviceman's."""
    request = request_in("COMPLETED")
    payment = request.applied_payment("FINAL_PAYMENT")
    ledger.post_payment_in(payment)
    ledger.post_completion_earned(request, by=None)
    return payment


@pytest.fixture
def wrong(request_in):
    """21,000 naira came where 22,000 were asked for."""
    job = request_in("AWAITING_PAYMENT")
    payment = Payment.objects.create(
        service_request=job,
        payment_type="FINAL_PAYMENT",
        amount=Decimal("22000.00"),
        price_version=1,
        paystack_reference="short",
    )
    return payments.apply("short", proof(payment, amount_kobo=2100000))


def asked(payment, amount, by, reason="The tap drips again"):
    return refunds.ask(payment.pk, amount=Decimal(amount), reason=reason, by=by)


def moved():
    return {account: kobo for account, kobo in ledger.balances().items() if kobo}


def test_a_gesture_after_the_end_comes_out_of_revenue(done, finance, other):
    refund = asked(done, "1500.00", finance)
    assert (refund.status, refund.from_revenue, refund.requested_by) == (S.DUE, True, finance)
    books = moved()
    assert (books[Account.REVENUE_MARKUP], books[Account.REFUNDS_PAYABLE]) == (-50000, -150000)
    assert Account.CLIENT not in books
    assert books[Account.SERVICEMAN_PAYABLE] == -2000000
    refunds.approve(refund.pk, by=other)


def test_a_gesture_that_is_waived_is_revenue_again(done, finance, other):
    before = moved()
    refunds.waive(asked(done, "1500.00", finance).pk, reason="Not our fault", by=other)
    assert moved() == before


def test_never_more_than_was_paid_however_often(done, finance):
    asked(done, "20000.00", finance)
    for amount in ("2000.01", "0", "-5"):
        with pytest.raises(Invalid) as refused:
            asked(done, amount, finance)
        assert "amount" in refused.value.errors
    asked(done, "2000.00", finance)
    with pytest.raises(Conflict) as refused:
        asked(done, "0.01", finance)
    assert refused.value.code == "nothing_left"


def test_while_the_request_is_open_cancelling_says_what_goes_back(request_in, finance):
    payment = request_in("IN_PROGRESS").applied_payment("FINAL_PAYMENT")
    with pytest.raises(Conflict) as refused:
        asked(payment, "1.00", finance)
    assert refused.value.code == "request_open"
    assert not Refund.objects.exists()


def test_the_wrong_amount_goes_back_out_of_what_is_held(wrong, finance, other, gateway: Gateway):
    assert wrong.outcome == PaymentOutcome.MISMATCH
    refund = asked(wrong, "21000.00", finance)
    refunds.approve(refund.pk, by=other)
    assert refunds.returnable(wrong) == 0
    assert ledger.balances()[Account.CLIENT] == 0
    assert ledger.balances()[Account.REFUNDS_PAYABLE] == -2100000


def test_what_was_asked_for_by_mistake_stays_held(wrong, finance, other):
    before = moved()
    refunds.waive(asked(wrong, "21000.00", finance).pk, reason="He will pay the rest", by=other)
    assert moved() == before


def test_the_right_proof_after_its_return_was_asked_for_goes_back_as_well(wrong, finance):
    asked(wrong, "21000.00", finance)
    payment = payments.apply("short", proof(wrong))
    assert (payment.status, payment.outcome) == (PaymentStatus.SUCCESSFUL, PaymentOutcome.LATE)
    assert sum(r.amount for r in payment.refunds.all()) == Decimal("22000.00")
    assert ledger.balances()[Account.CLIENT] == 0


def test_who_asked_does_not_approve(done, finance, other, boss):
    refund = asked(done, "1500.00", finance)
    with pytest.raises(Forbidden) as refused:
        refunds.approve(refund.pk, by=finance)
    assert refused.value.code == "second_person_needed"
    change_settings(by=boss, second_person=SecondPerson.NEVER)
    refunds.approve(refund.pk, by=finance)


def test_an_admin_who_cancelled_does_not_approve_what_goes_back(request_in, make_admin, other):
    both = make_admin("finance", "dispatcher", name="both")
    payment = request_in("PAYMENT_CONFIRMED").applied_payment("FINAL_PAYMENT")
    ledger.post_payment_in(payment)
    requests.cancel(payment.service_request_id, reason="No", by=both)
    refund = payment.refunds.get()
    with pytest.raises(Forbidden):
        refunds.approve(refund.pk, by=both)
    assert refunds.approve(refund.pk, by=other).status == S.APPROVED


def test_only_finance_and_only_with_a_reason(done, finance, make_admin):
    for role in ("dispatcher", "pricing", "viewer"):
        with pytest.raises(Forbidden):
            asked(done, "5.00", make_admin(role))
    with pytest.raises(Invalid):
        asked(done, "5.00", finance, reason=" ")
    with pytest.raises(Missing):
        refunds.ask(987654, amount=Decimal(5), reason="x", by=finance)


# --- By hand


@pytest.fixture
def approved(done, finance, other):
    refund = asked(done, "1500.00", finance)
    return refunds.approve(refund.pk, by=other)


def test_it_is_returned_by_hand_with_a_note(approved, finance, ada):
    with pytest.raises(Invalid):
        refunds.pay_back_by_hand(approved.pk, note=" ", by=finance)
    refund = refunds.pay_back_by_hand(approved.pk, note="Transfer GTB 77", by=finance)
    assert (refund.status, refund.channel, refund.note) == (S.PROCESSED, Channel.MANUAL, "Transfer GTB 77")
    assert ledger.balances()[Account.BANK] == -150000
    assert ledger.balances()[Account.REFUNDS_PAYABLE] == 0
    assert Notification.objects.filter(notification_type=NotificationType.REFUND_SENT, user=ada).count() == 1
    with pytest.raises(Conflict):
        refunds.pay_back_by_hand(approved.pk, note="Again", by=finance)
    with pytest.raises(Conflict):
        refunds.send(approved.pk, by=finance)


def test_who_approved_does_not_pay_it_out_by_hand(approved, other):
    with pytest.raises(Forbidden) as refused:
        refunds.pay_back_by_hand(approved.pk, note="Cash", by=other)
    assert refused.value.code == "second_person_needed"


@pytest.fixture
def owed(gateway: Gateway, request_in, ada, other):
    """An approved refund of a booking fee that was really paid at the sandbox."""
    payment, _ = payments.initialize(request_in("AWAITING_BOOKING_FEE").pk, payment_type="INITIAL_BOOKING", by=ada)
    gateway.choose(payment.authorization_url)
    payment = payments.settle(payment.paystack_reference)
    refund = refunds.owe(payment, amount=payment.amount, reason="Cancelled.", by=None)
    refunds.approve(refund.pk, by=other)
    return refund


def test_not_while_paystack_may_still_send_it(gateway: Gateway, owed, finance):
    gateway.scenario(refund_call="error_after", times=1)
    with pytest.raises(Exception, match="Paystack"):
        refunds.send(owed.pk, by=finance)
    with pytest.raises(Conflict):
        refunds.pay_back_by_hand(owed.pk, note="Cash", by=finance)
    assert len(store.refunds()) == 1


def test_what_paystack_cannot_deliver_is_returned_by_hand_and_seen_when_it_does_after_all(
    gateway: Gateway, owed, finance
):
    gateway.scenario(refund="needs-attention")
    refunds.send(owed.pk, by=finance)
    gateway.settle()
    assert refunds.settle(owed.pk).status == S.NEEDS_ATTENTION
    refunds.pay_back_by_hand(owed.pk, note="Transfer GTB 78", by=finance)
    store.move_refund(1, "processed")
    for _ in range(2):
        refunds.settle(owed.pk)
    refund = Refund.objects.get()
    assert refund.status == S.PROCESSED
    assert "as well" in refund.last_error
    told = Notification.objects.filter(notification_type=NotificationType.MONEY_AT_RISK, user=finance)
    assert sum("as well" in n.message for n in told) == 1
    assert ledger.balances()[Account.REFUNDS_PAYABLE] == 0


def test_nobody_is_told_of_a_refund_that_failed_at_once(owed, finance, monkeypatch):
    from dataclasses import replace

    from marketplace import paystack

    really = paystack.refund
    monkeypatch.setattr(paystack, "refund", lambda **said: replace(really(**said), status="failed"))
    assert refunds.send(owed.pk, by=finance).status == S.FAILED
    assert not Notification.objects.filter(notification_type=NotificationType.REFUND_SENT).exists()
