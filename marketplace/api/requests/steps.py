"""The steps of one request: each parses, calls one service, and answers the request as the caller sees it."""

from typing import Annotated, Any

from pydantic import Field

from core.api import (
    PROBLEMS,
    Answer,
    Day,
    Id,
    Naira,
    Router,
    Schema,
    Status,
    Text,
    Whole,
    created,
    idempotent,
    verified,
)
from core.auth import admin_who, client, roles, serviceman
from core.models import Role
from marketplace.api.requests.finding import answer, find
from marketplace.api.schemas.common import Call, Price, Reason, Remark, example
from marketplace.api.schemas.requests import IssueOut, RequestOut
from marketplace.api.schemas.seen import issue_out
from marketplace.enums import IssueKind, PaymentType
from marketplace.enums import Status as RequestStatus
from marketplace.money import ZERO
from marketplace.services import assignment, issues, pricing, requests, work

router = Router(tags=["Service requests"])

ANSWERS: dict[int, Any] = {200: RequestOut, **PROBLEMS}
verifier = admin_who("marketplace.verify")
canceller = roles(Role.CLIENT, Role.ADMIN, permission="marketplace.cancel")
rescheduler = roles(Role.CLIENT, Role.ADMIN, permission="marketplace.assign")
reporter = roles(*Role, permission="marketplace.verify")


class ReasonIn(Schema):
    reason: Reason

    model_config = example(reason="I am ill this week.")


class EstimateIn(Schema):
    amount: Price
    notes: Annotated[str, Text(2000, blank=True)] = ""
    estimated_days: Annotated[Whole, Field(ge=work.LEAST_DAYS, le=work.MOST_DAYS)] | None = None

    model_config = example(amount="20000.00", notes="New cartridge.", estimated_days=1)


class ApprovePriceIn(Schema):
    price_version: Annotated[Whole, Field(ge=0, le=2**31 - 1)]

    model_config = example(price_version=1)


class CompleteIn(Schema):
    notes: Annotated[str, Text(2000, blank=True)] = ""

    model_config = example(notes="The tap is tight.")


class VerifyIn(Schema):
    message: Remark = ""

    model_config = example(message="Well done.")


class RescheduleIn(Schema):
    booking_date: Day
    reason: Reason

    model_config = example(booking_date="2026-12-02", reason="I am travelling.")


class IssueIn(Schema):
    kind: IssueKind
    message: Annotated[str, Text(2000)]

    model_config = example(kind="NO_SHOW", message="Nobody came.")


class ResolveIn(Schema):
    resolution: Annotated[str, Text(2000)]

    model_config = example(resolution="He comes tomorrow at 9.")


class GivenBackOut(Answer):
    """A request that is no longer the caller's, and where it stands."""

    id: int
    status: RequestStatus

    model_config = example(id=41, status="PENDING_ADMIN_ASSIGNMENT")


class PreviewLine(Answer):
    """What becomes of what was paid of one type; the last three sum to `paid`."""

    payment_type: PaymentType
    paid: Naira
    returned: Naira
    kept: Naira
    for_review: Naira


class PreviewOut(Answer):
    """What cancelling now would do, in naira."""

    returned: Naira
    kept: Naira
    lines: list[PreviewLine]

    model_config = example(
        returned="0.00",
        kept="2000.00",
        lines=[
            {
                "payment_type": "INITIAL_BOOKING",
                "paid": "2000.00",
                "returned": "0.00",
                "kept": "2000.00",
                "for_review": "0.00",
            }
        ],
    )


# --- The serviceman


@router.post("/{request_id}/accept/", auth=serviceman, response=ANSWERS, summary="Accept a job")
@idempotent
@verified
def accept(request: Call, request_id: Id) -> dict[str, Any]:
    """Take the job that was offered to you."""
    assignment.accept_job(request_id, by=request.auth)
    return answer(request_id, request.auth)


@router.post(
    "/{request_id}/decline/", auth=serviceman, response={200: GivenBackOut, **PROBLEMS}, summary="Decline a job"
)
@idempotent
@verified
def decline(request: Call, request_id: Id, data: ReasonIn) -> Any:
    """Say no to an offer. The backup is next, or an admin chooses again; you are not asked again."""
    return assignment.decline_job(request_id, reason=data.reason, by=request.auth)


@router.post(
    "/{request_id}/withdraw/", auth=serviceman, response={200: GivenBackOut, **PROBLEMS}, summary="Give a job back"
)
@idempotent
@verified
def withdraw(request: Call, request_id: Id, data: ReasonIn) -> Any:
    """Give back a job you have accepted, before work has started."""
    return assignment.withdraw_from_job(request_id, reason=data.reason, by=request.auth)


