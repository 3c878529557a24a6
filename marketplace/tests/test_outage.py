"""Paystack away for a day and back: what was paid, lost, returned and disputed meanwhile settles by itself, once.

The periodic jobs run at their own intervals on a moved clock. Paystack's checkout pages work all the while, as they do
when only the API is down: money comes, and nobody tells us.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
import requests as http
from django.db import transaction

from core import clock
from core.errors import DomainError
from marketplace import paystack
from marketplace.enums import DisputeStatus, PaymentOutcome, PaymentStatus, Status
from marketplace.models import Dispute, LedgerEntry, Notification, Payment, Refund, ServiceRequest, WebhookEvent
from marketplace.money import to_kobo
from marketplace.sandbox import store
from marketplace.schedules import SCHEDULES
from marketplace.services import ledger, payments, refunds, requests
from marketplace.services.payments import proof
from marketplace.tests.gateway import Gateway, sign
from marketplace.tests.invariants import check_books, check_database, check_request

pytestmark = pytest.mark.django_db(transaction=True)

FEE, FINAL = "INITIAL_BOOKING", "FINAL_PAYMENT"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
JOBS = [job for job in SCHEDULES if isinstance(job.every, int) and not job.task.endswith("send_due_emails")]
CLOSED_PORT = "http://127.0.0.1:9"


class World:
    """A clock, the jobs that it starts, and Paystack, which is there or not."""

    def __init__(self, gateway: Gateway, settings: Any, ada: Any, boss: Any) -> None:
        self.gateway, self.settings, self.ada, self.boss = gateway, settings, ada, boss
        self.now = self.start = clock.now()
        self.ran: dict[str, datetime] = {}
        self.rounds = 0

    def goes_down(self) -> None:
        """Calls are answered with 500."""
        self.gateway.scenario(verify="error", initialize="error", refund_call="error")

    def refuses(self, refuses: bool) -> None:
        """There is not even a connection."""
        self.settings.PAYSTACK_BASE_URL = CLOSED_PORT if refuses else self.gateway.url

    def comes_back(self) -> None:
        self.refuses(False)
        self.gateway.scenario(verify="", initialize="", refund_call="")

    def live(self, until: datetime, every: timedelta, meanwhile: dict[int, Callable[[], object]] | None = None) -> None:
        """Time passes, the jobs run when they are due; `meanwhile` happens in that round."""
        while self.now < until:
            self.now += every
            self.rounds += 1
            with clock.at(self.now):
                if meanwhile and self.rounds in meanwhile:
                    meanwhile[self.rounds]()
                for job in JOBS:
                    if job.name in self.ran and self.now - self.ran[job.name] < job.every * MINUTE:
                        continue
                    self.ran[job.name] = self.now
                    module, _, name = job.task.rpartition(".")
                    with suppress(DomainError):  # the job comes again at its next time
                        getattr(import_module(module), name)(*job.args)

    def opens(self, request: ServiceRequest, kind: str = FEE) -> Payment:
        """A checkout."""
        return payments.initialize(request.pk, payment_type=kind, by=self.ada)[0]

    def pays(self, payment: Payment, choice: str = "pay") -> None:
        """On Paystack's page, which works."""
        self.gateway.choose(payment.authorization_url, choice)

    def goes_back(self, request: ServiceRequest) -> Refund:
        """Cancelled by the client, the refund of its fee let go by finance."""
        requests.cancel(request.pk, reason="Changed my mind", by=self.ada)
        return refunds.approve(Refund.objects.get(payment__service_request=request).pk, by=self.boss)


