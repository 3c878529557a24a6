"""How servicemen and trades do, from the first day until now; what each word is stands in docs/analytics.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import (
    Avg,
    BigIntegerField,
    Count,
    DecimalField,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce

from core.models import User
from marketplace.analytics.periods import Span
from marketplace.analytics.revenue import share
from marketplace.enums import OPEN, Account, OfferAnswer, OfferRank, PaymentStatus, Status
from marketplace.models import Category, LedgerLine, Offer, Payment, Rating, ServicemanProfile, ServiceRequest


def earnings() -> QuerySet[LedgerLine]:
    """What servicemen have earned: credits, and debits where one was taken back. What payouts take was earned, too."""
    return LedgerLine.objects.filter(account=Account.SERVICEMAN_PAYABLE, entry__payout=None)


def servicemen() -> QuerySet[ServicemanProfile]:
    """How each serviceman does.

    ratings, open_jobs (of which he is the assigned one), offers (as first choice, or promoted), accepted (also given
    back later), declined, lapsed, earned_kobo (for verified work, paid out or not).
    """
    offers = Offer.objects.filter(serviceman=OuterRef("user"), rank=OfferRank.PRIMARY)
    earned = earnings().filter(serviceman=OuterRef("user"))
    return ServicemanProfile.objects.select_related("user").annotate(
        ratings=_count(Rating.objects.visible().filter(serviceman=OuterRef("user"))),
        open_jobs=_count(ServiceRequest.objects.filter(serviceman=OuterRef("user"), status__in=OPEN)),
        offers=_count(offers),
        accepted=_count(offers.filter(answer__in=(OfferAnswer.ACCEPTED, OfferAnswer.WITHDRAWN))),
        declined=_count(offers.filter(answer=OfferAnswer.DECLINED)),
        lapsed=_count(offers.filter(answer=OfferAnswer.LAPSED)),
        earned_kobo=_total(earned, "serviceman", -Sum("amount_kobo"), BigIntegerField()),
    )


def categories() -> QuerySet[Category]:
    """How each trade does: requests, completed, cancelled, collected (NGN, as in revenue), average_rating or None."""
    requests = ServiceRequest.objects.filter(category=OuterRef("pk"))
    paid = Payment.objects.filter(status=PaymentStatus.SUCCESSFUL, service_request__category=OuterRef("pk"))
    rated = Rating.objects.visible().filter(service_request__category=OuterRef("pk"))
    return Category.objects.annotate(
        requests=_count(requests, "category"),
        completed=_count(requests.filter(status=Status.COMPLETED), "category"),
        cancelled=_count(requests.filter(status=Status.CANCELLED), "category"),
        collected=_total(paid, "service_request__category", Sum("amount"), _NAIRA),
        average_rating=Subquery(_grouped(rated, "service_request__category", Avg("rating"))),
    )


@dataclass(frozen=True)
class Timeliness:
    """How many steps of his a serviceman took before the time he had was over."""

    taken: int
    in_time: int

    @property
    def share(self) -> Decimal | None:
        """Per cent of those with a deadline; None without any."""
        return share(self.in_time, self.taken)


HIS_STEPS = ("accept", "submit_estimate", "start_work", "mark_work_completed")


def timeliness(serviceman: User) -> Timeliness:
    """His steps (also those an admin took for him) against the deadline that ran before each. One statement."""
    trail: Any = ServiceRequest.history
    before = trail.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id")).order_by("-history_id")
    steps = trail.filter(serviceman=serviceman, step__in=HIS_STEPS).annotate(due=Subquery(before.values("due_at")[:1]))
    facts = steps.filter(due__isnull=False).aggregate(
        taken=Count("pk"), in_time=Count("pk", filter=Q(history_date__lte=F("due")))
    )
    return Timeliness(**facts)


@dataclass(frozen=True)
class Stars:
    """How many ratings gave so many stars, and their share of all in per cent; None of none."""

    stars: int
    ratings: int
    share: Decimal | None


def stars_given(first: date, last: date) -> list[Stars]:
    """The visible ratings given from `first` to `last`, both included, by stars, the best first. One statement."""
    given = Span(first, last).cut(Rating.objects.visible(), "created_at").order_by()
    counts = dict(given.values_list("rating").annotate(Count("pk")))
    total = sum(counts.values())
    return [Stars(n, counts.get(n, 0), share(counts.get(n, 0), total)) for n in range(5, 0, -1)]


_NAIRA = DecimalField(max_digits=20, decimal_places=2)


def _grouped(rows: QuerySet[Any], by: str, total: Any) -> QuerySet[Any]:
    return rows.order_by().values(by).annotate(total=total).values("total")


def _count(rows: QuerySet[Any], by: str = "serviceman") -> Coalesce:
    return Coalesce(Subquery(_grouped(rows, by, Count("pk")), output_field=IntegerField()), 0)


def _total(rows: QuerySet[Any], by: str, total: Any, kind: Any) -> Coalesce:
    return Coalesce(Subquery(_grouped(rows, by, total), output_field=kind), 0, output_field=kind)
