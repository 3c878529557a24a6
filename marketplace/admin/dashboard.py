"""The home page: a greeting, the work that waits, and how the last days went. As many statements whatever the size."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse

from core import clock
from core.clock import LAGOS
from marketplace import analytics
from marketplace.admin.labels import NOTHING, span
from marketplace.admin.queues import QUEUES, waiting
from marketplace.analytics.operations import stars, steps
from marketplace.enums import OPEN, Status
from marketplace.models import ServiceRequest
from marketplace.money import naira_text

SPANS = (7, 30, 90)
"""Days to look back on."""
LATE_AFTER = timedelta(hours=24)
"""A card whose oldest row waits longer is marked."""


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Fill the home page; each part only for whoever may see its rows."""
    days = int(asked) if (asked := request.GET.get("days", "")) in map(str, SPANS) else 30
    last = clock.today()
    period = (last - timedelta(days=days - 1), last)
    before = (last - timedelta(days=2 * days - 1), last - timedelta(days=days))
    context |= {
        "title": "Home",
        "greeting": _greeting(),
        "today": last,
        "queues": _cards(request),
        "spans": [{"title": f"{each} days", "link": f"?days={each}", "active": each == days} for each in SPANS],
        "days": days,
        "against": f"against the {days} days before",
    }
    may_requests = request.user.has_perm("marketplace.view_servicerequest")
    stats: list[dict[str, Any]] = []
    if request.user.has_perm("marketplace.view_payment"):
        money = analytics.revenue(before[0], last)
        stats += _money_stats(money, period)
        context["money_chart"] = _money_chart(money, period)
    if may_requests:
        work = analytics.operations(*period, about=(steps, stars))
        stats += _work_stats(work)
        context |= {
            "work_chart": _work_chart(work),
            "funnel": _funnel(),
            "categories": _categories(period),
            "servicemen": _servicemen(),
        }
    context["stats"] = stats
    return context


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


def stat(title: str, now: Any, before: Any, shown: str, *, good: str = "up", hint: str = "") -> dict[str, Any]:
    """A figure, and its change against the period before; `good` says which way is good, if any."""
    change = None
    if before and now is not None:
        change = round((float(now) - float(before)) * 100 / abs(float(before)))
    way = "" if not change or not good else "up" if (change > 0) == (good == "up") else "down"
    return {"title": title, "shown": shown, "change": change, "way": way, "hint": hint}


def _share(part: Any, whole: Any) -> float:
    return float(part) * 100 / float(whole) if whole else 0.0


def _money_stats(report: analytics.RevenueReport, period: tuple[date, date]) -> list[dict[str, Any]]:
    now, before = analytics.Revenue(), analytics.Revenue()
    for day, money in report.periods.items():
        (now if day >= period[0] else before).add(money)
    return [
        stat("Collected", now.collected, before.collected, naira_text(now.collected), hint=f"{now.payments} payments"),
        stat(
            "Platform revenue",
            now.platform_revenue,
            before.platform_revenue,
            naira_text(now.platform_revenue),
            hint="Booking fees and margins",
        ),
        stat(
            "Take rate",
            now.take_rate,
            before.take_rate,
            NOTHING if now.take_rate is None else f"{now.take_rate:.1f} %",
            hint="Revenue of the payments that counted",
        ),
        stat(
            "Paystack's fees",
            now.gateway_fees,
            before.gateway_fees,
            naira_text(now.gateway_fees),
            good="down",
            hint=f"{_share(now.gateway_fees, now.collected):.1f} % of what was collected",
        ),
        stat(
            "Refunded",
            now.refunded,
            before.refunded,
            naira_text(now.refunded),
            good="down",
            hint="Arrived at clients",
        ),
    ]


def _work_stats(work: analytics.OperationsReport) -> list[dict[str, Any]]:
    now, before = work.totals, work.before
    return [
        stat("Requests", now.booked, before.booked, f"{now.booked:,}", hint="Booked"),
        time_stat("Time to assign", now.time_to_assign, before.time_to_assign),
        share_stat("Completed", now.completion_rate, before.completion_rate, hint="Of those that ended"),
        share_stat(
            "Cancelled", now.cancellation_rate, before.cancellation_rate, good="down", hint="Of those that ended"
        ),
        stat(
            "Average rating",
            now.average_rating,
            before.average_rating,
            NOTHING if now.average_rating is None else f"{now.average_rating}",
            hint="Of 5, in these days",
        ),
    ]


def share_stat(title: str, now: Decimal | None, before: Decimal | None, **more: Any) -> dict[str, Any]:
    """A figure in per cent; a dash where there is nothing to say."""
    return stat(title, now, before, NOTHING if now is None else f"{now:.0f} %", **more)


def time_stat(title: str, now: analytics.Spread, before: analytics.Spread) -> dict[str, Any]:
    """A median, and what nine of ten are within; shorter is better."""
    shown = NOTHING if now.median is None else span(now.median)
    hint = "Median" if now.p90 is None else f"Median; nine of ten within {span(now.p90)}"
    return stat(title, now.median, before.median, shown, good="down", hint=hint)


