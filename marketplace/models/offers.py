"""Offers of a job to a serviceman, each a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from core import clock
from marketplace.enums import OfferAnswer, OfferRank

if TYPE_CHECKING:
    from core.models import User
    from marketplace.models.requests import ServiceRequest

BARS = (OfferAnswer.DECLINED, OfferAnswer.WITHDRAWN)
"""Who answered so is never offered that request again; a lapse or a reassignment does not bar."""


class OfferQuerySet(models.QuerySet["Offer"]):
    """Offers, live and dead."""

    def live(self) -> OfferQuerySet:
        """Open or accepted: they still hold a serviceman to the request."""
        return self.filter(Q(answer=None) | Q(answer=OfferAnswer.ACCEPTED))

    def send(self, request: ServiceRequest, *, notes: str = "") -> dict[str, int]:
        """Record the offers to a request's serviceman, who must answer by due_at, and to its backup; their ids."""
        rows = [
            Offer(
                request=request,
                serviceman=request.serviceman,
                rank=OfferRank.PRIMARY,
                respond_by=request.due_at,
                notes=notes,
            )
        ]
        if request.backup_serviceman_id:
            rows.append(
                Offer(request=request, serviceman=request.backup_serviceman, rank=OfferRank.BACKUP, notes=notes)
            )
        sent = Offer.objects.bulk_create(rows)
        return dict(zip(("offer_id", "backup_offer_id"), (offer.pk for offer in sent), strict=False))

    def end(
        self, request: ServiceRequest, answer: OfferAnswer, *, serviceman: User | None = None, reason: str = ""
    ) -> int:
        """End the live offers of a request (of one serviceman, when given) with an answer."""
        offers = self.live().filter(request=request)
        if serviceman is not None:
            offers = offers.filter(serviceman=serviceman)
        return offers.update(answer=answer, answered_at=clock.now(), reason=reason)


class Offer(models.Model):
    """A job offered to a serviceman, first choice or next in line, and what he answered by when."""

    request = models.ForeignKey("marketplace.ServiceRequest", on_delete=models.PROTECT, related_name="offers")
    serviceman = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="offers")
    rank = models.CharField(max_length=8, choices=OfferRank)
    sent_at = models.DateTimeField(default=clock.now)
    respond_by = models.DateTimeField(null=True, blank=True, help_text="Empty for a backup until he is promoted.")
    answer = models.CharField(max_length=10, choices=OfferAnswer, null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, max_length=1000)
    notes = models.TextField(blank=True, max_length=1000, help_text="The admin's words to the serviceman.")

    objects = OfferQuerySet.as_manager()

    class Meta:
        ordering = ("-sent_at", "-id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["request"],
                name="one_live_primary_offer",
                condition=Q(rank="PRIMARY") & (Q(answer=None) | Q(answer="ACCEPTED")),
            ),
            models.UniqueConstraint(
                fields=["request", "serviceman"],
                name="one_live_offer_a_serviceman",
                condition=Q(answer=None) | Q(answer="ACCEPTED"),
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["serviceman", "answer"], name="offers_of_serviceman")]

    def __str__(self) -> str:
        return f"Offer no. {self.pk}"

    @property
    def is_live(self) -> bool:
        """Open or accepted."""
        return self.answer in (None, OfferAnswer.ACCEPTED)
