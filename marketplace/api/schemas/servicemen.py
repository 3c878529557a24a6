"""Servicemen as strangers see them in the directory: no e-mail, no phone."""

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from core.api import Answer, Day
from marketplace.api.schemas.common import Stars, example
from marketplace.enums import OPEN
from marketplace.models import Rating, ServicemanProfile, ServiceRequest
from marketplace.models.accounts import ServicemanQuerySet

EXAMPLE: dict[str, Any] = {
    "id": 12,
    "name": "Tunde Bello",
    "rating": "4.67",
    "ratings": 3,
    "total_jobs_completed": 11,
    "bio": "Pipes and pumps, in Ikeja since 2015.",
    "years_of_experience": 8,
    "is_available": True,
    "active_jobs_count": 1,
}


class ServicemanOut(Answer):
    """An approved serviceman; `rating` is the plain mean of so many `ratings`."""

    id: int
    name: str
    rating: Stars
    ratings: int
    total_jobs_completed: int
    bio: str
    years_of_experience: int | None
    is_available: bool
    active_jobs_count: int

    model_config = example(**EXAMPLE)


class ServicemanDetailOut(ServicemanOut):
    """One serviceman, with the days from today on which he does not work."""

    unavailable_dates: list[Day]

    model_config = example(**EXAMPLE, unavailable_dates=["2026-12-24", "2026-12-25"])


def directory() -> ServicemanQuerySet:
    """Whom strangers may see, with the two counts the directory shows."""
    ratings = Rating.objects.visible().filter(serviceman=OuterRef("user"))
    jobs = ServiceRequest.objects.filter(serviceman=OuterRef("user"), status__in=OPEN)
    return (
        ServicemanProfile.objects.listed()
        .select_related("user")
        .annotate(ratings=_how_many(ratings), active_jobs_count=_how_many(jobs))
    )


def serviceman_out(profile: ServicemanProfile) -> dict[str, Any]:
    """A row of `directory`, under its user's id."""
    return {
        "id": profile.user_id,
        "name": profile.user.name,
        "rating": profile.rating,
        "ratings": profile.ratings,  # type: ignore[attr-defined]
        "total_jobs_completed": profile.total_jobs_completed,
        "bio": profile.bio,
        "years_of_experience": profile.years_of_experience,
        "is_available": profile.is_available,
        "active_jobs_count": profile.active_jobs_count,  # type: ignore[attr-defined]
    }


def _how_many(rows: QuerySet[Any]) -> Coalesce:
    """The number of rows that a correlated query finds."""
    count = rows.order_by().values("serviceman").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(count, output_field=IntegerField()), 0)
