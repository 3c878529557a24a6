"""Proposed prices, and what the serviceman said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from core import clock
from marketplace.enums import NegotiationStatus
from marketplace.money import naira_text

if TYPE_CHECKING:
    from core.models import User


class NegotiationQuerySet(models.QuerySet["PriceNegotiation"]):
    """The thread of a price, kept for ever."""

    def visible_to(self, user: User) -> NegotiationQuerySet:
        """The client's own; all for admins who may view."""
        if user.is_admin:
            return self if user.has_perm("marketplace.view_pricenegotiation") else self.none()
        if user.is_client:
            return self.filter(service_request__client=user, service_request__is_deleted=False)
        return self.none()

    def close(self, request_id: int) -> int:
        """Reject whatever is open, and end its question: re-pricing, reassigning and cancelling do."""
        Consultation.objects.filter(
            negotiation__service_request_id=request_id, answered_at=None, closed_at=None
        ).update(closed_at=clock.now())
        return self.filter(service_request_id=request_id, status=NegotiationStatus.PENDING).update(
            status=NegotiationStatus.REJECTED
        )


class PriceNegotiation(models.Model):
    """One proposal of a price by the client or an admin, and what became of it."""

    service_request = models.ForeignKey(
        "marketplace.ServiceRequest", on_delete=models.PROTECT, related_name="negotiations"
    )
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="proposals")
    proposed_amount = models.DecimalField(max_digits=10, decimal_places=2, help_text="NGN.")
    message = models.TextField(blank=True, max_length=2000)
    status = models.CharField(max_length=10, choices=NegotiationStatus, default=NegotiationStatus.PENDING)
    parent_negotiation = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="counters"
    )
    created_at = models.DateTimeField(default=clock.now)

    objects = NegotiationQuerySet.as_manager()

    class Meta:
        ordering = ("created_at", "id")
        constraints: ClassVar = [
            models.CheckConstraint(name="proposed_amount_is_positive", condition=Q(proposed_amount__gt=0)),
            models.UniqueConstraint(
                fields=["service_request"], name="one_open_proposal", condition=Q(status="PENDING")
            ),
        ]

    def __str__(self) -> str:
        return f"Proposal of {naira_text(self.proposed_amount)}"


class Consultation(models.Model):
    """A question to the serviceman about an open proposal. A later question closes the earlier; all are kept."""

    negotiation = models.ForeignKey(PriceNegotiation, on_delete=models.PROTECT, related_name="consultations")
    serviceman = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="consultations")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    question = models.TextField(max_length=2000)
    asked_at = models.DateTimeField(default=clock.now)
    answer = models.TextField(blank=True, max_length=2000)
    minimum_amount = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True, help_text="NGN, the least he would work for."
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, help_text="Asked again, or the proposal ended.")

    class Meta:
        ordering = ("asked_at", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["negotiation"], name="one_open_question", condition=Q(answered_at=None, closed_at=None)
            )
        ]

    def __str__(self) -> str:
        return self.question[:60]
