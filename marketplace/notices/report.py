"""The revenue report of a day, week or month in Lagos: the analytics beside those of the period before, and a CSV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core import sheets
from marketplace import analytics
from marketplace.analytics import Revenue, Span
from marketplace.enums import PaymentStatus
from marketplace.models import Payment
from marketplace.money import from_kobo, naira_text, rounded

HEADER = ("paid_at", "reference", "request", "payment_type", "channel", "amount_ngn", "paystack_fee_ngn", "outcome")
GROUP_BY: dict[str, analytics.GroupBy] = {"day": "day", "week": "week", "month": "month"}
LINES = (
    ("Booking fees", "booking_fees"),
    ("Final payments", "final_payments"),
    ("Held, wrong amounts", "held"),
    ("Refunded", "refunded"),
    ("Paystack fees", "gateway_fees"),
    ("Earned by servicemen", "earned"),
    ("Platform revenue", "platform_revenue"),
)
"""What the mail shows under the collected, by the words of the analytics."""


@dataclass(frozen=True)
class Report:
    """The money of some days and of those before, and what is payable to servicemen at the end of each, in NGN."""

    now: Revenue
    before: Revenue
    payable: Decimal
    payable_before: Decimal

    def rows(self) -> list[tuple[str, str]]:
        """Label and figure, with its change, as they stand in the mail."""
        return [
            ("Payments", _compared(str(self.now.payments), self.now.payments, self.before.payments)),
            *((label, _money(getattr(self.now, word), getattr(self.before, word))) for label, word in LINES),
            ("Take rate", "-" if self.now.take_rate is None else f"{self.now.take_rate} %"),
            ("Payable to servicemen", _money(self.payable, self.payable_before)),
            ("Collected the period before", naira_text(self.before.collected)),
        ]


def report(span: Span, *, period: str = "day") -> Report:
    """The report on some days that are a full `period`. Four statements."""
    group_by = GROUP_BY.get(period, "day")
    then = span.before(group_by)
    owed = analytics.payable(span.start, span.end, group_by=group_by)
    return Report(
        now=analytics.revenue(span.start, span.end, group_by=group_by).totals,
        before=analytics.revenue(then.start, then.end, group_by=group_by).totals,
        payable=owed.closing,
        payable_before=owed.opening,
    )


def as_csv(span: Span) -> str:
    """Every payment collected in some days, the oldest first; no cell can start a formula."""
    return b"".join(sheets.as_csv(HEADER, [_rows(span)])).decode()


def _rows(span: Span) -> Iterator[tuple[sheets.Cell, ...]]:
    collected = span.cut(Payment.objects.filter(status=PaymentStatus.SUCCESSFUL), "paid_at")
    for payment in collected.select_related("service_request").order_by("paid_at", "id").iterator():
        yield (
            sheets.moment(payment.paid_at) if payment.paid_at else None,
            sheets.text(payment.paystack_reference),
            payment.service_request.code,
            payment.payment_type,
            payment.channel,
            rounded(payment.amount),
            from_kobo(payment.fees_kobo or 0),
            payment.outcome or "",
        )


def _money(now: Decimal, before: Decimal) -> str:
    return _compared(naira_text(now), now, before)


def _compared(shown: str, now: Any, before: Any) -> str:
    """The figure with its change in per cent; without one where there is nothing to compare with."""
    if not before:
        return shown
    change = round((Decimal(now) - Decimal(before)) * 100 / abs(Decimal(before)))
    return f"{shown} ({change:+} %)" if change else f"{shown} (as before)"
