"""The shapes of a service request; `schemas.seen` fills them as each audience sees it."""

from typing import Literal

from core.api import Answer, Day, Moment, Naira, Percent
from marketplace.api.schemas.common import example
from marketplace.api.schemas.people import CategoryRef, PersonOut, ServicemanRef
from marketplace.enums import IssueKind, OfferAnswer, OfferRank, PaymentStatus, PaymentType, RefundStatus, Side, Status

ShownRefund = Literal[
    RefundStatus.DUE,
    RefundStatus.REVIEW,
    RefundStatus.APPROVED,
    RefundStatus.SENT,
    RefundStatus.PROCESSED,
    RefundStatus.FAILED,
    RefundStatus.NEEDS_ATTENTION,
]
"""What people read of money that goes back; `schemas.seen` says the other two in these words."""


class CancellationOut(Answer):
    """Who called a request off, why and when."""

    by_role: Side
    reason: str
    at: Moment


class RequestRatingOut(Answer):
    """What the client said of the job."""

    rating: int
    review: str


class RequestPaymentOut(Answer):
    """One attempt to pay, and where money that goes back stands: `refund_status` is null while none does."""

    id: int
    payment_type: PaymentType
    status: PaymentStatus
    amount: Naira
    reference: str
    refund_status: ShownRefund | None


class IssueOut(Answer):
    """Something that went wrong at a job; open until it is resolved."""

    id: int
    kind: IssueKind
    message: str
    raised_by_role: Side
    created_at: Moment
    resolved_at: Moment | None
    resolution: str

    model_config = example(
        id=3,
        kind="NO_SHOW",
        message="Nobody came.",
        raised_by_role="CLIENT",
        created_at="2026-11-24T18:00:00+01:00",
        resolved_at=None,
        resolution="",
    )


class ConsultationOut(Answer):
    """A question about the open proposal that waits for the serviceman's answer."""

    negotiation_id: int
    message: str
    asked_at: Moment


class RequestOut(Answer):
    """A service request as the caller sees it: null stands for what he may not see, or what is not known yet."""

    id: int
    code: str
    status: Status
    status_display: str
    waiting_on: Side
    due_at: Moment | None
    is_overdue: bool
    status_since: Moment
    available_actions: list[str]
    category: CategoryRef
    client: PersonOut
    serviceman: ServicemanRef | None
    backup_serviceman: ServicemanRef | None
    preferred_serviceman: ServicemanRef | None
    booking_date: Day
    is_emergency: bool
    auto_flagged_emergency: bool
    initial_booking_fee: Naira
    serviceman_estimated_cost: Naira | None
    admin_markup_percentage: Percent | None
    final_cost: Naira | None
    price_version: int
    client_address: str | None
    service_description: str
    estimate_notes: str
    estimated_days: int | None
    price_note: str | None
    completion_notes: str
    cancellation: CancellationOut | None
    rating: RequestRatingOut | None
    payments: list[RequestPaymentOut] | None
    issues: list[IssueOut]
    open_consultation: ConsultationOut | None
    created_at: Moment
    updated_at: Moment
    accepted_at: Moment | None
    inspection_completed_at: Moment | None
    work_completed_at: Moment | None

    model_config = example(
        id=41,
        code="SR-7K3Q9X",
        status="AWAITING_CLIENT_APPROVAL",
        status_display="Awaiting client approval",
        waiting_on="CLIENT",
        due_at="2026-11-27T14:30:00+01:00",
        is_overdue=False,
        status_since="2026-11-24T14:30:00+01:00",
        available_actions=["approve", "cancel", "negotiate", "issues"],
        category={"id": 1, "name": "Plumbing"},
        client={"id": 7, "name": "Ada Obi", "phone_number": "+2348031234501"},
        serviceman={"id": 12, "name": "Tunde Bello", "phone_number": "+2348031234503", "rating": "4.67"},
        backup_serviceman=None,
        preferred_serviceman=None,
        booking_date="2026-11-24",
        is_emergency=False,
        auto_flagged_emergency=False,
        initial_booking_fee="2000.00",
        serviceman_estimated_cost=None,
        admin_markup_percentage=None,
        final_cost="22000.00",
        price_version=1,
        client_address="12 Allen Avenue, Ikeja, Lagos",
        service_description="The kitchen tap drips.",
        estimate_notes="New cartridge.",
        estimated_days=1,
        price_note="Parts are included.",
        completion_notes="",
        cancellation=None,
        rating=None,
        payments=[
            {
                "id": 90,
                "payment_type": "INITIAL_BOOKING",
                "status": "SUCCESSFUL",
                "amount": "2000.00",
                "reference": "SR-7K3Q9X-I-8f41c0de21",
                "refund_status": None,
            }
        ],
        issues=[],
        open_consultation=None,
        created_at="2026-11-22T09:00:00+01:00",
        updated_at="2026-11-24T14:30:00+01:00",
        accepted_at="2026-11-22T12:00:00+01:00",
        inspection_completed_at="2026-11-24T11:00:00+01:00",
        work_completed_at=None,
    )


class OfferOut(Answer):
    """How an offer ended that is no longer the caller's."""

    rank: OfferRank
    answer: OfferAnswer | None
    sent_at: Moment
    answered_at: Moment | None


class DeadOfferOut(Answer):
    """All that is left to see for a serviceman who no longer has the job."""

    id: int
    code: str
    category: CategoryRef
    offer: OfferOut

    model_config = example(
        id=41,
        code="SR-7K3Q9X",
        category={"id": 1, "name": "Plumbing"},
        offer={
            "rank": "PRIMARY",
            "answer": "DECLINED",
            "sent_at": "2026-11-22T09:30:00+01:00",
            "answered_at": "2026-11-22T10:00:00+01:00",
        },
    )