@pytest.fixture
def world(gateway: Gateway, settings: Any, ada: Any, boss: Any) -> Iterator[World]:
    """Every event is lost unless a test posts it."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    return World(gateway, settings, ada, boss)


def said(payment: Payment) -> str:
    """What became of a payment and its request."""
    payment = Payment.objects.select_related("service_request").get(pk=payment.pk)
    return f"{payment.status} {payment.outcome} {payment.service_request.status}"


def book_what_was_paid_before() -> dict[str, int]:
    """The books of the payments that a request was made with, and what they took in, by reference."""
    took = {}
    for payment in Payment.objects.filter(status=PaymentStatus.SUCCESSFUL):
        if not LedgerEntry.objects.filter(payment=payment).exists():
            with transaction.atomic():
                ledger.post_payment_in(payment)
            took[payment.paystack_reference] = to_kobo(payment.amount)
    return took


class Story:
    """A dozen requests in every state that money can be in."""

    KNOWN = ("lost-answer", "pending", "charged-back")
    """Paid before, and known to be."""
    NAMES = (
        *("before", "paid", "paid-and-told", "abandoned", "declined", "short", "dollars"),
        *("cancelled", "twice", "never-opened", "disputed", *KNOWN),
    )

    def __init__(self, world: World, gateway: Gateway, request_in: Any) -> None:
        self.world, self.gateway = world, gateway
        self.booking = {name: request_in("AWAITING_BOOKING_FEE") for name in self.NAMES}
        self.job = request_in("AWAITING_PAYMENT")
        self.took = book_what_was_paid_before()

    def an_ordinary_morning(self) -> None:
        """But no event of it has arrived."""
        world = self.world
        self.opened = {name: world.opens(self.booking[name]) for name in self.NAMES if name != "never-opened"}
        self.opened["job"] = world.opens(self.job, FINAL)
        for name in (*self.KNOWN, "before"):
            world.pays(self.opened[name])
        for name in self.KNOWN:
            payments.settle(self.opened[name].paystack_reference)
        self.gateway.scenario(refund="pending")
        self.sent = refunds.send(world.goes_back(self.booking["pending"]).pk, by=world.boss)
        self.gateway.scenario(refund="processed", refund_call="error_after", times=1)
        with pytest.raises(paystack.PaystackUnavailable):
            refunds.send(world.goes_back(self.booking["lost-answer"]).pk, by=world.boss)
        self.gateway.scenario(times=0)
        self.gateway.settle()
        with clock.at(30 * MINUTE):
            self.second = world.opens(self.booking["twice"])

    def they_pay(self) -> None:
        for name in ("paid", "paid-and-told", "job", "twice", "disputed"):
            self.world.pays(self.opened[name])
        self.world.pays(self.second)
        for name, choice in (("abandoned", "abandon"), ("declined", "decline"), ("short", "short")):
            self.world.pays(self.opened[name], choice)
        self.world.pays(self.opened["dollars"], "dollars")
        reference = self.opened["paid-and-told"].paystack_reference
        body = json.dumps({"event": "charge.success", "data": {"reference": reference}}).encode()
        assert payments.receive_webhook(body, sign(body)).outcome == "RETRY"

    def she_cancels_and_pays(self) -> None:
        requests.cancel(self.booking["cancelled"].pk, reason="Too late", by=self.world.ada)
        self.world.pays(self.opened["cancelled"])

    def banks_complain(self) -> None:
        for name, end in (("disputed", "remind"), ("charged-back", "merchant-accepted")):
            charge = store.charge(reference=self.opened[name].paystack_reference)
            http.post(f"{self.gateway.url}/_charges/{charge['id']}/dispute/", timeout=60)
            dispute = f"{self.gateway.url}/_disputes/{store.disputes()[0]['id']}/"
            http.post(dispute, data={"resolution": end}, timeout=60)
        store.move_refund(int(self.sent.paystack_refund_id), "processed")

    def she_tries_in_vain(self) -> None:
        with pytest.raises(paystack.PaystackUnavailable):
            self.world.opens(self.booking["never-opened"])

    def a_day_without_paystack(self) -> None:
        """Its pages take money and its API says nothing: 500 for five hours, no connection for eighteen, 500 again."""
        meanwhile = {
            4: self.they_pay,
            8: self.she_cancels_and_pays,
            12: self.banks_complain,
            16: self.she_tries_in_vain,
            20: lambda: self.world.refuses(True),
            90: lambda: self.world.refuses(False),
        }
        self.world.goes_down()
        self.world.live(self.world.start + 25 * HOUR, 15 * MINUTE, meanwhile)
        self.gateway.settle()
        assert self.world.rounds == 100

    def check_that_nothing_was_concluded(self) -> None:
        """Every booking's time is over, nobody knows of any money, and so nothing has ended."""
        assert WebhookEvent.objects.get().outcome == "RETRY"
        ours = Payment.objects.filter(paystack_reference__startswith="SR-")
        unknown = ours.exclude(pk__in=[self.opened[name].pk for name in self.KNOWN])
        assert not unknown.exclude(status=PaymentStatus.PENDING).exists()
        ended = ServiceRequest.objects.filter(status=Status.CANCELLED).values_list("pk", flat=True)
        assert set(ended) == {self.booking[name].pk for name in ("cancelled", "lost-answer", "pending")}
        assert not Dispute.objects.exists()

    def check_payments(self) -> None:
        paid = "SUCCESSFUL APPLIED PENDING_ADMIN_ASSIGNMENT"
        assert {name: said(payment) for name, payment in self.opened.items() if name != "twice"} == {
            **dict.fromkeys(("before", "paid", "paid-and-told", "disputed", "charged-back"), paid),
            "job": "SUCCESSFUL APPLIED PAYMENT_CONFIRMED",
            "abandoned": "PENDING SUPERSEDED CANCELLED",
            "declined": "FAILED None CANCELLED",
            "short": "FAILED MISMATCH CANCELLED",
            "dollars": "FAILED MISMATCH CANCELLED",
            "cancelled": "SUCCESSFUL LATE CANCELLED",
            "lost-answer": "SUCCESSFUL APPLIED CANCELLED",
            "pending": "SUCCESSFUL APPLIED CANCELLED",
        }
        # Which of the two counts is whichever is asked about first.
        both = {said(self.opened["twice"]), said(self.second)}
        assert both == {paid, paid.replace("APPLIED", "DUPLICATE")}
        assert ServiceRequest.objects.get(pk=self.booking["never-opened"].pk).status == Status.CANCELLED
        assert WebhookEvent.objects.get().outcome == "APPLIED"

    def check_what_goes_back(self) -> None:
        assert set(Dispute.objects.values_list("payment", "status")) == {
            (self.opened["disputed"].pk, DisputeStatus.OPEN),
            (self.opened["charged-back"].pk, DisputeStatus.RESOLVED),
        }
        assert {refund.payment_id: refund.status for refund in Refund.objects.all()} == {
            **{self.opened[name].pk: "PROCESSED" for name in self.KNOWN},
            self.opened["cancelled"].pk: "DUE",
            Payment.objects.get(outcome=PaymentOutcome.DUPLICATE).pk: "DUE",
        }

    def check_that_it_happened_once(self) -> None:
        steps = Counter(ServiceRequest.history.exclude(step="").values_list("id", "step"))
        assert set(steps.values()) == {1}
        at_risk = Notification.objects.filter(notification_type="MONEY_AT_RISK", user=self.world.boss)
        told = Counter(at_risk.values_list("service_request", flat=True))
        assert told == {self.booking[name].pk: 1 for name in ("short", "dollars", "cancelled", "twice", "disputed")}
        assert len(store.refunds()) == 2

    def check_books_against_what_paystack_took(self) -> None:
        naira = [row for row in store.charges() if row["paid_at"] and row["currency"] == "NGN"]
        took = self.took | {row["reference"]: row["amount"] for row in naira}
        check_books(list(ServiceRequest.objects.prefetch_related("payments__refunds")), took)
        for request in ServiceRequest.objects.all():
            check_request(request, rushed=True)
        check_database()


