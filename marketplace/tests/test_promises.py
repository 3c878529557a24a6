"""What is promised about money, held against everything that may be tried; each with its control.

A control takes the guard away and must see the fault: without it a green test proves nothing.
"""

from __future__ import annotations

import json
from datetime import date
from importlib import import_module
from itertools import permutations
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from core.models import User
from marketplace import analytics, paystack
from marketplace.enums import Account, PaymentOutcome, PaymentType, Status
from marketplace.models import (
    Category,
    LedgerEntry,
    LedgerLine,
    Payment,
    Price,
    PriceNegotiation,
    Refund,
    ServiceRequest,
    WebhookEvent,
)
from marketplace.money import ZERO, from_kobo
from marketplace.services import ledger, payments, refunds
from marketplace.services.payments import proof as proving
from marketplace.services.payments.checkout import new_payment
from marketplace.tests.api.test_payments_webhook import BODIES
from marketplace.tests.gateway import Gateway, proof, sign
from marketplace.tests.lives import SLOW, Lives, lives
from marketplace.tests.services.test_settle import WRONG
from marketplace.tests.trail import everything

__all__ = ["lives"]
pytestmark = pytest.mark.django_db

FEE = PaymentType.INITIAL_BOOKING
WEBHOOK = "/api/payments/webhook/"


def report(payment: Payment, **changes: Any) -> Payment:
    return payments.apply(payment.paystack_reference, proof(payment, **changes))


# --- Only the exact amount, currency, domain and reference settles


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_control_without_the_comparison_any_money_would_settle(wrong, request_in, monkeypatch):
    payment = new_payment(request_in("AWAITING_BOOKING_FEE"), FEE)
    monkeypatch.setattr(paystack.Transaction, "wrong_about", lambda *_, **__: [])
    assert report(payment, **wrong).outcome == PaymentOutcome.APPLIED


# --- A forged or mangled webhook changes nothing

FORGED = [None, "", "0" * 128, "nonsense", "\xe9\xe8", "A" * 5000]
"""Signatures; of other bytes comes as a seventh."""


@pytest.fixture
def paid_unnoticed(gateway: Gateway, request_in: Any, ada: User) -> Payment:
    """A fee that was really paid, which any event may reveal."""
    payment, _ = payments.initialize(request_in("AWAITING_BOOKING_FEE").pk, payment_type=FEE, by=ada)
    gateway.choose(payment.authorization_url)
    return payment


def forge(payment: Payment) -> list[int]:
    """Every body under every signature; how each was answered."""
    told = json.dumps({"event": "charge.success", "data": {"reference": payment.paystack_reference}}).encode()
    answers = []
    for body in (*BODIES, told):
        for signature in (*FORGED, sign(body + b" ")):
            headers = {} if signature is None else {"x-paystack-signature": signature}
            answers.append(Client().post(WEBHOOK, body, content_type="application/json", headers=headers).status_code)
    return answers


def test_no_forged_event_changes_anything_although_the_money_is_there(paid_unnoticed):
    before = everything()
    assert forge(paid_unnoticed) == [401] * 14 * 7
    assert everything() == before


def test_control_without_the_signature_the_same_events_are_acted_on(paid_unnoticed, monkeypatch):
    monkeypatch.setattr(paystack, "is_genuine", lambda *_: True)
    assert forge(paid_unnoticed) == [200] * 14 * 7
    assert WebhookEvent.objects.count() == 14
    assert Payment.objects.get().outcome == PaymentOutcome.APPLIED


def test_no_mangled_event_changes_anything_but_its_own_row(paid_unnoticed):
    before = everything()
    for body in BODIES:
        headers = {"x-paystack-signature": sign(body)}
        assert Client().post(WEBHOOK, body, content_type="application/json", headers=headers).status_code == 200
    after = everything()
    assert len(after.pop("WebhookEvent")) == len(BODIES) == 13
    assert before.pop("WebhookEvent") == []
    assert after == before


# --- What is paid twice, late or wrong is stored, never refused by a constraint


def pay_in_every_way(booking: ServiceRequest) -> list[str]:
    """Nine checkouts of one fee: three that count for nothing, three too small, then three right ones and one again."""
    opened = []
    for _ in range(9):
        Payment.objects.supersede(booking.pk)
        opened.append(new_payment(booking, FEE))
    for payment in opened[:3]:
        report(payment, currency="USD")
    for payment in opened[3:6]:
        report(payment, amount_kobo=150000)
    for payment in opened[6:8]:
        report(payment)
    ServiceRequest.objects.filter(pk=booking.pk).update(status=Status.CANCELLED)
    Payment.objects.filter(outcome=PaymentOutcome.APPLIED).update(outcome=PaymentOutcome.LATE)
    for payment in opened[5:]:
        report(payment)
    return [str(outcome) for outcome in Payment.objects.order_by("pk").values_list("outcome", flat=True)]


