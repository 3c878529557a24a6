"""Chargebacks: a client's bank wants money back. Kept with the day Paystack wants evidence by, and what came of it."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from core import clock
from core.errors import Forbidden, Missing
from core.models import User
from marketplace import notices, paystack
from marketplace.enums import DisputeStatus, NotificationType
from marketplace.models import Dispute, Payment
from marketplace.money import from_kobo, naira_text, to_kobo
from marketplace.services import refunds
from marketplace.services.payments.proof import locked_payment, settle
from marketplace.services.workflow import require_reason

LOOK_BACK = timedelta(days=90)
"""How far back Paystack is asked for chargebacks whose event was lost."""


def record_dispute(dispute_id: int | str) -> Dispute:
    """Ask Paystack about a chargeback and record its answer, once and in any order.

    Lost, its money is recorded as gone back. Raises Missing when it is not about a payment of ours, PaystackError.
    """
    return _record(paystack.fetch_dispute(dispute_id))


def note_on_dispute(dispute_id: int, *, note: str, by: User) -> Dispute:
    """What finance did about a chargeback: evidence given, a loss written off. Raises Missing, Forbidden, Invalid."""
    if not by.has_perm("marketplace.settle"):
        raise Forbidden("Only finance deals with chargebacks.")
    with transaction.atomic():
        dispute = Dispute.objects.select_for_update(of=("self",)).filter(pk=dispute_id).first()
        if dispute is None:
            raise Missing("There is no such dispute.")
        dispute.note = require_reason(note, field="note")
        dispute.save()
    return dispute


def check_disputes() -> int:
    """Record every chargeback Paystack lists: how a lost event is made good. Answers how many are of ours."""
    ours = 0
    for said in paystack.list_disputes(since=clock.now() - LOOK_BACK):
        try:
            _record(said)
        except Missing:
            continue
        ours += 1
    return ours


def _record(said: paystack.Dispute) -> Dispute:
    payment = Payment.objects.filter(paystack_reference=said.reference).first()
    if payment is None or said.domain not in ("", paystack.expected_domain()):
        raise Missing("There is no such payment.")
    # A charge may be disputed before we heard that it was paid.
    settle(said.reference)
    with locked_payment(said.reference) as payment:
        dispute, is_new = Dispute.objects.get_or_create(
            paystack_id=str(said.id), defaults={"payment": payment, "amount_kobo": said.refund_kobo}
        )
        if dispute.status == DisputeStatus.RESOLVED:
            return dispute
        dispute.amount_kobo = said.refund_kobo or dispute.amount_kobo
        dispute.reason, dispute.due_at = said.reason[:255], said.due_at
        if said.is_resolved:
            dispute.status, dispute.resolution = DisputeStatus.RESOLVED, said.resolution[:100]
            if said.is_lost:
                _give_up(dispute, payment)
        dispute.save()
        if is_new and not said.is_resolved:
            notices.announce(NotificationType.MONEY_AT_RISK, payment, by=None, why="DISPUTE", amount=_amount(dispute))
    return dispute


def _give_up(dispute: Dispute, payment: Payment) -> None:
    made = refunds.charge_back(
        payment, kobo=dispute.amount_kobo, reason=f"The client's bank took it back: dispute {dispute.paystack_id}."
    )
    dispute.refund = made[-1] if made else None
    missing = dispute.amount_kobo - sum(to_kobo(refund.amount) for refund in made)
    if missing > 0:
        dispute.unexplained_kobo = missing
        why = f"The client's bank took {naira_text(from_kobo(missing))} more than was left of this payment."
        notices.announce(NotificationType.MONEY_AT_RISK, payment, by=None, why=why, amount=str(from_kobo(missing)))


def _amount(dispute: Dispute) -> str:
    return str(from_kobo(dispute.amount_kobo))
