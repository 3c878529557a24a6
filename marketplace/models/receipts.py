"""Numbered receipts."""

from typing import ClassVar

from django.db import models

from core import clock


class Receipt(models.Model):
    """The receipt of one payment, numbered without gaps; the VAT rate is kept as it was."""

    number = models.PositiveBigIntegerField(unique=True)
    payment = models.OneToOneField("marketplace.Payment", on_delete=models.PROTECT, related_name="receipt")
    vat_percentage = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    issued_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering: ClassVar = ["-number"]

    def __str__(self) -> str:
        return f"{self.number:06d}"
