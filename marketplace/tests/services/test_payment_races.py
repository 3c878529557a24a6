"""Fifty at once, with real transactions: one charge has one effect, and one client one checkout.

Each test of a lock has its control: without the lock the same fifty must be seen to collide.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test import Client

from core.errors import DomainError
from marketplace import paystack
from marketplace.enums import PaymentOutcome, PaymentType, RefundStatus, Status, WebhookOutcome
from marketplace.models import LedgerEntry, Notification, Payment, Refund, ServiceRequest, WebhookEvent
from marketplace.sandbox import store
from marketplace.services import payments, refunds
from marketplace.services.payments import proof as proving
from marketplace.services.payments.checkout import new_payment
from marketplace.tests.gateway import Gateway, proof, sign

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.trust]

THREADS = 50
ROUNDS = 20


def all_at_once(work: Callable[[int], Any], threads: int = THREADS) -> list[Any]:
    """What each of the threads answered or raised, all let go at the same moment."""
    gate = threading.Barrier(threads)

    def run(number: int) -> Any:
        gate.wait(60)
        try:
            return work(number)
        except Exception as problem:  # noqa: BLE001 - the answer of the race
            return problem
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def faults(answers: list[Any]) -> list[Any]:
    """What is neither an answer nor a refusal for people."""
    return [answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, DomainError)]


def owed(payment, by):
    """An approved refund of all of a payment."""
    with transaction.atomic():
        refund = refunds.owe(payment, amount=payment.amount, reason="Cancelled.", by=None)
    return refunds.approve(refund.pk, by=by)


@pytest.fixture
def unlocked(monkeypatch):
    """The control: once called, rows are read without their lock."""

    def take_away_the_lock():
        monkeypatch.setattr(QuerySet, "select_for_update", lambda self, *_, **__: self)

    return take_away_the_lock


@pytest.fixture
def tries(monkeypatch):
    """How often an effect was begun for each reference."""
    begun: Counter[str] = Counter()
    keep = proving.keep_proven

    def counted(payment, *rest, **facts):
        begun[payment.paystack_reference] += 1
        return keep(payment, *rest, **facts)

    monkeypatch.setattr(proving, "keep_proven", counted)
    return begun


def test_one_proof_told_fifty_times_has_one_effect(request_in, boss, tries):
    booking = request_in("AWAITING_BOOKING_FEE")
    for _ in range(ROUNDS):
        ServiceRequest.objects.filter(pk=booking.pk).update(status=Status.AWAITING_BOOKING_FEE)
        Payment.objects.filter(service_request=booking).update(outcome=PaymentOutcome.LATE)
        payment = new_payment(booking, PaymentType.INITIAL_BOOKING)
        said = proof(payment)
        answers = all_at_once(lambda _, p=payment, s=said: payments.apply(p.paystack_reference, s))
        assert faults(answers) == []
        assert {answer.outcome for answer in answers} == {PaymentOutcome.APPLIED}
        assert LedgerEntry.objects.filter(payment=payment).count() == 1
    assert set(tries.values()) == {1}
    assert len(tries) == ROUNDS
    assert booking.history.filter(step="confirm_booking_fee").count() == ROUNDS


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite lets one writer in at a time, lock or no lock")
def test_control_without_the_lock_the_same_fifty_collide(request_in, boss, tries, unlocked):
    booking = request_in("AWAITING_BOOKING_FEE")
    payment = new_payment(booking, PaymentType.INITIAL_BOOKING)
    said = proof(payment)
    unlocked()
    answers = all_at_once(lambda _: payments.apply(payment.paystack_reference, said))
    assert max(tries.values()) > 1
    assert any(isinstance(answer, Exception) for answer in answers)


@pytest.fixture
def charge(gateway: Gateway, request_in, ada):
    """A booking fee that was paid at Paystack, and nobody has told us yet; and the event that does."""
    payment, _ = payments.initialize(
        request_in("AWAITING_BOOKING_FEE").pk, payment_type=PaymentType.INITIAL_BOOKING, by=ada
    )
    gateway.choose(payment.authorization_url)
    return payment, json.dumps({"event": "charge.success", "data": {"reference": payment.paystack_reference}}).encode()


def delivered(bodies: list[bytes]) -> Counter[int]:
    """How the endpoint answered each delivery, all at the same moment."""

    def deliver(number: int) -> int:
        body = bodies[number]
        headers = {"x-paystack-signature": sign(body)}
        answer = Client(raise_request_exception=False).post(
            "/api/payments/webhook/", body, content_type="application/json", headers=headers
        )
        return answer.status_code

    answers = all_at_once(deliver, len(bodies))
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    return Counter(answers)


def test_one_webhook_delivered_fifty_times_has_one_effect(charge, ada, boss, tries):
    payment, body = charge
    # Half of them byte for byte the same, half of them rewritten on the way: both kinds must have no second effect.
    bodies = [body if number % 2 else body + b" " * number for number in range(THREADS)]
    assert delivered(bodies) == {200: THREADS}
    assert tries == {payment.paystack_reference: 1}
    assert ServiceRequest.objects.get().status == Status.PENDING_ADMIN_ASSIGNMENT
    assert LedgerEntry.objects.count() == 1
    assert WebhookEvent.objects.count() == THREADS // 2
    assert sum(WebhookEvent.objects.values_list("deliveries", flat=True)) == THREADS
    assert set(WebhookEvent.objects.values_list("outcome", flat=True)) == {WebhookOutcome.APPLIED}
    assert not Refund.objects.exists()
    assert Notification.objects.filter(user=ada, notification_type="BOOKING_CONFIRMED").count() == 1


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite lets one writer in at a time, lock or no lock")
def test_control_without_the_lock_the_webhook_has_more_than_one_effect(charge, boss, tries, unlocked, monkeypatch):
    payment, body = charge
    gate, ask = threading.Barrier(THREADS), paystack.verify

    def ask_together(reference: str) -> paystack.Transaction:
        said = ask(reference)
        gate.wait(60)
        return said

    monkeypatch.setattr(paystack, "verify", ask_together)
    unlocked()
    delivered([body + b" " * number for number in range(THREADS)])
    assert tries[payment.paystack_reference] > 1


def test_two_payments_of_one_fee_at_once_one_counts_and_one_goes_back(request_in, boss):
    booking = request_in("AWAITING_BOOKING_FEE")
    first = new_payment(booking, PaymentType.INITIAL_BOOKING)
    Payment.objects.supersede(booking.pk)
    both = (first, new_payment(booking, PaymentType.INITIAL_BOOKING))
    said = [proof(payment) for payment in both]
    answers = all_at_once(lambda number: payments.apply(both[number % 2].paystack_reference, said[number % 2]))
    assert faults(answers) == []
    assert sorted(Payment.objects.values_list("outcome", flat=True)) == ["APPLIED", "DUPLICATE"]
    assert Refund.objects.count() == 1


def test_fifty_clicks_on_pay_open_one_checkout(gateway: Gateway, request_in, ada):
    booking = request_in("AWAITING_BOOKING_FEE")
    answers = all_at_once(lambda _: payments.initialize(booking.pk, payment_type="INITIAL_BOOKING", by=ada))
    assert faults(answers) == []
    opened = [answer for answer in answers if not isinstance(answer, Exception)]
    assert sum(is_new for _, is_new in opened) == 1
    assert len({payment.authorization_url for payment, _ in opened}) == 1
    assert len(opened) == THREADS
    assert Payment.objects.count() == len(store.charges()) == 1


@pytest.mark.parametrize("fault", ["error_after", "rate_limit"])
def test_fifty_clicks_survive_a_faulty_paystack(gateway: Gateway, request_in, ada, fault):
    gateway.scenario(initialize=fault, times=2)
    booking = request_in("AWAITING_BOOKING_FEE")
    answers = all_at_once(lambda _: payments.initialize(booking.pk, payment_type="INITIAL_BOOKING", by=ada))
    assert faults(answers) == []
    payments.initialize(booking.pk, payment_type="INITIAL_BOOKING", by=ada)
    assert Payment.objects.open().count() == 1


def test_fifty_senders_send_one_refund(gateway: Gateway, request_in, ada, boss):
    payment, _ = payments.initialize(request_in("AWAITING_BOOKING_FEE").pk, payment_type="INITIAL_BOOKING", by=ada)
    gateway.choose(payment.authorization_url)
    payment = payments.settle(payment.paystack_reference)
    refund = owed(payment, boss)
    gateway.scenario(refund="pending")
    answers = all_at_once(lambda _: refunds.send(refund.pk, by=boss))
    assert faults(answers) == []
    assert len(store.refunds()) == 1
    assert Refund.objects.get().status == RefundStatus.SENT


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite lets one writer in at a time, lock or no lock")
def test_control_without_the_lock_a_refund_is_sent_more_than_once(request_in, boss, unlocked, monkeypatch):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    refund = owed(request.applied_payment(PaymentType.INITIAL_BOOKING), boss)
    sent = []

    def count(**facts):
        sent.append(facts)
        return paystack.Refund(id=1, status="pending", amount_kobo=facts["amount_kobo"], note=facts["note"])

    monkeypatch.setattr(paystack, "refund", count)
    monkeypatch.setattr(paystack, "find_refund", lambda **_: None)
    unlocked()
    all_at_once(lambda _: refunds.send(refund.pk, by=boss))
    assert len(sent) > 1


def test_cancelling_while_the_money_arrives_keeps_both_straight(request_in, ada, boss):
    from marketplace.services import requests

    for _ in range(5):
        booking = request_in("AWAITING_BOOKING_FEE")
        payment = new_payment(booking, PaymentType.INITIAL_BOOKING)
        said = proof(payment)

        def act(number: int, booking=booking, payment=payment, said=said):
            if number % 2:
                return requests.cancel(booking.pk, reason="Changed my mind", by=ada)
            return payments.apply(payment.paystack_reference, said)

        assert faults(all_at_once(act, threads=10)) == []
        payment.refresh_from_db()
        booking = ServiceRequest.objects.get(pk=booking.pk)
        assert booking.status == Status.CANCELLED
        assert payment.outcome in (PaymentOutcome.APPLIED, PaymentOutcome.LATE)
        assert payment.refunds.get().amount == payment.amount
