"""Money that goes to servicemen, and where to."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from core.models import TimeStamped
from marketplace.enums import PayoutStatus


class BankAccount(TimeStamped):
    """Where a serviceman is paid. Masked everywhere but in the payout file."""

    serviceman = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bank_account")
    account_number = models.CharField(max_length=10, help_text="NUBAN, 10 digits.")
    bank_code = models.CharField(max_length=10)
    account_name = models.CharField(max_length=200, help_text="As the bank gives it.")
    recipient_code = models.CharField(max_length=50, blank=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"******{self.account_number[-4:]}"


class PayoutBatch(TimeStamped):
    """Payouts prepared together, approved by a second person."""

    prepared_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        verbose_name_plural = "payout batches"

    def __str__(self) -> str:
        return f"Batch {self.pk}"


class Payout(TimeStamped):
    """What one serviceman is paid in one batch."""

    batch = models.ForeignKey(PayoutBatch, null=True, blank=True, on_delete=models.PROTECT, related_name="payouts")
    serviceman = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payouts")
    amount = models.DecimalField(max_digits=10, decimal_places=2, help_text="NGN.")
    status = models.CharField(max_length=10, choices=PayoutStatus, default=PayoutStatus.PREPARED)
    reference = models.CharField(max_length=50, unique=True)
    transfer_code = models.CharField(max_length=50, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ("-created_at", "-id")
        permissions: ClassVar = [("pay_out", "Prepare, approve and send payouts")]
        constraints: ClassVar = [models.CheckConstraint(name="payout_is_positive", condition=Q(amount__gt=0))]

    def __str__(self) -> str:
        return self.reference