def test_every_outcome_is_stored_as_often_as_it_happens(request_in):
    assert pay_in_every_way(request_in("AWAITING_BOOKING_FEE")) == (
        ["MISMATCH"] * 5 + ["LATE"] * 2 + ["DUPLICATE"] + ["LATE"]
    )
    assert sum(Refund.objects.values_list("amount", flat=True)) == 2000 * 3


def test_control_one_success_a_request_as_a_constraint_would_refuse_money(request_in):
    booking = request_in("AWAITING_BOOKING_FEE")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE UNIQUE INDEX one_success ON marketplace_payment (service_request_id, payment_type)"
            " WHERE status = 'SUCCESSFUL'"
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        pay_in_every_way(booking)


# --- Every order of the same events ends in the same state


def ends_of(request: ServiceRequest, how_many: int, said: list[tuple[int, dict[str, Any]]]) -> set[tuple[Any, ...]]:
    """The distinct ends of all orders of some reports about that many checkouts of one fee."""
    ends = set()
    for order in permutations(said):
        with transaction.atomic():
            opened = []
            for _ in range(how_many):
                Payment.objects.supersede(request.pk)
                opened.append(new_payment(request, FEE))
            for number, changes in order:
                report(opened[number], **changes)
            rows = Payment.objects.values_list("status", "outcome", "received_kobo", "fees_kobo")
            ends.add(
                (
                    ServiceRequest.objects.get(pk=request.pk).status,
                    tuple(sorted(rows, key=repr)),
                    tuple(sorted(Refund.objects.values_list("amount", "status", "reason"))),
                    tuple(sorted(ledger.balances().items())),
                )
            )
            transaction.set_rollback(True)
    return ends


ONE = [
    (0, {"status": "abandoned", "paid_at": None, "fees_kobo": None}),
    (0, {"status": "failed", "paid_at": None, "fees_kobo": None}),
    (0, {"amount_kobo": 199999}),
    (0, {"currency": "USD"}),
    (0, {}),
]
TWO = [
    (0, {}),
    (0, {"status": "failed", "paid_at": None, "fees_kobo": None}),
    (1, {}),
    (1, {"status": "abandoned", "paid_at": None, "fees_kobo": None}),
    (1, {"amount_kobo": 150000}),
]


@pytest.mark.trust
@pytest.mark.long
@pytest.mark.parametrize(("how_many", "said"), [(1, ONE), (2, TWO)], ids=["one checkout", "two checkouts"])
def test_all_120_orders_of_five_reports_end_alike(how_many, said, request_in):
    [(status, *_)] = ends_of(request_in("AWAITING_BOOKING_FEE"), how_many, said)
    assert status == Status.PENDING_ADMIN_ASSIGNMENT


def test_control_without_healing_the_order_would_matter(request_in, monkeypatch):
    monkeypatch.setattr(ledger, "take_back_wrong_amount", lambda payment: None)
    assert len(ends_of(request_in("AWAITING_BOOKING_FEE"), 1, [ONE[2], ONE[4]])) == 2


# --- Money that comes late or twice is never swallowed


def test_control_money_that_is_swallowed_is_seen(lives, monkeypatch):
    monkeypatch.setattr(proving.refunds, "returnable", lambda payment: ZERO)
    with pytest.raises(AssertionError, match="money that was not due goes back"):
        live(lives, examples=100)


