"""Money back to clients: owed once, approved, sent once, followed until it arrived.

A refund's row is what guards against sending twice, since Paystack takes the same refund twice: `sending_at` is
committed before the call, and a call whose answer was lost is looked up by our note, never simply repeated.
Lock order: request, payment, refund.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q, Sum

from core import clock
from core.errors import Conflict, Forbidden, Invalid, Missing
from core.models import User
from marketplace import notices, paystack, policy
from marketplace.enums import Channel, NotificationType, PaymentOutcome, PaymentStatus, RefundStatus
from marketplace.models import Payment, Refund, ServiceRequest
from marketplace.money import ZERO, from_kobo, to_kobo
from marketplace.services import ledger
from marketplace.services.workflow import require_reason

log = logging.getLogger(__name__)

LOST_AFTER = timedelta(minutes=15)
"""When a refund whose call got no answer, and which Paystack does not list, may be called never sent."""

CHECK_EVERY = timedelta(minutes=10)
"""How long a refund on its way is left alone before Paystack is asked about it."""

STATUS_OF: dict[str, RefundStatus] = {
    "pending": RefundStatus.SENT,
    "processing": RefundStatus.PROCESSING,
    "processed": RefundStatus.PROCESSED,
    "failed": RefundStatus.FAILED,
    "needs-attention": RefundStatus.NEEDS_ATTENTION,
}
"""Paystack's words and ours."""

AT_RISK = {
    RefundStatus.FAILED: "Paystack could not send this refund.",
    RefundStatus.NEEDS_ATTENTION: "Paystack needs the client's bank account for this refund.",
}

_NOTE = re.compile(r"Refund no\. ([0-9]{1,18}) of ")

UNDECIDED = (RefundStatus.DUE, RefundStatus.REVIEW)
UNDER_WAY = (RefundStatus.SENT, RefundStatus.PROCESSING, RefundStatus.NEEDS_ATTENTION)


# --- Owing


def returnable(payment: Payment) -> Decimal:
    """What can still go back of a payment, in NGN: what came in less every refund that was not waived."""
    if payment.status == PaymentStatus.SUCCESSFUL:
        came = payment.amount
    elif payment.outcome == PaymentOutcome.MISMATCH:
        came = from_kobo(payment.received_kobo or 0)
    else:
        return ZERO
    owed = payment.refunds.exclude(status=RefundStatus.WAIVED).aggregate(total=Sum("amount"))["total"]
    return came - (owed or ZERO)


def owe(
    payment: Payment,
    *,
    amount: Decimal,
    reason: str,
    by: User | None,
    for_review: bool = False,
) -> Refund:
    """Owe `amount` NGN of a payment back, or leave it for review by finance. The caller holds the request's lock.

    Raises Invalid when that would be more than is left of the payment.
    """
    if not ZERO < amount <= returnable(payment):
        raise Invalid("That is more than is left of this payment.", code="too_much", field="amount")
    refund = Refund.objects.create(
        payment=payment,
        amount=amount,
        reason=reason[:1000],
        channel=payment.channel,
        status=RefundStatus.REVIEW if for_review else RefundStatus.DUE,
        requested_by=by,
    )
    if not for_review:
        ledger.post_refund_due(refund, by=by)
    return refund


def owe_for_cancellation(
    request: ServiceRequest, *, outcomes: Iterable[policy.Outcome], reason: str, by: User | None
) -> list[Refund]:
    """Owe back what the policy returns, and leave to finance what it wants reviewed. The caller holds the lock."""
    counted = {p.payment_type: p for p in request.payments.filter(outcome=PaymentOutcome.APPLIED)}
    made = []
    for outcome in outcomes:
        payment = counted.get(outcome.payment_type)
        # What finance sent back earlier is not owed a second time.
        left = returnable(payment) if payment else ZERO
        for amount, for_review in ((outcome.returned, False), (outcome.for_review, True)):
            if payment and (amount := min(amount, left)) > ZERO:
                made.append(owe(payment, amount=amount, reason=reason, by=by, for_review=for_review))
                left -= amount
    return made


# --- Deciding


