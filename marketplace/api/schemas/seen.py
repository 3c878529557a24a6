"""A service request as each of its audiences sees it.

The client never sees the estimate and the markup, a serviceman never what the client pays. Address and the client's
phone are the assigned serviceman's from acceptance until a week after the end; before that he sees the area only.
"""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery

from core import clock
from core.models import User
from marketplace.api.schemas.people import category_ref, person_out, serviceman_ref
from marketplace.enums import CLOSED, NegotiationStatus, RefundStatus, Side
from marketplace.models import Consultation, Issue, Offer, Payment, Price, PriceNegotiation, ServiceRequest
from marketplace.services.workflow import available_actions

SEEN_AFTER_END = timedelta(days=7)
"""How long after the end of a job its serviceman still sees where it was."""

WHOLE_ADDRESS_PARTS = 2
"""Of an address without a number in it, the last so many parts between commas say no more than the area."""


class Audience(StrEnum):
    """As whom somebody looks at a request."""

    ADMIN = "ADMIN"
    CLIENT = "CLIENT"
    SERVICEMAN = "SERVICEMAN"
    BACKUP = "BACKUP"


def with_answer(requests: QuerySet[ServiceRequest]) -> QuerySet[ServiceRequest]:
    """Requests with everything `request_out` reads, in a fixed number of statements however many there are."""
    note = Price.objects.filter(request=OuterRef("pk"), version=OuterRef("price_version")).values("note_to_client")
    proposals = PriceNegotiation.objects.filter(status=NegotiationStatus.PENDING).select_related("proposed_by")
    questions = Consultation.objects.filter(answered_at=None, closed_at=None)
    return (
        requests.select_related(
            "client",
            "category",
            "serviceman__serviceman_profile",
            "backup_serviceman__serviceman_profile",
            "preferred_serviceman__serviceman_profile",
            "rating",
        )
        .annotate(price_note=Subquery(note[:1]))
        .prefetch_related(
            "payments__refunds",
            "issues",
            Prefetch("negotiations", proposals.prefetch_related(Prefetch("consultations", questions))),
        )
    )


def audience_of(request: ServiceRequest, reader: User) -> Audience:
    """As whom a party looks at a request. Raises ValueError for somebody who is none."""
    if reader.is_admin:
        return Audience.ADMIN
    if reader.pk == request.client_id:
        return Audience.CLIENT
    if reader.pk == request.serviceman_id:
        return Audience.SERVICEMAN
    if reader.pk == request.backup_serviceman_id:
        return Audience.BACKUP
    raise ValueError(f"{reader} is no party of {request}.")


def request_out(request: ServiceRequest, reader: User) -> dict[str, Any]:
    """A request, loaded by `with_answer`, as `reader`, who is a party, sees it now."""
    audience = audience_of(request, reader)
    is_admin, is_client = audience is Audience.ADMIN, audience is Audience.CLIENT
    is_serviceman = audience in (Audience.SERVICEMAN, Audience.BACKUP)
    is_at_work = audience is Audience.SERVICEMAN and request.accepted_at is not None
    knows_place = is_admin or is_client or (is_at_work and not _is_long_over(request))

    def man(user: User | None, *, called_by_client: bool = False) -> dict[str, Any] | None:
        """A serviceman; his number is for admins, himself, and the client of a job he has accepted."""
        himself = user is not None and user.pk == reader.pk
        may_call = is_client and called_by_client and request.accepted_at is not None
        return serviceman_ref(user, with_phone=is_admin or himself or may_call)

    return {
        "id": request.pk,
        "code": request.code,
        "status": request.status,
        "status_display": request.get_status_display(),
        "waiting_on": request.waiting_on,
        "due_at": request.due_at,
        "is_overdue": request.is_overdue,
        "status_since": request.status_since,
        "available_actions": available_actions(request, reader),
        "category": category_ref(request.category),
        "client": person_out(request.client, with_phone=knows_place),
        "serviceman": man(request.serviceman, called_by_client=True),
        "backup_serviceman": man(request.backup_serviceman),
        "preferred_serviceman": man(request.preferred_serviceman),
        "booking_date": request.booking_date,
        "is_emergency": request.is_emergency,
        "auto_flagged_emergency": request.auto_flagged_emergency,
        "initial_booking_fee": request.initial_booking_fee,
        "serviceman_estimated_cost": (
            request.serviceman_estimated_cost if is_admin or audience is Audience.SERVICEMAN else None
        ),
        "admin_markup_percentage": request.admin_markup_percentage if is_admin else None,
        "final_cost": None if is_serviceman else request.final_cost,
        "price_version": request.price_version,
        "client_address": _address(request, whole=knows_place),
        "service_description": request.service_description,
        "estimate_notes": request.estimate_notes,
        "estimated_days": request.estimated_days,
        # Written to the client, and likely to speak of his price.
        "price_note": None if is_serviceman else request.price_note or None,  # type: ignore[attr-defined]
        "completion_notes": request.completion_notes,
        "cancellation": _cancellation(request),
        "rating": _rating(request, audience),
        "payments": None if is_serviceman else [_payment(payment) for payment in request.payments.all()],
        "issues": [issue_out(issue) for issue in request.issues.all() if _may_read(issue, request, reader, audience)],
        "open_consultation": _consultation(request, reader, audience),
        "created_at": request.created_at,
        "updated_at": request.updated_at,
        "accepted_at": request.accepted_at,
        "inspection_completed_at": request.inspection_completed_at,
        "work_completed_at": request.work_completed_at,
    }


