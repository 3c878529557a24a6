"""Insight: revenue, servicemen and categories, each a page of figures, a chart and a table that exports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.generic import TemplateView
from unfold.views import UnfoldSiteViewMixin

from core import clock
from core.dialogs import choice, day
from core.exports import CONTENT_TYPES, Format
from marketplace import analytics, exports
from marketplace.admin.dashboard import chart
from marketplace.admin.labels import NOTHING, kobo, link_to, money
from marketplace.models import ServicemanProfile
from marketplace.money import from_kobo

LONGEST_DAYS = 366
"""How many days can be looked at one by one; ten times as many by week or month."""
EARLIEST = date(2020, 1, 1)
"""Nothing was booked before."""


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
        return super().get_context_data(
            **kwargs,
            columns=self.columns,
            table=[[(column.shown(row), column.is_figure) for column in self.columns] for row in rows],
            empty=self.empty,
            downloads=[(kind.upper(), self._url(kind)) for kind in CONTENT_TYPES] if may else [],
            **self.more(rows),
        )

    def _url(self, kind: Format) -> str:
        query = self.request.GET.copy()
        query["export"] = kind
        return f"?{query.urlencode()}"


class PeriodForm(forms.Form):
    """Which days, and how they are put together."""

    start = day("From", required=False)
    end = day("To", required=False)
    by = choice("By", [("day", "Day"), ("week", "Week"), ("month", "Month")], required=False)


def _naira(title: str, name: str) -> Column:
    return Column(title, lambda row: money(getattr(row[1], name)))


class ByPeriod(Insight):
    """A page about days that are asked for, put together by day, week or month."""

    form: PeriodForm

    def asked(self) -> tuple[date, date, analytics.GroupBy]:
        """The days asked for; the last 30 when that makes no sense. Fills the form with them."""
        self.form = PeriodForm(self.request.GET)
        asked = self.form.cleaned_data if self.form.is_valid() else {}
        last = max(min(asked.get("end") or clock.today(), clock.today()), EARLIEST)
        by: Any = asked.get("by") or "day"
        furthest = max(last - timedelta(days=LONGEST_DAYS if by == "day" else 10 * LONGEST_DAYS), EARLIEST)
        first = max(min(asked.get("start") or last - timedelta(days=29), last), furthest)
        self.form = PeriodForm(initial={"start": first, "end": last, "by": by})
        return first, last, by


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

    def report(self) -> analytics.RevenueReport:
        """Of the days asked for; of the last 30 when that makes no sense."""
        if not hasattr(self, "_report"):
            first, last, by = self.asked()
            self._report = analytics.revenue(first, last, group_by=by)
        return self._report

    def download(self, kind: Format) -> HttpResponseBase:
        """The same periods."""
        export = exports.Revenue(group_by=self.report().group_by)
        return export.download(export.rows_of(self.report()), kind)

    def rows(self) -> Iterable[tuple[date, analytics.Revenue]]:
        """Newest first."""
        return reversed(list(self.report().periods.items()))

    def more(self, rows: list[Any]) -> dict[str, Any]:
        """Totals, and a bar each period."""
        report = self.report()
        totals = report.totals
        figures = [
            ("Collected", money(totals.collected)),
            ("Platform revenue", money(totals.platform_revenue)),
            ("Final payments", money(totals.final_payments)),
            ("Refunded", money(totals.refunded)),
            ("Paystack's fees", money(totals.gateway_fees)),
        ]
        bars = [
            ("Platform revenue", [float(each.platform_revenue) for each in report.periods.values()]),
            ("The rest of what was collected", [_rest(each) for each in report.periods.values()]),
        ]
        labels = [f"{start:%-d %b}" for start in report.periods]
        return {
            "form": self.form,
            "figures": figures,
            "chart": _bars(labels, bars),
            "chart_title": "Collected",
            "chart_unit": "naira",
        }


def _rest(revenue: analytics.Revenue) -> float:
    return max(float(revenue.collected - revenue.platform_revenue), 0.0)


def _bars(labels: list[str], series: list[tuple[str, list[float]]], *, named: bool = False) -> dict[str, Any]:
    colours = ("var(--color-primary-600)", "var(--color-primary-200)")
    datasets = [
        {"label": label, "data": data, "backgroundColor": colour}
        for (label, data), colour in zip(series, colours, strict=False)
    ]
    return chart(labels, datasets, stacked=True, named=named, empty=not any(any(data) for _, data in series))


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
        """The ten who earned most."""
        best = rows[:10]
        earned = [float(from_kobo(p.earned_kobo)) for p in best]
        return {
            "chart": _bars([p.user.short_name for p in best], [("Earned", earned)], named=True),
            "chart_title": "Earned most",
            "chart_unit": "naira",
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
        """What each brought."""
        best = rows[:12]
        collected = [float(c.collected) for c in best]
        return {
            "chart": _bars([c.name for c in best], [("Collected", collected)], named=True),
            "chart_title": "Collected",
            "chart_unit": "naira",
        }
