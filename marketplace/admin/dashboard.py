"""The home page: a greeting, the work that waits, and how the days went. As many statements whatever the size."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from core import clock
from core.clock import LAGOS
from marketplace import analytics
from marketplace.admin.charts import Chart, Series, bars, collected, starts
from marketplace.admin.figures import share_stat, stat, time_stat
from marketplace.admin.labels import many
from marketplace.admin.periods import Period, period_of
from marketplace.admin.queues import QUEUES, waiting
from marketplace.analytics.operations import stars, steps
from marketplace.enums import OPEN, Status
from marketplace.models import ServiceRequest
from marketplace.money import naira_text

LATE_AFTER = timedelta(hours=24)
"""A card whose oldest row waits longer is marked."""
BARS = 6
"""How many trades and people are shown."""


PAGES = {
    "funnel": ("insight_workflow", "marketplace.view_servicerequest"),
    "categories": ("insight_categories", "marketplace.view_category", "marketplace.view_payment"),
    "servicemen": (
        "insight_servicemen",
        "marketplace.view_servicemanprofile",
        "marketplace.view_offer",
        "marketplace.view_payment",
    ),
}
"""Where the figures behind the bars are, and who may see them there."""


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Fill the home page; each part only for whoever may see its rows."""
    period = period_of(request.GET)
    may = request.user.has_perm
    context |= {
        "title": "Home",
        "greeting": _greeting(),
        "today": clock.today(),
        "queues": _cards(request),
        "period": period,
        "form": period.form,
        "against": period.against,
    }
    stats: list[dict[str, Any]] = []
    charts: list[Chart] = []
    if may("marketplace.view_payment"):
        now, before, periods = _money(period)
        stats += _money_stats(now, before)
        page = _page("insight_revenue", period) if may("marketplace.view_refund") else ""
        charts.append(collected(periods, period.by, page=page))
    if may("marketplace.view_servicerequest"):
        work = analytics.operations(period.span.start, period.span.end, group_by=period.by, about=(steps, stars))
        stats += _work_stats(work)
        page = _page("insight_operations", period) if may("marketplace.view_offer") else ""
        charts.append(_work_chart(work, page))
        context |= {"funnel": funnel(), "categories": _categories(period), "servicemen": _servicemen()}
        context["pages"] = {
            key: reverse(f"admin:{view}") for key, (view, *codes) in PAGES.items() if request.user.has_perms(codes)
        }
    return context | {"stats": stats, "charts": charts}


def _page(view: str, period: Period) -> str:
    """The page of Insight about the same days."""
    span = period.span
    return f"{reverse(f'admin:{view}')}?start={span.start}&end={span.end}&by={period.by}"


# --- The work that waits


def _greeting() -> str:
    hour = clock.now().astimezone(LAGOS).hour
    return "Good morning" if hour < 12 else "Good afternoon" if hour < 17 else "Good evening"


def _cards(request: HttpRequest) -> list[dict[str, Any]]:
    lines = waiting(request)
    now = clock.now()
    return [
        {
            "queue": queue,
            "count": line.count,
            "oldest": line.oldest,
            "hot": bool(line.oldest and now - line.oldest > LATE_AFTER),
        }
        for queue in QUEUES
        if (line := lines.get(queue.key)) is not None
    ]


# --- Figures


def _money(period: Period) -> tuple[analytics.Revenue, analytics.Revenue, dict[Any, analytics.Revenue]]:
    """The money of the days, of those before, and by period: one report of all days, put together."""
    span = period.span
    report = analytics.revenue(period.before.start, span.end)
    now, before = analytics.Revenue(), analytics.Revenue()
    periods = {start: analytics.Revenue() for start in span.starts(period.by)}
    for day, money in report.periods.items():
        if day < span.start:
            before.add(money)
        else:
            now.add(money)
            periods[next(analytics.Span(day, day).starts(period.by))].add(money)
    return now, before, periods


def _money_stats(now: analytics.Revenue, before: analytics.Revenue) -> list[dict[str, Any]]:
    def naira(title: str, word: str, **more: Any) -> dict[str, Any]:
        return stat(title, getattr(now, word), getattr(before, word), naira_text, **more)

    fees = analytics.share(now.gateway_fees, now.collected) or 0
    rate = {"unit": " pts", "hint": "Revenue of the payments that counted"}
    return [
        naira("Collected", "collected", hint=many(now.payments, "payment")),
        naira("Platform revenue", "platform_revenue", hint="Booking fees and margins"),
        stat("Take rate", now.take_rate, before.take_rate, "{:.1f} %".format, **rate),
        naira("Paystack's fees", "gateway_fees", good="down", hint=f"{fees:.1f} % of what was collected"),
        naira("Refunded", "refunded", good="down", hint="Arrived at clients"),
    ]


def _work_stats(work: analytics.OperationsReport) -> list[dict[str, Any]]:
    now, before = work.totals, work.before
    ended = "Of those that ended"
    return [
        stat("Requests", now.booked, before.booked, "{:,}".format, hint="Booked"),
        time_stat("Time to assign", now.time_to_assign, before.time_to_assign),
        share_stat("Completed", now.completion_rate, before.completion_rate, hint=ended),
        share_stat("Cancelled", now.cancellation_rate, before.cancellation_rate, good="down", hint=ended),
        stat("Average rating", now.average_rating, before.average_rating, unit="", hint="Of 5, in these days"),
    ]


def open_counts() -> dict[str, int]:
    """How many requests stand where."""
    rows = ServiceRequest.objects.filter(status__in=OPEN, is_deleted=False).order_by().values_list("status")
    return dict(rows.annotate(Count("pk")))


def funnel() -> list[dict[str, Any]]:
    """How many open requests stand where, as bars."""
    counts = open_counts()
    return bars([(Status(s).label, counts.get(s, 0), f"{_requests()}?status__exact={s}") for s in OPEN])


def _requests() -> str:
    return reverse("admin:marketplace_servicerequest_changelist")


def _most(rows: QuerySet[ServiceRequest], *by: str) -> list[tuple[Any, ...]]:
    """The keys with most rows, each with its count."""
    return list(rows.order_by().values_list(*by).annotate(count=Count("pk")).order_by("-count", by[0])[:BARS])


def _categories(period: Period) -> list[dict[str, Any]]:
    """The trades most booked."""
    rows = _most(period.span.cut(ServiceRequest.objects.all(), "created_at"), "category", "category__name")
    return bars([(name, count, f"{_requests()}?category__id__exact={pk}") for pk, name, count in rows])


def _servicemen() -> list[dict[str, Any]]:
    """Who has most to do now."""
    busy = ServiceRequest.objects.filter(status__in=OPEN, serviceman__isnull=False, is_deleted=False)
    rows = _most(busy, "serviceman", "serviceman__first_name", "serviceman__last_name")
    return bars(
        [(f"{first} {last}".strip(), n, f"{_requests()}?serviceman__id__exact={pk}") for pk, first, last, n in rows]
    )


def _work_chart(work: analytics.OperationsReport, page: str) -> Chart:
    days = work.periods.values()
    return Chart(
        title="Booked and completed",
        heading=work.group_by.capitalize(),
        labels=starts(work.periods),
        series=[Series("Booked", [day.booked for day in days]), Series("Completed", [day.completed for day in days])],
        lines=True,
        nothing="No requests in these days",
        page=page,
    )
