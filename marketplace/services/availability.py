"""The days on which a serviceman does not work."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from django.db.models import QuerySet

from core import clock
from core.errors import Forbidden, Invalid
from core.models import User
from marketplace.deadlines import LATEST_BOOKING_DAYS
from marketplace.models import UnavailableDate


def block_dates(dates: Collection[date], *, by: User) -> None:
    """He takes no new jobs on these days; jobs he has accepted stay his. A day blocked before stays blocked.

    Raises Forbidden for anybody but a serviceman, Invalid naming `dates` for a day that is past, or further ahead than
    a visit can be booked.
    """
    _require_serviceman(by)
    today = clock.today()
    latest = today + timedelta(days=LATEST_BOOKING_DAYS)
    for day in sorted(dates):
        if day < today:
            raise Invalid(f"{day} is past.", code="date_past", field="dates")
        if day > latest:
            raise Invalid(f"{day} is too far ahead: the last day is {latest}.", code="date_too_far", field="dates")
    rows = [UnavailableDate(serviceman=by, date=day) for day in sorted(set(dates))]
    UnavailableDate.objects.bulk_create(rows, ignore_conflicts=True)


def free_dates(dates: Collection[date], *, by: User) -> int:
    """He works again on these days; how many of them were blocked. Raises Forbidden."""
    _require_serviceman(by)
    return UnavailableDate.objects.filter(serviceman=by, date__in=dates).delete()[0]


def blocked_dates(serviceman_id: int) -> QuerySet[UnavailableDate]:
    """Today's and later ones."""
    return UnavailableDate.objects.filter(serviceman_id=serviceman_id, date__gte=clock.today())


def _require_serviceman(by: User) -> None:
    if not by.is_serviceman:
        raise Forbidden("Only servicemen have days on which they do not work.")
