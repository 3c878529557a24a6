"""/api/admin/: the work of the backoffice, for admins whose role includes it."""

from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from core.api import (
    PROBLEMS,
    Answer,
    Flag,
    Id,
    Line,
    Page,
    PageOf,
    PageQuery,
    Percent,
    Query,
    Router,
    Schema,
    Status,
    Text,
    Whole,
    idempotent,
    paginate,
)
from core.auth import admin_who
from marketplace.api import analytics
from marketplace.api.negotiations import NegotiationOut, negotiation_out
from marketplace.api.requests.finding import answer
from marketplace.api.schemas.accounts import UserOut, serviceman_user_out
from marketplace.api.schemas.common import Call, Price, Reason, Remark, example, example_of
from marketplace.api.schemas.common import Stars as Rating
from marketplace.api.schemas.requests import RequestOut
from marketplace.api.schemas.seen import request_out, with_answer
from marketplace.enums import Approval
from marketplace.models import ServicemanProfile, ServiceRequest
from marketplace.services import assignment, notifications, pricing, requests, standing

router = Router(tags=["Backoffice"])
router.add_router("/analytics/", analytics.router)

dispatcher = admin_who("marketplace.assign")
pricer = admin_who("marketplace.price")
viewer = admin_who("marketplace.view_servicerequest")
approver = admin_who("marketplace.approve_servicemen")

QUEUE = ("-is_emergency", "due_at")
"""Emergencies first, then whatever is due soonest."""


class AssignIn(Schema):
    service_request_id: Id
    serviceman_id: Id
    backup_serviceman_id: Id | None = None
    notes: Remark = ""
    replaces: Annotated[Id | None, Field(description="To reassign: the user id it is taken from.")] = None
    reason: Annotated[Remark, Field(description="To reassign: why. One without the other counts for nothing.")] = ""

    model_config = example(service_request_id=41, serviceman_id=12, backup_serviceman_id=15, notes="Bring a ladder.")


class FinalCostIn(Schema):
    service_request_id: Id
    admin_markup_percentage: Percent | None = None
    final_cost: Price | None = Field(None, validate_default=True)
    price_version: Annotated[Whole, Field(ge=0, le=2**31 - 1)] | None = None
    reason: Remark = ""
    note_to_client: Remark = ""

    model_config = example(
        service_request_id=41, admin_markup_percentage="12.50", price_version=0, note_to_client="Parts are included."
    )

    @field_validator("final_cost")
    @classmethod
    def _one_of_the_two(cls, value: Any, info: ValidationInfo) -> Any:
        if "admin_markup_percentage" in info.data and (value is None) == (info.data["admin_markup_percentage"] is None):
            raise ValueError("Give exactly one of admin_markup_percentage and final_cost")
        return value


class EmergencyIn(Schema):
    is_emergency: Flag

    model_config = example(is_emergency=True)


class ApplicationQuery(PageQuery):
    approval: Approval | None = None


class ApproveServicemanIn(Schema):
    category_id: Annotated[Id | None, Field(description="His trade, when it is not the one he asked for.")] = None

    model_config = example(category_id=1)


class RejectIn(Schema):
    reason: Reason

    model_config = example(reason="We could not reach your references.")


class AnnouncementIn(Schema):
    user_ids: Annotated[list[Id], Field(min_length=1, max_length=1000)]
    title: Annotated[str, Line(200)]
    message: Annotated[str, Text(5000)]

    model_config = example(user_ids=[7, 12], title="Closed on Monday", message="Our office is closed on Monday.")


class AnnouncedOut(Answer):
    """How many people are told; the e-mails leave in the background."""

    announced: int

    model_config = example(announced=2)


class SuggestionOut(Answer):
    """A serviceman who fits, and why, in words a person can check."""

    id: int
    name: str
    rating: Rating
    reasons: list[str]


class PendingOut(RequestOut):
    """A paid request that nobody has, with the best servicemen for it."""

    suggested_servicemen: list[SuggestionOut]

    model_config = example(
        **example_of(RequestOut)
        | dict.fromkeys(("serviceman", "accepted_at", "inspection_completed_at", "final_cost", "price_note"))
        | {
            "status": "PENDING_ADMIN_ASSIGNMENT",
            "status_display": "Pending admin assignment",
            "waiting_on": "ADMIN",
            "available_actions": ["cancel", "reschedule", "assign-serviceman", "emergency"],
            "price_version": 0,
            "estimate_notes": "",
            "estimated_days": None,
        },
        suggested_servicemen=[
            {
                "id": 12,
                "name": "Tunde Bello",
                "rating": "4.67",
                "reasons": ["Plumbing", "Free on 24 Nov", "Rated 4.67 by 3", "11 jobs done", "No open job"],
            }
        ],
    )


class PricingOut(RequestOut):
    """A request that waits for a price, with the proposal to answer, if there is one."""

    open_negotiation: NegotiationOut | None

    model_config = example(
        **example_of(RequestOut)
        | {
            "status": "NEGOTIATING",
            "status_display": "Negotiating",
            "waiting_on": "ADMIN",
            "available_actions": ["cancel", "respond", "check-with-serviceman", "update-final-cost", "issues"],
            "serviceman_estimated_cost": "20000.00",
            "admin_markup_percentage": "10.00",
        },
        open_negotiation=example_of(NegotiationOut),
    )


@router.get(
    "/pending-assignments/", auth=viewer, response={200: Page[PendingOut], **PROBLEMS}, summary="List what to assign"
)
def list_pending_assignments(request: Call, query: Query[PageQuery]) -> PageOf:
    """Paid requests that nobody has: emergencies first, then by deadline, each with the best servicemen for it."""
    rows = with_answer(ServiceRequest.objects.to_assign())
    page = paginate(request, rows, ordering=QUEUE, limit=query.limit, cursor=query.cursor)
    suggestions = assignment.suggest(page["items"])
    page["items"] = [
        request_out(row, request.auth) | {"suggested_servicemen": [_suggestion(s) for s in suggestions[row.pk]]}
        for row in page["items"]
    ]
    return page


