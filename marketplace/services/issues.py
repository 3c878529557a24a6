"""What went wrong at a job, raised by any party and settled by an admin."""

from __future__ import annotations

from core import clock
from core.errors import Conflict, Missing
from core.models import User
from marketplace.enums import IssueKind, Side
from marketplace.models import Issue, ServiceRequest
from marketplace.services.workflow import advance, locked, require_reason


def raise_issue(request_id: int, *, kind: str, message: str, by: User) -> Issue:
    """Say that something is wrong: the request waits on an admin until it is resolved.

    Raises Conflict issue_open when one of that kind is open already.
    """
    with locked(request_id, by=by, step=ServiceRequest.raise_issue) as request:
        if Issue.objects.filter(request=request, kind=kind, resolved_at=None).exists():
            raise Conflict(f"An issue of this kind is open already: {IssueKind(kind).label}.", code="issue_open")
        issue = Issue.objects.create(
            request=request,
            kind=kind,
            message=require_reason(message, field="message"),
            raised_by=by,
            raised_by_role=Side(by.user_type),
        )
        advance(request, ServiceRequest.raise_issue, by=by, reason=issue.message, tell={"issue_id": issue.pk})
    return issue


def resolve_issue(request_id: int, issue_id: int, *, resolution: str, by: User) -> ServiceRequest:
    """Settle an issue. Raises Missing for one that is not of this request, Conflict when it is resolved already."""

    def must_exist(request: ServiceRequest) -> None:
        if not Issue.objects.filter(request=request, pk=issue_id).exists():
            raise Missing("There is no such issue.")

    with locked(request_id, by=by, step=ServiceRequest.resolve_issue, state=must_exist) as request:
        issue = Issue.objects.get(request=request, pk=issue_id)
        if issue.resolved_at is not None:
            raise Conflict("This issue is resolved already.", code="already_resolved")
        issue.resolution = require_reason(resolution, field="resolution")
        issue.resolved_at, issue.resolved_by = clock.now(), by
        issue.save()
        return advance(
            request, ServiceRequest.resolve_issue, by=by, reason=issue.resolution, tell={"issue_id": issue.pk}
        )