def approve(refund_id: int, *, by: User, amount: Decimal | None = None, note: str = "") -> Refund:
    """Finance lets a due refund go, or decides one under review, perhaps for a smaller `amount` in NGN.

    A failed one may be approved again. Raises Conflict when it is not waiting for a decision, Invalid for the amount.
    """
    with _locked(refund_id, by=by) as refund:
        if refund.status not in (*UNDECIDED, RefundStatus.FAILED):
            raise Conflict("This refund is not waiting for a decision.", code="wrong_status")
        reviewed = refund.status == RefundStatus.REVIEW
        if amount is not None and amount != refund.amount:
            if not (reviewed and ZERO < amount < refund.amount):
                raise Invalid("Only a refund under review can be made smaller.", code="out_of_range", field="amount")
            note = require_reason(note, field="note")
        kept = refund.amount - (amount or refund.amount)
        refund.amount -= kept
        refund.note = note or refund.note
        refund.approved_by, refund.approved_at = by, clock.now()
        refund.sending_at, refund.sent_at, refund.paystack_refund_id, refund.last_error = None, None, "", ""
        _save(refund, RefundStatus.APPROVED, by=by)
        if reviewed:
            ledger.post_refund_due(refund, by=by)
            ledger.post_kept(refund, kobo=to_kobo(kept), by=by)
    return refund


def waive(refund_id: int, *, reason: str, by: User) -> Refund:
    """Finance decides that the money stays. Never for money that came late or twice: it was not ours to keep."""
    with _locked(refund_id, by=by) as refund:
        if refund.status not in UNDECIDED or refund.payment.outcome != PaymentOutcome.APPLIED:
            raise Conflict("This refund cannot be waived.", code="wrong_status")
        refund.note = require_reason(reason)
        _save(refund, RefundStatus.WAIVED, by=by)
        ledger.take_back_refund_due(refund, by=by)
        ledger.post_kept(refund, kobo=to_kobo(refund.amount), by=by)
    return refund


# --- Sending


def send(refund_id: int, *, by: User | None) -> Refund:
    """Send an approved refund through Paystack, once. After an answer that was lost, look for it instead.

    Raises Conflict when it is not approved or on its way, PaystackError when Paystack is away or refuses.
    """
    with _locked(refund_id, by=by) as refund:
        if refund.status != RefundStatus.APPROVED or refund.channel != Channel.PAYSTACK:
            raise Conflict("This refund is not approved for sending through Paystack.", code="wrong_status")
        lost = refund.sending_at is not None
        if not lost:
            refund.sending_at = clock.now()
            refund.save()
    if lost:
        return _find(refund, by=by)
    payment = refund.payment
    try:
        answer = paystack.refund(
            reference=payment.paystack_reference, amount_kobo=to_kobo(refund.amount), note=note_of(refund)
        )
    except paystack.PaystackUnavailable as problem:
        _not_sent(refund, problem.message, maybe_done=problem.maybe_done)
        raise
    except paystack.PaystackRefused as problem:
        with _locked(refund.pk, by=None) as refund:
            refund.last_error = f"{problem.reason}: {problem.message}"
            _save(refund, RefundStatus.FAILED, by=by)
        raise
    return record(refund.pk, answer, by=by)


def settle(refund_id: int) -> Refund:
    """Ask Paystack what became of a refund that is under way, and record it."""
    refund = Refund.objects.filter(pk=refund_id).first()
    if refund is None:
        raise Missing("There is no such refund.")
    if refund.paystack_refund_id:
        return record(refund.pk, paystack.fetch_refund(refund.paystack_refund_id), by=None)
    return _find(refund, by=None) if refund.sending_at else refund


def to_settle() -> list[int]:
    """Refunds Paystack should be asked about: under way, or sent without an answer. The longest untouched first."""
    unanswered = Q(status=RefundStatus.APPROVED, sending_at__isnull=False)
    rows = Refund.objects.filter(Q(status__in=UNDER_WAY) | unanswered, updated_at__lt=clock.now() - CHECK_EVERY)
    return list(rows.order_by("updated_at").values_list("pk", flat=True)[:200])


def provide_account(refund_id: int, *, account_number: str, bank_id: str, by: User) -> Refund:
    """Give Paystack the client's bank account for a refund that needs attention."""
    with _locked(refund_id, by=by) as refund:
        if refund.status != RefundStatus.NEEDS_ATTENTION:
            raise Conflict("This refund does not need an account.", code="wrong_status")
    answer = paystack.retry_refund(refund.paystack_refund_id, account_number=account_number, bank_id=bank_id)
    return record(refund.pk, answer, by=by)


