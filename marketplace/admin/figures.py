"""Figures beside those of the period before, as the home page and Insight show them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from marketplace import analytics
from marketplace.admin.labels import NOTHING, span

TENFOLD = 10
"""From here on a percentage says nothing any more: the figure before is named instead."""


def stat(
    title: str,
    now: Any,
    before: Any,
    how: Callable[[Any], str] = str,
    *,
    good: str = "up",
    unit: str | None = None,
    hint: str = "",
) -> dict[str, Any]:
    """A figure, and its change against the period before; `how` words both, `good` says which way is good, if any.

    The change is per cent; with `unit` it is the difference in that unit, as of shares and means. What came from
    nothing, or grew tenfold, has no sensible percentage: it says from what.
    """
    change, told = _change(now, before, how, unit)
    way = "" if not change or not good else "up" if (change > 0) == (good == "up") else "down"
    return {"title": title, "shown": _shown(now, how), "change": change, "told": told, "way": way, "hint": hint}


def share_stat(title: str, now: Decimal | None, before: Decimal | None, **more: Any) -> dict[str, Any]:
    """A figure in per cent, its change in points; a dash where there is nothing to say."""
    return stat(title, now, before, "{:.0f} %".format, unit=" pts", **more)


def time_stat(title: str, now: analytics.Spread, before: analytics.Spread) -> dict[str, Any]:
    """A median, and what nine of ten are within; shorter is better."""
    hint = "Median" if now.p90 is None else f"Median; nine of ten within {span(now.p90)}"
    return stat(title, now.median, before.median, span, good="down", hint=hint)


def _shown(value: Any, how: Callable[[Any], str]) -> str:
    return NOTHING if value is None else how(value)


def _change(now: Any, before: Any, how: Callable[[Any], str], unit: str | None) -> tuple[float | None, str]:
    """The change as a number (None where there is nothing to compare), and in words."""
    if now is None:
        return None, ""
    if before is None:
        return None, "new"
    difference = float(now) - float(before)
    if unit is not None:
        change = round(difference, 1 if unit else 2)
        return change, f"{change:+g}{unit}" if change else f"0{unit}"
    if not difference:
        return 0, "0 %" if before else ""
    if not before or abs(float(now)) >= TENFOLD * abs(float(before)):
        return difference, f"from {how(before)}"
    change = round(difference * 100 / abs(float(before)))
    return change, f"{change:+d} %" if change else "0 %"
