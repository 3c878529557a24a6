"""Money that came without Paystack: bank transfer, POS, cash. One person records it, another approves it.

What was recorded is an open payment like any other, so that a checkout beside it no longer counts; approving it applies
it as Paystack's proof would: it moves the request, or is kept as late, double or wrong money to be returned.
"""

from __future__ import annotations

import secrets
from datetime import date, datetime, time
from decimal import Decimal

from django.db import transaction

from core import clock
from core.errors import Conflict, Forbidden, Invalid, Missing
from core.models import User
from marketplace.enums import Channel, PaymentOutcome, PaymentStatus, PaymentType
from marketplace.models import Payment, ServiceRequest
from marketplace.money import to_kobo
from marketplace.services.approvals import require_another
from marketplace.services.payments.proof import WAITS_FOR, Proof, due, keep_proven, keep_wrong, locked_payment, save
from marketplace.services.workflow import require_amount, require_reason, take


def record_manual_payment(
    request_id: int, *, payment_type: str, amount: Decimal, evidence: str, paid_on: date, by: User
) -> Payment:
    """Record `amount` NGN that arrived by hand on a day in Lagos. Nothing moves before it is approved.

    `evidence` is what can be checked at the bank: a transfer's reference, a teller, a POS slip. Any amount and any
    status of the request is taken, since the money is there. Raises Missing, Forbidden without `settle`, Conflict when
    one waits already or the evidence was used, Invalid for amount, day or evidence.
    """
    kind = PaymentType(payment_type)
    with transaction.atomic():
        request = take(request_id, by=by)
        _require_right(by)
        require_amount(amount, field="amount")
        evidence = require_reason(evidence, field="evidence")
        _require_new(request, kind, evidence)
        # A checkout that is open beside it no longer counts; if it is paid all the same, that money is due back.
        Payment.objects.supersede(request.pk, kind)
        asked, price_version = due(request, kind)
        waits = request.status == WAITS_FOR[kind][0] and asked > 0
        payment = Payment(
            service_request=request,
            payment_type=kind,
            amount=asked or amount,
            # As a checkout that nothing waits for any more: approved, it is late money.
            outcome=None if waits else PaymentOutcome.SUPERSEDED,
            received_kobo=to_kobo(amount),
            price_version=price_version,
            channel=Channel.MANUAL,
            paystack_reference=f"{request.code}-HAND-{secrets.token_hex(5)}",
            evidence=evidence,
            recorded_by=by,
            paid_at=_moment_of(paid_on, request),
        )
        payment._history_user = by  # type: ignore[attr-defined]
        payment.save()
    return payment


def approve_manual_payment(payment_id: int, *, by: User) -> Payment:
    """Approve money that somebody else recorded, and apply it. Its amount, type and version decide what it becomes.

    Raises Missing, Conflict when it is decided already, Forbidden (second_person_needed) for who recorded it.
    """
    with locked_payment(_reference(payment_id)) as payment:
        _require_open(payment, by)
        require_another(payment.recorded_by_id, by=by, codename="settle")
        payment.approved_by = by
        payment._history_user = by  # type: ignore[attr-defined]
        received, moment = payment.received_kobo or 0, payment.paid_at or clock.now()
        if received != to_kobo(payment.amount):
            said = {"amount_kobo": received, "requested_amount_kobo": to_kobo(payment.amount)}
            return keep_wrong(payment, Proof(received, None, moment), ["amount"], said=said, by=by)
        return keep_proven(payment, Proof(received, None, moment), by=by)


def reject_manual_payment(payment_id: int, *, reason: str, by: User) -> Payment:
    """The money is not there, or was recorded by mistake. Whoever recorded it may take it back as well.

    Raises Missing, Conflict when it is decided already, Forbidden, Invalid without a reason.
    """
    with locked_payment(_reference(payment_id)) as payment:
        _require_open(payment, by)
        reason = require_reason(reason)
        payment._history_user = by  # type: ignore[attr-defined]
        payment._change_reason = reason  # type: ignore[attr-defined]
        # No money came: what the recorder believed to have arrived stays in the history.
        return save(
            payment, status=PaymentStatus.FAILED, gateway_message=reason[:255], received_kobo=None, paid_at=None
        )


def set_aside(payment_id: int, *, note: str, by: User) -> Payment:
    """Wrong money that was dealt with outside, such as dollars returned in Paystack's dashboard: off the list of risks.

    Raises Missing, Forbidden, Conflict unless it is a mismatch, Invalid without a note.
    """
    with locked_payment(_reference(payment_id)) as payment:
        if payment.outcome != PaymentOutcome.MISMATCH:
            raise Conflict("Only money that is not what was asked for can be set aside.", code="wrong_status")
        _require_right(by)
        said = {"note": require_reason(note, field="note"), "by": by.pk, "at": clock.now().isoformat()}
        payment._history_user = by  # type: ignore[attr-defined]
        return save(payment, metadata={**payment.metadata, "set_aside": said})


def _require_right(by: User) -> None:
    if not by.has_perm("marketplace.settle"):
        raise Forbidden("Only finance records payments by hand.")


def _require_new(request: ServiceRequest, kind: PaymentType, evidence: str) -> None:
    if Payment.objects.to_approve().filter(service_request=request, payment_type=kind).exists():
        raise Conflict("A payment by hand waits for approval here already.", code="already_recorded")
    same = Payment.objects.filter(channel=Channel.MANUAL, evidence__iexact=evidence)
    if used := same.exclude(status=PaymentStatus.FAILED, outcome=None).select_related("service_request").first():
        raise Conflict(
            f"This evidence was used for {used.service_request.code} already: {used.paystack_reference}.",
            code="evidence_used",
            field="evidence",
        )


def _require_open(payment: Payment, by: User) -> None:
    if payment.channel != Channel.MANUAL or payment.status != PaymentStatus.PENDING:
        raise Conflict("This payment is not waiting for approval.", code="already_decided")
    _require_right(by)


def _reference(payment_id: int) -> str:
    reference = Payment.objects.filter(pk=payment_id).values_list("paystack_reference", flat=True).first()
    if reference is None:
        raise Missing("There is no such payment.")
    return reference


def _moment_of(day: date, request: ServiceRequest) -> datetime:
    """A moment of that day in Lagos: now for today, else noon. Raises Invalid for a day it cannot have been."""
    if day > clock.today():
        raise Invalid("This day is still to come.", code="out_of_range", field="paid_on")
    if day < clock.day_of(request.created_at):
        raise Invalid("The request was not booked yet on this day.", code="out_of_range", field="paid_on")
    return clock.now() if day == clock.today() else datetime.combine(day, time(12), tzinfo=clock.LAGOS)