def find_for_event(data: dict[str, Any]) -> Refund | None:
    """Our refund that an event speaks of: by our note, by Paystack's id, or the only one under way of that charge."""
    note, number, reference = (str(data.get(name) or "") for name in ("merchant_note", "id", "transaction_reference"))
    ours = Refund.objects.filter(payment__paystack_reference=reference)
    if ours_by_note := _NOTE.match(note):
        return ours.filter(pk=int(ours_by_note[1])).first()
    if number and (named := ours.filter(paystack_refund_id=number).first()):
        return named
    under_way = list(ours.filter(status__in=UNDER_WAY)[:2])
    return under_way[0] if len(under_way) == 1 else None


def note_of(refund: Refund) -> str:
    """What Paystack keeps with a refund and by which we find it again; another one for each time it is sent."""
    sent = int(refund.sending_at.timestamp()) if refund.sending_at else 0
    return f"Refund no. {refund.pk} of {sent}"


# --- What these share


@contextmanager
def _locked(refund_id: int, *, by: User | None) -> Iterator[Refund]:
    """The refund, locked with its request and payment until the block ends. Raises Missing, Forbidden."""
    with transaction.atomic():
        ids = Refund.objects.filter(pk=refund_id).values_list("payment__service_request", "payment").first()
        if ids is None:
            raise Missing("There is no such refund.")
        if by is not None and not by.has_perm("marketplace.refund"):
            raise Forbidden("Only finance decides on refunds.")
        ServiceRequest.objects.select_for_update(of=("self",)).get(pk=ids[0])
        payment = Payment.objects.select_for_update(of=("self",)).select_related("service_request").get(pk=ids[1])
        refund = Refund.objects.select_for_update(of=("self",)).get(pk=refund_id)
        refund.payment = payment
        yield refund


def _save(refund: Refund, status: RefundStatus, *, by: User | None) -> None:
    refund.status = status
    refund._history_user = by  # type: ignore[attr-defined]
    refund.save()


def _find(refund: Refund, *, by: User | None) -> Refund:
    """Look at Paystack for a refund whose answer was lost; call it never sent when it is not there after a while."""
    since = refund.sending_at or refund.created_at
    answer = paystack.find_refund(note=note_of(refund), since=since - timedelta(days=1))
    if answer is not None:
        return record(refund.pk, answer, by=by)
    if clock.now() - since < LOST_AFTER:
        raise Conflict("Paystack has not said yet whether this refund was sent. Try again later.", code="unknown")
    return _not_sent(refund, "Paystack has no such refund: it can be sent again.", maybe_done=False)


def _not_sent(refund: Refund, message: str, *, maybe_done: bool) -> Refund:
    with _locked(refund.pk, by=None) as current:
        if current.status == RefundStatus.APPROVED and current.sending_at == refund.sending_at:
            current.last_error = message
            if not maybe_done:
                current.sending_at = None
            current.save()
    return current


def record(refund_id: int, answer: paystack.Refund, *, by: User | None) -> Refund:
    """Record what Paystack says of a refund. Processed is final; the rest follows Paystack, back and forth."""
    with _locked(refund_id, by=None) as refund:
        status = STATUS_OF.get(answer.status)
        if status is None or refund.status in (RefundStatus.PROCESSED, RefundStatus.WAIVED, status):
            Refund.objects.filter(pk=refund.pk).update(updated_at=clock.now())  # asked, and nothing new
            return refund
        if answer.amount_kobo != to_kobo(refund.amount) or answer.note not in ("", note_of(refund)):
            log.error("Refund %s: Paystack speaks of another one (%s).", refund.pk, answer)
            refund.last_error = f"Paystack speaks of another refund: {answer.id}, {answer.amount_kobo} kobo."
            refund.save()
            return refund
        first = refund.sent_at is None
        refund.paystack_refund_id = str(answer.id)
        refund.sent_at = refund.sent_at or clock.now()
        if status == RefundStatus.PROCESSED:
            refund.processed_at = clock.now()
        _save(refund, status, by=by)
        if first:
            notices.announce(NotificationType.REFUND_SENT, refund, by=by)
        if status == RefundStatus.PROCESSED:
            ledger.post_refund_processed(refund)
        if status in (RefundStatus.FAILED, RefundStatus.NEEDS_ATTENTION):
            notices.announce(NotificationType.MONEY_AT_RISK, refund, by=None, why=AT_RISK[status])
    return refund
