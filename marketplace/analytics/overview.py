"""Money and work side by side, word by word, of some days and of the period before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from marketplace.analytics.operations import Operations, operations
from marketplace.analytics.periods import GroupBy, Span
from marketplace.analytics.revenue import Revenue, payable, revenue

Words = dict[str, Any]
"""Every word of money and work with its figure."""


@dataclass(frozen=True)
class Overview:
    """Every word by period, of the whole, and of the days before."""

    span: Span
    span_before: Span
    periods: dict[date, Words]
    totals: Words
    before: Words


def overview(first: date, last: date, *, group_by: GroupBy = "day") -> Overview:
    """All words at once. Nineteen statements, however many rows and periods."""
    work = operations(first, last, group_by=group_by)
    span, then = work.span, work.span_before
    money = revenue(first, last, group_by=group_by)
    money_before = revenue(then.start, then.end, group_by=group_by).totals
    owed = payable(first, last, group_by=group_by)
    return Overview(
        span=span,
        span_before=then,
        periods={
            start: _words(money.periods[start], owed.periods[start], of_period)
            for start, of_period in work.periods.items()
        },
        totals=_words(money.totals, owed.closing, work.totals),
        before=_words(money_before, owed.opening, work.before),
    )


def _words(money: Revenue, owed: Decimal, work: Operations) -> Words:
    ended = [{"stage": stage, "side": side, "count": n} for (stage, side), n in sorted(work.cancellations.items())]
    return vars(money) | {"take_rate": money.take_rate, "payable": owed} | vars(work) | {"cancellations": ended}
