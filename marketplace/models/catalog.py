"""What can be booked."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower
from simple_history.models import HistoricalRecords

from core.models import TimeStamped


class Category(TimeStamped):
    """A trade: plumbing, electrical work, cleaning. Inactive ones take no new bookings."""

    name = models.CharField(max_length=100, unique=True)
    description = models.TextField(max_length=2000)
    icon_url = models.URLField(null=True, blank=True, max_length=500)
    is_active = models.BooleanField(default=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "categories"
        permissions: ClassVar = [("manage_catalog", "Add and edit categories")]
        constraints: ClassVar = [models.UniqueConstraint(Lower("name"), name="category_name_once_whatever_the_case")]

    def __str__(self) -> str:
        return self.name
