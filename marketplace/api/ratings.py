"""/api/ratings/: what clients say of servicemen, and what these reply."""

from typing import Annotated, Any

from django.http import HttpRequest
from pydantic import Field

from core.api import (
    PROBLEMS,
    Answer,
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
    Whole,
    created,
    idempotent,
    paginate,
    verified,
)
from core.auth import client, serviceman
from marketplace.api.schemas.common import Call, example
from marketplace.models import Rating
from marketplace.services import ratings as services

router = Router(tags=["Ratings"])


class RateIn(Schema):
    service_request_id: Id
    rating: Annotated[Whole, Field(ge=1, le=5)]
    review: Annotated[str, Text(2000, blank=True)] = ""

    model_config = example(service_request_id=41, rating=5, review="Quick and clean.")


class ReplyIn(Schema):
    reply: Annotated[str, Text(2000)]

    model_config = example(reply="Thank you.")


class RatingQuery(PageQuery):
    serviceman_id: Id | None = None


class RatingOut(Answer):
    """What one client said of one job, and the serviceman's reply."""

    id: int
    rating: int
    review: str
    client_name: str
    created_at: Moment
    reply: str | None

    model_config = example(
        id=4,
        rating=5,
        review="Quick and clean.",
        client_name="Ada O.",
        created_at="2026-11-26T10:00:00+01:00",
        reply=None,
    )


@router.post("/", auth=client, response={201: RatingOut, **PROBLEMS}, summary="Rate a job")
@idempotent
@verified
def rate(request: Call, data: RateIn) -> Status[Any]:
    """Say how a completed job was, 1 to 5, once."""
    row = services.rate(data.service_request_id, rating=data.rating, review=data.review, by=request.auth)
    return created(request, _out(row), f"/api/ratings/?serviceman_id={row.serviceman_id}")


@router.get("/", response={200: Page[RatingOut], **PROBLEMS}, summary="List ratings")
def list_ratings(request: HttpRequest, query: Query[RatingQuery]) -> PageOf:
    """What clients said, newest first; of one serviceman by `serviceman_id`."""
    rows = Rating.objects.visible().select_related("client")
    if query.serviceman_id is not None:
        rows = rows.filter(serviceman=query.serviceman_id)
    return paginate(request, rows, ordering="-created_at", limit=query.limit, cursor=query.cursor, to_item=_out)


@router.post("/{rating_id}/reply/", auth=serviceman, response={200: RatingOut, **PROBLEMS}, summary="Reply to a rating")
@idempotent
@verified
def reply(request: Call, rating_id: Id, data: ReplyIn) -> dict[str, Any]:
    """Answer what a client said of you, once."""
    return _out(services.reply_to_rating(rating_id, reply=data.reply, by=request.auth))


def _out(rating: Rating) -> dict[str, Any]:
    return {
        "id": rating.pk,
        "rating": rating.rating,
        "review": rating.review,
        "client_name": rating.client.short_name,
        "created_at": rating.created_at,
        "reply": rating.reply or None,
    }
