"""Which days a page of figures is about: the last 7, 30 or 90, or any others, by day, week or month."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django import forms
from django.http import QueryDict

from core import clock
from core.dialogs import choice, day
from marketplace.analytics import GroupBy, Span

SPANS = (7, 30, 90)
"""Days to look back on, one click away."""
USUAL_DAYS = 30
MOST_DAYS_SINGLY = 62
"""With more days than these, weeks are shown unless days are asked for."""
LONGEST_DAYS = 366
"""How many days can be looked at one by one; ten times as many by week or month."""
EARLIEST = date(2020, 1, 1)
"""Nothing was booked before."""


class PeriodForm(forms.Form):
    """Which days, and how they are put together."""

    start = day("From", required=False)
    end = day("To", required=False)
    by = choice("By", [("day", "Day"), ("week", "Week"), ("month", "Month")], required=False)


@dataclass(frozen=True)
class Period:
    """The days asked for, how they are put together, and the form that says so."""

    span: Span
    by: GroupBy
    form: PeriodForm = field(default_factory=PeriodForm)

    @property
    def days(self) -> int:
        """How many."""
        return (self.span.end - self.span.start).days + 1

    @property
    def before(self) -> Span:
        """The days to compare with."""
        return self.span.before(self.by)

    @property
    def title(self) -> str:
        """As a heading."""
        return f"The last {self.days} days" if self.span.end == clock.today() else words(self.span)

    @property
    def against(self) -> str:
        """What figures are compared with."""
        return f"against {words(self.before)}"

    @property
    def shortcuts(self) -> list[dict[str, Any]]:
        """Links to the usual spans."""
        here = self.days if self.span.end == clock.today() else 0
        return [{"title": f"{days} days", "link": f"?days={days}", "active": days == here} for days in SPANS]


def words(span: Span) -> str:
    """1 Oct 2026 to 30 Oct 2026."""
    return f"{span.start:%-d %b %Y} to {span.end:%-d %b %Y}"


def period_of(query: QueryDict) -> Period:
    """The days a page's address asks for; the last 30 when that makes no sense."""
    form = PeriodForm(query)
    form.is_valid()
    asked = form.cleaned_data
    last = max(min(asked.get("end") or clock.today(), clock.today()), EARLIEST)
    days = int(named) if (named := query.get("days", "")) in map(str, SPANS) else USUAL_DAYS
    first = min(asked.get("start") or last - timedelta(days=days - 1), last)
    by: Any = asked.get("by") or ("day" if (last - first).days < MOST_DAYS_SINGLY else "week")
    longest = LONGEST_DAYS if by == "day" else 10 * LONGEST_DAYS
    first = max(first, EARLIEST, last - timedelta(days=longest - 1))
    return Period(Span(first, last), by, PeriodForm(initial={"start": first, "end": last, "by": by}))
