"""The workflow as it is in the code: a diagram with how many requests stand where, every step, and who may take it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html

from core import clock
from core.exports import Format
from marketplace import exports
from marketplace.admin.diagram import KINDS, Move, draw, moves, name_of
from marketplace.admin.insight import Column, Insight
from marketplace.admin.labels import ago
from marketplace.enums import CLOSED, OPEN, Status
from marketplace.models import ServiceRequest

FEW = 2
"""So many missing statuses are named rather than all the others."""


@dataclass(frozen=True)
class Standing:
    """How many requests are in a status, since when the oldest is, and how many are overdue."""

    status: Status
    requests: int = 0
    oldest: datetime | None = None
    overdue: int = 0

    @property
    def url(self) -> str:
        """The list of them."""
        return f"{reverse('admin:marketplace_servicerequest_changelist')}?status__exact={self.status.value}"

    @property
    def is_open(self) -> bool:
        """Somebody must act."""
        return self.status in OPEN


def standings() -> list[Standing]:
    """Every status in its order. One statement."""
    late = Q(due_at__lt=clock.now()) & ~Q(status__in=CLOSED)
    rows = ServiceRequest.objects.filter(is_deleted=False).order_by().values("status")
    facts: Any = rows.annotate(requests=Count("pk"), oldest=Min("status_since"), overdue=Count("pk", filter=late))
    found: dict[Any, Standing] = {row["status"]: Standing(**{**row, "status": Status(row["status"])}) for row in facts}
    return [found.get(status, Standing(status)) for status in Status]


@dataclass(frozen=True)
class StepLine:
    """One step with everything that is told of it."""

    name: str
    sources: str
    targets: list[str]
    by: str
    unless: tuple[str, ...]


def step_lines(every: list[Move]) -> list[StepLine]:
    """Every step once, in the order in which it can first be taken."""
    by_name: dict[str, list[Move]] = {}
    for move in every:
        by_name.setdefault(move.step, []).append(move)
    return [
        StepLine(
            name=name_of(name),
            sources=_in_words({Status(move.source) for move in taken}),
            targets=list(dict.fromkeys(Status(m.target).label if m.target else "stays where it is" for m in taken)),
            by=taken[0].by.replace("_", " "),
            unless=taken[0].unless,
        )
        for name, taken in by_name.items()
    ]


def _in_words(sources: set[Status]) -> str:
    """Statuses by name; those that are nearly all open ones by what is missing."""
    missing = [status.label for status in OPEN if status not in sources]
    if sources <= set(OPEN) and len(missing) <= FEW:
        return "Every open status" + (f" but {' and '.join(missing)}" if missing else "")
    return ", ".join(status.label for status in Status if status in sources)


class WorkflowView(Insight):
    """Where every request stands."""

    title = "Workflow"
    template_name = "admin/workflow.html"
    permission_required = ("marketplace.view_servicerequest",)
    columns = (
        Column(
            "Status",
            lambda s: format_html('<a class="c-link" href="{}">{}</a>', s.url, s.status.label),
            is_figure=False,
        ),
        Column("Requests", lambda s: f"{s.requests:,}"),
        Column("Overdue", lambda s: f"{s.overdue:,}"),
        Column("Oldest", lambda s: ago(s.oldest)),
    )

    @cached_property
    def standings(self) -> list[Standing]:
        """Counted once."""
        return standings()

    def rows(self) -> Iterable[Standing]:
        """In the order of the workflow."""
        return self.standings

    def download(self, kind: Format) -> HttpResponseBase:
        """The same counts."""
        return exports.Workflow().download(self.standings, kind)

    def more(self, rows: list[Any]) -> dict[str, Any]:
        """The drawing, and the steps in words."""
        by_status = {standing.status: standing for standing in self.standings}
        diagram = draw()
        return {
            "diagram": diagram,
            "kinds": KINDS,
            "nodes": [(node, by_status[node.status]) for node in diagram.nodes],
            "steps": step_lines(moves()),
        }
