"""What Paystack proves is applied once, in any order; what comes late, twice or wrong is kept, as money at risk."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from django.db import transaction

from core import clock
from core.errors import Missing
from marketplace.enums import (
    Account,
    NotificationType,
    PaymentOutcome,
    PaymentStatus,
    PaymentType,
    RefundStatus,
    Status,
)
from marketplace.models import LedgerEntry, Notification, Payment, Refund, ServiceRequest
from marketplace.sandbox import store
from marketplace.services import ledger, payments, requests
from marketplace.services.payments.checkout import new_payment
from marketplace.tests.gateway import Gateway, proof

pytestmark = pytest.mark.django_db

FEE, FINAL = PaymentType.INITIAL_BOOKING, PaymentType.FINAL_PAYMENT


@pytest.fixture
def fee(request_in):
    """The open booking fee of a new booking."""
    return new_payment(request_in("AWAITING_BOOKING_FEE"), FEE)


@pytest.fixture
def final(request_in):
    """The open final payment of an agreed price."""
    return new_payment(request_in("AWAITING_PAYMENT"), FINAL)


def told(kind):
    return Notification.objects.filter(notification_type=kind)


def standing(payment):
    payment = Payment.objects.get(pk=payment.pk)
    return payment.status, payment.outcome


def status_of(payment):
    return ServiceRequest.objects.get(pk=payment.service_request_id).status


def report(payment, **changes):
    return payments.apply(payment.paystack_reference, proof(payment, **changes))


# --- Proven


def test_a_paid_booking_fee_moves_the_request(fee, boss, ada):
    payment = report(fee, fees_kobo=3000)
    assert (payment.status, payment.outcome) == (PaymentStatus.SUCCESSFUL, PaymentOutcome.APPLIED)
    assert (payment.received_kobo, payment.fees_kobo, payment.gateway_status) == (200000, 3000, "success")
    assert payment.paid_at
    assert payment.next_check_at is None
    assert status_of(fee) == Status.PENDING_ADMIN_ASSIGNMENT
    assert [entry.kind for entry in LedgerEntry.objects.all()] == ["booking_fee_in"]
    assert told(NotificationType.PAYMENT_RECEIVED).get().user == boss
    assert told(NotificationType.BOOKING_CONFIRMED).get().user == ada


def test_a_paid_price_moves_the_request(final, ada):
    report(final)
    assert standing(final) == (PaymentStatus.SUCCESSFUL, PaymentOutcome.APPLIED)
    assert status_of(final) == Status.PAYMENT_CONFIRMED
    assert [entry.kind for entry in LedgerEntry.objects.all()] == ["final_payment_in"]
    assert told(NotificationType.PAYMENT_RECEIPT).get().user == ada


def test_told_often_it_happens_once(fee):
    for _ in range(5):
        report(fee)
    assert LedgerEntry.objects.count() == 1
    assert fee.service_request.history.filter(step="confirm_booking_fee").count() == 1
    assert not Refund.objects.exists()


def test_the_payer_may_bear_the_fee(fee):
    report(fee, amount_kobo=203000, requested_amount_kobo=200000, fees_kobo=3000)
    assert standing(fee) == (PaymentStatus.SUCCESSFUL, PaymentOutcome.APPLIED)
    balances = ledger.balances()
    assert (balances[Account.GATEWAY_CLEARING], balances[Account.GATEWAY_FEES]) == (200000, 0)


def test_it_asks_paystack_itself(gateway: Gateway, request_in, ada):
    booking = request_in("AWAITING_BOOKING_FEE")
    payment, _ = payments.initialize(booking.pk, payment_type=FEE, by=ada)
    assert payments.settle(payment.paystack_reference).status == PaymentStatus.PENDING
    gateway.choose(payment.authorization_url)
    assert payments.settle(payment.paystack_reference).outcome == PaymentOutcome.APPLIED
    assert status_of(payment) == Status.PENDING_ADMIN_ASSIGNMENT


def test_a_proven_payment_is_not_asked_about_again(gateway: Gateway, fee):
    report(fee)
    gateway.scenario(verify="error")
    assert payments.settle(fee.paystack_reference).outcome == PaymentOutcome.APPLIED


def test_what_paystack_never_heard_of_stays_open(gateway: Gateway, fee):
    with clock.at(timedelta(minutes=1)):
        payment = payments.settle(fee.paystack_reference)
    assert (payment.status, payment.outcome, payment.gateway_status) == (PaymentStatus.PENDING, None, "not_found")


def test_a_reference_of_somebody_else_is_missing():
    with pytest.raises(Missing):
        payments.settle("not-ours")


# --- Not proven


@pytest.mark.parametrize("word", ["abandoned", "ongoing", "pending", "processing", "queued", "something new"])
def test_what_is_not_over_stays_open(fee, word):
    report(fee, status=word, paid_at=None)
    assert standing(fee) == (PaymentStatus.PENDING, None)
    assert status_of(fee) == Status.AWAITING_BOOKING_FEE
    assert not LedgerEntry.objects.exists()


@pytest.mark.parametrize("word", ["failed", "reversed"])
def test_a_failed_payment_is_failed_until_it_is_paid_after_all(fee, word):
    report(fee, status=word, gateway_response="Declined")
    assert standing(fee) == (PaymentStatus.FAILED, None)
    assert Payment.objects.get().gateway_message == "Declined"
    report(fee, status="abandoned")
    assert standing(fee) == (PaymentStatus.FAILED, None)
    report(fee)
    assert standing(fee) == (PaymentStatus.SUCCESSFUL, PaymentOutcome.APPLIED)


def test_a_paid_payment_never_goes_back(fee):
    report(fee)
    for word in ("failed", "abandoned", "reversed", "pending"):
        report(fee, status=word)
    report(fee, amount_kobo=1)
    assert standing(fee) == (PaymentStatus.SUCCESSFUL, PaymentOutcome.APPLIED)
    assert Payment.objects.get().gateway_status == "success"


# --- Late


def test_money_after_the_end_is_kept_and_owed_back(fee, ada, boss):
    requests.cancel(fee.service_request_id, reason="Changed my mind", by=ada)
    assert standing(fee) == (PaymentStatus.PENDING, PaymentOutcome.SUPERSEDED)
    report(fee)
    assert standing(fee) == (PaymentStatus.SUCCESSFUL, PaymentOutcome.LATE)
    refund = Refund.objects.get()
    assert (refund.payment, refund.amount, refund.status) == (fee, Decimal("2000.00"), RefundStatus.DUE)
    assert status_of(fee) == Status.CANCELLED
    assert ledger.balances()[Account.REFUNDS_PAYABLE] == -200000
    assert told(NotificationType.MONEY_AT_RISK).filter(user=boss).count() == 1
    report(fee)
    assert Refund.objects.count() == 1


def test_money_for_an_old_price_is_late(final):
    ServiceRequest.objects.filter(pk=final.service_request_id).update(price_version=7)
    Payment.objects.supersede(final.service_request_id)
    report(final)
    assert standing(final) == (PaymentStatus.SUCCESSFUL, PaymentOutcome.LATE)
    assert status_of(final) == Status.AWAITING_PAYMENT
    assert Refund.objects.get().amount == Decimal("22000.00")


def test_money_while_the_price_is_open_again_is_late(final):
    ServiceRequest.objects.filter(pk=final.service_request_id).update(status=Status.AWAITING_CLIENT_APPROVAL)
    report(final)
    assert standing(final)[1] == PaymentOutcome.LATE


def test_a_superseded_checkout_still_counts_when_it_pays_just_what_is_due(fee):
    Payment.objects.supersede(fee.service_request_id)
    report(fee)
    assert standing(fee) == (PaymentStatus.SUCCESSFUL, PaymentOutcome.APPLIED)
    assert status_of(fee) == Status.PENDING_ADMIN_ASSIGNMENT


# --- Twice


def test_the_second_of_two_payments_is_owed_back(fee, boss):
    Payment.objects.supersede(fee.service_request_id)
    second = new_payment(fee.service_request, FEE)
    report(second)
    report(fee)
    assert standing(second) == (PaymentStatus.SUCCESSFUL, PaymentOutcome.APPLIED)
    assert standing(fee) == (PaymentStatus.SUCCESSFUL, PaymentOutcome.DUPLICATE)
    assert Refund.objects.get().payment == fee
    assert told(NotificationType.MONEY_AT_RISK).filter(user=boss).count() == 1
    assert ledger.balances()[Account.REVENUE_BOOKING_FEE] == -200000


def test_an_applied_payment_closes_the_other_checkout(fee):
    Payment.objects.supersede(fee.service_request_id)
    second = new_payment(fee.service_request, FEE)
    report(fee)
    assert standing(second) == (PaymentStatus.PENDING, PaymentOutcome.SUPERSEDED)


# --- Wrong

WRONG = [
    {"amount_kobo": 199999},
    {"amount_kobo": 200001},
    {"amount_kobo": 0},
    {"amount_kobo": 20000000},
    {"amount_kobo": 2000},
    {"amount_kobo": 199999, "requested_amount_kobo": 200000},
    {"currency": "USD"},
    {"currency": "ngn"},
    {"domain": "live"},
    {"reference": "SR-OTHER-I-1"},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_anything_but_the_exact_charge_settles_nothing(fee, boss, wrong):
    report(fee, **wrong)
    assert standing(fee) == (PaymentStatus.FAILED, PaymentOutcome.MISMATCH)
    assert status_of(fee) == Status.AWAITING_BOOKING_FEE
    assert not Refund.objects.exists()
    assert told(NotificationType.MONEY_AT_RISK).filter(user=boss).count() == 1
    assert Payment.objects.get().metadata["said"]


def test_test_money_settles_nothing_under_a_live_key(fee, settings):
    settings.PAYSTACK_SECRET_KEY = "sk_live_key"
    report(fee)
    assert standing(fee) == (PaymentStatus.FAILED, PaymentOutcome.MISMATCH)
    assert not LedgerEntry.objects.exists()


def test_a_wrong_amount_of_naira_is_held_in_the_books(fee):
    report(fee, amount_kobo=150000, fees_kobo=2250)
    balances = ledger.balances()
    assert (balances[Account.GATEWAY_CLEARING], balances[Account.GATEWAY_FEES]) == (147750, 2250)
    assert balances[Account.CLIENT] == -150000
    assert Payment.objects.get().received_kobo == 150000


@pytest.mark.parametrize("wrong", [{"currency": "USD"}, {"domain": "live"}, {"reference": "SR-OTHER-I-1"}], ids=str)
def test_what_is_not_our_naira_is_not_booked(fee, wrong):
    report(fee, **wrong)
    assert not LedgerEntry.objects.exists()
    assert Payment.objects.get().received_kobo is None


def test_a_wrong_amount_is_told_once(fee, boss):
    for _ in range(3):
        report(fee, amount_kobo=150000)
    assert LedgerEntry.objects.count() == 1
    assert told(NotificationType.MONEY_AT_RISK).filter(user=boss).count() == 1


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_right_proof_heals_a_wrong_one(fee, wrong):
    report(fee, **wrong)
    report(fee, fees_kobo=3000)
    assert standing(fee) == (PaymentStatus.SUCCESSFUL, PaymentOutcome.APPLIED)
    assert status_of(fee) == Status.PENDING_ADMIN_ASSIGNMENT
    assert {account: kobo for account, kobo in ledger.balances().items() if kobo} == {
        Account.GATEWAY_CLEARING: 197000,
        Account.GATEWAY_FEES: 3000,
        Account.REVENUE_BOOKING_FEE: -200000,
    }


def test_a_second_checkout_after_a_wrong_one_counts(fee):
    report(fee, amount_kobo=150000)
    second = new_payment(fee.service_request, FEE)
    report(second)
    assert standing(second) == (PaymentStatus.SUCCESSFUL, PaymentOutcome.APPLIED)


# --- Any order


def test_every_order_of_the_same_reports_ends_alike(request_in):
    said = [
        {"status": "abandoned", "paid_at": None},
        {"status": "failed", "paid_at": None},
        {"amount_kobo": 199999},
        {"fees_kobo": 3000},
    ]
    booking = request_in("AWAITING_BOOKING_FEE")
    ends = set()
    for order in permutations(range(len(said))):
        with transaction.atomic():
            payment = new_payment(booking, FEE)
            for number in order:
                report(payment, **said[number])
            balances = tuple(sorted(ledger.balances().items()))
            ends.add((*standing(payment), status_of(payment), Payment.objects.get().received_kobo, balances))
            transaction.set_rollback(True)
    assert ends == {
        (
            PaymentStatus.SUCCESSFUL,
            PaymentOutcome.APPLIED,
            Status.PENDING_ADMIN_ASSIGNMENT,
            200000,
            tuple(
                sorted(
                    {
                        **dict.fromkeys(Account, 0),
                        Account.GATEWAY_CLEARING: 197000,
                        Account.GATEWAY_FEES: 3000,
                        Account.REVENUE_BOOKING_FEE: -200000,
                    }.items()
                )
            ),
        )
    }


def test_whichever_of_two_payments_comes_first_one_counts_and_one_goes_back(request_in):
    booking = request_in("AWAITING_BOOKING_FEE")
    ends = set()
    for order in permutations((0, 1)):
        with transaction.atomic():
            first = new_payment(booking, FEE)
            Payment.objects.supersede(booking.pk)
            both = (first, new_payment(booking, FEE))
            for number in order:
                report(both[number])
            outcomes = tuple(sorted(standing(payment)[1] for payment in both))
            ends.add((outcomes, status_of(first), Refund.objects.count(), tuple(sorted(ledger.balances().items()))))
            transaction.set_rollback(True)
    assert len(ends) == 1
    assert ends.pop()[:3] == (("APPLIED", "DUPLICATE"), Status.PENDING_ADMIN_ASSIGNMENT, 1)


# --- Looked after without any event


def test_open_payments_are_checked_less_and_less_often(gateway: Gateway, request_in, ada):
    payment, _ = payments.initialize(request_in("AWAITING_BOOKING_FEE").pk, payment_type=FEE, by=ada)
    assert payments.to_check() == []
    waits = []
    now = clock.now()
    for _ in range(5):
        payment.refresh_from_db()
        waits.append(payment.next_check_at - now)
        now = payment.next_check_at
        with clock.at(now):
            assert payments.to_check() == [payment.paystack_reference]
            payments.settle(payment.paystack_reference)
    assert waits == sorted(waits)
    assert waits[0] <= timedelta(minutes=3)
    with clock.at(timedelta(days=31)):
        assert payments.settle(payment.paystack_reference).next_check_at is None


@pytest.mark.parametrize("first", ["abandon", "decline"])
def test_a_late_payment_is_found_though_every_event_was_lost(gateway: Gateway, request_in, ada, first):
    payment, _ = payments.initialize(request_in("AWAITING_BOOKING_FEE").pk, payment_type=FEE, by=ada)
    gateway.choose(payment.authorization_url, first)
    with clock.at(timedelta(minutes=10)):
        payments.settle(payment.paystack_reference)
    gateway.choose(payment.authorization_url)
    with clock.at(timedelta(hours=3)):
        for reference in payments.to_check():
            payments.settle(reference)
    assert standing(payment) == (PaymentStatus.SUCCESSFUL, PaymentOutcome.APPLIED)
    with clock.at(timedelta(days=2)):
        assert payments.to_check() == []
    assert store.charges()[0]["status"] == "success"
