"""Money, read from the books: what each word is stands in docs/analytics.md, beside the sum of the ledger it equals.

An entry counts on the Lagos day of its `happened_at`, the moment the money moved. A reversal counts, with the opposite
sign and at its own moment, under the word of the entry it takes back. Amounts are naira.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import Any

from django.db.models import Case, IntegerField, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce

from marketplace.analytics.periods import GroupBy, Span, start_of
from marketplace.enums import Account
from marketplace.models import LedgerLine
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
    """Earned: booking fees when paid, final price less estimate when the work is verified; less what goes back."""
    gmv: Decimal = ZERO
    """The work clients paid for: the final payments."""
    payments: int = 0
    """How many were collected."""
    held: Decimal = ZERO
    """What came in the wrong amount and waits for a decision. With `collected` all that came in."""
    earned: Decimal = ZERO
    """What servicemen earned by verified work, whether paid out or not."""

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
    """The money of every period that touches `first` to `last`, empty ones too; of those days only. One statement."""
    span = Span(first, last)
    report = RevenueReport(first, last, group_by, {start: Revenue() for start in span.starts(group_by)})
    sums: Any = (
        span.cut(lines(), "entry__happened_at").values(start=start_of("entry__happened_at", group_by)).annotate(**_SUMS)
    )
    for row in sums.order_by("start"):
        of_period = report.periods[row.pop("start").date()]
        of_period.payments = row.pop("count")
        for word, kobo in row.items():
            setattr(of_period, word.removesuffix("_kobo"), from_kobo(kobo))
        of_period.gmv = of_period.final_payments
    for of_period in report.periods.values():
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

_WRONG = Q(key__endswith="-wrong")
"""Of money held: what came in the wrong amount, until Paystack corrects itself. The rest came late or twice."""
COLLECTED = Q(account__in=(Account.CLIENT, Account.REVENUE_BOOKING_FEE)) & (
    Q(kind__in=("booking_fee_in", "final_payment_in")) | (Q(kind="money_held") & ~_WRONG)
)
"""Of `lines()`: those whose credit was collected."""


def lines() -> QuerySet[LedgerLine]:
    """Ledger lines with the kind and the key of their entry, or of the entry that theirs takes back."""
    return LedgerLine.objects.order_by().annotate(
        kind=Coalesce("entry__reverses__kind", "entry__kind"),
        key=Coalesce("entry__reverses__dedupe_key", "entry__dedupe_key"),
    )


def _credit(which: Q) -> Any:
    return Coalesce(-Sum("amount_kobo", filter=which), 0)


def _debit(which: Q) -> Any:
    return Coalesce(Sum("amount_kobo", filter=which), 0)


_ONE_EACH = Case(When(entry__reverses=None, then=Value(1)), default=Value(-1), output_field=IntegerField())
_SUMS: dict[str, Any] = {
    "collected_kobo": _credit(COLLECTED),
    "booking_fees_kobo": _credit(Q(account=Account.REVENUE_BOOKING_FEE, kind="booking_fee_in")),
    "final_payments_kobo": _credit(Q(account=Account.CLIENT, kind="final_payment_in")),
    "refunded_kobo": _debit(Q(account=Account.REFUNDS_PAYABLE, kind="refund_processed")),
    "gateway_fees_kobo": _debit(Q(account=Account.GATEWAY_FEES)),
    "platform_revenue_kobo": _credit(Q(account__in=(Account.REVENUE_BOOKING_FEE, Account.REVENUE_MARKUP))),
    "held_kobo": _credit(Q(account=Account.CLIENT, kind="money_held") & _WRONG),
    # What a payout takes from the account was earned all the same.
    "earned_kobo": _credit(Q(account=Account.SERVICEMAN_PAYABLE, entry__payout=None)),
    "count": Coalesce(Sum(_ONE_EACH, filter=COLLECTED), 0),
}
