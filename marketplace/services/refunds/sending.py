"""A refund's way: sent once through Paystack, or by hand, and followed until it has arrived."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any

from django.db.models import Q

from core import clock
from core.errors import Conflict, Invalid, Missing
from core.models import User
from marketplace import notices, paystack
from marketplace.enums import Channel, NotificationType, RefundStatus
from marketplace.models import Refund
from marketplace.money import to_kobo
from marketplace.services import ledger
from marketplace.services.approvals import require_another
from marketplace.services.refunds.rows import UNDER_WAY, locked, save
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

ON_ITS_WAY = (RefundStatus.SENT, RefundStatus.PROCESSING, RefundStatus.PROCESSED)

_NOTE = re.compile(r"Refund no\. ([0-9]{1,18}) of ")


def send(refund_id: int, *, by: User | None) -> Refund:
    """Send an approved refund through Paystack, once. After an answer that was lost, look for it instead.

    Raises Conflict when it is not approved or on its way, PaystackError when Paystack is away or refuses.
    """
    with locked(refund_id, by=by) as refund:
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
        with locked(refund.pk, by=None) as refund:
            refund.last_error = f"{problem.reason}: {problem.message}"
            save(refund, RefundStatus.FAILED, by=by)
        raise
    return record(refund.pk, answer, by=by)


def pay_back_by_hand(refund_id: int, *, note: str, by: User) -> Refund:
    """Finance has returned the money itself, by transfer or in cash; `note` says how, so that it can be checked.

    For an approved refund that Paystack was never told of, or that Paystack cannot deliver. Raises Conflict while
    Paystack may still send it, Forbidden (second_person_needed) for who approved it, Invalid without a note.
    """
    with locked(refund_id, by=by) as refund:
        approved = refund.status == RefundStatus.APPROVED and refund.sending_at is None
        if not approved and refund.status != RefundStatus.NEEDS_ATTENTION:
            raise Conflict("This refund is not approved, or Paystack may still send it.", code="wrong_status")
        require_another(refund.approved_by_id, by=by, codename="refund")
        refund.note = require_reason(note, field="note")
        refund.channel = Channel.MANUAL
        first = refund.sent_at is None
        refund.processed_at = clock.now()
        refund.sent_at = refund.sent_at or refund.processed_at
        save(refund, RefundStatus.PROCESSED, by=by)
        ledger.post_refund_processed(refund, by=by)
        if first:
            notices.announce(NotificationType.REFUND_SENT, refund, by=by)
    return refund


def settle(refund_id: int) -> Refund:
    """Ask Paystack what became of a refund that is under way, and record it."""
    refund = Refund.objects.filter(pk=refund_id).first()
    if refund is None:
        raise Missing("There is no such refund.")
    try:
        if refund.paystack_refund_id:
            return record(refund.pk, paystack.fetch_refund(refund.paystack_refund_id), by=None)
        return _find(refund, by=None) if refund.sending_at else refund
    except paystack.PaystackError:
        Refund.objects.filter(pk=refund.pk).update(updated_at=clock.now())  # asked: now the others come first
        raise


def to_settle() -> list[int]:
    """Refunds Paystack should be asked about: under way, or sent without an answer. The longest untouched first."""
    unanswered = Q(status=RefundStatus.APPROVED, sending_at__isnull=False)
    rows = Refund.objects.filter(Q(status__in=UNDER_WAY) | unanswered, updated_at__lt=clock.now() - CHECK_EVERY)
    return list(rows.order_by("updated_at").values_list("pk", flat=True)[:200])


def provide_account(refund_id: int, *, account_number: str, bank_id: str, by: User) -> Refund:
    """Give Paystack the client's bank account for a refund that needs attention. Raises Missing, Conflict, Invalid."""
    if not re.fullmatch(r"[0-9]{10}", account_number):
        raise Invalid("An account number (NUBAN) has 10 digits.", field="account_number")
    if not re.fullmatch(r"[0-9]{1,20}", bank_id):
        raise Invalid("Paystack's id of a bank is a number.", field="bank_id")
    with locked(refund_id, by=by) as refund:
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
    with locked(refund.pk, by=None) as current:
        if current.status == RefundStatus.APPROVED and current.sending_at == refund.sending_at:
            current.last_error = message
            if not maybe_done:
                current.sending_at = None
            current.save()
    return current


def record(refund_id: int, answer: paystack.Refund, *, by: User | None) -> Refund:
    """Record what Paystack says of a refund. Processed is final; the rest follows Paystack, back and forth."""
    with locked(refund_id, by=None) as refund:
        status = STATUS_OF.get(answer.status)
        if refund.channel == Channel.MANUAL and status in ON_ITS_WAY and not refund.last_error:
            # It was returned by hand meanwhile: the client has it twice, and somebody must ask for it.
            refund.last_error = "Paystack has sent this refund as well, after it was returned by hand."
            refund.save()
            notices.announce(NotificationType.MONEY_AT_RISK, refund, by=None, why=refund.last_error)
            return refund
        if status is None or refund.status in (RefundStatus.PROCESSED, RefundStatus.WAIVED, status):
            Refund.objects.filter(pk=refund.pk).update(updated_at=clock.now())  # asked, and nothing new
            return refund
        if answer.amount_kobo != to_kobo(refund.amount) or answer.note not in ("", note_of(refund)):
            log.error("Refund %s: Paystack speaks of another one (%s).", refund.pk, answer)
            refund.last_error = f"Paystack speaks of another refund: {answer.id}, {answer.amount_kobo} kobo."
            refund.save()
            return refund
        refund.paystack_refund_id = str(answer.id)
        # What failed at once, or waits for an account, is not on its way: nobody is told that it is.
        first = refund.sent_at is None and status in ON_ITS_WAY
        if first:
            refund.sent_at = clock.now()
        if status == RefundStatus.PROCESSED:
            refund.processed_at = clock.now()
        save(refund, status, by=by)
        if first:
            notices.announce(NotificationType.REFUND_SENT, refund, by=by)
        if status == RefundStatus.PROCESSED:
            ledger.post_refund_processed(refund)
        if status in (RefundStatus.FAILED, RefundStatus.NEEDS_ATTENTION):
            notices.announce(NotificationType.MONEY_AT_RISK, refund, by=None, why=AT_RISK[status])
    return refund
