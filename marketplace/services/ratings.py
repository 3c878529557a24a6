"""What clients say of servicemen: exact means from rows, moderation with a reason, the serviceman's reply."""

from __future__ import annotations

from typing import cast

from django.db import transaction

from core import clock
from core.errors import Conflict, Forbidden, Invalid, Missing
from core.models import User
from marketplace.models import Rating, ServicemanProfile, ServiceRequest
from marketplace.services.workflow import advance, locked, require_reason


def rate(request_id: int, *, rating: int, review: str = "", by: User) -> Rating:
    """The client says how it was, 1 to 5, once. Raises Conflict already_rated, Invalid outside 1 to 5."""
    with locked(request_id, by=by, step=ServiceRequest.rate) as request:
        if not 1 <= rating <= 5:
            raise Invalid("Rate from 1 to 5.", code="out_of_range", field="rating")
        row = Rating.objects.create(
            # By id: given the object, `request` would know of this rating, and rating is a step on an unrated job.
            service_request_id=request.pk,
            client=request.client,
            serviceman=cast("User", request.serviceman),  # nothing is completed without one
            rating=rating,
            review=review,
        )
        advance(request, ServiceRequest.rate, by=by, tell={"rating_id": row.pk})
        ServicemanProfile.objects.recompute(row.serviceman_id)
    return row


def reply_to_rating(rating_id: int, *, reply: str, by: User) -> Rating:
    """The rated serviceman answers, once. Raises Missing, Conflict already_replied, Forbidden."""
    with transaction.atomic():
        row = Rating.objects.visible().select_for_update(of=("self",)).filter(pk=rating_id).first()
        if row is None:
            raise Missing("There is no such rating.")
        if row.reply:
            raise Conflict("This rating was replied to already.", code="already_replied")
        if row.serviceman_id != by.pk:
            raise Forbidden("Only the serviceman who was rated can reply.")
        row.reply, row.replied_at = require_reason(reply, field="reply"), clock.now()
        row.save()
    return row


def moderate_rating(rating_id: int, *, hide: bool, reason: str, by: User) -> Rating:
    """Hide a rating from everybody, or show it again; it then counts no more, or again. Needs the codename verify."""
    if not by.has_perm("marketplace.verify"):
        raise Forbidden("Only an admin who may verify can moderate ratings.")
    with transaction.atomic():
        row = Rating.objects.select_for_update(of=("self",)).filter(pk=rating_id).first()
        if row is None:
            raise Missing("There is no such rating.")
        row.hidden_at = clock.now() if hide else None
        row.hidden_by = by if hide else None
        row.hidden_reason = require_reason(reason) if hide else ""
        row.save()
        ServicemanProfile.objects.recompute(row.serviceman_id)
    return row
