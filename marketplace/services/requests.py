"""A request's birth, changes of date and urgency, and its early end."""

from __future__ import annotations

from datetime import date

from django.db import transaction

from core import clock
from core.errors import Conflict, Forbidden, Invalid
from core.models import User
from marketplace import notices, policy
from marketplace.deadlines import LATEST_BOOKING_DAYS, is_emergency_date
from marketplace.enums import Approval, NotificationType, PaymentOutcome, PaymentStatus, Side, Status
from marketplace.models import (
    BusinessSettings,
    Category,
    Note,
    Offer,
    Payment,
    PriceNegotiation,
    ServicemanProfile,
    ServiceRequest,
)
from marketplace.services import refunds
from marketplace.services.workflow import advance, give_birth, locked, require_reason, take


def book(
    *,
    category_id: int,
    booking_date: date,
    client_address: str,
    service_description: str,
    is_emergency: bool = False,
    preferred_serviceman_id: int | None = None,
    by: User,
    on_behalf_of: User | None = None,
    reason: str = "",
) -> ServiceRequest:
    """Book a visit for `by`, or by an admin for a client, with the reason. The booking fee is due next.

    A date before today + 2 days is an emergency whatever was asked. Raises Forbidden email_not_verified, Invalid for a
    past date, an unknown or inactive category, a preferred serviceman who is not free.
    """
    client = on_behalf_of or by
    if on_behalf_of is not None:
        if not by.is_admin or not by.has_perm("marketplace.assign"):
            raise Forbidden("Only an admin who may assign can book for a client.")
        reason = require_reason(reason)
    if not client.is_client:
        raise Forbidden("Only clients book.")
    if not client.is_email_verified:
        raise Forbidden("Confirm your e-mail address first.", code="email_not_verified")
    with transaction.atomic():
        # Locked, so that nobody books for an account that is being erased.
        if not User.objects.select_for_update(of=("self",), no_key=True).filter(pk=client.pk, is_active=True).exists():
            raise Conflict("This account is closed.", code="account_closed")
        settings = BusinessSettings.current()
        require_bookable(booking_date)
        category = Category.objects.filter(pk=category_id, is_active=True).first()
        if category is None:
            detail = "There is no such category, or it takes no bookings now."
            raise Invalid(detail, code="unknown_category", field="category_id")
        preferred = _preferred(preferred_serviceman_id, category=category, day=booking_date)
        near = is_emergency_date(booking_date, today=clock.today(), terms=settings.terms)
        emergency = is_emergency or near
        return give_birth(
            ServiceRequest(
                client=client,
                category=category,
                booking_date=booking_date,
                client_address=client_address,
                service_description=service_description,
                is_emergency=emergency,
                auto_flagged_emergency=near,
                preferred_serviceman=preferred.user if preferred else None,
                initial_booking_fee=settings.emergency_booking_fee if emergency else settings.booking_fee,
                admin_markup_percentage=settings.default_markup_percentage,
            ),
            by=by,
            on_behalf_of=on_behalf_of,
            reason=reason,
        )


def cancel(request_id: int, *, reason: str, by: User | None) -> ServiceRequest:
    """Call a request off and owe back what the policy says. `by` None is the system, after long silence: `give_up`.

    Money that was paid becomes refunds due, or refunds for review by finance. Raises Invalid without a reason.
    """
    with locked(request_id, by=by, step=ServiceRequest.cancel, state=None if by else _is_silent) as request:
        side = _side(by)
        reason = require_reason(reason)
        outcomes = _outcomes(request, side)
        PriceNegotiation.objects.close(request.pk)
        Payment.objects.supersede(request.pk)
        advance(request, ServiceRequest.cancel, by=by, reason=reason, tell={"side": side}, side=side, because=reason)
        refunds.owe_for_cancellation(request, outcomes=outcomes, reason=reason, by=by)
    return request


def give_up(request_id: int) -> ServiceRequest:
    """Cancel a request whose price nobody answered or paid in the days there were. Raises Conflict before."""
    wait = ServiceRequest.objects.only("status_since", "give_up_at").get(pk=request_id)
    days = (wait.give_up_at - wait.status_since).days if wait.give_up_at else 0
    return cancel(request_id, reason=f"Nobody answered for {days} day{'s'[: days != 1]}.", by=None)


def cancellation_preview(request: ServiceRequest, *, by: User) -> list[policy.Outcome]:
    """What cancelling now would do to each payment, in NGN. Raises Conflict once closed."""
    if not request.is_open:
        raise Conflict("This request is closed.", code="wrong_status")
    return _outcomes(request, _side(by))


def reschedule(request_id: int, *, booking_date: date, reason: str, by: User) -> ServiceRequest:
    """Move the visit. A near date makes it an emergency; the fee stays.

    Raises Invalid for a past date or when the serviceman is not free that day.
    """
    with locked(request_id, by=by, step=ServiceRequest.reschedule) as request:
        reason = require_reason(reason)
        require_bookable(booking_date)
        if (
            request.serviceman_id
            and not ServicemanProfile.objects.free_on(booking_date).filter(user_id=request.serviceman_id).exists()
        ):
            raise Invalid("The serviceman is not available that day.", code="not_available", field="booking_date")
        near = is_emergency_date(booking_date, today=clock.today(), terms=BusinessSettings.current().terms)
        tell = {"was": request.booking_date.isoformat(), "became_emergency": near and not request.is_emergency}
        advance(
            request,
            ServiceRequest.reschedule,
            by=by,
            reason=reason,
            tell=tell,
            booking_date=booking_date,
            is_near=near,
        )
        _move_open_offer(request)
    return request


