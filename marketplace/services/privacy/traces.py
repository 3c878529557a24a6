"""Where a person is written down: what of it they are shown, and what erasing leaves.

Money stays, under a pseudonym: what was paid, earned, returned and when is kept as the books of a company must be (in
Nigeria for six years: Companies and Allied Matters Act 2020, section 375). The rights to a copy and to erasure are
those of the Nigeria Data Protection Act 2023, part VI.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model, Q, QuerySet

from core import clock
from core.models import IdempotencyKey, RefreshToken, User
from marketplace.models import (
    Attachment,
    BankAccount,
    ClientProfile,
    Consultation,
    Issue,
    LedgerLine,
    Note,
    Notification,
    Offer,
    Payment,
    Payout,
    PriceNegotiation,
    Rating,
    Receipt,
    Refund,
    ServicemanProfile,
    ServiceRequest,
    UnavailableDate,
    WebhookEvent,
)

ERASED = "Erased with the account."
"""What stands where words must stand."""

Whose = Callable[[User], Q]
"""Which rows are about a person."""


@dataclass(frozen=True)
class Trace:
    """Rows that tell of a person: whose they are, what their owner is shown of them, and what erasing leaves."""

    name: str
    model: type[Model]
    whose: Whose
    shown: str = ""
    """Columns of the copy a person is given; none: these rows are no part of it, or stand there under another name."""
    emptied: Mapping[str, Any] = field(default_factory=dict)
    """Columns that are overwritten and with what, in the rows and in their history."""
    is_deleted: bool = False
    """Whether the rows go as a whole; what is emptied then is their history."""

    def rows(self, user: User) -> QuerySet[Any]:
        """Those about this person, the oldest first."""
        return self.model._default_manager.filter(self.whose(user)).order_by("pk")

    def versions(self, user: User) -> QuerySet[Any] | None:
        """The history of such rows, where one is kept."""
        history = getattr(self.model, "history", None)
        return history.model.objects.filter(self.whose(user)) if history else None


def of(*columns: str, **also: Any) -> Whose:
    """Rows that name the person in one of these columns, and of which `also` holds."""

    def whose(user: User) -> Q:
        named = Q()
        for column in columns:
            named |= Q(**{column: user.pk})
        return named & Q(**also)

    return whose


def _paid_by(user: User) -> Q:
    return Q(reference__in=Payment.objects.filter(service_request__client=user).values("paystack_reference"))


CLIENT_OF_PAYMENT = "payment__service_request__client"

TRACES: tuple[Trace, ...] = (
    Trace(
        "account",
        User,
        of("id"),
        shown="id email username first_name last_name phone_number user_type is_email_verified date_joined last_login",
        emptied={"first_name": "", "last_name": "", "phone_number": ""},
    ),
    Trace("client_profile", ClientProfile, of("user"), shown="address", emptied={"address": ""}),
    Trace(
        "serviceman_profile",
        ServicemanProfile,
        of("user"),
        shown="category__name bio years_of_experience is_available approval approval_reason approval_at rating "
        "total_jobs_completed",
        emptied={"bio": "", "years_of_experience": None, "approval_reason": ""},
    ),
    Trace("unavailable_dates", UnavailableDate, of("serviceman"), shown="date", is_deleted=True),
    Trace(
        "bank_account",
        BankAccount,
        of("serviceman"),
        shown="account_number bank_code account_name",
        emptied={"account_number": "", "bank_code": "", "account_name": "", "recipient_code": ""},
        is_deleted=True,
    ),
    Trace(
        "service_requests",
        ServiceRequest,
        of("client"),
        shown="id code category__name status booking_date is_emergency client_address service_description "
        "initial_booking_fee final_cost cancellation_reason created_at cancelled_at is_deleted",
        emptied={"client_address": "", "service_description": ""},
    ),
    Trace(
        "cancellations", ServiceRequest, of("client", cancelled_by_role="CLIENT"), emptied={"cancellation_reason": ""}
    ),
    Trace(
        "jobs",
        ServiceRequest,
        of("serviceman"),
        shown="id code category__name status booking_date serviceman_estimated_cost estimate_notes estimated_days "
        "completion_notes accepted_at work_completed_at",
        emptied={"estimate_notes": "", "completion_notes": ""},
    ),
    Trace(
        "offers",
        Offer,
        of("serviceman"),
        shown="request__code rank sent_at respond_by answer answered_at reason notes",
        emptied={"reason": "", "notes": ""},
    ),
    Trace(
        "proposals",
        PriceNegotiation,
        of("proposed_by"),
        shown="service_request__code proposed_amount message status created_at",
        emptied={"message": ""},
    ),
    Trace(
        "consultations",
        Consultation,
        of("serviceman"),
        shown="negotiation__service_request__code question asked_at answer minimum_amount answered_at",
        emptied={"answer": ""},
    ),
    Trace(
        "issues",
        Issue,
        of("raised_by"),
        shown="request__code kind message created_at resolved_at resolution",
        emptied={"message": ERASED},
    ),
    Trace(
        "ratings_given",
        Rating,
        of("client"),
        shown="service_request__code rating review created_at",
        emptied={"review": ""},
    ),
    Trace(
        "ratings_received",
        Rating,
        of("serviceman"),
        shown="service_request__code rating review created_at reply replied_at",
        emptied={"reply": ""},
    ),
    Trace(
        "payments",
        Payment,
        of("service_request__client"),
        shown="service_request__code payment_type channel amount currency status paystack_reference paid_at created_at",
    ),
    Trace(
        "refunds",
        Refund,
        of(CLIENT_OF_PAYMENT),
        shown="payment__paystack_reference amount status reason created_at processed_at",
    ),
    Trace("refunds_asked_for", Refund, of("requested_by"), emptied={"reason": ERASED}),
    Trace("receipts", Receipt, of(CLIENT_OF_PAYMENT), shown="number issued_at"),
    Trace(
        "earnings",
        LedgerLine,
        of("serviceman"),
        shown="entry__request__code entry__kind entry__happened_at amount_kobo",
    ),
    Trace("payouts", Payout, of("serviceman"), shown="reference amount status sent_at paid_at"),
    Trace(
        "attachments",
        Attachment,
        of("uploaded_by", "request__client"),
        shown="request__code kind content_type size created_at",
        is_deleted=True,
    ),
    Trace(
        "notifications",
        Notification,
        of("user"),
        shown="notification_type title message is_read created_at email_sent_at",
        is_deleted=True,
    ),
    Trace("sign_ins", RefreshToken, of("user"), shown="created_at expires_at used_at revoked_at", is_deleted=True),
    Trace("answers_kept_for_repeats", IdempotencyKey, of("user"), is_deleted=True),
    Trace("internal_notes", Note, of("request__client"), emptied={"text": ERASED}),
    # What Paystack has sent holds the payer's address. What came of it is kept.
    Trace("events_of_paystack", WebhookEvent, _paid_by, emptied={"body": b"", "detail": ERASED}),
)
"""Every place."""


def personal_data(user: User) -> dict[str, Any]:
    """A copy of all that is kept about a person: rows by the name of their trace, columns as they are stored."""
    data: dict[str, Any] = {"exported_at": clock.now()}
    for trace in TRACES:
        if trace.shown:
            data[trace.name] = [
                {name.replace("__", "_"): value for name, value in row.items()}
                for row in trace.rows(user).values(*trace.shown.split())
            ]
    return data
