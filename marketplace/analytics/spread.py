"""Median and 90th percentile of durations, the same on every engine: between two values, a straight line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Any

from django.db.models import Aggregate, DurationField

MEDIAN, P90 = Fraction(1, 2), Fraction(9, 10)
_SECOND = 1_000_000


@dataclass(frozen=True)
class Spread:
    """How long something took, in whole seconds; `count` is of how many. None of none."""

    median: int | None = None
    p90: int | None = None
    count: int = 0


def quantile(durations: Iterable[timedelta], part: Fraction) -> timedelta | None:
    """The duration below which `part` of them lie, as PostgreSQL's percentile_cont has it."""
    ordered = sorted(duration // timedelta(microseconds=1) for duration in durations)
    if not ordered:
        return None
    whole, rest = divmod(part * (len(ordered) - 1), 1)
    low = ordered[whole]
    high = ordered[min(whole + 1, len(ordered) - 1)]
    return timedelta(microseconds=_half_up(low + (high - low) * rest))


def seconds(duration: timedelta | None) -> int | None:
    """Whole seconds, half a second up."""
    return None if duration is None else _half_up(Fraction(duration // timedelta(microseconds=1), _SECOND))


def _half_up(value: Fraction) -> int:
    return (value + Fraction(1, 2)).__floor__()


class Percentile(Aggregate):
    """`Percentile("took", MEDIAN, filter=...)`: in PostgreSQL by itself, elsewhere of the list of all values."""

    function = "PERCENTILE_CONT"

    def __init__(self, expression: Any, part: Fraction, **extra: Any) -> None:
        super().__init__(expression, output_field=DurationField(), part=part, **extra)
        self.template = f"%(function)s({float(part)}) WITHIN GROUP (ORDER BY %(expressions)s)"

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """All the values, in microseconds, as JSON: `from_list` does the rest."""
        as_list = self.copy()
        as_list.template = "JSON_GROUP_ARRAY(%(expressions)s)"
        return as_list.as_sql(compiler, connection, **extra)

    def get_db_converters(self, connection: Any) -> Any:
        """SQLite's list, else the duration."""
        return [self.from_list] if connection.vendor == "sqlite" else super().get_db_converters(connection)

    def from_list(self, value: str | None, expression: Any, connection: Any) -> timedelta | None:
        """The percentile of SQLite's list."""
        known = (timedelta(microseconds=each) for each in json.loads(value or "[]") if each is not None)
        return quantile(known, self.extra["part"])
