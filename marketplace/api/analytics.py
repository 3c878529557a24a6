"""/api/admin/analytics/: revenue, servicemen and trades in figures."""

from datetime import date, timedelta
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from core import clock
from core.api import PROBLEMS, Answer, Day, Naira, Page, PageOf, PageQuery, Query, Router, Schema, paginate
from core.auth import admin_who
from core.errors import Invalid
from marketplace import analytics
from marketplace.api.schemas.analytics import OperationsReportOut
from marketplace.api.schemas.common import Call, Stars, example
from marketplace.money import from_kobo

router = Router(tags=["Analytics"])
analyst = admin_who("marketplace.view_dailyrevenue")

USUAL_DAYS, MOST_DAYS = 30, 3660
MONEY: dict[str, Any] = {
    "collected": "24000.00",
    "booking_fees": "2000.00",
    "final_payments": "22000.00",
    "refunded": "0.00",
    "gateway_fees": "460.00",
    "platform_revenue": "4000.00",
    "gmv": "22000.00",
    "payments": 2,
}


class DaysQuery(Schema):
    from_day: Day | None = Field(None, alias="from", description="The first day; 30 days up to `to` by default.")
    to_day: Day | None = Field(None, alias="to", description="The last day, included; today by default.")
    group_by: Literal["day", "week", "month"] = "day"

    @field_validator("to_day")
    @classmethod
    def _after_from(cls, value: Any, info: ValidationInfo) -> Any:
        first = info.data.get("from_day")
        if value is not None and first is not None and value < first:
            raise ValueError("This is before 'from'")
        return value


class RevenueOut(Answer):
    """Money of some days, in naira.

    Collected is every proven payment, booking fees included; booking_fees and final_payments are those that counted
    (gmv is the latter); refunded is what arrived back; gateway_fees is what Paystack kept; platform_revenue is
    booking fees, and final price less estimate once the work is verified, less what goes back of them; payments is
    how many were collected. Each equals the ledger, by when the money moved.
    """

    collected: Naira
    booking_fees: Naira
    final_payments: Naira
    refunded: Naira
    gateway_fees: Naira
    platform_revenue: Naira
    gmv: Naira
    payments: int


class PeriodOut(RevenueOut):
    """Money of one period, which begins on `start`."""

    start: Day


class RevenueReportOut(Answer):
    """Revenue by periods, empty ones included. Weeks start on Mondays; only days from `from` to `to` count."""

    from_day: Day = Field(alias="from")
    to_day: Day = Field(alias="to")
    group_by: Literal["day", "week", "month"]
    totals: RevenueOut
    periods: list[PeriodOut]

    model_config = example(
        **{"from": "2026-11-22", "to": "2026-11-22"},
        group_by="day",
        totals=MONEY,
        periods=[{"start": "2026-11-22", **MONEY}],
    )


class ServicemanFigures(Answer):
    """How one serviceman does. `accepted` counts jobs he gave back later too; `earned` is naira for verified work."""

    id: int
    name: str
    rating: Stars
    ratings: int
    total_jobs_completed: int
    open_jobs: int
    offers: int
    accepted: int
    declined: int
    lapsed: int
    earned: Naira

    model_config = example(
        id=12,
        name="Tunde Bello",
        rating="4.67",
        ratings=3,
        total_jobs_completed=11,
        open_jobs=1,
        offers=14,
        accepted=12,
        declined=1,
        lapsed=1,
        earned="240000.00",
    )


class CategoryFigures(Answer):
    """How one trade does. `average_rating` is null while nobody has rated."""

    id: int
    name: str
    requests: int
    completed: int
    cancelled: int
    collected: Naira
    average_rating: Stars | None

    model_config = example(
        id=1, name="Plumbing", requests=20, completed=11, cancelled=2, collected="310000.00", average_rating="4.50"
    )


@router.get("/revenue/", auth=analyst, response={200: RevenueReportOut, **PROBLEMS}, by_alias=True, summary="Revenue")
def read_revenue(request: Call, query: Query[DaysQuery]) -> dict[str, Any]:
    """Revenue by day, week or month of Lagos, the last 30 days unless asked otherwise."""
    report = analytics.revenue(*_days(query), group_by=query.group_by)
    return {
        "from": report.first,
        "to": report.last,
        "group_by": report.group_by,
        "totals": vars(report.totals),
        "periods": [{"start": start, **vars(money)} for start, money in report.periods.items()],
    }


@router.get(
    "/operations/", auth=analyst, response={200: OperationsReportOut, **PROBLEMS}, by_alias=True, summary="Operations"
)
def read_operations(request: Call, query: Query[DaysQuery]) -> dict[str, Any]:
    """How the work goes by day, week or month of Lagos and against the period before, the last 30 days by default."""
    report = analytics.overview(*_days(query), group_by=query.group_by)
    return {
        "from": report.span.start,
        "to": report.span.end,
        "group_by": query.group_by,
        "totals": report.totals,
        "before": {"from": report.span_before.start, "to": report.span_before.end, **report.before},
        "periods": [{"start": start, **words} for start, words in report.periods.items()],
    }


@router.get("/servicemen/", auth=analyst, response={200: Page[ServicemanFigures], **PROBLEMS}, summary="Servicemen")
def list_servicemen(request: Call, query: Query[PageQuery]) -> PageOf:
    """How servicemen do, those with the most completed jobs first."""
    return paginate(
        request,
        analytics.servicemen(),
        ordering="-total_jobs_completed",
        limit=query.limit,
        cursor=query.cursor,
        to_item=_serviceman,
    )


@router.get("/categories/", auth=analyst, response={200: Page[CategoryFigures], **PROBLEMS}, summary="Categories")
def list_categories(request: Call, query: Query[PageQuery]) -> PageOf:
    """How trades do, by name."""
    return paginate(request, analytics.categories(), ordering="name", limit=query.limit, cursor=query.cursor)


def _days(query: DaysQuery) -> tuple[date, date]:
    last = query.to_day or max(clock.today(), query.from_day or clock.today())
    first = query.from_day or last - timedelta(days=USUAL_DAYS - 1)
    if (last - first).days >= MOST_DAYS:
        raise Invalid("Ask for ten years at most.", code="too_long", field="from")
    return first, last


def _serviceman(profile: Any) -> dict[str, Any]:
    counts = ("rating", "ratings", "total_jobs_completed", "open_jobs", "offers", "accepted", "declined", "lapsed")
    return {
        "id": profile.user_id,
        "name": profile.user.name,
        **{name: getattr(profile, name) for name in counts},
        "earned": from_kobo(profile.earned_kobo),
    }
