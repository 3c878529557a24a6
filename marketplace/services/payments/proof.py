"""What Paystack proves, in whatever order it is told: each payment ends APPLIED, LATE, DUPLICATE or MISMATCH."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q

from core import clock
from core.errors import Conflict, Missing
from core.models import User
from marketplace import notices, paystack
from marketplace.enums import (
    Channel,
    NotificationType,
    PaymentOutcome,
    PaymentStatus,
    PaymentType,
    RefundStatus,
    Status,
)
from marketplace.models import Payment, ServiceRequest
from marketplace.money import ZERO, to_kobo
from marketplace.services import ledger, refunds
from marketplace.services.workflow import advance, locked

FIRST_CHECK, LAST_CHECK = timedelta(minutes=3), timedelta(days=30)
"""Without any word from Paystack a payment is checked after this time, then less and less often, then no more."""
OPENING = timedelta(seconds=20)
"""A payment without an address this young is being opened by somebody: longer than Paystack may take."""
UNKNOWN = "not_found"
"""Our word in `gateway_status` for a reference that Paystack never heard of."""


class Proof(NamedTuple):
    """What is proven of a payment's money: the kobo that came, the fee of whoever brought it, and when."""

    received_kobo: int
    fees_kobo: int | None
    paid_at: datetime

    @property
    def columns(self) -> dict[str, Any]:
        """As a payment keeps it."""
        return self._asdict()


WAITS_FOR = {
    PaymentType.INITIAL_BOOKING: (Status.AWAITING_BOOKING_FEE, ServiceRequest.confirm_booking_fee),
    PaymentType.FINAL_PAYMENT: (Status.AWAITING_PAYMENT, ServiceRequest.confirm_final_payment),
}
"""In which status a request waits for a payment, and the step that its proof takes."""


def settle(reference: str) -> Payment:
    """Ask Paystack about one of our payments and apply the answer; a proven one is not asked about again.

    Call it outside any transaction. Raises Missing for a reference that is not ours, PaystackError (503).
    """
    payment = Payment.objects.filter(paystack_reference=reference).first()
    if payment is None:
        raise Missing("There is no such payment.")
    if payment.status == PaymentStatus.SUCCESSFUL or payment.channel != Channel.PAYSTACK:
        return payment
    try:
        return apply(reference, paystack.verify(reference))
    except paystack.NotFound:
        with locked_payment(reference) as payment:
            if payment.status != PaymentStatus.PENDING or is_being_opened(payment):
                return payment
            return save(payment, checked=True, gateway_status=UNKNOWN)
    except paystack.PaystackError as problem:
        # Asked again later, so that it does not stand before the others every time: soon where Paystack was away, since
        # everything is to settle when it is back, and ever less often where it refuses.
        refused = isinstance(problem, paystack.PaystackRefused)
        wait = (clock.now() - payment.created_at) / 2 if refused else FIRST_CHECK
        later = clock.now() + max(FIRST_CHECK, wait)
        Payment.objects.filter(pk=payment.pk, next_check_at__lte=clock.now()).update(next_check_at=later)
        raise


def apply(reference: str, verdict: paystack.Transaction) -> Payment:
    """Record what Paystack said of a payment, once and in any order.

    Proven money is APPLIED when the request waits for exactly it, and moves it on; else it is DUPLICATE or LATE, and
    a refund of it is due. The wrong amount, currency, domain or reference is MISMATCH until a right proof comes.
    """
    with locked_payment(reference) as payment:
        if payment.status == PaymentStatus.SUCCESSFUL or payment.channel != Channel.PAYSTACK:
            return payment
        facts: dict[str, Any] = {
            "gateway_status": verdict.status[:20],
            "gateway_message": verdict.gateway_response[:255],
        }
        if not verdict.is_paid:
            lost = verdict.status in paystack.FAILED and payment.status == PaymentStatus.PENDING
            return save(payment, checked=True, **facts, **({"status": PaymentStatus.FAILED} if lost else {}))
        proof = Proof(verdict.amount_kobo, verdict.fees_kobo, verdict.paid_at or clock.now())
        if wrong := verdict.wrong_about(reference=reference, amount_kobo=to_kobo(payment.amount)):
            return keep_wrong(payment, proof, wrong, said=_said(verdict), **facts)
        return keep_proven(payment, proof, **facts)


def keep_wrong(
    payment: Payment, proof: Proof, wrong: list[str], *, said: dict[str, Any], by: User | None = None, **facts: Any
) -> Payment:
    """Keep proven money that is not what was asked for. `wrong` names what differs; the caller holds the lock."""
    if payment.outcome == PaymentOutcome.MISMATCH:
        return save(payment, checked=True, **facts)
    # Another currency, another key's money or another charge cannot be counted as our naira.
    countable = set(wrong) <= {"amount", "requested_amount"} and proof.received_kobo > 0
    metadata = {**payment.metadata, "wrong": wrong, "said": said}
    state = {"status": PaymentStatus.FAILED, "outcome": PaymentOutcome.MISMATCH, "metadata": metadata}
    save(payment, checked=_is_asked(payment), **facts, **state, **(proof.columns if countable else {}))
    if countable:
        ledger.post_wrong_amount_held(payment, by=by)
    notices.announce(NotificationType.MONEY_AT_RISK, payment, by=by, why=PaymentOutcome.MISMATCH.value)
    return payment


