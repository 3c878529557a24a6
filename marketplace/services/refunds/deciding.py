"""Finance decides: a refund goes, perhaps smaller, or the money stays."""

from __future__ import annotations

from decimal import Decimal

from core import clock
from core.errors import Conflict, Invalid
from core.models import User
from marketplace.enums import PaymentOutcome, RefundStatus
from marketplace.models import Refund
from marketplace.money import ZERO, to_kobo
from marketplace.services import ledger
from marketplace.services.approvals import require_another
from marketplace.services.refunds.rows import UNDECIDED, locked, save
from marketplace.services.workflow import require_reason


def approve(refund_id: int, *, by: User, amount: Decimal | None = None, note: str = "") -> Refund:
    """Finance lets a due refund go, or decides one under review, perhaps for a smaller `amount` in NGN.

    A failed one may be approved again. Raises Conflict when it is not waiting for a decision, Invalid for the amount,
    Forbidden (second_person_needed) for who asked for it.
    """
    with locked(refund_id, by=by) as refund:
        if refund.status not in (*UNDECIDED, RefundStatus.FAILED):
            raise Conflict("This refund is not waiting for a decision.", code="wrong_status")
        require_another(refund.requested_by_id, by=by, codename="refund")
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
        save(refund, RefundStatus.APPROVED, by=by)
        if reviewed:
            ledger.post_refund_due(refund, by=by)
            ledger.post_kept(refund, kobo=to_kobo(kept), by=by)
    return refund


def waive(refund_id: int, *, reason: str, by: User) -> Refund:
    """Finance decides that the money stays where it was. Never for money that came late or twice: it is not ours."""
    with locked(refund_id, by=by) as refund:
        if refund.status not in UNDECIDED or refund.payment.outcome in (PaymentOutcome.LATE, PaymentOutcome.DUPLICATE):
            raise Conflict("This refund cannot be waived.", code="wrong_status")
        refund.note = require_reason(reason)
        save(refund, RefundStatus.WAIVED, by=by)
        ledger.take_back_refund_due(refund, by=by)
        ledger.post_kept(refund, kobo=to_kobo(refund.amount), by=by)
    return refund
