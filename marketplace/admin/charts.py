"""Charts: what a picture says, with the same figures as a table beside it, and where they can be had as a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.functional import cached_property

from marketplace.analytics import GroupBy, Revenue
from marketplace.money import ZERO, naira_text

TICKS = "#9ca3af"
"""Grey enough for both themes: Chart.js draws on a canvas, which no stylesheet reaches."""
STYLES: tuple[dict[str, Any], ...] = (
    {"backgroundColor": "var(--color-primary-600)", "borderColor": "var(--color-primary-600)"},
    {"backgroundColor": "var(--color-primary-300)", "borderColor": "var(--color-base-400)", "borderDash": [5, 4]},
    {"backgroundColor": "var(--color-base-400)", "borderColor": "var(--color-primary-300)", "borderDash": [1, 3]},
)
"""Of the first series, the second and the third; lines differ in their strokes, bars in how dark they are."""


@dataclass(frozen=True)
class Series:
    """One row of figures: its name, the figures (None: nothing to say), and how a table words them."""

    label: str
    figures: Sequence[Decimal | float | None]
    shown: Callable[[Any], str] = "{:,}".format


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Series over labels. `named`: the labels are names, of which none can be guessed from its neighbours."""

    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    unit: str = ""
    heading: str = ""
    """What the labels are, over their column of the table."""
    lines: bool = False
    stacked: bool = False
    named: bool = False
    nothing: str = "Nothing to show"
    page: str = ""
    """The page of Insight with the whole table and its export."""

    @property
    def empty(self) -> bool:
        """No figure but noughts."""
        return not any(any(each.figures) for each in self.series)

    @property
    def table(self) -> list[tuple[str, list[str]]]:
        """The same figures, to read."""
        columns = [["-" if figure is None else each.shown(figure) for figure in each.figures] for each in self.series]
        return [(label, list(row)) for label, row in zip(self.labels, zip(*columns, strict=True), strict=True)]

    @cached_property
    def data(self) -> str:
        """For Chart.js."""
        datasets = [
            {"label": each.label, "data": [None if n is None else float(n) for n in each.figures], **style}
            for each, style in zip(self.series, STYLES, strict=False)
        ]
        return json.dumps({"labels": list(self.labels), "datasets": datasets})

    @cached_property
    def options(self) -> str:
        """For Chart.js; Unfold's own bars are 4 pixels wide."""
        ticks = {
            "color": TICKS,
            "maxRotation": 60 if self.named else 0,
            "autoSkip": not self.named,
            "autoSkipPadding": 16,
        }
        many = len(self.labels) > 1
        options = {
            "animation": False,
            "maintainAspectRatio": False,
            "responsive": True,
            "interaction": {"mode": "index", "intersect": False},
            "datasets": {
                "bar": {"maxBarThickness": 26, "borderRadius": 3, "categoryPercentage": 0.8},
                "line": {
                    "borderWidth": 2,
                    "pointRadius": 0 if many else 4,
                    "pointHoverRadius": 4,
                    "cubicInterpolationMode": "monotone",
                    "spanGaps": True,
                },
            },
            "plugins": {
                "legend": {
                    "display": len(self.series) > 1,
                    "align": "end",
                    "labels": {"boxHeight": 6, "boxWidth": 6, "usePointStyle": True, "color": TICKS},
                }
            },
            "scales": {
                "x": {
                    "stacked": self.stacked,
                    "ticks": ticks,
                    "grid": {"display": False},
                    "border": {"display": False},
                },
                "y": {
                    "stacked": self.stacked,
                    "beginAtZero": True,
                    "ticks": {"color": TICKS, "precision": 0, "maxTicksLimit": 6},
                    "grid": {"display": True, "tickWidth": 0},
                    "border": {"display": False},
                },
            },
        }
        return json.dumps(options)


def starts(days: Iterable[date]) -> list[str]:
    """First days of periods, as labels; with the year once they lie in more than one."""
    days = list(days)
    years = len({day.year for day in days}) > 1
    return [f"{day:%-d %b %Y}" if years else f"{day:%-d %b}" for day in days]


def bars(rows: Sequence[tuple[str, int, str]]) -> list[dict[str, Any]]:
    """Counts as bars with their share of all: (title, count, address)."""
    most, total = max((count for _, count, _ in rows), default=0), sum(count for _, count, _ in rows)
    return [
        {
            "title": title,
            "count": count,
            "share": f"{count * 100 / total:.0f} %" if total else "",
            "part": f"{count * 100 / most:.0f}%" if most else "0%",
            "url": url,
        }
        for title, count, url in rows
    ]


def collected(periods: dict[date, Revenue], by: GroupBy, **more: Any) -> Chart:
    """What came in, by period: what the platform keeps of it, and the rest."""
    revenue = [each.platform_revenue for each in periods.values()]
    rest = [max(each.collected - each.platform_revenue, ZERO) for each in periods.values()]
    return Chart(
        title=f"Collected by {by}",
        unit="naira",
        heading=by.capitalize(),
        labels=starts(periods),
        series=[Series("Platform revenue", revenue, naira_text), Series("The rest of it", rest, naira_text)],
        stacked=True,
        nothing="No payments in these days",
        **more,
    )
