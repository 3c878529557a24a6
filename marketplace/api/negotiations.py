"""/api/negotiations/: proposals of a price, their answers, and asking the serviceman."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from core.api import (
    PROBLEMS,
    Answer,
    Id,
    Moment,
    Naira,
    Page,
    PageOf,
    PageQuery,
    Query,
    Router,
    Schema,
    Status,
    Text,
    created,
    idempotent,
    paginate,
    verified,
)
from core.auth import admin_who, roles, serviceman
from core.errors import Missing
from core.models import Role, User
from marketplace.api.schemas.common import Call, Price, example
from marketplace.enums import NegotiationStatus
from marketplace.models import PriceNegotiation, ServiceRequest
from marketplace.services import negotiations as services

router = Router(tags=["Negotiations"])
haggler = roles(Role.CLIENT, Role.ADMIN, permission="marketplace.price")
reader = roles(Role.CLIENT, Role.ADMIN, permission="marketplace.view_pricenegotiation")

PATH = "/api/negotiations/"
Words = Annotated[str, Text(2000)]
MaybeWords = Annotated[str, Text(2000, blank=True)]


class Act(StrEnum):
    """An answer to the open proposal."""

    ACCEPT = "accept"
    REJECT = "reject"
    COUNTER = "counter"
    WITHDRAW = "withdraw"


class ProposeIn(Schema):
    service_request_id: Id
    proposed_amount: Price
    message: Words

    model_config = example(service_request_id=41, proposed_amount="18000.00", message="Can you do 18,000?")


class RespondIn(Schema):
    action: Act
    proposed_amount: Price | None = Field(None, validate_default=True, description="With counter, and only then.")
    message: MaybeWords = ""

    model_config = example(action="counter", proposed_amount="20000.00", message="We can meet at 20,000.")

    @field_validator("proposed_amount")
    @classmethod
    def _with_counter_only(cls, value: Any, info: ValidationInfo) -> Any:
        action = info.data.get("action")
        if action is not None and (value is not None) != (action is Act.COUNTER):
            raise ValueError("Name an amount to counter, and only then")
        return value


class AskIn(Schema):
    message: Words

    model_config = example(message="Would you do it for 15,000?")


class AnswerIn(Schema):
    message: Words
    minimum_amount: Price | None = None

    model_config = example(message="Not below 17,000.", minimum_amount="17000.00")


class NegotiationQuery(PageQuery):
    request_id: Id


class ProposerOut(Answer):
    """Who proposed, and for which side."""

    id: int
    name: str
    role: Role


class NegotiationOut(Answer):
    """One proposal. To the serviceman who was asked about it, amount and words are null: the price is not his."""

    id: int
    service_request_id: int
    proposed_by: ProposerOut
    proposed_amount: Naira | None
    message: str | None
    status: NegotiationStatus
    parent_negotiation_id: int | None
    created_at: Moment

    model_config = example(
        id=8,
        service_request_id=41,
        proposed_by={"id": 7, "name": "Ada Obi", "role": "CLIENT"},
        proposed_amount="18000.00",
        message="Can you do 18,000?",
        status="PENDING",
        parent_negotiation_id=None,
        created_at="2026-11-24T15:00:00+01:00",
    )


@router.post("/", auth=haggler, response={201: NegotiationOut, **PROBLEMS}, summary="Propose a price")
@idempotent
@verified
def propose(request: Call, data: ProposeIn) -> Status[Any]:
    """Propose another price to the other side; an open checkout no longer counts."""
    proposal = services.propose_price(
        data.service_request_id, amount=data.proposed_amount, message=data.message, by=request.auth
    )
    return created(request, negotiation_out(proposal, request.auth), f"{PATH}{proposal.pk}/")


@router.get("/", auth=reader, response={200: Page[NegotiationOut], **PROBLEMS}, summary="List proposals")
def list_negotiations(request: Call, query: Query[NegotiationQuery]) -> PageOf:
    """Every proposal of one request (`request_id`), oldest first."""
    if not ServiceRequest.objects.visible_to(request.auth).filter(pk=query.request_id).exists():
        raise Missing("There is no such service request.")
    rows = PriceNegotiation.objects.visible_to(request.auth).filter(service_request=query.request_id)
    return paginate(
        request,
        rows.select_related("proposed_by"),
        ordering="created_at",
        limit=query.limit,
        cursor=query.cursor,
        to_item=lambda row: negotiation_out(row, request.auth),
    )


@router.get("/{negotiation_id}/", auth=reader, response={200: NegotiationOut, **PROBLEMS}, summary="Read a proposal")
def read_negotiation(request: Call, negotiation_id: Id) -> dict[str, Any]:
    """One proposal and what became of it."""
    rows = PriceNegotiation.objects.visible_to(request.auth).select_related("proposed_by")
    proposal = rows.filter(pk=negotiation_id).first()
    if proposal is None:
        raise Missing("There is no such negotiation.")
    return negotiation_out(proposal, request.auth)


@router.post(
    "/{negotiation_id}/respond/", auth=haggler, response={200: NegotiationOut, **PROBLEMS}, summary="Answer a proposal"
)
@idempotent
@verified
def respond(request: Call, negotiation_id: Id, data: RespondIn) -> dict[str, Any]:
    """Accept, reject or counter what the other side proposed, or withdraw your own.

    Answers the proposal that stands now: to counter, the new one.
    """
    match data.action:
        case Act.ACCEPT:
            proposal = services.accept_proposal(negotiation_id, message=data.message, by=request.auth)
        case Act.REJECT:
            proposal = services.reject_proposal(negotiation_id, message=data.message, by=request.auth)
        case Act.WITHDRAW:
            proposal = services.withdraw_proposal(negotiation_id, message=data.message, by=request.auth)
        case Act.COUNTER:
            assert data.proposed_amount is not None  # noqa: S101  (the shape has seen to it)
            proposal = services.counter_proposal(
                negotiation_id, amount=data.proposed_amount, message=data.message, by=request.auth
            )
    return negotiation_out(proposal, request.auth)


@router.post(
    "/{negotiation_id}/check-with-serviceman/",
    auth=admin_who("marketplace.price"),
    response={200: NegotiationOut, **PROBLEMS},
    summary="Ask the serviceman about a proposal",
)
@idempotent
def check_with_serviceman(request: Call, negotiation_id: Id, data: AskIn) -> dict[str, Any]:
    """Ask the serviceman what he thinks. Asking again closes the question before it."""
    question = services.consult_serviceman(negotiation_id, message=data.message, by=request.auth)
    return negotiation_out(question.negotiation, request.auth)


@router.post(
    "/{negotiation_id}/serviceman-answer/",
    auth=serviceman,
    response={200: NegotiationOut, **PROBLEMS},
    summary="Answer the question about a proposal",
)
@idempotent
@verified
def answer_question(request: Call, negotiation_id: Id, data: AnswerIn) -> dict[str, Any]:
    """Answer what you were asked; `minimum_amount` is the least you would work for, in naira."""
    proposal = services.answer_consultation(
        negotiation_id, message=data.message, minimum_amount=data.minimum_amount, by=request.auth
    )
    return negotiation_out(proposal, request.auth)


def negotiation_out(proposal: PriceNegotiation, to: User) -> dict[str, Any]:
    """A proposal as `to` sees it; its author was selected with it."""
    author, for_serviceman = proposal.proposed_by, to.is_serviceman
    return {
        "id": proposal.pk,
        "service_request_id": proposal.service_request_id,
        "proposed_by": {"id": author.pk, "name": author.name, "role": author.user_type},
        "proposed_amount": None if for_serviceman else proposal.proposed_amount,
        "message": None if for_serviceman else proposal.message,
        "status": proposal.status,
        "parent_negotiation_id": proposal.parent_negotiation_id,
        "created_at": proposal.created_at,
    }