def live(machine: type[Lives], *, examples: int, steps: int = 15) -> None:
    """Random lives, the same each time, as they come: not made smaller."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=SLOW,
        ),
    )


# --- Totals in analytics equal the ledger


def kobo_of(account: Account | None = None, **entry: Any) -> int:
    """What some entries moved, debit positive: on one account, or all that came in or went out."""
    lines = LedgerLine.objects.filter(**{f"entry__{key}": value for key, value in entry.items()})
    return sum(lines.filter(account=account).values_list("amount_kobo", flat=True))


def totals_by_the_books() -> dict[str, Any]:
    """The words of analytics, out of the ledger alone."""
    proven = {"dedupe_key__endswith": "-in"}
    fees = -kobo_of(Account.REVENUE_BOOKING_FEE, kind="booking_fee_in")
    finals = -kobo_of(Account.CLIENT, kind="final_payment_in")
    held = -kobo_of(Account.CLIENT, kind="money_held", **proven)
    return {
        "collected": from_kobo(fees + finals + held),
        "booking_fees": from_kobo(fees),
        "final_payments": from_kobo(finals),
        "gmv": from_kobo(finals),
        "refunded": from_kobo(kobo_of(Account.REFUNDS_PAYABLE, kind="refund_processed")),
        "gateway_fees": from_kobo(kobo_of(Account.GATEWAY_FEES)),
        "payments": LedgerEntry.objects.filter(**proven).count(),
    }


class Compared(Lives):
    """Random lives, at whose end dashboard and books are held side by side."""

    seen: list[Any]

    def teardown(self) -> None:
        """Before everything is rolled back."""
        try:
            totals = analytics.revenue(date(2026, 1, 1), date(2027, 12, 31), group_by="month").totals
            found = {name: getattr(totals, name) for name in totals_by_the_books()}
            assert found == totals_by_the_books()
            priced = dict(Price.objects.values_list("request", "estimate"))
            paid = Payment.objects.filter(outcome=PaymentOutcome.APPLIED, payment_type=PaymentType.FINAL_PAYMENT)
            margin = totals.final_payments - sum(
                (Price.objects.get(request=p.service_request_id, version=p.price_version).estimate for p in paid), ZERO
            )
            assert totals.platform_revenue == totals.booking_fees + margin
            assert priced or not paid
            self.seen.append(found["collected"])
        finally:
            super().teardown()


@pytest.mark.parametrize(
    ("examples", "steps"),
    [
        pytest.param(15, 12, marks=[pytest.mark.trust, pytest.mark.long]),
        pytest.param(150, 30, marks=[pytest.mark.trust, pytest.mark.long]),
    ],
)
def test_the_totals_of_any_life_are_those_of_the_books(examples, steps, lives):
    machine = type("ComparedHere", (Compared,), {"cast": lives.cast, "category": lives.category, "seen": []})
    live(machine, examples=examples, steps=steps)
    assert len(machine.seen) >= examples
    assert max(machine.seen) > 0


def test_control_a_total_that_leaves_money_out_is_seen(lives, monkeypatch):
    module = import_module("marketplace.analytics.revenue")
    monkeypatch.setattr(module, "_came", lambda real=module._came: real().exclude(outcome="DUPLICATE"))
    machine = type("ComparedHere", (Compared,), {"cast": lives.cast, "category": lives.category, "seen": []})
    with pytest.raises(AssertionError):
        live(machine, examples=100)


# --- Deleting a person or a category cannot delete money


def rows_with_money() -> list[int]:
    models = (ServiceRequest, Payment, Refund, LedgerEntry, LedgerLine, Price, PriceNegotiation)
    return [model._base_manager.count() for model in models]


@pytest.fixture
def books(request_in: Any, boss: User) -> list[Any]:
    """Everybody and every trade with a trace in the books."""
    request = request_in("NEGOTIATING")
    fee = request.applied_payment(FEE)
    ledger.post_payment_in(fee)
    refunds.owe(fee, amount=fee.amount, reason="Sorry.", by=boss)
    return [*User.objects.order_by("pk"), *Category.objects.all()]


def by_themselves(thing: Any, _: Client) -> None:
    with pytest.raises(ProtectedError):
        thing.delete()


def all_at_once(thing: Any, _: Client) -> None:
    with pytest.raises(ProtectedError):
        type(thing).objects.filter(pk=thing.pk).delete()


def in_the_console(thing: Any, client: Client) -> None:
    name = f"admin:{thing._meta.app_label}_{thing._meta.model_name}"
    client.post(reverse(f"{name}_delete", args=[thing.pk]), {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": thing.pk, "post": "yes"}
    client.post(reverse(f"{name}_changelist"), chosen)


@pytest.mark.parametrize("attempt", [by_themselves, all_at_once, in_the_console])
def test_nobody_and_no_trade_that_money_hangs_on_can_be_deleted(attempt, books, console, boss):
    before = rows_with_money()
    for thing in books:
        attempt(thing, console(boss))
    assert rows_with_money() == before
    assert all(type(thing).objects.filter(pk=thing.pk).exists() for thing in books)
    assert min(before) > 0


def test_control_what_no_money_hangs_on_can_be_deleted(make_client, db):
    kemi, trade = make_client("kemi"), Category.objects.create(name="Gardening")
    kemi.delete()
    trade.delete()
    assert not User.objects.exists()
    assert not Category.objects.exists()
