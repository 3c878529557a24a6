"""Days, weeks and months as Lagos cuts them, and the period before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from django.db.models import QuerySet
from django.db.models.functions import TruncDay, TruncMonth, TruncWeek

from core.clock import LAGOS

GroupBy = Literal["day", "week", "month"]
_TRUNC = {"day": TruncDay, "week": TruncWeek, "month": TruncMonth}
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Days in Lagos, both included."""

    start: date
    end: date

    @classmethod
    def last_full(cls, period: str, *, today: date) -> Span:
        """Yesterday, last week (Monday to Sunday) or last month. Raises ValueError for any other period."""
        match period:
            case "day":
                return cls(today - _DAY, today - _DAY)
            case "week":
                monday = today - timedelta(days=today.weekday())
                return cls(monday - timedelta(days=7), monday - _DAY)
            case "month":
                last = today.replace(day=1) - _DAY
                return cls(last.replace(day=1), last)
        raise ValueError(f"A report is about a day, week or month, not {period!r}.")

    def before(self, group_by: GroupBy = "day") -> Span:
        """As many days right before; by month, whole months are compared with as many whole months."""
        end = self.start - _DAY
        if group_by == "month" and self.start.day == 1 and (self.end + _DAY).day == 1:
            months = (self.end.year - self.start.year) * 12 + self.end.month - self.start.month + 1
            start = self.start
            for _ in range(months):
                start = (start - _DAY).replace(day=1)
            return Span(start, end)
        return Span(end - (self.end - self.start), end)

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """The first moment inside, and the first one after."""
        midnight = time(tzinfo=LAGOS)
        return datetime.combine(self.start, midnight), datetime.combine(self.end + _DAY, midnight)

    def starts(self, group_by: GroupBy) -> Iterator[date]:
        """The first day of every period that touches these days: weeks begin on Mondays."""
        first = self.start
        if group_by == "week":
            first -= timedelta(days=first.weekday())
        elif group_by == "month":
            first = first.replace(day=1)
        while first <= self.end:
            yield first
            if group_by == "month":
                first = (first + timedelta(days=31)).replace(day=1)
            else:
                first += timedelta(days=7 if group_by == "week" else 1)

    def cut[Row: QuerySet[Any]](self, rows: Row, moment: str) -> Row:
        """The rows of these days, by the bare column, so that an index serves."""
        since, until = self.moments
        return rows.filter(**{f"{moment}__gte": since, f"{moment}__lt": until})


def start_of(moment: str, group_by: GroupBy) -> Any:
    """The first moment of the period a row falls into; its date is the period's first day."""
    return _TRUNC[group_by](moment, tzinfo=LAGOS)