@router.post("/{request_id}/estimate/", auth=serviceman, response=ANSWERS, summary="Send an estimate")
@idempotent
@verified
def estimate(request: Call, request_id: Id, data: EstimateIn) -> dict[str, Any]:
    """Say what the work costs, in naira, after the inspection. May be sent again until it is priced."""
    work.submit_estimate(
        request_id, amount=data.amount, notes=data.notes, estimated_days=data.estimated_days, by=request.auth
    )
    return answer(request_id, request.auth)


@router.post("/{request_id}/start/", auth=serviceman, response=ANSWERS, summary="Start work")
@idempotent
@verified
def start(request: Call, request_id: Id) -> dict[str, Any]:
    """Begin; the price is paid."""
    work.start_work(request_id, by=request.auth)
    return answer(request_id, request.auth)


@router.post("/{request_id}/complete/", auth=serviceman, response=ANSWERS, summary="Mark work as completed")
@idempotent
@verified
def complete(request: Call, request_id: Id, data: CompleteIn) -> dict[str, Any]:
    """Say that the work is done; an admin checks it."""
    work.mark_work_completed(request_id, notes=data.notes, by=request.auth)
    return answer(request_id, request.auth)


# --- The client


@router.post("/{request_id}/approve/", auth=client, response=ANSWERS, summary="Approve the price")
@idempotent
@verified
def approve(request: Call, request_id: Id, data: ApprovePriceIn) -> dict[str, Any]:
    """Agree to the price you were shown: `price_version` says which (409 price_changed for another one)."""
    pricing.approve_price(request_id, price_version=data.price_version, by=request.auth)
    return answer(request_id, request.auth)


# --- The backoffice


@router.post("/{request_id}/verify-completion/", auth=verifier, response=ANSWERS, summary="Verify completion")
@idempotent
def verify_completion(request: Call, request_id: Id, data: VerifyIn) -> dict[str, Any]:
    """Confirm that the work is done: the serviceman has earned his estimate."""
    work.verify_completion(request_id, message=data.message, by=request.auth)
    return answer(request_id, request.auth)


@router.post("/{request_id}/return-to-work/", auth=verifier, response=ANSWERS, summary="Return to work")
@idempotent
def return_to_work(request: Call, request_id: Id, data: ReasonIn) -> dict[str, Any]:
    """Send the serviceman back: the work is not finished."""
    work.return_to_work(request_id, reason=data.reason, by=request.auth)
    return answer(request_id, request.auth)


@router.post("/{request_id}/issues/{issue_id}/resolve/", auth=verifier, response=ANSWERS, summary="Resolve an issue")
@idempotent
def resolve_issue(request: Call, request_id: Id, issue_id: Id, data: ResolveIn) -> dict[str, Any]:
    """Settle an issue, saying how."""
    issues.resolve_issue(request_id, issue_id, resolution=data.resolution, by=request.auth)
    return answer(request_id, request.auth)


# --- Several sides


@router.get(
    "/{request_id}/cancellation-preview/",
    auth=canceller,
    response={200: PreviewOut, **PROBLEMS},
    summary="Preview a cancellation",
)
def preview_cancellation(request: Call, request_id: Id) -> dict[str, Any]:
    """What cancelling now would return and keep, for the side that asks. 409 once the request is closed."""
    lines = requests.cancellation_preview(find(request_id, request.auth), by=request.auth)
    return {
        "returned": sum((line.returned for line in lines), ZERO),
        "kept": sum((line.kept for line in lines), ZERO),
        "lines": lines,
    }


@router.post("/{request_id}/cancel/", auth=canceller, response=ANSWERS, summary="Cancel")
@idempotent
@verified
def cancel(request: Call, request_id: Id, data: ReasonIn) -> dict[str, Any]:
    """Call the request off. What is returned is what the preview said."""
    requests.cancel(request_id, reason=data.reason, by=request.auth)
    return answer(request_id, request.auth)


@router.post("/{request_id}/reschedule/", auth=rescheduler, response=ANSWERS, summary="Reschedule")
@idempotent
@verified
def reschedule(request: Call, request_id: Id, data: RescheduleIn) -> dict[str, Any]:
    """Move the visit: a client until the inspection, an admin until work starts. A near date is an emergency."""
    requests.reschedule(request_id, booking_date=data.booking_date, reason=data.reason, by=request.auth)
    return answer(request_id, request.auth)


@router.post("/{request_id}/issues/", auth=reporter, response={201: IssueOut, **PROBLEMS}, summary="Raise an issue")
@idempotent
@verified
def raise_issue(request: Call, request_id: Id, data: IssueIn) -> Status[Any]:
    """Say that something is wrong: until it is resolved the request waits on an admin."""
    issue = issues.raise_issue(request_id, kind=data.kind, message=data.message, by=request.auth)
    return created(request, issue_out(issue), f"/api/service-requests/{request_id}/")
