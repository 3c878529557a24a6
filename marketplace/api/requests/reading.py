"""Booking a request, finding requests, and hiding them."""

from typing import Annotated, Any, Literal

from django.db.models import Count, Q, QuerySet
from pydantic import Field, ValidationInfo, field_validator

from core import clock
from core.api import (
    PROBLEMS,
    Answer,
    Day,
    Flag,
    Id,
    Moment,
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
    ordering_by,
    paginate,
    polled,
    verified,
)
from core.auth import client, roles
from core.models import Role, User
from marketplace.api.requests.finding import answer, find, party
from marketplace.api.schemas.common import Call, example
from marketplace.api.schemas.requests import DeadOfferOut, RequestOut
from marketplace.api.schemas.seen import dead_offer_out, request_out, with_answer
from marketplace.enums import CLOSED
from marketplace.enums import Status as RequestStatus
from marketplace.models import Offer, ServiceRequest
from marketplace.services import requests as services

PATH = "/api/service-requests/"

router = Router(tags=["Service requests"])
client_or_admin = roles(Role.CLIENT, Role.ADMIN, permission="marketplace.cancel")


class BookIn(Schema):
    category_id: Id
    booking_date: Day
    client_address: Annotated[str, Text(500)]
    service_description: Annotated[str, Text(5000)]
    is_emergency: Flag = False
    preferred_serviceman_id: Id | None = None

    model_config = example(
        category_id=1,
        booking_date="2026-11-30",
        client_address="12 Allen Avenue, Ikeja, Lagos",
        service_description="The kitchen tap drips.",
        is_emergency=False,
        preferred_serviceman_id=None,
    )


class RequestQuery(PageQuery):
    status: list[RequestStatus] = []
    is_emergency: Flag | None = None
    category_id: Id | None = None
    waiting_on: Literal["me"] | None = None
    is_overdue: Flag | None = None
    from_day: Day | None = Field(None, alias="from", description="The first booking date.")
    to_day: Day | None = Field(None, alias="to", description="The last booking date.")
    updated_since: Moment | None = None
    ordering: Annotated[str, *ordering_by("created_at", "updated_at", "booking_date", "due_at")] = "-created_at"

    @field_validator("to_day")
    @classmethod
    def _not_before_from(cls, value: Any, info: ValidationInfo) -> Any:
        first = info.data.get("from_day")
        if value is not None and first is not None and value < first:
            raise ValueError("This is before 'from'")
        return value


class SummaryOut(Answer):
    """How many requests the caller has: by status, waiting on his side, and past their time."""

    by_status: dict[RequestStatus, int]
    waiting_on_me: int
    overdue: int

    model_config = example(by_status={"AWAITING_PAYMENT": 1, "COMPLETED": 4}, waiting_on_me=1, overdue=0)


@router.post("/", auth=client, response={201: RequestOut, **PROBLEMS}, summary="Book a visit")
@idempotent
@verified
def book(request: Call, data: BookIn) -> Status[Any]:
    """Book a visit; the booking fee is due next.

    A date before today + 2 days is an emergency whatever `is_emergency` says; the fee follows.
    """
    booking = services.book(**data.model_dump(), by=request.auth)
    return created(request, answer(booking.pk, request.auth), f"{PATH}{booking.pk}/")


@router.get("/", auth=party, response={200: Page[RequestOut], **PROBLEMS}, summary="List service requests")
@polled()
def list_requests(request: Call, query: Query[RequestQuery]) -> PageOf:
    """A client's own, a serviceman's jobs and those he is next in line for, all for admins; newest first."""
    reader = request.auth
    return paginate(
        request,
        with_answer(_chosen(ServiceRequest.objects.listed_for(reader), query, reader)),
        ordering=query.ordering,
        limit=query.limit,
        cursor=query.cursor,
        to_item=lambda row: request_out(row, reader),
    )


@router.get("/summary/", auth=party, response={200: SummaryOut, **PROBLEMS}, summary="Count service requests")
@polled()
def summarize(request: Call) -> dict[str, Any]:
    """How many requests of the caller stand where, how many wait on his side, how many are past their time."""
    by_status = ServiceRequest.objects.listed_for(request.auth).order_by().values("status")
    counts = list(
        by_status.annotate(
            count=Count("pk"),
            mine=Count("pk", filter=_waiting_on(request.auth)),
            late=Count("pk", filter=_overdue()),
        )
    )
    return {
        "by_status": dict.fromkeys(RequestStatus, 0) | {row["status"]: row["count"] for row in counts},
        "waiting_on_me": sum(row["mine"] for row in counts),
        "overdue": sum(row["late"] for row in counts),
    }


@router.get(
    "/{request_id}/",
    auth=party,
    response={200: RequestOut | DeadOfferOut, **PROBLEMS},
    summary="Read a service request",
)
@polled()
def read_request(request: Call, request_id: Id) -> dict[str, Any]:
    """One request. A serviceman who no longer has it sees how his offer ended, and nothing else."""
    found = find(request_id, request.auth)
    if found.is_held_by(request.auth):
        return request_out(found, request.auth)
    return dead_offer_out(found, Offer.objects.filter(request=found, serviceman=request.auth)[0])


@router.delete(
    "/{request_id}/", auth=client_or_admin, response={204: None, **PROBLEMS}, summary="Delete a service request"
)
@verified
def delete_request(request: Call, request_id: Id) -> Status[None]:
    """Hide a closed request, or an unpaid one, which is cancelled by it. Its money stays on record."""
    services.soft_delete(request_id, by=request.auth)
    return Status(204, None)


def _chosen(rows: QuerySet[ServiceRequest], query: RequestQuery, reader: User) -> QuerySet[ServiceRequest]:
    chosen = {
        "status__in": query.status or None,
        "is_emergency": query.is_emergency,
        "category": query.category_id,
        "booking_date__gte": query.from_day,
        "booking_date__lte": query.to_day,
        "updated_at__gte": query.updated_since,
    }
    rows = rows.filter(**{name: value for name, value in chosen.items() if value is not None})
    if query.waiting_on:
        rows = rows.filter(_waiting_on(reader))
    if query.is_overdue is not None:
        rows = rows.filter(_overdue() if query.is_overdue else ~_overdue())
    return rows


def _waiting_on(reader: User) -> Q:
    """Requests in which the caller's side must act; of servicemen that is the assigned one, not who is next in line."""
    return Q(waiting_on=reader.user_type) & (Q(serviceman=reader) if reader.is_serviceman else Q())


def _overdue() -> Q:
    """As ServiceRequest.is_overdue says of one."""
    return ~Q(status__in=CLOSED) & Q(due_at__isnull=False, due_at__lt=clock.now())