def dead_offer_out(request: ServiceRequest, offer: Offer) -> dict[str, Any]:
    """The short view of a request for whoever's offer it was."""
    return {
        "id": request.pk,
        "code": request.code,
        "category": category_ref(request.category),
        "offer": {
            "rank": offer.rank,
            "answer": offer.answer,
            "sent_at": offer.sent_at,
            "answered_at": offer.answered_at,
        },
    }


def issue_out(issue: Issue) -> dict[str, Any]:
    """An issue, for whoever may read it."""
    return {
        "id": issue.pk,
        "kind": issue.kind,
        "message": issue.message,
        "raised_by_role": issue.raised_by_role,
        "created_at": issue.created_at,
        "resolved_at": issue.resolved_at,
        "resolution": issue.resolution,
    }


def area_of(address: str) -> str | None:
    """What of an address says no more than the part of town: "12 Allen Avenue, Ikeja, Lagos" -> "Ikeja, Lagos".

    Street and number come first in an address; whatever holds a digit is left out wherever it stands.
    """
    parts = [part.strip() for part in re.split(r"[,\n;]", address) if part.strip()]
    known = [part for part in parts[1:] if not any(letter.isdigit() for letter in part)]
    return ", ".join(known[-WHOLE_ADDRESS_PARTS:]) or None


def _is_long_over(request: ServiceRequest) -> bool:
    return request.status in CLOSED and clock.now() > request.status_since + SEEN_AFTER_END


def _address(request: ServiceRequest, *, whole: bool) -> str | None:
    if whole:
        return request.client_address
    return area_of(request.client_address) if request.is_open else None


def _cancellation(request: ServiceRequest) -> dict[str, Any] | None:
    if request.cancelled_at is None:
        return None
    return {
        "by_role": request.cancelled_by_role,
        "reason": request.cancellation_reason,
        "at": request.cancelled_at,
    }


def _rating(request: ServiceRequest, audience: Audience) -> dict[str, Any] | None:
    rating = getattr(request, "rating", None)
    if rating is None or (rating.hidden_at is not None and audience in (Audience.SERVICEMAN, Audience.BACKUP)):
        return None
    return {"rating": rating.rating, "review": rating.review}


def _payment(payment: Payment) -> dict[str, Any]:
    # Newest first; what finance decided to keep goes nowhere.
    going_back = next((r.status for r in payment.refunds.all() if r.status != RefundStatus.WAIVED), None)
    return {
        "id": payment.pk,
        "payment_type": payment.payment_type,
        "status": payment.status,
        "amount": payment.amount,
        "reference": payment.paystack_reference,
        "refund_status": RefundStatus.SENT if going_back == RefundStatus.PROCESSING else going_back,
    }


def _may_read(issue: Issue, request: ServiceRequest, reader: User, audience: Audience) -> bool:
    """Admins read every issue; others what a party raised: servicemen their own, and those since they had the job."""
    if audience is Audience.ADMIN or issue.raised_by_id == reader.pk:
        return True
    # What an admin notes, say why somebody was suspended, is the backoffice's own.
    if issue.raised_by_role == Side.ADMIN or audience is Audience.CLIENT:
        return issue.raised_by_role != Side.ADMIN
    accepted_at: Any = request.accepted_at if audience is Audience.SERVICEMAN else None
    return accepted_at is not None and issue.created_at >= accepted_at


def _consultation(request: ServiceRequest, reader: User, audience: Audience) -> dict[str, Any] | None:
    question = request.open_consultation
    if question is None or not (audience is Audience.ADMIN or question.serviceman_id == reader.pk):
        return None
    return {
        "negotiation_id": question.negotiation_id,
        "message": question.question,
        "asked_at": question.asked_at,
    }
