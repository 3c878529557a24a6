"""Money back: owed by the policy, decided by finance, sent once, followed to its end."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from core.errors import Conflict, Forbidden, Invalid, Missing
from marketplace import paystack
from marketplace.enums import Account, NotificationType, PaymentOutcome, PaymentType, RefundStatus, Side, WebhookOutcome
from marketplace.models import Notification, Payment, Refund, ServiceRequest
from marketplace.sandbox import events, store
from marketplace.services import ledger, payments, refunds, requests
from marketplace.services.payments.checkout import new_payment
from marketplace.tests.gateway import Gateway, proof, sign

pytestmark = pytest.mark.django_db

S = RefundStatus


@pytest.fixture
def paid(gateway: Gateway, request_in, ada):
    """A booking fee that was really paid at the sandbox."""
    payment, _ = payments.initialize(request_in("AWAITING_BOOKING_FEE").pk, payment_type="INITIAL_BOOKING", by=ada)
    gateway.choose(payment.authorization_url)
    return payments.settle(payment.paystack_reference)


@pytest.fixture
def due(paid):
    return refunds.owe(paid, amount=paid.amount, reason="Cancelled.", by=None)


@pytest.fixture
def approved(due, boss):
    return refunds.approve(due.pk, by=boss)


def now_of(refund):
    return Refund.objects.get(pk=refund.pk)


def moved():
    return {account: kobo for account, kobo in ledger.balances().items() if kobo}


# --- Owed on cancellation


@pytest.mark.parametrize(
    ("status", "side", "expected"),
    [
        ("AWAITING_BOOKING_FEE", Side.CLIENT, []),
        ("PENDING_ADMIN_ASSIGNMENT", Side.CLIENT, [("2000.00", S.DUE)]),
        ("AWAITING_PAYMENT", Side.CLIENT, []),
        ("AWAITING_PAYMENT", Side.ADMIN, [("2000.00", S.DUE)]),
        ("PAYMENT_CONFIRMED", Side.CLIENT, [("22000.00", S.DUE)]),
        ("PAYMENT_CONFIRMED", Side.ADMIN, [("2000.00", S.DUE), ("22000.00", S.DUE)]),
        ("IN_PROGRESS", Side.CLIENT, [("22000.00", S.REVIEW)]),
        ("WORK_COMPLETED", Side.ADMIN, [("2000.00", S.REVIEW), ("22000.00", S.REVIEW)]),
    ],
)
def test_cancelling_owes_what_the_policy_says(request_in, ada, boss, status, side, expected):
    request = request_in(status)
    requests.cancel(request.pk, reason="Rain", by=ada if side == Side.CLIENT else boss)
    made = Refund.objects.order_by("amount")
    assert [(str(refund.amount), refund.status) for refund in made] == expected
    due = sum(refund.amount for refund in made if refund.status == S.DUE)
    assert ledger.balances()[Account.REFUNDS_PAYABLE] == -int(due * 100)


def test_what_went_back_earlier_is_not_owed_again(request_in, boss):
    request = request_in("PAYMENT_CONFIRMED")
    final = request.applied_payment("FINAL_PAYMENT")
    refunds.owe(final, amount=Decimal("20000.00"), reason="Half the work.", by=boss)
    requests.cancel(request.pk, reason="Rain", by=boss)
    assert sum(refund.amount for refund in final.refunds.all()) == final.amount


# --- Decided


def test_finance_lets_a_due_refund_go(due, boss):
    refund = refunds.approve(due.pk, by=boss)
    assert (refund.status, refund.approved_by) == (S.APPROVED, boss)
    assert refund.approved_at
    with pytest.raises(Conflict):
        refunds.approve(due.pk, by=boss)


def test_only_finance_decides_and_sends(due, make_admin, ada):
    assert refunds.approve(due.pk, by=make_admin("finance")).status == S.APPROVED
    for person in (ada, make_admin("dispatcher")):
        for act in (
            lambda by: refunds.approve(due.pk, by=by),
            lambda by: refunds.waive(due.pk, reason="No", by=by),
            lambda by: refunds.send(due.pk, by=by),
            lambda by: refunds.provide_account(due.pk, account_number="0123456789", bank_id="9", by=by),
        ):
            with pytest.raises(Forbidden):
                act(person)
    with pytest.raises(Missing):
        refunds.approve(987654, by=make_admin("finance", name="other"))


@pytest.fixture
def reviewed(request_in, ada):
    """The final payment of a job that was cancelled at work: 22,000 naira for finance to decide on."""
    request = request_in("IN_PROGRESS")
    ledger.post_payment_in(request.applied_payment("FINAL_PAYMENT"))
    requests.cancel(request.pk, reason="He broke the sink", by=ada)
    return Refund.objects.get()


def test_a_reviewed_refund_is_owed_once_it_is_approved(reviewed, boss):
    assert ledger.balances()[Account.REFUNDS_PAYABLE] == 0
    refunds.approve(reviewed.pk, by=boss)
    assert moved() == {Account.GATEWAY_CLEARING: 2200000, Account.REFUNDS_PAYABLE: -2200000}


def test_part_of_a_reviewed_refund_may_be_kept_with_a_reason(reviewed, boss):
    with pytest.raises(Invalid):
        refunds.approve(reviewed.pk, amount=Decimal("15000.00"), by=boss)
    for amount in ("0.00", "22000.01", "-1.00"):
        with pytest.raises(Invalid):
            refunds.approve(reviewed.pk, amount=Decimal(amount), note="Pipes were used", by=boss)
    refunds.approve(reviewed.pk, amount=Decimal("15000.00"), note="Pipes were used", by=boss)
    assert now_of(reviewed).amount == Decimal("15000.00")
    assert moved() == {
        Account.GATEWAY_CLEARING: 2200000,
        Account.REFUNDS_PAYABLE: -1500000,
        Account.REVENUE_MARKUP: -700000,
    }


def test_a_due_refund_is_never_made_smaller(due, boss):
    with pytest.raises(Invalid):
        refunds.approve(due.pk, amount=Decimal("1000.00"), note="Why not", by=boss)


def test_a_waived_refund_stays_with_the_platform(reviewed, boss):
    with pytest.raises(Invalid):
        refunds.waive(reviewed.pk, reason=" ", by=boss)
    refunds.waive(reviewed.pk, reason="The work was done", by=boss)
    assert moved() == {Account.GATEWAY_CLEARING: 2200000, Account.REVENUE_MARKUP: -2200000}
    with pytest.raises(Conflict):
        refunds.approve(reviewed.pk, by=boss)


def test_a_waived_fee_is_a_fee_again(due, boss):
    refunds.waive(due.pk, reason="Agreed with the client", by=boss)
    assert ledger.balances()[Account.REVENUE_BOOKING_FEE] == -200000
    assert ledger.balances()[Account.REFUNDS_PAYABLE] == 0
    assert refunds.returnable(due.payment) == Decimal("2000.00")


@pytest.mark.parametrize("outcome", [PaymentOutcome.LATE, PaymentOutcome.DUPLICATE])
def test_money_that_was_never_ours_cannot_be_kept(due, boss, outcome):
    Payment.objects.filter(pk=due.payment_id).update(outcome=outcome)
    with pytest.raises(Conflict):
        refunds.waive(due.pk, reason="Finders keepers", by=boss)


# --- Sent


def test_it_is_sent_and_followed_until_it_arrived(gateway: Gateway, approved, boss, ada):
    refund = refunds.send(approved.pk, by=boss)
    assert refund.status == S.SENT
    assert refund.sent_at
    [row] = store.refunds()
    assert (row["amount"], row["reference"], row["id"]) == (
        200000,
        refund.payment.paystack_reference,
        int(refund.paystack_refund_id),
    )
    assert Notification.objects.filter(notification_type=NotificationType.REFUND_SENT, user=ada).count() == 1
    gateway.settle()
    refund = refunds.settle(refund.pk)
    assert refund.status == S.PROCESSED
    assert refund.processed_at
    assert moved() == {Account.GATEWAY_FEES: 3000, Account.GATEWAY_CLEARING: -3000}
    assert refunds.settle(refund.pk).status == S.PROCESSED


def test_nothing_is_sent_that_was_not_approved(due, boss):
    with pytest.raises(Conflict):
        refunds.send(due.pk, by=boss)
    assert store.refunds() == []


def test_it_is_never_sent_twice(approved, boss):
    refunds.send(approved.pk, by=boss)
    with pytest.raises(Conflict):
        refunds.send(approved.pk, by=boss)
    assert len(store.refunds()) == 1


@pytest.mark.parametrize("fault", ["error_after", "stall_after"])
def test_after_a_lost_answer_it_is_found_not_repeated(gateway: Gateway, approved, boss, settings, fault):
    settings.PAYSTACK_TIMEOUT_SECONDS = 0.5
    gateway.scenario(refund_call=fault, times=1)
    with pytest.raises(paystack.PaystackUnavailable):
        refunds.send(approved.pk, by=boss)
    assert now_of(approved).status == S.APPROVED
    gateway.settle()
    refund = refunds.send(approved.pk, by=boss)
    assert refund.status == S.PROCESSED
    assert len(store.refunds()) == 1


def test_after_an_error_before_anything_happened_it_waits_and_then_may_be_sent_again(gateway, approved, boss):
    gateway.scenario(refund_call="error", times=1)
    with pytest.raises(paystack.PaystackUnavailable):
        refunds.send(approved.pk, by=boss)
    with pytest.raises(Conflict) as refusal:
        refunds.send(approved.pk, by=boss)
    assert refusal.value.code == "unknown"
    with clock.at(timedelta(minutes=16)):
        again = refunds.send(approved.pk, by=boss)
        assert (again.status, again.sending_at) == (S.APPROVED, None)
        assert refunds.send(approved.pk, by=boss).status == S.SENT
    assert len(store.refunds()) == 1


def test_a_call_paystack_did_not_take_may_be_repeated_at_once(gateway, approved, boss):
    gateway.scenario(refund_call="rate_limit", times=1)
    with pytest.raises(paystack.PaystackUnavailable):
        refunds.send(approved.pk, by=boss)
    assert refunds.send(approved.pk, by=boss).status == S.SENT


def test_a_refusal_is_a_failure_with_its_reason(gateway, approved, boss):
    paystack.refund(reference=approved.payment.paystack_reference, amount_kobo=200000, note="From the dashboard")
    gateway.settle()
    with pytest.raises(paystack.PaystackRefused):
        refunds.send(approved.pk, by=boss)
    assert now_of(approved).status == S.FAILED
    assert "transaction_reversed" in now_of(approved).last_error


@pytest.mark.parametrize(("end", "status"), [("failed", S.FAILED), ("needs-attention", S.NEEDS_ATTENTION)])
def test_a_refund_that_does_not_arrive_is_money_at_risk(gateway: Gateway, approved, boss, end, status):
    gateway.scenario(refund=end)
    refunds.send(approved.pk, by=boss)
    gateway.settle()
    assert refunds.settle(approved.pk).status == status
    at_risk = Notification.objects.filter(notification_type=NotificationType.MONEY_AT_RISK)
    assert at_risk.filter(user=boss).count() == 1
    assert ledger.balances()[Account.REFUNDS_PAYABLE] == -200000


def test_a_failed_refund_is_approved_and_sent_again(gateway: Gateway, approved, boss):
    gateway.scenario(refund="failed")
    refunds.send(approved.pk, by=boss)
    gateway.settle()
    refunds.settle(approved.pk)
    gateway.scenario(refund="processed")
    with clock.at(timedelta(seconds=5)):
        refunds.approve(approved.pk, by=boss)
        refunds.send(approved.pk, by=boss)
    gateway.settle()
    assert refunds.settle(approved.pk).status == S.PROCESSED
    assert [row["status"] for row in store.refunds()] == ["processed", "failed"]
    assert ledger.balances()[Account.REFUNDS_PAYABLE] == 0


def test_a_refund_that_needs_an_account_goes_on_with_it(gateway: Gateway, approved, boss):
    gateway.scenario(refund="needs-attention")
    refunds.send(approved.pk, by=boss)
    gateway.settle()
    refunds.settle(approved.pk)
    assert refunds.provide_account(approved.pk, account_number="0123456789", bank_id="9", by=boss).status == S.SENT
    gateway.settle()
    assert refunds.settle(approved.pk).status == S.PROCESSED
    with pytest.raises(Conflict):
        refunds.provide_account(approved.pk, account_number="0123456789", bank_id="9", by=boss)


def test_a_manual_payment_does_not_go_back_through_paystack(due, boss):
    Refund.objects.filter(pk=due.pk).update(channel="MANUAL")
    refunds.approve(due.pk, by=boss)
    with pytest.raises(Conflict):
        refunds.send(due.pk, by=boss)


def test_money_that_came_late_goes_back_whole(gateway: Gateway, request_in, ada, boss):
    payment, _ = payments.initialize(request_in("AWAITING_BOOKING_FEE").pk, payment_type="INITIAL_BOOKING", by=ada)
    ServiceRequest.objects.filter(pk=payment.service_request_id).update(status="CANCELLED")
    gateway.choose(payment.authorization_url)
    payments.settle(payment.paystack_reference)
    refund = Refund.objects.get()
    refunds.approve(refund.pk, by=boss)
    refunds.send(refund.pk, by=boss)
    gateway.settle()
    assert refunds.settle(refund.pk).status == S.PROCESSED
    assert moved() == {Account.GATEWAY_FEES: 3000, Account.GATEWAY_CLEARING: -3000}


def test_what_is_on_its_way_is_asked_about_without_any_event(gateway: Gateway, approved, boss):
    gateway.scenario(refund="pending")
    refunds.send(approved.pk, by=boss)
    assert refunds.to_settle() == []
    with clock.at(timedelta(minutes=11)):
        assert refunds.to_settle() == [approved.pk]
        refunds.settle(approved.pk)
        assert refunds.to_settle() == []
    events.announce_refund(store.refunds()[0]["id"], "processed")
    with clock.at(timedelta(minutes=30)):
        assert refunds.settle(refunds.to_settle()[0]).status == S.PROCESSED
        assert refunds.to_settle() == []


def test_a_lost_answer_is_asked_about_without_any_event(gateway: Gateway, approved, boss):
    gateway.scenario(refund_call="error_after", times=1)
    with pytest.raises(paystack.PaystackUnavailable):
        refunds.send(approved.pk, by=boss)
    gateway.settle()
    with clock.at(timedelta(minutes=11)):
        assert refunds.settle(refunds.to_settle()[0]).status == S.PROCESSED


# --- Events


def test_events_in_any_order_end_at_what_paystack_says(gateway: Gateway, approved, boss):
    refunds.send(approved.pk, by=boss)
    gateway.settle()
    bodies = [row["body"] for row in store.webhooks() if row["event"].startswith("refund.")]
    assert len(bodies) == 3
    for body in bodies:
        assert payments.receive_webhook(body, sign(body)).outcome == WebhookOutcome.APPLIED
    assert now_of(approved).status == S.PROCESSED


def test_an_event_may_come_before_the_answer_of_the_call(gateway: Gateway, approved, boss):
    gateway.scenario(refund_call="error_after", times=1, refund="pending")
    with pytest.raises(paystack.PaystackUnavailable):
        refunds.send(approved.pk, by=boss)
    gateway.settle()
    [body] = [row["body"] for row in store.webhooks() if row["event"] == "refund.pending"]
    payments.receive_webhook(body, sign(body))
    assert now_of(approved).status == S.SENT


def test_a_refund_made_elsewhere_is_kept_as_not_ours(gateway: Gateway, due):
    charge = store.charge(reference=due.payment.paystack_reference)
    paystack.refund(reference=due.payment.paystack_reference, amount_kobo=1, note="From the dashboard")
    gateway.settle()
    events.announce_refund(store.refunds()[0]["id"], "processed")
    body = store.webhooks()[0]["body"]
    assert charge
    assert payments.receive_webhook(body, sign(body)).outcome == WebhookOutcome.IGNORED
    assert now_of(due).status == S.DUE


def test_what_paystack_says_of_another_refund_changes_nothing(approved, boss):
    refunds.send(approved.pk, by=boss)
    other = paystack.Refund(id=1, status="processed", amount_kobo=1, note=refunds.note_of(now_of(approved)))
    assert refunds.record(approved.pk, other, by=None).status == S.SENT
    other = paystack.Refund(id=1, status="processed", amount_kobo=200000, note="Refund no. 1 of 2")
    assert refunds.record(approved.pk, other, by=None).status == S.SENT


def test_a_wrong_amount_can_go_back(request_in, boss):
    payment = new_payment(request_in("AWAITING_BOOKING_FEE"), PaymentType.INITIAL_BOOKING)
    payment = payments.apply(payment.paystack_reference, proof(payment, amount_kobo=150000, fees_kobo=2250))
    refund = refunds.owe(payment, amount=Decimal("1500.00"), reason="Wrong amount.", by=boss)
    ledger.post_refund_processed(refund)
    assert moved() == {Account.GATEWAY_FEES: 2250, Account.GATEWAY_CLEARING: -2250}
