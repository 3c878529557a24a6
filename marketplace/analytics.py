"""What the business earns and how its people and trades do, for the API, the dashboard and reports.

Days are cut in Lagos. Amounts are naira. The words of revenue, all by the Lagos day of `paid_at` unless said otherwise:

- collected: every proven payment, booking fees included, also one that came late or twice (a refund is then due)
- booking_fees, final_payments: the payments that counted; gmv is the final payments
- refunded: refunds that have arrived, by the day they did
- gateway_fees: what Paystack kept, less what payers bore of it
- platform_revenue: booking fees, and final payments less the estimates they were priced on
- payments: how many were collected
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

from django.db.models import (
    Avg,
    BigIntegerField,
    Count,
    DecimalField,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce, TruncDay, TruncMonth, TruncWeek

from core.clock import LAGOS
from marketplace.enums import (
    OPEN,
    Account,
    OfferAnswer,
    OfferRank,
    PaymentOutcome,
    PaymentStatus,
    PaymentType,
    RefundStatus,
    Status,
)
from marketplace.models import (
    Category,
    LedgerLine,
    Offer,
    Payment,
    Price,
    Rating,
    Refund,
    ServicemanProfile,
    ServiceRequest,
)
from marketplace.money import ZERO, from_kobo, rounded

GroupBy = Literal["day", "week", "month"]
_TRUNC = {"day": TruncDay, "week": TruncWeek, "month": TruncMonth}
_NAIRA = DecimalField(max_digits=20, decimal_places=2)


@dataclass
class Revenue:
    """The money of one period; see the words above."""

    collected: Decimal = ZERO
    booking_fees: Decimal = ZERO
    final_payments: Decimal = ZERO
    refunded: Decimal = ZERO
    gateway_fees: Decimal = ZERO
    platform_revenue: Decimal = ZERO
    gmv: Decimal = ZERO
    payments: int = 0

    def add(self, other: Revenue) -> None:
        """Take in the money of another period."""
        for each in fields(Revenue):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass
class RevenueReport:
    """Revenue from `first` to `last`, both included, by periods that start on the first day of a day, week or month."""

    first: date
    last: date
    group_by: GroupBy
    periods: dict[date, Revenue]
    totals: Revenue = field(default_factory=Revenue)


def revenue(first: date, last: date, *, group_by: GroupBy = "day") -> RevenueReport:
    """The money of every period that touches `first` to `last`, empty ones too; of those days only. Two statements."""
    periods = {start: Revenue() for start in _starts(first, last, group_by)}
    report = RevenueReport(first, last, group_by, periods)
    trunc = _TRUNC[group_by]
    by_period: Any = _paid(first, last).values(start=trunc("paid_at", tzinfo=LAGOS)).annotate(**_SUMS).order_by("start")
    for row in by_period:
        of_period = periods[row["start"].date()]
        of_period.collected = rounded(row["collected"])
        of_period.booking_fees = rounded(row["fees"])
        of_period.final_payments = of_period.gmv = rounded(row["finals"])
        of_period.gateway_fees = from_kobo(row["gateway"])
        of_period.platform_revenue = rounded(row["fees"] + row["finals"] - row["estimates"])
        of_period.payments = row["count"]
    for row in (
        _within(Refund.objects.filter(status=RefundStatus.PROCESSED), "processed_at", first, last)
        .values(start=trunc("processed_at", tzinfo=LAGOS))
        .annotate(total=Sum("amount"))
        .order_by("start")
    ):
        periods[row["start"].date()].refunded = rounded(row["total"])
    for of_period in periods.values():
        report.totals.add(of_period)
    return report


def earnings() -> QuerySet[LedgerLine]:
    """What servicemen have earned: credits, and debits where one was taken back. What payouts take was earned, too."""
    return LedgerLine.objects.filter(account=Account.SERVICEMAN_PAYABLE, entry__payout=None)


def servicemen() -> QuerySet[ServicemanProfile]:
    """How each serviceman does.

    ratings, open_jobs (of which he is the assigned one), offers (as first choice, or promoted), accepted (also given
    back later), declined, lapsed, earned_kobo (for verified work, paid out or not).
    """
    offers = Offer.objects.filter(serviceman=OuterRef("user"), rank=OfferRank.PRIMARY)
    earned = earnings().filter(serviceman=OuterRef("user"))
    return ServicemanProfile.objects.select_related("user").annotate(
        ratings=_count(Rating.objects.visible().filter(serviceman=OuterRef("user"))),
        open_jobs=_count(ServiceRequest.objects.filter(serviceman=OuterRef("user"), status__in=OPEN)),
        offers=_count(offers),
        accepted=_count(offers.filter(answer__in=(OfferAnswer.ACCEPTED, OfferAnswer.WITHDRAWN))),
        declined=_count(offers.filter(answer=OfferAnswer.DECLINED)),
        lapsed=_count(offers.filter(answer=OfferAnswer.LAPSED)),
        earned_kobo=_total(earned, "serviceman", -Sum("amount_kobo"), BigIntegerField()),
    )


def categories() -> QuerySet[Category]:
    """How each trade does: requests, completed, cancelled, collected (NGN, as above), average_rating or None."""
    requests = ServiceRequest.objects.filter(category=OuterRef("pk"))
    paid = Payment.objects.filter(service_request__category=OuterRef("pk"), status=PaymentStatus.SUCCESSFUL)
    rated = Rating.objects.visible().filter(service_request__category=OuterRef("pk"))
    return Category.objects.annotate(
        requests=_count(requests, "category"),
        completed=_count(requests.filter(status=Status.COMPLETED), "category"),
        cancelled=_count(requests.filter(status=Status.CANCELLED), "category"),
        collected=_total(paid, "service_request__category", Sum("amount"), _NAIRA),
        average_rating=Subquery(_grouped(rated, "service_request__category", Avg("rating"))),
    )


# --- How it is counted

_APPLIED = Q(outcome=PaymentOutcome.APPLIED)
_FEE = _APPLIED & Q(payment_type=PaymentType.INITIAL_BOOKING)
_FINAL = _APPLIED & Q(payment_type=PaymentType.FINAL_PAYMENT)
_SUMS: dict[str, Any] = {
    "collected": Sum("amount"),
    "fees": Coalesce(Sum("amount", filter=_FEE), ZERO, output_field=_NAIRA),
    "finals": Coalesce(Sum("amount", filter=_FINAL), ZERO, output_field=_NAIRA),
    "estimates": Coalesce(Sum("estimate", filter=_FINAL), ZERO, output_field=_NAIRA),
    "gateway": Sum("gateway_kobo"),
    "count": Count("pk"),
}


def _paid(first: date, last: date) -> QuerySet[Payment]:
    """Proven payments of these days, with the estimate each was priced on and what Paystack's fee cost us, in kobo."""
    price = Price.objects.filter(request=OuterRef("service_request"), version=OuterRef("price_version"))
    asked = F("amount") * 100
    excess = ExpressionWrapper(Coalesce(F("received_kobo"), asked) - asked, output_field=BigIntegerField())
    return _within(Payment.objects.filter(status=PaymentStatus.SUCCESSFUL), "paid_at", first, last).annotate(
        estimate=Subquery(price.values("estimate")[:1]),
        gateway_kobo=ExpressionWrapper(Coalesce(F("fees_kobo"), 0) - excess, output_field=BigIntegerField()),
    )


