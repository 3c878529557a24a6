"""What went wrong at a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from core import clock
from marketplace.enums import IssueKind, Side

if TYPE_CHECKING:
    from core.models import User
    from marketplace.models.requests import ServiceRequest


class IssueQuerySet(models.QuerySet["Issue"]):
    """Issues, open and settled."""

    def end(self, request: ServiceRequest, *, by: User | None, resolution: str) -> list[int]:
        """Settle all that is open at a request; who had raised it."""
        still_open = self.filter(request=request, resolved_at=None)
        raisers = [user_id for user_id in still_open.values_list("raised_by_id", flat=True) if user_id]
        still_open.update(resolved_at=clock.now(), resolved_by=by, resolution=resolution)
        request.forget_cached("issues")
        return raisers


class Issue(models.Model):
    """Something an admin must settle: while it is open the request waits on an admin and cannot be verified."""

    request = models.ForeignKey("marketplace.ServiceRequest", on_delete=models.PROTECT, related_name="issues")
    kind = models.CharField(max_length=12, choices=IssueKind)
    message = models.TextField(max_length=2000)
    raised_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="issues_raised"
    )
    raised_by_role = models.CharField(max_length=10, choices=Side)
    created_at = models.DateTimeField(default=clock.now)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    resolution = models.TextField(blank=True, max_length=2000)

    objects = IssueQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["request", "kind"], name="one_open_issue_of_a_kind", condition=Q(resolved_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} (issue no. {self.pk})"