@pytest.mark.trust
def test_after_a_day_without_paystack_everything_settles_by_itself_and_nothing_twice(world, request_in, gateway):
    story = Story(world, gateway, request_in)
    story.an_ordinary_morning()
    story.a_day_without_paystack()
    story.check_that_nothing_was_concluded()
    # It is back: a quarter of an hour for payments, six hours until chargebacks are looked for.
    world.comes_back()
    world.live(world.now + 15 * MINUTE, 5 * MINUTE)
    story.check_payments()
    world.live(world.now + 6 * HOUR, 10 * MINUTE)
    story.check_what_goes_back()
    before = everything_that_happened()
    world.live(world.now + 2 * HOUR, 30 * MINUTE)
    assert everything_that_happened() == before
    story.check_that_it_happened_once()
    story.check_books_against_what_paystack_took()


def everything_that_happened() -> tuple[int, ...]:
    """How much there is of all that is written once."""
    return (
        LedgerEntry.objects.count(),
        Refund.objects.count(),
        Notification.objects.exclude(notification_type__startswith="ACTION_").count(),
        ServiceRequest.history.exclude(step="").count(),
        len(store.refunds()),
    )


def test_control_an_expiry_that_does_not_ask_ends_what_was_paid_for(world, request_in, monkeypatch):
    payment = world.opens(request_in("AWAITING_BOOKING_FEE"))
    world.pays(payment)
    with monkeypatch.context() as patch:
        patch.setattr(proof, "settle", lambda reference: None)
        with clock.at(25 * HOUR):
            payments.expire(payment.service_request_id)
    with clock.at(26 * HOUR):
        payments.settle(payment.paystack_reference)
    assert said(payment) == "SUCCESSFUL LATE CANCELLED"


