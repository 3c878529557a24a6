"""What is owed back: what a step's money leaves due, what finance asks for, what a bank takes by itself."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from core import clock
from core.errors import Conflict, Forbidden, Invalid, Missing
from core.models import User
from marketplace import policy
from marketplace.enums import PaymentOutcome, PaymentStatus, PaymentType, RefundStatus
from marketplace.models import Payment, Refund, ServiceRequest
from marketplace.money import ZERO, from_kobo, to_kobo
from marketplace.services import ledger
from marketplace.services.refunds.rows import UNDECIDED
from marketplace.services.refunds.rows import save as save_refund
from marketplace.services.workflow import require_reason


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
    from_revenue: bool = False,
) -> Refund:
    """Owe `amount` NGN of a payment back, or leave it for review by finance. The caller holds the request's lock.

    `from_revenue` takes it out of what the platform has earned, else out of what the payment was credited to.

    Raises Invalid when that would be more than is left of the payment.
    """
    if not ZERO < amount <= returnable(payment):
        raise Invalid("That is more than is left of this payment.", code="too_much", field="amount")
    refund = Refund.objects.create(
        payment=payment,
        amount=amount,
        reason=reason[:1000],
        channel=payment.channel,
        from_revenue=from_revenue,
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
        if payment and payment.payment_type == PaymentType.FINAL_PAYMENT:
            _cover_charge_backs(payment, by=by)
        # What finance sent back earlier is not owed a second time.
        left = returnable(payment) if payment else ZERO
        for amount, for_review in ((outcome.returned, False), (outcome.for_review, True)):
            if payment and (amount := min(amount, left)) > ZERO:
                made.append(owe(payment, amount=amount, reason=reason, by=by, for_review=for_review))
                left -= amount
    return made


def ask(payment_id: int, *, amount: Decimal, reason: str, by: User) -> Refund:
    """Finance asks for `amount` NGN of a payment to go back, all of it or a part; somebody else approves it.

    Wrong money that is held goes back out of what is held. What was earned goes back out of revenue once the request is
    closed: a gesture. While it is open, cancelling says what goes back. Raises Missing, Forbidden without `refund`,
    Conflict (request_open), Invalid for the amount or without a reason.
    """
    if not by.has_perm("marketplace.refund"):
        raise Forbidden("Only finance returns money.")
    with transaction.atomic():
        request_id = Payment.objects.filter(pk=payment_id).values_list("service_request", flat=True).first()
        if request_id is None:
            raise Missing("There is no such payment.")
        request = ServiceRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
        payment = Payment.objects.select_for_update(of=("self",)).get(pk=payment_id)
        payment.service_request = request
        earned = payment.outcome == PaymentOutcome.APPLIED
        if returnable(payment) <= ZERO:
            raise Conflict("Nothing is left of this payment to return.", code="nothing_left")
        if earned and request.is_open:
            raise Conflict("The request is open: cancelling it says what goes back.", code="request_open")
        return owe(payment, amount=amount, reason=require_reason(reason), by=by, from_revenue=earned)


def charge_back(payment: Payment, *, kobo: int, reason: str) -> list[Refund]:
    """The client's bank took `kobo` back through Paystack: recorded as refunds that have arrived.

    Refunds of the payment that nobody has decided on are what it took, as far as they fit; the rest comes out of what
    the payment had become. Never more than is left of it. The caller holds the lock of request and payment.
    """
    left, made = from_kobo(kobo), []
    for refund in payment.refunds.select_for_update(of=("self",)).filter(status__in=UNDECIDED).order_by("pk"):
        if refund.amount <= left:
            refund.payment = payment
            if refund.status == RefundStatus.REVIEW:
                ledger.post_refund_due(refund)
            left -= refund.amount
            made.append(refund)
    if (rest := min(left, returnable(payment))) > ZERO:
        earned = payment.outcome == PaymentOutcome.APPLIED
        made.append(owe(payment, amount=rest, reason=reason, by=None, from_revenue=earned))
    for refund in made:
        refund.note = reason[:1000]
        refund.sent_at = refund.processed_at = clock.now()
        save_refund(refund, RefundStatus.PROCESSED, by=None)
        ledger.post_refund_processed(refund)
    return made


def _cover_charge_backs(payment: Payment, *, by: User | None) -> None:
    """What a bank took back of a final payment was paid out of revenue: the client is not owed that part again."""
    taken = payment.refunds.filter(from_revenue=True).exclude(status=RefundStatus.WAIVED)
    if kobo := to_kobo(taken.aggregate(total=Sum("amount"))["total"] or ZERO):
        ledger.post_covered(payment, kobo=kobo, by=by)
