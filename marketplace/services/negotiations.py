"""Haggling: proposals, answers, and asking the serviceman. One proposal is open at a time; all are kept."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from core import clock
from core.errors import Conflict, Missing
from core.models import User
from marketplace.enums import NegotiationStatus, PaymentType
from marketplace.models import Consultation, Payment, PriceNegotiation, ServiceRequest
from marketplace.services.pricing import agree, record_price
from marketplace.services.workflow import Step, advance, locked, require_amount, require_reason


def propose_price(request_id: int, *, amount: Decimal, message: str = "", by: User) -> PriceNegotiation:
    """The client or an admin proposes another price, in NGN; an open checkout no longer counts."""
    with locked(request_id, by=by, step=ServiceRequest.propose_price) as request:
        Payment.objects.supersede(request.pk, PaymentType.FINAL_PAYMENT)
        proposal = _put(request, amount=amount, message=message, by=by)
        advance(request, ServiceRequest.propose_price, by=by, reason=message, tell=_facts(proposal))
    return proposal


def counter_proposal(negotiation_id: int, *, amount: Decimal, message: str = "", by: User) -> PriceNegotiation:
    """Answer the open proposal with another; never its author. Returns the new one, which now stands."""
    request_id = _request_of(negotiation_id, by=by)
    with locked(request_id, by=by, step=ServiceRequest.counter, state=_stands(negotiation_id)) as request:
        open_one = _close(request, negotiation_id, NegotiationStatus.COUNTERED)
        proposal = _put(request, amount=amount, message=message, by=by, parent=open_one)
        advance(request, ServiceRequest.counter, by=by, reason=message, tell=_facts(proposal))
    return proposal


def accept_proposal(negotiation_id: int, *, message: str = "", by: User) -> PriceNegotiation:
    """Say yes: the amount becomes the price and, since both have said yes, the client's approval follows."""
    request_id = _request_of(negotiation_id, by=by)
    with locked(request_id, by=by, step=ServiceRequest.accept_proposal, state=_stands(negotiation_id)) as request:
        proposal = _open(request, negotiation_id)
        advance(
            request,
            ServiceRequest.accept_proposal,
            by=by,
            reason=message,
            tell=_facts(proposal),
            final_cost=proposal.proposed_amount,
        )
        # Ended after the step, which is one on an open proposal.
        proposal = _close(request, negotiation_id, NegotiationStatus.ACCEPTED)
        record_price(request, by=by, reason=message or "Agreed in negotiation.")
        agree(request, by=request.client, reason="Agreed in negotiation.")
    return proposal


def reject_proposal(negotiation_id: int, *, message: str = "", by: User) -> PriceNegotiation:
    """Say no: the price stays as it was."""
    return _end(negotiation_id, ServiceRequest.reject_proposal, NegotiationStatus.REJECTED, message=message, by=by)


def withdraw_proposal(negotiation_id: int, *, message: str = "", by: User) -> PriceNegotiation:
    """Its author takes a proposal back: the price stays as it was."""
    return _end(negotiation_id, ServiceRequest.withdraw_proposal, NegotiationStatus.WITHDRAWN, message=message, by=by)


def consult_serviceman(negotiation_id: int, *, message: str, by: User) -> Consultation:
    """Ask the serviceman about the open proposal. Asking again closes the question before it; all are kept."""
    request_id = _request_of(negotiation_id, by=by)
    with locked(request_id, by=by, step=ServiceRequest.consult, state=_stands(negotiation_id)) as request:
        proposal = _open(request, negotiation_id)
        if request.serviceman is None:
            raise Conflict("Nobody is assigned to ask.", code="no_serviceman")
        proposal.consultations.filter(answered_at=None, closed_at=None).update(closed_at=clock.now())
        question = Consultation.objects.create(
            negotiation=proposal,
            serviceman=request.serviceman,
            asked_by=by,
            question=require_reason(message, field="message"),
        )
        advance(request, ServiceRequest.consult, by=by, reason=message, tell=_facts(proposal))
    return question


def answer_consultation(
    negotiation_id: int, *, message: str, minimum_amount: Decimal | None = None, by: User
) -> PriceNegotiation:
    """The serviceman answers the open question; `minimum_amount` is the least he would work for, in NGN."""
    question = (
        Consultation.objects.filter(negotiation_id=negotiation_id, serviceman=by).select_related("negotiation").last()
    )
    if question is None:
        raise Missing("There is no such question to you.")
    with locked(question.negotiation.service_request_id, by=by, step=ServiceRequest.answer) as request:
        proposal = _open(request, negotiation_id)
        waiting = proposal.consultations.filter(serviceman=by, answered_at=None, closed_at=None).first()
        if waiting is None:
            raise Conflict("This question was answered already.", code="already_answered")
        if minimum_amount is not None:
            require_amount(minimum_amount, field="minimum_amount")
        waiting.answer = require_reason(message, field="message")
        waiting.minimum_amount, waiting.answered_at = minimum_amount, clock.now()
        waiting.save()
        tell = _facts(proposal) | {"consultation_id": waiting.pk}
        advance(request, ServiceRequest.answer, by=by, reason=message, tell=tell)
    return proposal


def _request_of(negotiation_id: int, *, by: User) -> int:
    """Whose price a negotiation is about. Raises Missing when `by` may not know of it."""
    request_id = (
        PriceNegotiation.objects.visible_to(by)
        .filter(pk=negotiation_id)
        .values_list("service_request_id", flat=True)
        .first()
    )
    if request_id is None:
        raise Missing("There is no such negotiation.")
    return request_id


def _open(request: ServiceRequest, negotiation_id: int) -> PriceNegotiation:
    proposal = request.open_proposal
    if proposal is None or proposal.pk != negotiation_id:
        raise Conflict("This proposal was answered already.", code="already_answered")
    return proposal


def _stands(negotiation_id: int) -> Callable[[ServiceRequest], PriceNegotiation]:
    """The state that every answer needs: this proposal is the open one."""
    return lambda request: _open(request, negotiation_id)


def _close(request: ServiceRequest, negotiation_id: int, status: NegotiationStatus) -> PriceNegotiation:
    """End the open proposal, and the question that hangs on it."""
    proposal = _open(request, negotiation_id)
    proposal.status = status
    proposal.save()
    proposal.consultations.filter(answered_at=None, closed_at=None).update(closed_at=clock.now())
    return proposal


def _end(negotiation_id: int, step: Step, status: NegotiationStatus, *, message: str, by: User) -> PriceNegotiation:
    request_id = _request_of(negotiation_id, by=by)
    with locked(request_id, by=by, step=step, state=_stands(negotiation_id)) as request:
        advance(request, step, by=by, reason=message, tell=_facts(_open(request, negotiation_id)))
        return _close(request, negotiation_id, status)


def _put(
    request: ServiceRequest, *, amount: Decimal, message: str, by: User, parent: PriceNegotiation | None = None
) -> PriceNegotiation:
    require_amount(amount, field="proposed_amount")
    return PriceNegotiation.objects.create(
        service_request=request, proposed_by=by, proposed_amount=amount, message=message, parent_negotiation=parent
    )


def _facts(proposal: PriceNegotiation) -> dict[str, object]:
    return {"negotiation_id": proposal.pk, "amount": str(proposal.proposed_amount)}
