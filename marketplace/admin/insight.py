"""Insight: revenue, servicemen and categories, each a page of figures, a chart and a table that exports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import TemplateView
from unfold.views import UnfoldSiteViewMixin

from core.exports import CONTENT_TYPES, Format
from marketplace import analytics, exports
from marketplace.admin.charts import Chart, Series, bars, collected
from marketplace.admin.labels import NOTHING, kobo, link_to, money, stars
from marketplace.admin.periods import Period, period_of
from marketplace.models import ServicemanProfile
from marketplace.money import from_kobo

MOST_BARS = 12
"""Of names side by side; the table has all."""


@dataclass(frozen=True)
class Column:
    """A column of the table: its title, what is shown, and whether it is a figure."""

    title: str
    shown: Any
    is_figure: bool = True


class Insight(UnfoldSiteViewMixin, TemplateView):
    """What all pages of insight share."""

    template_name = "admin/insight.html"
    columns: tuple[Column, ...] = ()
    empty = ""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The page, or with ?export=csv or xlsx what it is about as that, for those who may."""
        kind: Any = request.GET.get("export")
        if kind is None:
            return super().get(request, *args, **kwargs)
        if not request.user.has_perm("marketplace.export"):
            raise PermissionDenied
        if kind not in CONTENT_TYPES:
            raise Http404
        return self.download(kind)

    def download(self, kind: Format) -> HttpResponseBase:
        """The export."""
        raise NotImplementedError

    def rows(self) -> Iterable[Any]:
        """The lines of the table."""
        raise NotImplementedError

    def more(self, rows: list[Any]) -> dict[str, Any]:
        """Chart, figures and form."""
        return {}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Everything the template shows."""
        rows = list(self.rows())
        may = self.request.user.has_perm("marketplace.export")
        more = self.more(rows)
        return super().get_context_data(
            **kwargs,
            columns=self.columns,
            table=[[(column.shown(row), column.is_figure) for column in self.columns] for row in rows],
            empty=self.empty,
            downloads=[(kind.upper(), self._url(kind)) for kind in CONTENT_TYPES] if may else [],
            single=len(more.get("charts", ())) + len(more.get("mixes", ())) == 1,
            **more,
        )

    def _url(self, kind: Format) -> str:
        query = self.request.GET.copy()
        query["export"] = kind
        return f"?{query.urlencode()}"


def _naira(title: str, name: str) -> Column:
    return Column(title, lambda row: money(getattr(row[1], name)))


class ByPeriod(Insight):
    """A page about days that are asked for, put together by day, week or month."""

    @cached_property
    def period(self) -> Period:
        """The days asked for."""
        return period_of(self.request.GET)


class RevenueView(ByPeriod):
    """Money by day, week or month."""

    title = "Revenue"
    permission_required = ("marketplace.view_payment", "marketplace.view_refund")
    empty = "There are no days to show."
    columns = (
        Column("From", lambda row: f"{row[0]:%-d %b %Y}", is_figure=False),
        _naira("Collected", "collected"),
        _naira("Booking fees", "booking_fees"),
        _naira("Final payments", "final_payments"),
        _naira("Refunded", "refunded"),
        _naira("Paystack's fees", "gateway_fees"),
        _naira("Platform revenue", "platform_revenue"),
        Column("Payments", lambda row: row[1].payments),
    )

    @cached_property
    def report(self) -> analytics.RevenueReport:
        """Of the days asked for."""
        span = self.period.span
        return analytics.revenue(span.start, span.end, group_by=self.period.by)

    def download(self, kind: Format) -> HttpResponseBase:
        """The same periods."""
        export = exports.Revenue(group_by=self.report.group_by)
        return export.download(export.rows_of(self.report), kind)

    def rows(self) -> Iterable[tuple[date, analytics.Revenue]]:
        """Newest first."""
        return reversed(list(self.report.periods.items()))

    def more(self, rows: list[Any]) -> dict[str, Any]:
        """Totals, and a bar each period."""
        report = self.report
        totals = report.totals
        figures = [
            ("Collected", money(totals.collected)),
            ("Platform revenue", money(totals.platform_revenue)),
            ("Final payments", money(totals.final_payments)),
            ("Refunded", money(totals.refunded)),
            ("Paystack's fees", money(totals.gateway_fees)),
        ]
        return {"period": self.period, "figures": figures, "charts": [collected(report.periods, report.group_by)]}


class ServicemenView(Insight):
    """How each serviceman does."""

    title = "Servicemen"
    permission_required = ("marketplace.view_servicemanprofile", "marketplace.view_offer", "marketplace.view_payment")
    empty = "Nobody has applied yet."
    columns = (
        Column("Serviceman", lambda p: link_to(p, p.user.name), is_figure=False),
        Column("Rating", lambda p: f"{p.rating} ({p.ratings})" if p.ratings else NOTHING),
        Column("Jobs done", lambda p: p.total_jobs_completed),
        Column("Open jobs", lambda p: p.open_jobs),
        Column("Offers", lambda p: p.offers),
        Column("Accepted", lambda p: p.accepted),
        Column("Declined", lambda p: p.declined),
        Column("Not answered", lambda p: p.lapsed),
        Column("Earned", lambda p: kobo(p.earned_kobo)),
    )
    most = 200

    def rows(self) -> Iterable[Any]:
        """Who earned most comes first; the page shows so many, the export all."""
        return self._everybody()[: self.most]

    def download(self, kind: Format) -> HttpResponseBase:
        """Everybody."""
        return exports.Servicemen().download(self._everybody(), kind)

    def more(self, rows: list[Any]) -> dict[str, Any]:
        """The ten who earned most, and the ten who have most to do."""
        best, busy = rows[:MOST_BARS], sorted(rows, key=lambda p: -p.open_jobs)[:MOST_BARS]
        return {
            "charts": [
                Chart(
                    title="Earned most",
                    unit="naira",
                    heading="Serviceman",
                    labels=[p.user.short_name for p in best],
                    series=[Series("Earned", [from_kobo(p.earned_kobo) for p in best], money)],
                    named=True,
                ),
                Chart(
                    title="Open jobs",
                    heading="Serviceman",
                    labels=[p.user.short_name for p in busy],
                    series=[Series("Open jobs", [p.open_jobs for p in busy])],
                    named=True,
                    nothing="Nobody has a job",
                ),
            ]
        }

    def _everybody(self) -> QuerySet[ServicemanProfile]:
        everybody: Any = analytics.servicemen()
        return everybody.order_by("-earned_kobo", "pk")


class CategoriesView(Insight):
    """How each trade does."""

    title = "Categories"
    permission_required = ("marketplace.view_category", "marketplace.view_payment")
    empty = "There are no categories yet."
    columns = (
        Column("Category", link_to, is_figure=False),
        Column("Requests", lambda c: c.requests),
        Column("Completed", lambda c: c.completed),
        Column("Cancelled", lambda c: c.cancelled),
        Column("Collected", lambda c: money(c.collected)),
        Column(
            "Average rating",
            lambda c: NOTHING if c.average_rating is None else f"{c.average_rating:.2f}",
        ),
    )

    def rows(self) -> Iterable[Any]:
        """What brought most comes first."""
        trades: Any = analytics.categories()
        return trades.order_by("-collected", "name")

    def download(self, kind: Format) -> HttpResponseBase:
        """The same trades."""
        return exports.Categories().download(self.rows(), kind)

    def more(self, rows: list[Any]) -> dict[str, Any]:
        """What is booked of each, and what each brought."""
        best = rows[:MOST_BARS]
        asked = sorted(rows, key=lambda c: -c.requests)
        trades = reverse("admin:marketplace_servicerequest_changelist")
        return {
            "charts": [
                Chart(
                    title="Collected",
                    unit="naira",
                    heading="Category",
                    labels=[c.name for c in best],
                    series=[Series("Collected", [c.collected for c in best], money)],
                    named=True,
                )
            ],
            "mixes": [
                {
                    "title": "Mix of requests",
                    "rows": bars([(c.name, c.requests, f"{trades}?category__id__exact={c.pk}") for c in asked]),
                    "empty": "Nothing was booked yet.",
                }
            ],
        }


class RatingsView(ByPeriod):
    """How clients rated, by stars."""

    title = "Ratings by stars"
    permission_required = ("marketplace.view_rating",)
    columns = (
        Column("Stars", lambda s: stars(s.stars), is_figure=False),
        Column("Ratings", lambda s: f"{s.ratings:,}"),
        Column("Share", lambda s: NOTHING if s.share is None else f"{s.share} %"),
    )

    @cached_property
    def period(self) -> Period:
        """The days asked for, all together."""
        period = super().period
        del period.form.fields["by"]
        return period

    @cached_property
    def given(self) -> list[analytics.Stars]:
        """In the days asked for."""
        return analytics.stars_given(self.period.span.start, self.period.span.end)

    def rows(self) -> Iterable[analytics.Stars]:
        """The best first."""
        return self.given

    def download(self, kind: Format) -> HttpResponseBase:
        """The same counts."""
        return exports.Ratings().download(self.given, kind)

    def more(self, rows: list[Any]) -> dict[str, Any]:
        """The same as bars, and the mean."""
        number = sum(each.ratings for each in self.given)
        mean = sum(each.stars * each.ratings for each in self.given) / number if number else None
        given = reverse("admin:marketplace_rating_changelist")
        since, until = self.period.span.start, self.period.span.end
        days = f"created_at_from={since}&created_at_to={until}"
        lines = [
            (stars(each.stars), each.ratings, f"{given}?shown=visible&stars={each.stars}&{days}") for each in self.given
        ]
        return {
            "period": self.period,
            "figures": [("Ratings", f"{number:,}"), ("Average", NOTHING if mean is None else f"{mean:.2f}")],
            "mixes": [
                {"title": "Distribution", "rows": bars(lines) if number else [], "empty": "Nobody rated in these days."}
            ],
        }
