"""Finding the right serviceman: suggestions, offers, answers, and taking a job back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, F, Q, Sum
from django.db.models.functions import Coalesce

from core.errors import Conflict, Invalid
from core.models import User
from marketplace.enums import OPEN, OfferAnswer, OfferRank
from marketplace.models import (
    BusinessSettings,
    Offer,
    Payment,
    PriceNegotiation,
    Rating,
    ServicemanProfile,
    ServiceRequest,
    UnavailableDate,
)
from marketplace.models.offers import BARS
from marketplace.models.workflow import PRICED
from marketplace.services.workflow import Step, advance, locked, require_reason

PRIOR_RATINGS = 5
"""How many average ratings a newcomer is credited with, so that one 5 does not beat forty 4.8s (Bayesian mean)."""
BEST_PRIOR = 4
"""The most such a rating is worth: where the average itself is near 4.8, one 5 would beat them after all."""


def assign_serviceman(
    request_id: int, *, serviceman_id: int, backup_id: int | None = None, notes: str = "", by: User
) -> ServiceRequest:
    """Offer a paid request to a serviceman, with `backup_id` next in line (user ids).

    Raises Conflict (already_assigned, serviceman_not_eligible), Forbidden, Invalid for unknown ids.
    """
    with locked(request_id, by=by, step=ServiceRequest.assign) as request:
        serviceman, backup = _chosen(request, serviceman_id, backup_id)
        advance(
            request,
            ServiceRequest.assign,
            by=by,
            reason=notes,
            then=lambda taken: Offer.objects.send(taken, notes=notes),
            serviceman=serviceman,
            backup=backup,
        )
    return request


def reassign_serviceman(
    request_id: int,
    *,
    serviceman_id: int,
    replaces: int,
    reason: str,
    backup_id: int | None = None,
    notes: str = "",
    by: User,
) -> ServiceRequest:
    """Take a job from `replaces` and offer it to another. Voids estimate and price unless the price is paid.

    Raises Conflict when `replaces` is not the assigned one any more or is the same man, Invalid without a reason.
    """
    with locked(request_id, by=by, step=ServiceRequest.reassign) as request:
        if request.serviceman_id != replaces:
            raise Conflict("The job is not his any more.", code="already_assigned", field="replaces")
        if serviceman_id == replaces:
            raise Conflict("This is the serviceman who has it now.", code="same_serviceman", field="serviceman_id")
        reason = require_reason(reason)
        serviceman, backup = _chosen(request, serviceman_id, backup_id)
        tell = {
            "lost": request.serviceman_id,
            "lost_backup": request.backup_serviceman_id,
            "had_accepted": request.accepted_at is not None,
        }
        _let_go_of_price(request)
        Offer.objects.end(request, OfferAnswer.TAKEN_BACK, reason=reason)
        advance(
            request,
            ServiceRequest.reassign,
            by=by,
            reason=reason,
            tell=tell,
            then=lambda taken: Offer.objects.send(taken, notes=notes),
            serviceman=serviceman,
            backup=backup,
            default_markup=BusinessSettings.current().default_markup_percentage,
        )
    return request


def accept_job(request_id: int, *, by: User, on_behalf: bool = False, reason: str = "") -> ServiceRequest:
    """The serviceman takes the job offered to him; back to work at once when the final price is paid already."""
    with locked(request_id, by=by, step=ServiceRequest.accept, on_behalf_of=_him(on_behalf)) as request:
        reason = require_reason(reason) if on_behalf else reason
        Offer.objects.end(request, OfferAnswer.ACCEPTED, serviceman=request.serviceman)
        advance(
            request,
            ServiceRequest.accept,
            by=by,
            on_behalf_of=request.serviceman if on_behalf else None,
            reason=reason,
            final_paid=request.final_is_paid,
        )
    return request


def decline_job(request_id: int, *, reason: str, by: User, on_behalf: bool = False) -> ServiceRequest:
    """The serviceman does not want the job: the backup is promoted if he still may, else an admin chooses again."""
    with locked(request_id, by=by, step=ServiceRequest.decline, on_behalf_of=_him(on_behalf)) as request:
        return pass_on(
            request,
            ServiceRequest.decline,
            OfferAnswer.DECLINED,
            by=by,
            on_behalf=on_behalf,
            reason=require_reason(reason),
        )


def withdraw_from_job(request_id: int, *, reason: str, by: User, on_behalf: bool = False) -> ServiceRequest:
    """The serviceman gives an accepted job back before work has started."""
    with locked(request_id, by=by, step=ServiceRequest.withdraw, on_behalf_of=_him(on_behalf)) as request:
        return pass_on(
            request,
            ServiceRequest.withdraw,
            OfferAnswer.WITHDRAWN,
            by=by,
            on_behalf=on_behalf,
            reason=require_reason(reason),
            default_markup=BusinessSettings.current().default_markup_percentage,
        )


def lapse_offer(request_id: int) -> ServiceRequest:
    """The time to answer is over: as a decline, but it bars nobody. Raises Conflict while it is not."""
    with locked(request_id, by=None, step=ServiceRequest.lapse) as request:
        return pass_on(request, ServiceRequest.lapse, OfferAnswer.LAPSED, by=None, reason="No answer in time.")


def pass_on(
    request: ServiceRequest,
    step: Step,
    answer: OfferAnswer,
    *,
    by: User | None,
    reason: str,
    on_behalf: bool = False,
    **facts: Any,
) -> ServiceRequest:
    """Give a job to its backup if he still may have it, else back to the admins; the caller holds the lock.

    `facts` go to the step.
    """
    loser, backup = request.serviceman, request.backup_serviceman
    promoted = backup if backup and _eligible(request, backup.pk) else None
    _let_go_of_price(request)
    Offer.objects.end(request, answer, serviceman=loser, reason=reason)
    his_offer = Offer.objects.live().filter(request=request, serviceman=promoted)
    tell = {
        "lost": loser.pk if loser else None,
        "had_accepted": request.accepted_at is not None,
        "promoted": promoted.pk if promoted else None,
        "offer_id": his_offer.values_list("pk", flat=True).first() if promoted else None,
    }
    advance(
        request,
        step,
        by=by,
        on_behalf_of=loser if on_behalf else None,
        reason=reason,
        tell=tell,
        promoted=promoted,
        **facts,
    )
    if promoted:
        his_offer.update(rank=OfferRank.PRIMARY, respond_by=request.due_at)
    elif backup:
        Offer.objects.end(request, OfferAnswer.TAKEN_BACK, serviceman=backup, reason="Not free any more.")
    return request


def _let_go_of_price(request: ServiceRequest) -> None:
    """Leaving before the price is paid closes the open proposal and the open checkout with it."""
    if request.status in PRICED:
        PriceNegotiation.objects.close(request.pk)
        Payment.objects.supersede(request.pk)


def _him(on_behalf: bool) -> str | None:
    return "serviceman" if on_behalf else None


def _eligible(request: ServiceRequest, user_id: int) -> ServicemanProfile | None:
    """The profile, locked, when the job may be offered to him."""
    return (
        ServicemanProfile.objects.eligible_for(request)
        .select_for_update(of=("self",))
        .filter(user_id=user_id)
        .select_related("user")
        .first()
    )


def _chosen(request: ServiceRequest, serviceman_id: int, backup_id: int | None) -> tuple[User, User | None]:
    """Both people, checked. Raises Invalid for unknown ids, Conflict for who is not eligible."""
    if backup_id == serviceman_id:
        raise Conflict("The backup must be another serviceman.", code="same_serviceman", field="backup_serviceman_id")
    wanted = {"serviceman_id": serviceman_id, **({"backup_serviceman_id": backup_id} if backup_id else {})}
    known = set(ServicemanProfile.objects.filter(user_id__in=wanted.values()).values_list("user_id", flat=True))
    for field, user_id in wanted.items():
        if user_id not in known:
            raise Invalid("There is no such serviceman.", code="unknown_serviceman", field=field)
    people: dict[str, User] = {}
    for field, user_id in sorted(wanted.items(), key=lambda item: item[1] or 0):
        profile = _eligible(request, user_id)
        if profile is None:
            raise Conflict(_why_not(request, user_id), code="serviceman_not_eligible", field=field)
        people[field] = profile.user
    return people["serviceman_id"], people.get("backup_serviceman_id")


def _why_not(request: ServiceRequest, user_id: int) -> str:
    """A sentence an admin can check."""
    profiles = ServicemanProfile.objects.filter(user_id=user_id)
    if Offer.objects.filter(request=request, serviceman_id=user_id, answer__in=BARS).exists():
        return "He declined this request or gave it back before."
    if not profiles.filter(user__is_email_verified=True).exists():
        return "He has not confirmed his e-mail address."
    if not profiles.listed().exists():
        return "He is not approved, or his account is not active."
    if not profiles.filter(category=request.category_id).exists():
        return "He works in another category."
    return f"He is not available on {request.booking_date:%d %B %Y}."


# --- Suggestions


@dataclass(frozen=True)
class Suggestion:
    """A serviceman for a request, with reasons a person can check."""

    profile: ServicemanProfile
    score: float
    reasons: list[str]


@dataclass(frozen=True)
class Reliability:
    """What a serviceman made of the offers that were his to answer; those taken from him say nothing of him."""

    answered: int = 0
    declined: int = 0
    """Of those answered: turned down, or accepted and given back."""
    ignored: int = 0

    @property
    def refused_share(self) -> float:
        """0 to 1; silence counts as a no."""
        asked = self.answered + self.ignored
        return (self.declined + self.ignored) / asked if asked else 0


def suggest(requests: Sequence[ServiceRequest], *, limit: int = 5) -> dict[int, list[Suggestion]]:
    """The best servicemen for each request, best first. A fixed number of statements however many."""
    if not requests:
        return {}
    everybody = min(Rating.objects.visible().aggregate(mean=Avg("rating"))["mean"] or BEST_PRIOR, BEST_PRIOR)
    candidates = list(
        ServicemanProfile.objects.listed()
        .filter(category__in={r.category_id for r in requests}, is_available=True)
        .select_related("user", "category")
        .annotate(
            stars=Coalesce(Sum("user__ratings_received__rating", filter=Q(user__ratings_received__hidden_at=None)), 0),
            ratings=Count("user__ratings_received", filter=Q(user__ratings_received__hidden_at=None)),
        )
    )
    ids = [c.user_id for c in candidates]
    open_jobs = _counts(
        ServiceRequest.objects.filter(serviceman__in=ids, status__in=OPEN)
        .values_list("serviceman")
        .annotate(Count("id"))
    )
    offers = {
        user_id: Reliability(*counts)
        for user_id, *counts in Offer.objects.filter(serviceman__in=ids)
        .values_list("serviceman")
        .annotate(
            answered=Count("id", filter=Q(answer__in=(OfferAnswer.ACCEPTED, *BARS))),
            declined=Count("id", filter=Q(answer__in=BARS)),
            # Not those that ended with a suspension, before their time was over.
            ignored=Count("id", filter=Q(answer=OfferAnswer.LAPSED, answered_at__gt=F("respond_by"))),
        )
    }
    blocked = set(
        UnavailableDate.objects.filter(serviceman__in=ids, date__in={r.booking_date for r in requests}).values_list(
            "serviceman_id", "date"
        )
    )
    barred = set(
        Offer.objects.filter(request__in=[r.pk for r in requests], answer__in=BARS).values_list(
            "request_id", "serviceman_id"
        )
    )
    ranked: dict[int, list[Suggestion]] = {}
    for request in requests:
        fit = [
            _judge(request, c, float(everybody), open_jobs.get(c.user_id, 0), offers.get(c.user_id, Reliability()))
            for c in candidates
            if c.category_id == request.category_id
            and (c.user_id, request.booking_date) not in blocked
            and (request.pk, c.user_id) not in barred
            and c.user_id != request.serviceman_id
        ]
        ranked[request.pk] = sorted(fit, key=lambda s: (-s.score, s.profile.user_id))[:limit]
    return ranked


def _judge(
    request: ServiceRequest, profile: ServicemanProfile, everybody: float, open_jobs: int, offers: Reliability
) -> Suggestion:
    """Score a candidate: rating first, then load, reliability and experience; whom the client asked for wins."""
    ratings, stars = getattr(profile, "ratings", 0), getattr(profile, "stars", 0)
    bayesian = (PRIOR_RATINGS * everybody + stars) / (PRIOR_RATINGS + ratings)
    preferred = request.preferred_serviceman_id == profile.user_id
    score = bayesian - 0.25 * open_jobs + min(profile.total_jobs_completed, 50) / 100
    score -= offers.refused_share
    score += 10 if preferred else 0
    reasons = [str(profile.category), f"Free on {request.booking_date:%-d %b}"]
    if preferred:
        reasons.insert(0, "Asked for by the client")
    reasons.append(f"Rated {profile.rating} by {ratings}" if ratings else "Not rated yet")
    reasons.append(_many(profile.total_jobs_completed, "job") + " done")
    reasons.append(_many(open_jobs, "open job") if open_jobs else "No open job")
    if offers.answered:
        reasons.append(f"Declined {offers.declined} of {_many(offers.answered, 'offer')}")
    if offers.ignored:
        reasons.append(f"Did not answer {_many(offers.ignored, 'offer')}")
    return Suggestion(profile=profile, score=score, reasons=reasons)


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}{'s'[: count != 1]}"


def _counts(rows: Iterable[tuple[int, int]]) -> dict[int, int]:
    return dict(rows)
