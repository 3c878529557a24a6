"""/api/servicemen/: the public directory."""

from decimal import Decimal
from typing import Annotated, Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from pydantic import BeforeValidator, WithJsonSchema

from core.api import PROBLEMS, Day, Flag, Id, Line, Page, PageOf, PageQuery, Query, Router, ordering_by, paginate
from core.errors import Missing
from marketplace.api.schemas.servicemen import ServicemanDetailOut, ServicemanOut, directory, serviceman_out
from marketplace.models import ServicemanProfile
from marketplace.services.availability import blocked_dates

router = Router(tags=["Servicemen"])


def _stars(value: Any) -> Decimal:
    digits = str(value).replace(".", "", 1)
    if len(str(value)) <= 4 and digits.isascii() and digits.isdigit() and (stars := Decimal(str(value))) <= 5:
        return stars
    raise ValueError("Write the rating as a number from 0 to 5, like 4.5")


MinRating = Annotated[
    Decimal,
    BeforeValidator(_stars),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 5, "multipleOf": 0.01, "examples": [4.5]}),
]


class DirectoryQuery(PageQuery):
    category_id: Id | None = None
    search: Annotated[str, Line(100)] | None = None
    min_rating: MinRating | None = None
    is_available: Flag | None = None
    available_on: Day | None = None
    ordering: Annotated[str, *ordering_by("rating", "total_jobs_completed", "years_of_experience")] = "-rating"


@router.get("/", response={200: Page[ServicemanOut], **PROBLEMS}, summary="Search the directory")
def list_servicemen(request: HttpRequest, query: Query[DirectoryQuery]) -> PageOf:
    """Approved servicemen. `search` looks for every word in names, trades and what they write of themselves."""
    return paginate(
        request,
        # Who does not say how long he has worked counts as a beginner, not as the most experienced.
        _found(query).annotate(experience=Coalesce("years_of_experience", 0)),
        ordering=query.ordering.replace("years_of_experience", "experience"),
        limit=query.limit,
        cursor=query.cursor,
        to_item=serviceman_out,
    )


@router.get("/{user_id}/", response={200: ServicemanDetailOut, **PROBLEMS}, summary="Read about a serviceman")
def read_serviceman(request: HttpRequest, user_id: Id) -> dict[str, Any]:
    """One approved serviceman, with the days from today on which he does not work."""
    profile = directory().filter(user_id=user_id).first()
    if profile is None:
        raise Missing("There is no such serviceman.")
    days = blocked_dates(user_id).values_list("date", flat=True)
    return serviceman_out(profile) | {"unavailable_dates": list(days)}


def _found(query: DirectoryQuery) -> QuerySet[ServicemanProfile]:
    rows = directory()
    if query.available_on is not None:
        rows = rows.free_on(query.available_on)
    chosen = {
        "category": query.category_id,
        "rating__gte": query.min_rating,
        "is_available": query.is_available,
    }
    rows = rows.filter(**{name: value for name, value in chosen.items() if value is not None})
    for word in (query.search or "").split():
        rows = rows.filter(
            Q(user__first_name__icontains=word)
            | Q(user__last_name__icontains=word)
            | Q(category__name__icontains=word)
            | Q(bio__icontains=word)
        )
    return rows
