"""What the pages of a serviceman and of a client show besides the profile: how he does, jobs, offers, ratings, money.

Each part only for whoever may see its rows; as many statements however much there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse

from core import clock
from marketplace import analytics
from marketplace.admin.labels import NOTHING, ago, at, due, kobo, link_to, many, money, person, stars, state
from marketplace.enums import OPEN, OfferAnswer, PaymentOutcome, PaymentStatus, RefundStatus, Status
from marketplace.models import (
    ClientProfile,
    Offer,
    Payment,
    Rating,
    Refund,
    ServicemanProfile,
    ServiceRequest,
    UnavailableDate,
)
from marketplace.money import ZERO

FEW = 10
"""Rows of each part; the list behind its link has all."""


@dataclass(frozen=True)
class Part:
    """A table of the page: the first of some rows, and where all of them are."""

    title: str
    heads: list[str]
    rows: list[list[Any]]
    nothing: str
    url: str = ""
    figures: tuple[int, ...] = ()
    """The columns that are aligned right."""
    words: int | None = None
    """The column that may take several lines."""


def _list(model: str, query: str) -> str:
    return f"{reverse(f'admin:marketplace_{model}_changelist')}?{query}"


def _figure(title: str, shown: str, hint: str = "") -> dict[str, str]:
    return {"title": title, "shown": shown, "hint": hint}


def of_serviceman(request: HttpRequest, profile: ServicemanProfile) -> dict[str, Any]:
    """How he does, what he has to do, what he was offered, what clients say, when he does not work."""
    may, user, facts = request.user.has_perm, profile.user, vars(profile)
    timely = analytics.timeliness(user)
    answered = facts["accepted"] + facts["declined"]
    figures = [
        _figure("Rating", f"{profile.rating}" if facts["ratings"] else NOTHING, many(facts["ratings"], "rating")),
        _figure("Jobs done", f"{profile.total_jobs_completed:,}", f"{facts['open_jobs']:,} open now"),
        _figure(
            "Offers answered",
            NOTHING if not facts["offers"] else f"{answered:,} of {facts['offers']:,}",
            f"{facts['accepted']:,} accepted, {facts['declined']:,} declined, {facts['lapsed']:,} not in time",
        ),
        _figure(
            "On time",
            NOTHING if timely.share is None else f"{timely.share:.0f} %",
            f"{timely.in_time:,} of {many(timely.taken, 'step')} in time",
        ),
        _figure("Earned", kobo(facts["earned_kobo"]), "By verified work, paid out or not"),
    ]
    parts = []
    if may("marketplace.view_servicerequest"):
        parts.append(_jobs(user))
    if may("marketplace.view_offer"):
        parts.append(_offers(user))
    if may("marketplace.view_rating"):
        parts.append(_ratings(user))
    if may("marketplace.view_unavailabledate"):
        parts.append(_days_off(user))
    return {"figures": figures, "parts": parts}


def _jobs(user: Any) -> Part:
    rows = ServiceRequest.objects.filter(serviceman=user, status__in=OPEN, is_deleted=False)
    soonest = rows.select_related("category", "client").order_by("booking_date", "id")[:FEW]
    return Part(
        "Jobs he has now",
        ["Request", "Status", "Client", "Visit", "Due"],
        [
            [link_to(r), state(r.status, Status), person(r.client), f"{r.booking_date:%a %-d %b}", due(r.due_at)]
            for r in soonest
        ],
        "He has no job now.",
        _list("servicerequest", f"serviceman__id__exact={user.pk}"),
    )


def _offers(user: Any) -> Part:
    rows = Offer.objects.filter(serviceman=user).select_related("request").order_by("-id")[:FEW]
    return Part(
        "Offers",
        ["Request", "As", "Sent", "Answer", "Reason"],
        [
            [
                link_to(o.request),
                o.get_rank_display(),
                ago(o.sent_at, " ago"),
                state(o.answer, OfferAnswer) if o.answer else due(o.respond_by),
                o.reason or NOTHING,
            ]
            for o in rows
        ],
        "Nothing was offered to him yet.",
        _list("offer", f"serviceman__id__exact={user.pk}"),
        words=4,
    )


def _ratings(user: Any) -> Part:
    rows = Rating.objects.filter(serviceman=user).select_related("service_request").order_by("-id")[:FEW]
    return Part(
        "What clients say",
        ["Stars", "Request", "Review", "When"],
        [
            [
                link_to(r, stars(r.rating)),
                link_to(r.service_request),
                f"{r.review}{' (hidden)' if r.hidden_at else ''}" or NOTHING,
                ago(r.created_at, " ago"),
            ]
            for r in rows
        ],
        "Nobody has rated him yet.",
        _list("rating", f"serviceman__id__exact={user.pk}"),
        words=2,
    )


def _days_off(user: Any) -> Part:
    days = UnavailableDate.objects.filter(serviceman=user, date__gte=clock.today()).order_by("date")[:FEW]
    return Part(
        "Days off",
        ["Day"],
        [[f"{day.date:%A, %-d %B %Y}"] for day in days],
        "He has blocked no day.",
        _list("unavailabledate", f"serviceman__id__exact={user.pk}"),
    )


def of_client(request: HttpRequest, profile: ClientProfile) -> dict[str, Any]:
    """What a client booked and paid."""
    may, user = request.user.has_perm, profile.user
    figures, parts = [], []
    if may("marketplace.view_servicerequest"):
        figures += _booked(user)
        parts.append(_requests(user))
    if may("marketplace.view_payment"):
        paid = Payment.objects.filter(service_request__client=user)
        figures += _paid(paid, user, refunds=may("marketplace.view_refund"))
        parts.append(_payments(paid, user))
    return {"figures": figures, "parts": parts}


def _booked(user: Any) -> list[dict[str, str]]:
    facts = ServiceRequest.objects.filter(client=user).aggregate(
        all=Count("pk"),
        open=Count("pk", filter=Q(status__in=OPEN)),
        completed=Count("pk", filter=Q(status=Status.COMPLETED)),
        cancelled=Count("pk", filter=Q(status=Status.CANCELLED)),
    )
    return [
        _figure("Requests", f"{facts['all']:,}", f"{facts['open']:,} open now"),
        _figure("Completed", f"{facts['completed']:,}", f"{facts['cancelled']:,} cancelled"),
    ]


def _paid(paid: QuerySet[Payment], user: Any, *, refunds: bool) -> list[dict[str, str]]:
    proven = paid.filter(status=PaymentStatus.SUCCESSFUL).aggregate(sum=Sum("amount"), number=Count("pk"))
    figures = [_figure("Paid", money(proven["sum"] or ZERO), many(proven["number"], "payment"))]
    if refunds:
        back = Refund.objects.filter(payment__service_request__client=user).aggregate(
            sent=Sum("amount", filter=Q(status=RefundStatus.PROCESSED)),
            owed=Sum("amount", filter=~Q(status__in=(RefundStatus.PROCESSED, RefundStatus.WAIVED))),
        )
        hint = f"{money(back['owed'] or ZERO)} still to go back"
        figures.append(_figure("Went back", money(back["sent"] or ZERO), hint))
    return figures


def _requests(user: Any) -> Part:
    rows = ServiceRequest.objects.filter(client=user).select_related("category", "serviceman").order_by("-id")[:FEW]
    return Part(
        "Requests",
        ["Request", "Status", "Category", "Serviceman", "Visit", "Price"],
        [
            [
                link_to(r),
                state(r.status, Status),
                r.category,
                person(r.serviceman),
                f"{r.booking_date:%-d %b %Y}",
                money(r.final_cost),
            ]
            for r in rows
        ],
        "Nothing was booked yet.",
        _list("servicerequest", f"client__id__exact={user.pk}&deleted=with"),
        figures=(5,),
    )


def _payments(paid: QuerySet[Payment], user: Any) -> Part:
    return Part(
        "Payments",
        ["Payment", "Request", "For", "Status", "Paid", "Amount"],
        [
            [
                link_to(p),
                link_to(p.service_request),
                p.get_payment_type_display(),
                state(p.outcome, PaymentOutcome) if p.outcome else state(p.status, PaymentStatus),
                at(p.paid_at),
                money(p.amount),
            ]
            for p in paid.select_related("service_request").order_by("-id")[:FEW]
        ],
        "Nothing was paid yet.",
        _list("payment", urlencode({"q": user.email})),
        figures=(5,),
    )
