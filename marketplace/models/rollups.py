"""Daily totals, kept in the transaction of each payment and recomputable from the ledger."""

from typing import ClassVar

from django.db import models


class DailyRevenue(models.Model):
    """One Lagos day's money, in kobo."""

    day = models.DateField(unique=True)
    collected_kobo = models.BigIntegerField(default=0)
    booking_fees_kobo = models.BigIntegerField(default=0)
    final_payments_kobo = models.BigIntegerField(default=0)
    refunded_kobo = models.BigIntegerField(default=0)
    gateway_fees_kobo = models.BigIntegerField(default=0)
    platform_revenue_kobo = models.BigIntegerField(default=0)
    payments = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-day"]
        verbose_name_plural = "daily revenue"

    def __str__(self) -> str:
        return str(self.day)
