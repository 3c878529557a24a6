"""The home page: a greeting, the work that waits, and how the last days went. A dozen statements, whatever the size."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Avg, Count, Min, OuterRef, Q, Subquery
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse

from core import clock
from core.clock import LAGOS
from marketplace import analytics
from marketplace.admin.labels import span
from marketplace.admin.queues import QUEUES, waiting
from marketplace.enums import OPEN, PaymentOutcome, PaymentType, Status
from marketplace.models import Offer, Payment, Rating, ServiceRequest
from marketplace.money import naira_text

SPANS = (7, 30, 90)
"""Days to look back on."""
LATE_AFTER = timedelta(hours=24)
"""A card whose oldest row waits longer is marked."""
SAMPLE = 5_000
"""How many of the latest assignments the median is taken of."""


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
    }
    may_requests = request.user.has_perm("marketplace.view_servicerequest")
    stats: list[dict[str, Any]] = []
    if request.user.has_perm("marketplace.view_payment"):
        money = analytics.revenue(before[0], last)
        stats += _money_stats(money, period)
        context["money_chart"] = _money_chart(money, period)
    if may_requests:
        work = _work(period, before)
        stats += _work_stats(work, period)
        context |= {
            "work_chart": _work_chart(work["by_day"], period),
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


def _stat(title: str, now: Any, before: Any, shown: str, *, good: str = "up", hint: str = "") -> dict[str, Any]:
    """A figure, and its change against the period before; `good` says which way is good."""
    change = None
    if before:
        change = round((float(now) - float(before)) * 100 / abs(float(before)))
    way = "" if not change else "up" if (change > 0) == (good == "up") else "down"
    return {"title": title, "shown": shown, "change": change, "way": way, "hint": hint}


def _share(part: Any, whole: Any) -> float:
    return float(part) * 100 / float(whole) if whole else 0.0


def _money_stats(report: analytics.RevenueReport, period: tuple[date, date]) -> list[dict[str, Any]]:
    now, before = analytics.Revenue(), analytics.Revenue()
    for day, money in report.periods.items():
        (now if day >= period[0] else before).add(money)
    take, take_before = (_share(r.platform_revenue, r.collected) for r in (now, before))
    return [
        _stat("Collected", now.collected, before.collected, naira_text(now.collected), hint=f"{now.payments} payments"),
        _stat(
            "Platform revenue",
            now.platform_revenue,
            before.platform_revenue,
            naira_text(now.platform_revenue),
            hint="Booking fees and margins",
        ),
        _stat("Take rate", take, take_before, f"{take:.1f} %", hint="Revenue of what was collected"),
        _stat(
            "Paystack's fees",
            now.gateway_fees,
            before.gateway_fees,
            naira_text(now.gateway_fees),
            good="down",
            hint=f"{_share(now.gateway_fees, now.collected):.1f} % of what was collected",
        ),
        _stat(
            "Refunded",
            now.refunded,
            before.refunded,
            naira_text(now.refunded),
            good="down",
            hint="Arrived at clients",
        ),
    ]


def _work(period: tuple[date, date], before: tuple[date, date]) -> dict[str, Any]:
    start, since = _midnight(period[0]), _midnight(before[0])

    def counted(column: str, **more: Any) -> dict[str, Count]:
        return {
            "now": Count("pk", filter=Q(**{f"{column}__gte": start}, **more)),
            "before": Count("pk", filter=Q(**{f"{column}__gte": since, f"{column}__lt": start}, **more)),
        }

    kinds: dict[str, dict[str, Count]] = {
        "booked": counted("created_at"),
        "completed": counted("status_since", status=Status.COMPLETED),
        "cancelled": counted("status_since", status=Status.CANCELLED),
    }
    touched = ServiceRequest.objects.filter(Q(created_at__gte=since) | Q(status_since__gte=since))
    totals = touched.aggregate(
        **{f"{kind}_{when}": count for kind, both in kinds.items() for when, count in both.items()}
    )
    stars = Rating.objects.visible().aggregate(
        now=Avg("rating", filter=Q(created_at__gte=start)),
        before=Avg("rating", filter=Q(created_at__gte=since, created_at__lt=start)),
    )
    booked_by_day = (
        ServiceRequest.objects.filter(created_at__gte=start)
        .order_by()
        .values_list(TruncDate("created_at", tzinfo=LAGOS))
        .annotate(Count("pk"))
    )
    done_by_day = (
        ServiceRequest.objects.filter(status=Status.COMPLETED, status_since__gte=start)
        .order_by()
        .values_list(TruncDate("status_since", tzinfo=LAGOS))
        .annotate(Count("pk"))
    )
    return {
        **totals,
        "stars": stars,
        "to_assign": _times_to_assign(since),
        "by_day": (dict(booked_by_day), dict(done_by_day)),
    }


def _times_to_assign(since: datetime) -> list[tuple[datetime, float]]:
    """When fees were paid, and how many seconds each then waited for its first offer."""
    first = Offer.objects.filter(request=OuterRef("service_request")).order_by().values("request")
    rows = (
        Payment.objects.filter(
            payment_type=PaymentType.INITIAL_BOOKING, outcome=PaymentOutcome.APPLIED, paid_at__gte=since
        )
        .annotate(offered=Subquery(first.annotate(at=Min("sent_at")).values("at")))
        .filter(offered__isnull=False)
        .order_by("-paid_at")
        .values_list("paid_at", "offered")[:SAMPLE]
    )
    return [(paid, max(0.0, (offered - paid).total_seconds())) for paid, offered in rows if paid]


def _work_stats(work: dict[str, Any], period: tuple[date, date]) -> list[dict[str, Any]]:
    start = _midnight(period[0])
    now = sorted(seconds for paid, seconds in work["to_assign"] if paid >= start)
    before = sorted(seconds for paid, seconds in work["to_assign"] if paid < start)
    ended, ended_before = (work[f"completed_{when}"] + work[f"cancelled_{when}"] for when in ("now", "before"))
    done, done_before = _share(work["completed_now"], ended), _share(work["completed_before"], ended_before)
    lost, lost_before = _share(work["cancelled_now"], ended), _share(work["cancelled_before"], ended_before)
    stars = work["stars"]
    return [
        _stat("Requests", work["booked_now"], work["booked_before"], f"{work['booked_now']:,}", hint="Booked"),
        _stat(
            "Time to assign",
            _quantile(now, 0.5),
            _quantile(before, 0.5),
            span(_quantile(now, 0.5)) if now else "-",
            good="down",
            hint=f"Median; nine of ten within {span(_quantile(now, 0.9))}" if now else "Median",
        ),
        _stat("Completed", done, done_before, f"{done:.0f} %" if ended else "-", hint="Of those that ended"),
        _stat(
            "Cancelled", lost, lost_before, f"{lost:.0f} %" if ended else "-", good="down", hint="Of those that ended"
        ),
        _stat(
            "Average rating",
            stars["now"] or 0,
            stars["before"] or 0,
            f"{stars['now']:.2f}" if stars["now"] else "-",
            hint="Of 5, in these days",
        ),
    ]


def _quantile(ordered: Sequence[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


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


def _work_chart(by_day: tuple[dict[date, int], dict[date, int]], period: tuple[date, date]) -> dict[str, Any]:
    days = _days(period)
    booked, done = by_day
    return chart(
        [f"{day:%-d %b}" for day in days],
        [
            {"label": "Booked", "data": [booked.get(d, 0) for d in days], "borderColor": "var(--color-primary-600)"},
            {"label": "Completed", "data": [done.get(d, 0) for d in days], "borderColor": "var(--color-base-400)"},
        ],
        empty=not booked and not done,
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
