"""Insight into operations: how fast, how sure, how often; each figure against the period before, and by period."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.http.response import HttpResponseBase
from django.utils.functional import cached_property

from core.exports import Format
from marketplace import analytics, exports
from marketplace.admin.charts import Chart, Series, starts
from marketplace.admin.figures import share_stat, stat, time_stat
from marketplace.admin.insight import ByPeriod, Column
from marketplace.admin.labels import NOTHING, many, money, span
from marketplace.enums import Side
from marketplace.policy import STAGE_TEXT

TIMES = (
    ("Time to assign", "time_to_assign"),
    ("Time to accept", "time_to_accept"),
    ("Time to inspect", "time_to_inspect"),
    ("Time to price", "time_to_price"),
    ("Time to pay", "time_to_pay"),
    ("Time to complete", "time_to_complete"),
)
ENDS = ("completed", "booked", "cancelled")
SIDES = (Side.CLIENT, Side.ADMIN, Side.SYSTEM)


def _day(day: date) -> str:
    """In one piece, however narrow its column."""
    return f"{day:%-d %b %Y}".replace(" ", "\N{NO-BREAK SPACE}")


def _number(title: str, word: str) -> Column:
    return Column(title, lambda row: f"{row[1][word]:,}")


def _naira(title: str, word: str) -> Column:
    return Column(title, lambda row: money(row[1][word]))


def _share(title: str, word: str, unit: str = " %") -> Column:
    def shown(row: Any) -> str:
        return NOTHING if row[1][word] is None else f"{row[1][word]}{unit}"

    return Column(title, shown)


def _time(title: str, word: str) -> tuple[Column, Column]:
    def column(heading: str, part: str) -> Column:
        def of(row: Any) -> int | None:
            seconds: int | None = getattr(row[1][word], part)
            return seconds

        def shown(row: Any) -> str:
            return NOTHING if (seconds := of(row)) is None else span(seconds)

        return Column(heading, shown)

    return column(title, "median"), column(f"{title}, nine of ten", "p90")


class OperationsView(ByPeriod):
    """The work by day, week or month. Times export in seconds, shares in per cent."""

    title = "Operations"
    permission_required = ("marketplace.view_servicerequest", "marketplace.view_offer", "marketplace.view_payment")
    empty = "There are no days to show."
    columns = (
        Column("From", lambda row: _day(row[0]), is_figure=False),
        _number("Booked", "booked"),
        _number("Confirmed", "confirmed"),
        _number("Completed", "completed"),
        _number("Cancelled", "cancelled"),
        *(column for title, word in TIMES for column in _time(title, word)),
        _share("Filled", "fill_rate"),
        _share("Declined", "decline_rate"),
        _share("Lapsed", "lapse_rate"),
        _share("Backup used", "backup_rate"),
        _number("Quoted", "quoted"),
        _share("Converted", "conversion_rate"),
        _share("Negotiated", "negotiation_rate"),
        _share("Rounds", "rounds", unit=""),
        _share("Average discount", "average_discount"),
        _number("Clients", "clients"),
        _share("Repeat clients", "repeat_rate"),
        _number("Active servicemen", "active_servicemen"),
        _share("Utilisation", "utilisation"),
        _number("Ratings", "ratings"),
        _share("Average rating", "average_rating", unit=""),
        _share("Take rate", "take_rate"),
        _naira("Held", "held"),
        _naira("Earned by servicemen", "earned"),
        _naira("Net revenue", "net_revenue"),
        _naira("Payable", "payable"),
    )

    @cached_property
    def overview(self) -> analytics.Overview:
        """Of the days asked for."""
        span = self.period.span
        return analytics.overview(span.start, span.end, group_by=self.period.by)

    def download(self, kind: Format) -> HttpResponseBase:
        """The same periods."""
        export = exports.Operations(group_by=self.period.by)
        return export.download(export.rows_of(self.overview), kind)

    def rows(self) -> Iterable[tuple[date, dict[str, Any]]]:
        """Newest first."""
        return reversed(list(self.overview.periods.items()))

    def more(self, rows: list[Any]) -> dict[str, Any]:
        """Figures by subject, each against the period before; what was cancelled when by whom; charts."""
        overview = self.overview
        return {
            "period": self.period,
            "groups": _groups(overview.totals, overview.before),
            "against": self.period.against,
            "breakdown": _cancellations(overview.totals),
            "charts": _charts(overview, self.period.by),
        }


def _groups(now: dict[str, Any], before: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    def both(word: str) -> tuple[Any, Any]:
        return now[word], before[word]

    def naira(title: str, word: str, **more: Any) -> dict[str, Any]:
        return stat(title, *both(word), money, **more)

    def share(title: str, word: str, **more: Any) -> dict[str, Any]:
        return share_stat(title, *both(word), **more)

    def mean(title: str, word: str, **more: Any) -> dict[str, Any]:
        return stat(title, *both(word), unit="", **more)

    return [
        (
            "Money",
            [
                naira("Collected", "collected", hint=many(now["payments"], "payment")),
                naira("GMV", "gmv", hint="Work that clients paid for"),
                naira("Platform revenue", "platform_revenue", hint="Of what was paid, less the estimates"),
                stat(
                    "Take rate",
                    *both("take_rate"),
                    "{:.1f} %".format,
                    unit=" pts",
                    hint="Revenue of the payments that counted",
                ),
                naira("Net revenue", "net_revenue", hint="By the books: earned, less what goes back"),
                naira("Payable", "payable", good="", hint="To servicemen, at the end"),
                naira("Earned by servicemen", "earned", hint="By verified work"),
                naira("Refunded", "refunded", good="down", hint="Arrived at clients"),
                naira("Paystack's fees", "gateway_fees", good="down", hint="Less what payers bore"),
                naira("Held", "held", good="down", hint="Came in the wrong amount"),
            ],
        ),
        ("How fast", [time_stat(title, *both(word)) for title, word in TIMES]),
        (
            "How sure",
            [
                share("Filled", "fill_rate", hint=f"Of {many(now['confirmed'], 'confirmed booking')}, by now"),
                share("Declined", "decline_rate", good="down", hint=many(now["declined"], "offer")),
                share("Lapsed", "lapse_rate", good="down", hint=f"{many(now['lapsed'], 'offer')} not answered"),
                share("Backup used", "backup_rate", hint="When the first choice fell out"),
                share("Completed", "completion_rate", hint="Of those that ended"),
                share("Cancelled", "cancellation_rate", good="down", hint="Of those that ended"),
                share("Quotes converted", "conversion_rate", hint=f"Of {now['quoted']:,} quoted, by now"),
                share("Negotiated", "negotiation_rate", good="", hint="Of the jobs paid"),
                mean("Rounds", "rounds", good="down", hint="Proposals a negotiated job"),
                share("Average discount", "average_discount", good="down", hint="On negotiated jobs"),
            ],
        ),
        (
            "Who",
            [
                stat("Clients", *both("clients"), "{:,}".format, hint="Paid a booking fee"),
                share("Repeat clients", "repeat_rate", hint="Had paid one before"),
                stat("Servicemen at work", *both("active_servicemen"), "{:,}".format, hint="Active"),
                share("Utilisation", "utilisation", hint="Active, of all approved"),
                mean("Average rating", "average_rating", hint=f"Of 5, in {many(now['ratings'], 'rating')}"),
            ],
        ),
    ]


def _cancellations(now: dict[str, Any]) -> dict[str, Any]:
    """A line a stage of the policy, a column a side."""
    found = {(each["stage"], each["side"]): each["count"] for each in now["cancellations"]}
    rows = [(text, [found.get((stage.value, side.value), 0) for side in SIDES]) for stage, text in STAGE_TEXT.items()]
    return {"title": "Cancelled, by stage and side", "heads": [side.label for side in SIDES], "rows": rows}


def _charts(overview: analytics.Overview, by: analytics.GroupBy) -> list[Chart]:
    """How much, how fast, and how busy the servicemen are."""
    each = list(overview.periods.values())
    shared: dict[str, Any] = {"labels": starts(overview.periods), "heading": by.capitalize()}

    def hours(part: str) -> list[float | None]:
        return [None if (s := getattr(of["time_to_assign"], part)) is None else round(s / 3600, 2) for of in each]

    def in_words(figure: float) -> str:
        return span(figure * 3600)

    return [
        Chart(
            title="Booked, completed and cancelled",
            series=[
                Series(word.capitalize(), [of[word] for of in each]) for word in ("completed", "booked", "cancelled")
            ],
            nothing="No requests in these days",
            **shared,
        ),
        Chart(
            title="Time to assign",
            unit="hours",
            series=[Series("Median", hours("median"), in_words), Series("Nine of ten within", hours("p90"), in_words)],
            lines=True,
            nothing="Nothing was assigned in these days",
            **shared,
        ),
        Chart(
            title="Utilisation of servicemen",
            unit="per cent of the approved had work",
            series=[Series("Utilisation", [of["utilisation"] for of in each], "{} %".format)],
            nothing="Nobody had work in these days",
            **shared,
        ),
        Chart(
            title="Average rating",
            unit="of 5",
            series=[Series("Average rating", [of["average_rating"] for of in each], str)],
            nothing="Nobody rated in these days",
            **shared,
        ),
    ]