@router.post(
    "/assign-serviceman/", auth=dispatcher, response={200: RequestOut, **PROBLEMS}, summary="Assign a serviceman"
)
@idempotent
def assign_serviceman(request: Call, data: AssignIn) -> dict[str, Any]:
    """Offer a paid request to a serviceman, with another next in line.

    Once it is assigned, `replaces` (the user id it is taken from) and `reason` reassign it; without them 409
    already_assigned.
    """
    people: dict[str, Any] = {"serviceman_id": data.serviceman_id, "backup_id": data.backup_serviceman_id}
    if data.replaces is None or not data.reason:
        assignment.assign_serviceman(data.service_request_id, **people, notes=data.notes, by=request.auth)
    else:
        assignment.reassign_serviceman(
            data.service_request_id,
            **people,
            replaces=data.replaces,
            reason=data.reason,
            notes=data.notes,
            by=request.auth,
        )
    return answer(data.service_request_id, request.auth)


@router.get("/pricing-review/", auth=viewer, response={200: Page[PricingOut], **PROBLEMS}, summary="List what to price")
def list_pricing_review(request: Call, query: Query[PageQuery]) -> PageOf:
    """Inspected requests without a price, and proposals of clients that wait for an answer; emergencies first."""
    rows = with_answer(ServiceRequest.objects.to_price())
    return paginate(
        request,
        rows,
        ordering=QUEUE,
        limit=query.limit,
        cursor=query.cursor,
        to_item=lambda row: request_out(row, request.auth) | {"open_negotiation": _open_negotiation(row, request)},
    )


@router.patch(
    "/update-final-cost/", auth=pricer, response={200: RequestOut, **PROBLEMS}, summary="Set what the client pays"
)
def update_final_cost(request: Call, data: FinalCostIn) -> dict[str, Any]:
    """Set the price as a markup in percent on the estimate, or as an amount in naira: exactly one of the two.

    With `price_version`, 409 price_changed when somebody else has priced it meanwhile.
    """
    pricing.set_final_cost(
        data.service_request_id,
        markup=data.admin_markup_percentage,
        amount=data.final_cost,
        price_version=data.price_version,
        reason=data.reason,
        note_to_client=data.note_to_client,
        by=request.auth,
    )
    return answer(data.service_request_id, request.auth)


@router.patch(
    "/service-requests/{request_id}/emergency/",
    auth=dispatcher,
    response={200: RequestOut, **PROBLEMS},
    summary="Set or lift an emergency",
)
def set_emergency(request: Call, request_id: Id, data: EmergencyIn) -> dict[str, Any]:
    """Set or lift the emergency: deadlines and alerts follow, the fee does not. Again changes nothing."""
    requests.flag_emergency(request_id, is_emergency=data.is_emergency, by=request.auth)
    return answer(request_id, request.auth)


# --- People


@router.get(
    "/servicemen/",
    auth=admin_who("marketplace.view_servicemanprofile"),
    response={200: Page[UserOut], **PROBLEMS},
    summary="List servicemen's accounts",
)
def list_servicemen(request: Call, query: Query[ApplicationQuery]) -> PageOf:
    """Servicemen with their standing, the newest first; `approval=PENDING` are those who wait."""
    rows = ServicemanProfile.objects.select_related("user", "category")
    if query.approval is not None:
        rows = rows.filter(approval=query.approval)
    return paginate(
        request,
        rows,
        ordering="-created_at",
        limit=query.limit,
        cursor=query.cursor,
        to_item=serviceman_user_out,
    )


@router.post(
    "/servicemen/{user_id}/approve/", auth=approver, response={200: UserOut, **PROBLEMS}, summary="Approve a serviceman"
)
@idempotent
def approve_serviceman(request: Call, user_id: Id, data: ApproveServicemanIn) -> dict[str, Any]:
    """Let a serviceman in: from now on jobs may be offered to him."""
    return serviceman_user_out(standing.approve_serviceman(user_id, category_id=data.category_id, by=request.auth))


@router.post(
    "/servicemen/{user_id}/reject/", auth=approver, response={200: UserOut, **PROBLEMS}, summary="Reject a serviceman"
)
@idempotent
def reject_serviceman(request: Call, user_id: Id, data: RejectIn) -> dict[str, Any]:
    """Turn an application down; he is told why."""
    return serviceman_user_out(standing.reject_serviceman(user_id, reason=data.reason, by=request.auth))


@router.post(
    "/notifications/",
    auth=admin_who("marketplace.announce"),
    response={202: AnnouncedOut, **PROBLEMS},
    summary="Send an announcement",
)
@idempotent
def announce(request: Call, data: AnnouncementIn) -> Status[dict[str, int]]:
    """Tell chosen people something, on their dashboards and by e-mail."""
    told = notifications.send_announcement(data.user_ids, title=data.title, message=data.message, by=request.auth)
    return Status(202, {"announced": len(told)})


def _suggestion(suggestion: assignment.Suggestion) -> dict[str, Any]:
    profile = suggestion.profile
    return {
        "id": profile.user_id,
        "name": profile.user.name,
        "rating": profile.rating,
        "reasons": suggestion.reasons,
    }


def _open_negotiation(row: ServiceRequest, request: Call) -> dict[str, Any] | None:
    proposal = row.open_proposal
    return negotiation_out(proposal, request.auth) if proposal else None
