"""The revenue report of a day, week or month in Lagos: figures from applied payments and from the ledger, and a CSV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum

from core import clock, sheets
from marketplace.enums import Account, PaymentOutcome, PaymentType
from marketplace.models import LedgerLine, Payment
from marketplace.money import ZERO, from_kobo, rounded

HEADER = ("paid_at", "reference", "request", "payment_type", "channel", "amount_ngn", "paystack_fee_ngn")


@dataclass(frozen=True)
class Span:
    """Days in Lagos, both included."""

    start: date
    end: date

    @classmethod
    def last_full(cls, period: str, *, today: date) -> Span:
        """Yesterday, last week (Monday to Sunday) or last month. Raises ValueError for any other period."""
        match period:
            case "day":
                return cls(today - timedelta(days=1), today - timedelta(days=1))
            case "week":
                monday = today - timedelta(days=today.weekday())
                return cls(monday - timedelta(days=7), monday - timedelta(days=1))
            case "month":
                last = today.replace(day=1) - timedelta(days=1)
                return cls(last.replace(day=1), last)
        raise ValueError(f"A report is about a day, week or month, not {period!r}.")

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """The first moment inside, and the first one after."""
        midnight = time(tzinfo=clock.LAGOS)
        return datetime.combine(self.start, midnight), datetime.combine(self.end + timedelta(days=1), midnight)


@dataclass(frozen=True)
class Totals:
    """What came in and what became of it, in NGN. Revenue is what the ledger says was earned, not what was paid."""

    collected: Decimal
    booking_fees: Decimal
    final_payments: Decimal
    payments: int
    refunded: Decimal
    gateway_fees: Decimal
    platform_revenue: Decimal
    earned_by_servicemen: Decimal


def totals(span: Span) -> Totals:
    """The figures of some days, in two statements."""
    fees, finals = (Q(payment_type=kind) for kind in (PaymentType.INITIAL_BOOKING, PaymentType.FINAL_PAYMENT))
    paid = _applied(span).aggregate(
        fees=Sum("amount", filter=fees), finals=Sum("amount", filter=finals), count=Count("id")
    )
    since, until = span.moments
    booked = (
        LedgerLine.objects.filter(entry__posted_at__gte=since, entry__posted_at__lt=until)
        .order_by()
        .aggregate(
            gateway=_sum(Account.GATEWAY_FEES),
            revenue=Sum("amount_kobo", filter=Q(account__in=(Account.REVENUE_BOOKING_FEE, Account.REVENUE_MARKUP))),
            refunded=_sum(Account.REFUNDS_PAYABLE, kind="refund_processed"),
            earned=_sum(Account.SERVICEMAN_PAYABLE, kind="completion_earned"),
        )
    )
    kobo = {name: from_kobo(value or 0) for name, value in booked.items()}
    booking_fees, final_payments = paid["fees"] or ZERO, paid["finals"] or ZERO
    return Totals(
        collected=booking_fees + final_payments,
        booking_fees=booking_fees,
        final_payments=final_payments,
        payments=paid["count"],
        refunded=kobo["refunded"],
        gateway_fees=kobo["gateway"],
        platform_revenue=-kobo["revenue"],
        earned_by_servicemen=-kobo["earned"],
    )


def as_csv(span: Span) -> str:
    """Every applied payment of some days, the oldest first; no cell can start a formula."""
    return b"".join(sheets.as_csv(HEADER, [_rows(span)])).decode()


def _rows(span: Span) -> Iterator[tuple[sheets.Cell, ...]]:
    for payment in _applied(span).select_related("service_request").order_by("paid_at", "id").iterator():
        yield (
            sheets.moment(payment.paid_at) if payment.paid_at else None,
            sheets.text(payment.paystack_reference),
            payment.service_request.code,
            payment.payment_type,
            payment.channel,
            rounded(payment.amount),
            from_kobo(payment.fees_kobo or 0),
        )


def _applied(span: Span) -> QuerySet[Payment]:
    since, until = span.moments
    return Payment.objects.filter(outcome=PaymentOutcome.APPLIED, paid_at__gte=since, paid_at__lt=until)


def _sum(account: Account, *, kind: str = "") -> Sum:
    of_kind = Q(entry__kind=kind) if kind else Q()
    return Sum("amount_kobo", filter=Q(account=account) & of_kind)