def keep_proven(payment: Payment, proof: Proof, *, by: User | None = None, **facts: Any) -> Payment:
    """Keep proven money in the right amount: APPLIED where the request waits for it, else DUPLICATE or LATE.

    The caller holds the lock. `by` is who approved a payment by hand.
    """
    request, kind = payment.service_request, PaymentType(payment.payment_type)
    status, step = WAITS_FOR[kind]
    healed = payment.outcome == PaymentOutcome.MISMATCH
    if request.applied_payment(kind) is not None:
        outcome = PaymentOutcome.DUPLICATE
    elif healed and payment.refunds.exclude(status=RefundStatus.WAIVED).exists():
        # Finance is giving the wrong amount back already: what came right after all goes the same way.
        outcome = PaymentOutcome.LATE
    elif request.status == status and asks_for_now(payment, request):
        outcome = PaymentOutcome.APPLIED
    else:
        outcome = PaymentOutcome.LATE
    if healed:
        ledger.take_back_wrong_amount(payment)
    state = {"status": PaymentStatus.SUCCESSFUL, "outcome": outcome}
    save(payment, checked=_is_asked(payment), **facts, **state, **proof.columns)
    ledger.post_payment_in(payment, by=by)
    if outcome == PaymentOutcome.APPLIED:
        if any(_is_open(other) and other.payment_type == kind for other in request.payments.all()):
            Payment.objects.supersede(request.pk, kind)
        request.forget_cached("payments")
        advance(request, step, by=None, tell={"payment_id": payment.pk, "amount": str(payment.amount)})
    else:
        reason = "Paid twice." if outcome == PaymentOutcome.DUPLICATE else "Paid when it was not due any more."
        if left := refunds.returnable(payment):
            refunds.owe(payment, amount=left, reason=reason, by=by)
        notices.announce(NotificationType.MONEY_AT_RISK, payment, by=by, why=outcome.value)
    return payment


def _is_open(payment: Payment) -> bool:
    return payment.status == PaymentStatus.PENDING and payment.outcome is None


def _is_asked(payment: Payment) -> bool:
    """Paystack was asked about it; of money by hand it knows nothing."""
    return payment.channel == Channel.PAYSTACK


def _said(verdict: paystack.Transaction) -> dict[str, Any]:
    return {
        "reference": verdict.reference,
        "amount_kobo": verdict.amount_kobo,
        "requested_amount_kobo": verdict.requested_amount_kobo,
        "currency": verdict.currency,
        "domain": verdict.domain,
    }


def to_check() -> list[str]:
    """The references Paystack should be asked about now, the longest waiting first: how lost events are made good."""
    due = Payment.objects.filter(next_check_at__lte=clock.now(), channel=Channel.PAYSTACK)
    return list(due.order_by("next_check_at").values_list("paystack_reference", flat=True)[:200])


def expire(request_id: int) -> ServiceRequest:
    """End a booking whose fee was not paid in time, after asking Paystack about every payment that may still come.

    Raises Conflict when it is not time yet, when it was paid after all or money still moves; PaystackError (503).
    """
    pending = Payment.objects.filter(service_request_id=request_id, status=PaymentStatus.PENDING)
    for reference in pending.values_list("paystack_reference", flat=True):
        settle(reference)
    with locked(request_id, by=None, step=ServiceRequest.expire) as request:
        if request.due_at and clock.now() < request.due_at:
            raise Conflict("The time to pay is not over.", code="not_due")
        if pending.filter(Q(gateway_status__in=paystack.MOVING) | Q(channel=Channel.MANUAL)).exists():
            raise Conflict("A payment is still being processed.", code="payment_moving")
        Payment.objects.supersede(request.pk)
        return advance(request, ServiceRequest.expire, by=None)


# --- What all of payments shares


def due(request: ServiceRequest, kind: str) -> tuple[Decimal, int]:
    """What a request asks for now: the amount in NGN (0 while it has no price), and the price's version."""
    if kind == PaymentType.INITIAL_BOOKING:
        return request.initial_booking_fee, 0
    return request.final_cost or ZERO, request.price_version


def asks_for_now(payment: Payment, request: ServiceRequest) -> bool:
    """Whether a payment is for exactly what its request asks for now."""
    return (payment.amount, payment.price_version) == due(request, payment.payment_type)


def is_being_opened(payment: Payment) -> bool:
    """Somebody is calling Paystack for it right now; a caller that died or got no answer does not count."""
    young = clock.now() - payment.updated_at < OPENING
    return young and not payment.authorization_url and not payment.gateway_status


@contextmanager
def locked_payment(reference: str) -> Iterator[Payment]:
    """The payment with its request, locked in the order request, payments, until the block ends. Raises Missing."""
    with transaction.atomic():
        of_it = ServiceRequest.objects.filter(payments__paystack_reference=reference)
        request = of_it.select_for_update(of=("self",)).first()
        if request is None:
            raise Missing("There is no such payment.")
        # All of them in one statement: whether another one counts already is asked next.
        rows = request.payments.select_for_update(of=("self",)).order_by("pk")
        request._prefetched_objects_cache = {"payments": rows}  # type: ignore[attr-defined]
        yield next(payment for payment in rows if payment.paystack_reference == reference)


def save(payment: Payment, *, checked: bool = False, **facts: Any) -> Payment:
    """Save a locked payment with these facts; `checked` says that Paystack was asked, and when to ask again."""
    for name, value in facts.items():
        setattr(payment, name, value)
    if checked:
        payment.checks += 1
        payment.checked_at = clock.now()
        payment.next_check_at = _next_check(payment)
    payment.save()
    return payment


def _next_check(payment: Payment) -> datetime | None:
    """Soon at first, then at ever longer intervals. An abandoned or declined checkout can be paid days later."""
    age = clock.now() - payment.created_at
    done = payment.status == PaymentStatus.SUCCESSFUL or payment.outcome == PaymentOutcome.MISMATCH
    return None if done or age > LAST_CHECK else clock.now() + max(FIRST_CHECK, age / 2)
