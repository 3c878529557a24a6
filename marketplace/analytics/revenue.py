"""Money: what each word is stands in docs/analytics.md, beside the sum of the ledger it equals.

Payments count by `paid_at`, refunds by `processed_at`, what was earned by the ledger's `happened_at`. An entry has the
moment of its row, so that both say the same, day by day in Lagos. Amounts are naira.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    DecimalField,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    When,
)
from django.db.models.functions import Coalesce

from marketplace.analytics.periods import GroupBy, Span, start_of
from marketplace.enums import Account, PaymentOutcome, PaymentStatus, PaymentType, RefundStatus
from marketplace.models import LedgerLine, Payment, Price, Refund
from marketplace.money import ZERO, from_kobo, rounded


@dataclass
class Revenue:
    """The money of one period; each is a sum of movements, so that periods add up."""

    collected: Decimal = ZERO
    """All proven payments, booking fees included; also those that came late or twice, which go back."""
    booking_fees: Decimal = ZERO
    """The booking fees that counted."""
    final_payments: Decimal = ZERO
    """The final payments that counted."""
    refunded: Decimal = ZERO
    """What arrived back at clients."""
    gateway_fees: Decimal = ZERO
    """What Paystack kept, less what payers bore of it."""
    platform_revenue: Decimal = ZERO
    """Booking fees, and final payments less the estimates they were priced on: what the payments brought us."""
    gmv: Decimal = ZERO
    """The work clients paid for: the final payments."""
    payments: int = 0
    """How many were collected."""
    held: Decimal = ZERO
    """What came in the wrong amount and waits for a decision. With `collected` all that came in."""
    earned: Decimal = ZERO
    """What servicemen earned by verified work, whether paid out or not."""
    net_revenue: Decimal = ZERO
    """What the books call revenue: the margin counts when the work is verified, less what goes back of it."""

    @property
    def take_rate(self) -> Decimal | None:
        """Platform revenue per cent of the payments that counted; None without any."""
        return share(self.platform_revenue, self.booking_fees + self.final_payments)

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
    """The money of every period that touches `first` to `last`, empty ones too; of those days only.

    Three statements, however many rows.
    """
    span = Span(first, last)
    report = RevenueReport(first, last, group_by, {start: Revenue() for start in span.starts(group_by)})
    back = Refund.objects.filter(status=RefundStatus.PROCESSED)
    for rows, moment, sums in (
        (_came(), "paid_at", _OF_PAYMENTS),
        (back, "processed_at", {"refunded": Sum("amount")}),
        (LedgerLine.objects.all(), "entry__happened_at", _OF_BOOKS),
    ):
        by_period: Any = span.cut(rows.order_by(), moment).values(start=start_of(moment, group_by)).annotate(**sums)
        for row in by_period.order_by("start"):
            of_period = report.periods[row.pop("start").date()]
            for word, amount in row.items():
                kobo = word.endswith("_kobo")
                exact = amount if word == "payments" else from_kobo(amount) if kobo else rounded(amount)
                setattr(of_period, word.removesuffix("_kobo"), exact)
    for of_period in report.periods.values():
        of_period.gmv = of_period.final_payments
        report.totals.add(of_period)
    return report


@dataclass(frozen=True)
class Payable:
    """What is owed to servicemen at the end of the day before, and at the end of each period, in naira."""

    opening: Decimal
    periods: dict[date, Decimal]

    @property
    def closing(self) -> Decimal:
        """At the end of the last period."""
        return self.periods[max(self.periods)] if self.periods else self.opening


def payable(first: date, last: date, *, group_by: GroupBy = "day") -> Payable:
    """What has been earned and not paid out, at the end of each period or of `last`. Two statements."""
    span = Span(first, last)
    owed = LedgerLine.objects.filter(account=Account.SERVICEMAN_PAYABLE).order_by()
    before = owed.filter(entry__happened_at__lt=span.moments[0]).aggregate(kobo=-Sum("amount_kobo"))["kobo"] or 0
    moved: Any = span.cut(owed, "entry__happened_at").values_list(start_of("entry__happened_at", group_by))
    by_start = {start.date(): -kobo for start, kobo in moved.annotate(kobo=Sum("amount_kobo"))}
    starts = list(span.starts(group_by))
    balances = accumulate((by_start.get(start, 0) for start in starts), initial=before)
    opening, *ends = (from_kobo(kobo) for kobo in balances)
    return Payable(opening, dict(zip(starts, ends, strict=True)))


def share(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """`part` per cent of `whole`, to two decimals; None of nothing."""
    return rounded(Decimal(part) * 100 / Decimal(whole)) if whole else None


# --- How it is summed

_NAIRA = DecimalField(max_digits=20, decimal_places=2)
_PROVEN = Q(status=PaymentStatus.SUCCESSFUL)
_FEE = Q(outcome=PaymentOutcome.APPLIED, payment_type=PaymentType.INITIAL_BOOKING)
_FINAL = Q(outcome=PaymentOutcome.APPLIED, payment_type=PaymentType.FINAL_PAYMENT)


def _naira(which: Q, what: Any = "amount") -> Any:
    return Coalesce(Sum(what, filter=which), ZERO, output_field=_NAIRA)


def _kobo(which: Q, what: Any, *, sign: int = 1) -> Any:
    return Coalesce(sign * Sum(what, filter=which), 0, output_field=BigIntegerField())


def _came() -> QuerySet[Payment]:
    """Proven money, and wrong amounts that are held, with the estimate each was priced on and what the fee cost us."""
    price = Price.objects.filter(request=OuterRef("service_request"), version=OuterRef("price_version"))
    asked = F("amount") * 100
    # What came beyond what was asked is the fee, borne by the payer; of a wrong amount all of it is held.
    excess = ExpressionWrapper(Coalesce(F("received_kobo"), asked) - asked, output_field=BigIntegerField())
    borne = Case(When(_PROVEN, then=excess), default=0, output_field=BigIntegerField())
    return Payment.objects.filter(_PROVEN | Q(outcome=PaymentOutcome.MISMATCH, received_kobo__gt=0)).annotate(
        estimate=Subquery(price.values("estimate")[:1]),
        cost_kobo=ExpressionWrapper(Coalesce(F("fees_kobo"), 0) - borne, output_field=BigIntegerField()),
    )


_OF_PAYMENTS: dict[str, Any] = {
    "collected": _naira(_PROVEN),
    "booking_fees": _naira(_FEE),
    "final_payments": _naira(_FINAL),
    "platform_revenue": _naira(_FEE | _FINAL) - _naira(_FINAL, "estimate"),
    "gateway_fees_kobo": _kobo(Q(), "cost_kobo"),
    "held_kobo": _kobo(~_PROVEN, "received_kobo"),
    "payments": Count("pk", filter=_PROVEN),
}
_OF_BOOKS: dict[str, Any] = {
    # What a payout takes from the account was earned all the same.
    "earned_kobo": _kobo(Q(account=Account.SERVICEMAN_PAYABLE, entry__payout=None), "amount_kobo", sign=-1),
    "net_revenue_kobo": _kobo(
        Q(account__in=(Account.REVENUE_BOOKING_FEE, Account.REVENUE_MARKUP)), "amount_kobo", sign=-1
    ),
}