def flag_emergency(request_id: int, *, is_emergency: bool, by: User) -> ServiceRequest:
    """An admin sets or lifts the emergency: deadlines and alerts follow, the fee does not.

    What it is already it stays: nothing changes and nobody is alerted again.
    """
    with locked(request_id, by=by, step=ServiceRequest.flag_emergency) as request:
        if request.is_emergency == is_emergency:
            return request
        advance(
            request,
            ServiceRequest.flag_emergency,
            by=by,
            tell={"is_emergency": is_emergency},
            is_emergency=is_emergency,
        )
        _move_open_offer(request)
    return request


def soft_delete(request_id: int, *, by: User) -> ServiceRequest:
    """Hide an unpaid (it is cancelled) or closed request from everyone but admins. Its money stays."""
    with locked(request_id, by=by, step=ServiceRequest.soft_delete) as request:
        Payment.objects.supersede(request.pk)
        return advance(request, ServiceRequest.soft_delete, by=by, side=_side(by))


def add_note(request_id: int, *, text: str, by: User) -> Note:
    """A remark only admins see. Needs the codename assign."""
    if not by.has_perm("marketplace.assign"):
        raise Forbidden("Only an admin who may assign can leave notes.")
    with transaction.atomic():
        return Note.objects.create(request=take(request_id, by=by), author=by, text=require_reason(text, field="text"))


def chase(request_id: int) -> ServiceRequest:
    """A deadline has passed: remind who must act and tell the admins, once for each deadline."""
    with transaction.atomic():
        request = take(request_id, by=None)
        if not ServiceRequest.objects.to_chase().filter(pk=request.pk).exists():
            return request
        if request.status == Status.ASSIGNED_TO_SERVICEMAN:
            events = [NotificationType.INSPECTION_OVERDUE]
        elif request.waiting_on == Side.ADMIN:
            events = [NotificationType.ACTION_OVERDUE]
        else:
            events = [NotificationType.ACTION_REMINDER, NotificationType.ACTION_OVERDUE]
        for event in events:
            notices.announce(event, request, by=None, dedupe=f"{request.pk}:{request.due_at:%Y%m%d%H%M%S%f}")
        ServiceRequest.objects.filter(pk=request.pk).update(chased_for=request.due_at)
    return request


def _is_silent(request: ServiceRequest) -> None:
    """The system cancels only what nobody touched for as long as the settings said when the wait began."""
    if Payment.objects.to_approve().filter(service_request=request).exists():
        raise Conflict("A payment by hand is being checked.", code="payment_moving")
    if request.give_up_at is not None and clock.now() < request.give_up_at:
        raise Conflict("There is still time to answer.", code="not_due")


def require_bookable(booking_date: date) -> None:
    """Raise Invalid unless the date is today in Lagos or later, within a year."""
    ahead = (booking_date - clock.today()).days
    if ahead < 0:
        raise Invalid("The date is past.", code="past_date", field="booking_date")
    if ahead > LATEST_BOOKING_DAYS:
        raise Invalid("Choose a date within a year.", code="too_far", field="booking_date")


def _preferred(user_id: int | None, *, category: Category, day: date) -> ServicemanProfile | None:
    if user_id is None:
        return None
    profile = ServicemanProfile.objects.select_related("user").filter(user_id=user_id).first()
    if profile is None or profile.approval != Approval.APPROVED:
        raise Invalid("There is no such serviceman.", code="unknown_serviceman", field="preferred_serviceman_id")
    free = ServicemanProfile.objects.listed().free_on(day).filter(user_id=user_id, category=category)[:1]
    if not free:
        raise Invalid(
            "This serviceman does not do that work, or is not free that day.",
            code="not_available",
            field="preferred_serviceman_id",
        )
    return profile


def _side(by: User | None) -> Side:
    return Side.SYSTEM if by is None else Side(by.user_type)


def _outcomes(request: ServiceRequest, side: Side) -> list[policy.Outcome]:
    """What the policy makes of the payments that counted."""
    counted = {
        p.payment_type: p.amount
        for p in request.payments.all()
        if p.outcome == PaymentOutcome.APPLIED and p.status == PaymentStatus.SUCCESSFUL
    }
    return policy.cancelling(
        status=request.status,
        accepted=request.accepted_at is not None,
        final_paid=request.final_is_paid,
        side=side,
        paid=counted,
    )


def _move_open_offer(request: ServiceRequest) -> None:
    """The answer to an open offer is due when the request is."""
    if request.serviceman_id and request.accepted_at is None:
        Offer.objects.filter(request=request, serviceman=request.serviceman, answer=None).update(
            respond_by=request.due_at
        )
