"""The job itself: estimate, start, completion, and an admin's check of it."""

from __future__ import annotations

from decimal import Decimal

from core.errors import Invalid
from core.models import User
from marketplace.models import ServicemanProfile, ServiceRequest
from marketplace.services import ledger
from marketplace.services.workflow import advance, locked, require_amount, require_reason

LEAST_DAYS, MOST_DAYS = 1, 365
"""The shortest and the longest work a serviceman can announce."""


def submit_estimate(
    request_id: int,
    *,
    amount: Decimal,
    notes: str = "",
    estimated_days: int | None = None,
    by: User,
    on_behalf: bool = False,
    reason: str = "",
) -> ServiceRequest:
    """The serviceman says what the work costs, in NGN. Again until an admin has priced it.

    Raises Conflict not_accepted, Invalid for an amount not above 0 or days that cannot be.
    """
    with locked(request_id, by=by, step=ServiceRequest.submit_estimate, on_behalf_of=_him(on_behalf)) as request:
        require_amount(amount, field="amount")
        if estimated_days is not None and not LEAST_DAYS <= estimated_days <= MOST_DAYS:
            raise Invalid(f"Say {LEAST_DAYS} to {MOST_DAYS} days.", code="out_of_range", field="estimated_days")
        return advance(
            request,
            ServiceRequest.submit_estimate,
            by=by,
            on_behalf_of=request.serviceman if on_behalf else None,
            reason=require_reason(reason) if on_behalf else reason,
            amount=amount,
            notes=notes,
            estimated_days=estimated_days,
        )


def start_work(request_id: int, *, by: User, on_behalf: bool = False, reason: str = "") -> ServiceRequest:
    """The serviceman begins; the price is paid."""
    with locked(request_id, by=by, step=ServiceRequest.start_work, on_behalf_of=_him(on_behalf)) as request:
        return advance(
            request,
            ServiceRequest.start_work,
            by=by,
            on_behalf_of=request.serviceman if on_behalf else None,
            reason=require_reason(reason) if on_behalf else reason,
        )


def mark_work_completed(
    request_id: int, *, notes: str = "", by: User, on_behalf: bool = False, reason: str = ""
) -> ServiceRequest:
    """The serviceman says the work is done; an admin must check it."""
    with locked(request_id, by=by, step=ServiceRequest.mark_work_completed, on_behalf_of=_him(on_behalf)) as request:
        return advance(
            request,
            ServiceRequest.mark_work_completed,
            by=by,
            on_behalf_of=request.serviceman if on_behalf else None,
            reason=require_reason(reason) if on_behalf else reason,
            notes=notes,
        )


def verify_completion(request_id: int, *, message: str = "", by: User) -> ServiceRequest:
    """An admin has checked the work: the serviceman has earned his estimate, the platform its margin.

    Raises Conflict issue_open while an issue is open.
    """
    with locked(request_id, by=by, step=ServiceRequest.verify_completion) as request:
        advance(request, ServiceRequest.verify_completion, by=by, reason=message)
        ledger.post_completion_earned(request, by=by)
        ServicemanProfile.objects.recompute(request.serviceman_id)
    return request


def return_to_work(request_id: int, *, reason: str, by: User) -> ServiceRequest:
    """An admin finds the work unfinished. Raises Invalid without a reason."""
    with locked(request_id, by=by, step=ServiceRequest.return_to_work) as request:
        return advance(request, ServiceRequest.return_to_work, by=by, reason=require_reason(reason))


def _him(on_behalf: bool) -> str | None:
    return "serviceman" if on_behalf else None
