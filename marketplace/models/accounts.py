"""What the marketplace knows of a person besides the account: a client's address, a serviceman's trade."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Avg, Exists, OuterRef
from simple_history.models import HistoricalRecords

from core.models import TimeStamped
from marketplace.enums import Approval, Status
from marketplace.models.offers import BARS, Offer
from marketplace.models.ratings import Rating
from marketplace.models.requests import ServiceRequest


class ClientProfile(TimeStamped):
    """Where a client lives by default."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="client_profile")
    address = models.CharField(max_length=500, blank=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return str(self.user)


class ServicemanQuerySet(models.QuerySet["ServicemanProfile"]):
    """Servicemen as the directory and the assignment see them."""

    def listed(self) -> ServicemanQuerySet:
        """Those strangers may see: approved, with an active account and a confirmed e-mail."""
        return self.filter(approval=Approval.APPROVED, user__is_active=True, user__is_email_verified=True)

    def free_on(self, day: date) -> ServicemanQuerySet:
        """Those who take work, and have not blocked that day."""
        blocked = UnavailableDate.objects.filter(serviceman=OuterRef("user"), date=day)
        return self.filter(~Exists(blocked), is_available=True)

    def eligible_for(self, request: ServiceRequest) -> ServicemanQuerySet:
        """Those a request may be offered to: listed, of its trade, free that day, and never left it."""
        barred = Offer.objects.filter(request=request, serviceman=OuterRef("user"), answer__in=BARS)
        return self.listed().free_on(request.booking_date).filter(~Exists(barred), category=request.category_id)

    def recompute(self, user_id: int | None) -> None:
        """Set a serviceman's rating (plain mean of the visible ones) and jobs done from the rows, under his lock."""
        profile = self.select_for_update(of=("self",)).filter(user_id=user_id).first()
        if profile is None:
            return
        mean = Rating.objects.visible().filter(serviceman_id=user_id).aggregate(mean=Avg("rating"))["mean"]
        self.filter(pk=profile.pk).update(
            rating=Decimal(str(mean or 0)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP),
            total_jobs_completed=ServiceRequest.objects.filter(serviceman_id=user_id, status=Status.COMPLETED).count(),
        )


class ServicemanProfile(TimeStamped):
    """A serviceman's trade and standing. `rating` and `total_jobs_completed` are recomputed from rows, never typed."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="serviceman_profile")
    category = models.ForeignKey(
        "marketplace.Category", null=True, blank=True, on_delete=models.SET_NULL, related_name="servicemen"
    )
    rating = models.DecimalField(
        max_digits=3,
        decimal_places=2,
        default=0,
        editable=False,
        help_text="Plain mean of the visible ratings, 0 to 5.",
    )
    total_jobs_completed = models.PositiveIntegerField(default=0, editable=False)
    bio = models.TextField(blank=True, max_length=2000)
    years_of_experience = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(70)])
    is_available = models.BooleanField(default=True, help_text="His own switch; the system never turns it.")
    approval = models.CharField(max_length=10, choices=Approval, default=Approval.PENDING)
    approval_reason = models.TextField(blank=True, max_length=1000)
    approval_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    approval_at = models.DateTimeField(null=True, blank=True)

    objects = ServicemanQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "servicemen"
        verbose_name = "serviceman"
        ordering = ("-id",)
        permissions: ClassVar = [("approve_servicemen", "Approve, reject and suspend servicemen")]
        constraints: ClassVar = [
            models.CheckConstraint(name="approval_is_known", condition=models.Q(approval__in=Approval.values)),
            models.CheckConstraint(name="serviceman_rating_in_range", condition=models.Q(rating__gte=0, rating__lte=5)),
        ]
        indexes: ClassVar = [models.Index(fields=["category", "approval", "-rating"], name="servicemen_by_category")]

    def __str__(self) -> str:
        return str(self.user)


class UnavailableDate(models.Model):
    """A day on which a serviceman does not work."""

    serviceman = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="unavailable_dates")
    date = models.DateField()

    class Meta:
        ordering = ("date",)
        constraints: ClassVar = [models.UniqueConstraint(fields=["serviceman", "date"], name="unavailable_once_a_day")]

    def __str__(self) -> str:
        return f"{self.serviceman_id} {self.date}"
