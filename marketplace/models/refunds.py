"""Money that goes back to clients."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from core.models import TimeStamped
from marketplace.enums import Channel, RefundStatus
from marketplace.money import naira_text


class Refund(TimeStamped):
    """Money owed back on one payment, from due to processed."""

    payment = models.ForeignKey("marketplace.Payment", on_delete=models.PROTECT, related_name="refunds")
    amount = models.DecimalField(max_digits=10, decimal_places=2, help_text="NGN.")
    status = models.CharField(max_length=16, choices=RefundStatus, default=RefundStatus.DUE)
    reason = models.TextField(max_length=1000)
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.PAYSTACK)
    from_revenue = models.BooleanField(
        default=False, help_text="Paid out of what the platform had earned: a gesture after the end, or a chargeback."
    )
    note = models.TextField(blank=True, max_length=1000)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    sending_at = models.DateTimeField(
        null=True, blank=True, help_text="Set before Paystack is called, so that a time-out never sends twice."
    )
    paystack_refund_id = models.CharField(max_length=50, blank=True, db_index=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ("-created_at", "-id")
        permissions: ClassVar = [("refund", "Approve, send and waive refunds")]
        constraints: ClassVar = [
            models.CheckConstraint(name="refund_is_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="refund_status_is_known", condition=Q(status__in=RefundStatus.values)),
        ]
        indexes: ClassVar = [models.Index(fields=["status", "created_at"], name="refunds_by_status")]

    def __str__(self) -> str:
        return f"Refund no. {self.pk} of {naira_text(self.amount)}"