def _within[Row: QuerySet[Any]](rows: Row, column: str, first: date, last: date) -> Row:
    """Rows of these days in Lagos, by the bare column, so that an index serves."""
    start, end = (datetime.combine(day, time(), tzinfo=LAGOS) for day in (first, last + timedelta(days=1)))
    return rows.filter(**{f"{column}__gte": start, f"{column}__lt": end})


def _starts(first: date, last: date, group_by: GroupBy) -> Iterator[date]:
    """The first day of every period that touches these days."""
    if group_by == "week":
        first -= timedelta(days=first.weekday())
    elif group_by == "month":
        first = first.replace(day=1)
    while first <= last:
        yield first
        if group_by == "month":
            first = (first + timedelta(days=31)).replace(day=1)
        else:
            first += timedelta(days=7 if group_by == "week" else 1)


def _grouped(rows: QuerySet[Any], by: str, total: Any) -> QuerySet[Any]:
    return rows.order_by().values(by).annotate(total=total).values("total")


def _count(rows: QuerySet[Any], by: str = "serviceman") -> Coalesce:
    return Coalesce(Subquery(_grouped(rows, by, Count("pk")), output_field=IntegerField()), 0)


def _total(rows: QuerySet[Any], by: str, total: Any, kind: Any) -> Coalesce:
    return Coalesce(Subquery(_grouped(rows, by, total), output_field=kind), 0, output_field=kind)