# --- Every event is lost

CHOICES = ("pay", "decline", "abandon", "short", "dollars", "pay late", "pay after declining", "pay superseded")
ENDS = {
    "pay": "SUCCESSFUL APPLIED PENDING_ADMIN_ASSIGNMENT",
    "decline": "FAILED None AWAITING_BOOKING_FEE",
    "abandon": "PENDING None AWAITING_BOOKING_FEE",
    "short": "FAILED MISMATCH AWAITING_BOOKING_FEE",
    "dollars": "FAILED MISMATCH AWAITING_BOOKING_FEE",
    "pay late": "SUCCESSFUL APPLIED PENDING_ADMIN_ASSIGNMENT",
    "pay after declining": "SUCCESSFUL APPLIED PENDING_ADMIN_ASSIGNMENT",
    "pay superseded": "SUCCESSFUL DUPLICATE PENDING_ADMIN_ASSIGNMENT",
}


def leave_the_events_out(world: World, request_in: Any, polls: Callable[[], object]) -> dict[str, str]:
    """Every kind of payer, no event, and the poller alone for half a day."""
    opened = {choice: world.opens(request_in("AWAITING_BOOKING_FEE")) for choice in CHOICES}
    for choice in ("pay", "decline", "abandon", "short", "dollars"):
        world.pays(opened[choice], choice)
    world.pays(opened["pay after declining"], "decline")
    with clock.at(30 * MINUTE):
        second = world.opens(opened["pay superseded"].service_request)
        polls()
    world.pays(second)
    with clock.at(40 * MINUTE):
        polls()
    for choice in CHOICES[5:]:
        world.pays(opened[choice])
    for hours in (1, 2, 4, 8, 12):
        with clock.at(hours * HOUR):
            polls()
    assert not WebhookEvent.objects.exists()
    return {choice: said(payment) for choice, payment in opened.items()}


def test_failed_abandoned_and_late_payments_are_found_without_a_single_event(world, request_in):
    from marketplace import tasks

    assert leave_the_events_out(world, request_in, tasks.check_payments) == ENDS


def test_control_without_the_poller_none_of_them_is_found(world, request_in):
    found = leave_the_events_out(world, request_in, lambda: None)
    assert {choice for choice in CHOICES if found[choice] == ENDS[choice]} == {"abandon"}
