"""What clients say of servicemen."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from core import clock


class RatingQuerySet(models.QuerySet["Rating"]):
    """Ratings, moderated."""

    def visible(self) -> RatingQuerySet:
        """Those that count and are shown."""
        return self.filter(hidden_at=None)


class Rating(models.Model):
    """A client's rating of one completed job, 1 to 5, with the serviceman's reply."""

    service_request = models.OneToOneField(
        "marketplace.ServiceRequest", on_delete=models.PROTECT, related_name="rating"
    )
    client = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="ratings_given")
    serviceman = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="ratings_received")
    rating = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)])
    review = models.TextField(blank=True, max_length=2000)
    created_at = models.DateTimeField(default=clock.now)
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    hidden_reason = models.TextField(blank=True, max_length=1000)
    reply = models.TextField(blank=True, max_length=2000)
    replied_at = models.DateTimeField(null=True, blank=True)

    objects = RatingQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        constraints: ClassVar = [
            models.CheckConstraint(name="rating_1_to_5", condition=Q(rating__gte=1, rating__lte=5))
        ]
        indexes: ClassVar = [models.Index(fields=["serviceman", "-created_at", "-id"], name="ratings_of_serviceman")]

    def __str__(self) -> str:
        return f"{self.rating} of 5 stars"
