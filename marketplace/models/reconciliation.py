"""Holding our books against Paystack's."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from core import clock


class ReconciliationRun(models.Model):
    """One comparison of a period with Paystack's transactions and settlements."""

    start = models.DateField()
    end = models.DateField()
    source = models.CharField(max_length=10, default="API")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.start} to {self.end}"


class ReconciliationDifference(models.Model):
    """One thing the two books disagree on, with its next step."""

    run = models.ForeignKey(ReconciliationRun, on_delete=models.CASCADE, related_name="differences")
    kind = models.CharField(max_length=30)
    reference = models.CharField(max_length=100)
    payment = models.ForeignKey("marketplace.Payment", null=True, on_delete=models.PROTECT, related_name="+")
    ours_kobo = models.BigIntegerField(null=True)
    theirs_kobo = models.BigIntegerField(null=True)
    next_step = models.CharField(max_length=255)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"
