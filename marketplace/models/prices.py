"""Every price a client was ever shown."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from core import clock


class Price(models.Model):
    """One price of a request, never changed; the request carries the current one."""

    request = models.ForeignKey("marketplace.ServiceRequest", on_delete=models.PROTECT, related_name="prices")
    version = models.PositiveIntegerField()
    estimate = models.DecimalField(max_digits=10, decimal_places=2, help_text="NGN, the serviceman's share.")
    markup = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True, help_text="Percent; empty for a price set as an amount."
    )
    final = models.DecimalField(max_digits=10, decimal_places=2, help_text="NGN, what the client pays.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True, max_length=1000)
    note_to_client = models.TextField(blank=True, max_length=1000)
    created_at = models.DateTimeField(default=clock.now)
    agreed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-version",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "version"], name="one_price_a_version"),
            models.CheckConstraint(name="price_is_positive", condition=Q(final__gt=0, estimate__gt=0)),
            models.CheckConstraint(
                name="price_markup_in_range", condition=Q(markup__isnull=True) | Q(markup__gte=0, markup__lte=100)
            ),
        ]

    def __str__(self) -> str:
        return f"Price no. {self.version}"