def _funnel() -> list[dict[str, Any]]:
    """How many open requests stand where."""
    rows = ServiceRequest.objects.filter(status__in=OPEN, is_deleted=False).order_by().values_list("status")
    counts = dict(rows.annotate(Count("pk")))
    most = max(counts.values(), default=0)
    url = reverse("admin:marketplace_servicerequest_changelist")
    return [
        {
            "title": Status(status).label,
            "count": counts.get(status, 0),
            "part": f"{_share(counts.get(status, 0), most):.0f}%",
            "url": f"{url}?status__exact={status}",
        }
        for status in OPEN
    ]


def _categories(period: tuple[date, date]) -> list[dict[str, Any]]:
    """The trades most booked."""
    rows = (
        ServiceRequest.objects.filter(created_at__gte=_midnight(period[0]))
        .order_by()
        .values_list("category", "category__name")
        .annotate(count=Count("pk"))
        .order_by("-count", "category__name")[:6]
    )
    url = reverse("admin:marketplace_servicerequest_changelist")
    most = max((count for _, _, count in rows), default=0)
    return [
        {"title": name, "count": n, "part": f"{_share(n, most):.0f}%", "url": f"{url}?category__id__exact={pk}"}
        for pk, name, n in rows
    ]


def _servicemen() -> list[dict[str, Any]]:
    """Who has most to do now."""
    rows = (
        ServiceRequest.objects.filter(status__in=OPEN, serviceman__isnull=False, is_deleted=False)
        .order_by()
        .values_list("serviceman", "serviceman__first_name", "serviceman__last_name")
        .annotate(count=Count("pk"))
        .order_by("-count", "serviceman")[:6]
    )
    url = reverse("admin:marketplace_servicerequest_changelist")
    most = max((row[3] for row in rows), default=0)
    return [
        {
            "title": f"{first} {last_name}".strip(),
            "count": count,
            "part": f"{_share(count, most):.0f}%",
            "url": f"{url}?serviceman__id__exact={pk}",
        }
        for pk, first, last_name, count in rows
    ]


# --- Charts


def _days(period: tuple[date, date]) -> list[date]:
    return [period[0] + timedelta(days=n) for n in range((period[1] - period[0]).days + 1)]


def _money_chart(report: analytics.RevenueReport, period: tuple[date, date]) -> dict[str, Any]:
    days = _days(period)
    fees = [float(report.periods[day].booking_fees) for day in days]
    finals = [float(report.periods[day].final_payments) for day in days]
    return chart(
        [f"{day:%-d %b}" for day in days],
        [
            {"label": "Final payments", "data": finals, "backgroundColor": "var(--color-primary-600)"},
            {"label": "Booking fees", "data": fees, "backgroundColor": "var(--color-primary-300)"},
        ],
        stacked=True,
        empty=not any(fees) and not any(finals),
    )


def _work_chart(work: analytics.OperationsReport) -> dict[str, Any]:
    days = work.periods.values()
    booked, done = [day.booked for day in days], [day.completed for day in days]
    return chart(
        [f"{day:%-d %b}" for day in work.periods],
        [
            {"label": "Booked", "data": booked, "borderColor": "var(--color-primary-600)"},
            {"label": "Completed", "data": done, "borderColor": "var(--color-base-400)"},
        ],
        empty=not any(booked) and not any(done),
    )


def chart(
    labels: list[str], datasets: list[dict[str, Any]], *, empty: bool, stacked: bool = False, named: bool = False
) -> dict[str, Any]:
    """Data and options for Unfold's chart component, whose own bars are 4 pixels wide.

    `named`: the labels are names, of which none can be guessed from its neighbours as a day can.
    """
    ticks = {"color": "#9ca3af", "maxRotation": 60 if named else 0, "autoSkip": not named, "autoSkipPadding": 16}
    grid = {"display": False}
    options = {
        "animation": False,
        "maintainAspectRatio": False,
        "responsive": True,
        "interaction": {"mode": "index", "intersect": False},
        "datasets": {
            "bar": {"maxBarThickness": 26, "borderRadius": 3, "categoryPercentage": 0.8},
            "line": {"borderWidth": 2, "pointRadius": 0, "pointHoverRadius": 4, "cubicInterpolationMode": "monotone"},
        },
        "plugins": {
            "legend": {
                "align": "end",
                "labels": {"boxHeight": 6, "boxWidth": 6, "usePointStyle": True, "color": "#9ca3af"},
            }
        },
        "scales": {
            "x": {"stacked": stacked, "ticks": ticks, "grid": grid, "border": {"display": False}},
            "y": {
                "stacked": stacked,
                "beginAtZero": True,
                "ticks": {"color": "#9ca3af", "precision": 0, "maxTicksLimit": 6},
                "grid": {"display": True, "tickWidth": 0},
                "border": {"display": False},
            },
        },
    }
    return {
        "data": json.dumps({"labels": labels, "datasets": datasets}),
        "options": json.dumps(options),
        "empty": empty,
    }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=LAGOS)
