"""The work that waits, as queues: one table behind the home page's cards, the sidebar's badges and the list's tabs.

How many and since when is one statement for all of them, however many there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import CharField, Count, Exists, Min, OuterRef, QuerySet, Value
from django.http import HttpRequest

from core import clock
from marketplace.admin.queue import Queue
from marketplace.admin.risk import RISKS
from marketplace.enums import OPEN, Approval, RefundStatus, Status
from marketplace.models import Issue, Notification, Payment, Refund, ServicemanProfile, ServiceRequest

UNSENT_AFTER = timedelta(minutes=5)
"""A mail not sent this long after its event is waiting for somebody."""


def _with_open_issue() -> QuerySet[ServiceRequest]:
    return ServiceRequest.objects.filter(
        Exists(Issue.objects.filter(request=OuterRef("pk"), resolved_at=None)), status__in=OPEN, is_deleted=False
    )


def to_decide() -> QuerySet[Refund]:
    """Refunds that wait for finance."""
    return Refund.objects.filter(
        status__in=(RefundStatus.DUE, RefundStatus.REVIEW, RefundStatus.FAILED, RefundStatus.NEEDS_ATTENTION)
    )


def unsent() -> QuerySet[Notification]:
    """E-mails that should have left by now."""
    return Notification.objects.filter(sent_to_email=False, created_at__lt=clock.now() - UNSENT_AFTER)


QUEUES: tuple[Queue, ...] = (
    Queue(
        key="to_assign",
        title="To assign",
        icon="person_add",
        hint="Paid, and nobody has the job yet",
        rows=ServiceRequest.objects.to_assign,
    ),
    Queue(
        key="unanswered",
        title="Unanswered offers",
        icon="hourglass_top",
        hint="Offered to a serviceman who has not answered",
        rows=ServiceRequest.objects.unanswered,
    ),
    Queue(
        key="inspection_overdue",
        title="Overdue inspections",
        icon="event_busy",
        hint="Accepted, but no estimate in time",
        rows=ServiceRequest.objects.inspection_overdue,
        since="due_at",
    ),
    Queue(
        key="to_price",
        title="To price",
        icon="sell",
        hint="Inspected: the client waits for a price",
        rows=lambda: ServiceRequest.objects.to_price().filter(status=Status.SERVICEMAN_INSPECTED),
    ),
    Queue(
        key="to_answer",
        title="Negotiations to answer",
        icon="forum",
        hint="A client's proposal waits for an answer",
        rows=lambda: ServiceRequest.objects.to_price().filter(status=Status.NEGOTIATING),
    ),
    Queue(
        key="to_verify",
        title="Awaiting verification",
        icon="fact_check",
        hint="The serviceman says the work is done",
        rows=ServiceRequest.objects.to_verify,
    ),
    Queue(
        key="issues",
        title="Open issues",
        icon="report",
        hint="Something went wrong at a job",
        rows=_with_open_issue,
    ),
    Queue(
        key="overdue",
        title="Overdue",
        icon="alarm",
        hint="Whoever must act is late",
        rows=ServiceRequest.objects.overdue,
        since="due_at",
    ),
    Queue(
        key="at_risk",
        title="Money at risk",
        icon="warning",
        hint="Late, double or wrong money, stuck refunds, disputes",
        rows=Payment.objects.none,
        model="payment",
        page="money_at_risk",
        parts=RISKS,
    ),
    Queue(
        key="to_approve",
        title="Payments to approve",
        icon="approval",
        hint="Recorded by hand, not approved yet",
        rows=Payment.objects.to_approve,
        since="created_at",
        model="payment",
    ),
    Queue(
        key="to_decide",
        title="Refunds to decide",
        icon="undo",
        hint="Due, for review, failed or stuck",
        rows=to_decide,
        since="created_at",
        model="refund",
    ),
    Queue(
        key="applications",
        title="Serviceman applications",
        icon="badge",
        hint="Waiting for approval",
        rows=lambda: ServicemanProfile.objects.filter(approval=Approval.PENDING, user__is_email_verified=True),
        since="created_at",
        model="servicemanprofile",
    ),
    Queue(
        key="unsent",
        title="Unsent mail",
        icon="mail",
        hint="E-mails that have not left",
        rows=unsent,
        since="created_at",
        model="notification",
    ),
)
BY_KEY = {queue.key: queue for queue in QUEUES}


@dataclass(frozen=True)
class Waiting:
    """How many rows a queue holds, and since when the oldest waits."""

    queue: Queue
    count: int
    oldest: datetime | None


def waiting(request: HttpRequest) -> dict[str, Waiting]:
    """Every queue this admin may see, counted once a request."""
    kept: dict[str, Waiting] | None = getattr(request, "_console_waiting", None)
    if kept is None:
        kept = _count([queue for queue in QUEUES if request.user.has_perm(queue.may)], request.user.has_perm)
        request._console_waiting = kept  # type: ignore[attr-defined]
    return kept


def _count(queues: list[Queue], may: Callable[[str], bool]) -> dict[str, Waiting]:
    parts = [(queue.key, part) for queue in queues for part in queue.parts or (queue,) if may(part.may)]
    if not parts:
        return {}
    first, *others = [
        part.rows()
        .order_by()
        .annotate(queue=Value(key, output_field=CharField()))
        .values("queue")
        .annotate(count=Count("pk"), oldest=Min(part.since))
        .values_list("queue", "count", "oldest")
        for key, part in parts
    ]
    counts, oldest = Counter[str](), dict[str, datetime]()
    for key, count, since in first.union(*others, all=True):
        counts[key] += count
        if since is not None:
            oldest[key] = min(since, oldest.get(key, since))
    return {queue.key: Waiting(queue, counts[queue.key], oldest.get(queue.key)) for queue in queues}


def badge_of(key: str) -> Callable[[HttpRequest], str]:
    """A sidebar's badge: the count of one queue, nothing while it is empty."""

    def count(request: HttpRequest) -> str:
        line = waiting(request).get(key)
        return str(line.count) if line and line.count else ""

    return count


# By these names the sidebar finds its badges.
badge_to_assign = badge_of("to_assign")
badge_to_price = badge_of("to_price")
badge_to_answer = badge_of("to_answer")
badge_to_verify = badge_of("to_verify")
badge_issues = badge_of("issues")
badge_overdue = badge_of("overdue")
badge_at_risk = badge_of("at_risk")
badge_to_approve = badge_of("to_approve")
badge_to_decide = badge_of("to_decide")
badge_applications = badge_of("applications")
badge_unsent = badge_of("unsent")
