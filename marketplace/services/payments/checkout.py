"""Opening a checkout: one at a time, for exactly what is due, found again after whatever Paystack does meanwhile."""

from __future__ import annotations

import secrets
import time
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from core import clock
from core.errors import Conflict, Forbidden
from core.models import User
from marketplace import paystack
from marketplace.enums import Channel, PaymentOutcome, PaymentStatus, PaymentType
from marketplace.models import Payment, ServiceRequest
from marketplace.money import to_kobo
from marketplace.services.payments.proof import (
    FIRST_CHECK,
    UNKNOWN,
    WAITS_FOR,
    asks_for_now,
    due,
    is_being_opened,
    locked_payment,
    save,
    settle,
)
from marketplace.services.workflow import take

FRESH = timedelta(minutes=25)
"""As long as a checkout is this young, asking again answers the same one."""
WAIT_SECONDS = 5
"""How long a second caller waits for the first one's checkout."""


def initialize(request_id: int, *, payment_type: str, by: User) -> tuple[Payment, bool]:
    """A checkout for what `by` owes on a request now, and whether it is a new one. The amount is the request's.

    Raises Conflict when nothing of that type is due, was paid, or still moves at Paystack; PaystackError (503).
    """
    kind = PaymentType(payment_type)
    while True:
        payment, ours = _reserve(request_id, kind, by=by)
        if not ours and payment.authorization_url and clock.now() - payment.created_at < FRESH:
            return payment, False
        if ours or _is_unknown_to_paystack(payment):
            return _open(payment), True


def _reserve(request_id: int, kind: PaymentType, *, by: User) -> tuple[Payment, bool]:
    """The open payment and whether it is ours to open at Paystack; committed before Paystack hears of it."""
    give_up = time.monotonic() + WAIT_SECONDS
    while True:
        with transaction.atomic():
            request = take(request_id, by=by)
            _require_due(request, kind, by=by)
            payment = Payment.objects.open().filter(service_request=request, payment_type=kind).first()
            if payment is not None and payment.channel == Channel.MANUAL:
                raise Conflict("A payment by hand is being checked: nothing to pay now.", code="payment_recorded")
            if payment is not None and not asks_for_now(payment, request):
                save(payment, outcome=PaymentOutcome.SUPERSEDED)
                payment = None
            if payment is None:
                return new_payment(request, kind), True
            payment.service_request = request
            if not is_being_opened(payment):
                return payment, False
        if time.monotonic() > give_up:
            raise Conflict("This checkout is being opened. Try again in a moment.", code="checkout_opening")
        time.sleep(0.1)


def _require_due(request: ServiceRequest, kind: PaymentType, *, by: User) -> None:
    if request.status != WAITS_FOR[kind][0]:
        if request.applied_payment(kind) is not None:
            raise Conflict("This is paid already.", code="already_paid")
        raise Conflict("Nothing is due here now.", code="nothing_due")
    if by.pk != request.client_id:
        raise Forbidden("Only the client pays.")


def new_payment(request: ServiceRequest, kind: PaymentType) -> Payment:
    """A payment of what is due now, under a reference of its own that Paystack has not heard of yet."""
    amount, price_version = due(request, kind)
    return Payment.objects.create(
        service_request=request,
        payment_type=kind,
        amount=amount,
        price_version=price_version,
        paystack_reference=f"{request.code}-{kind[0]}-{secrets.token_hex(5)}",
        next_check_at=clock.now() + FIRST_CHECK,
    )


def _open(payment: Payment) -> Payment:
    """Open the charge. When the answer is lost, or was no, the payment stays: the next call asks what became of it."""
    request = payment.service_request
    try:
        checkout = paystack.initialize(
            email=request.client.email,
            amount_kobo=to_kobo(payment.amount),
            reference=payment.paystack_reference,
            callback_url=f"{settings.FRONTEND_URL or settings.SITE_URL}/payment/callback",
            metadata={"service_request_id": request.pk, "payment_type": payment.payment_type},
        )
    except paystack.PaystackError:
        with locked_payment(payment.paystack_reference) as current:
            if current.status == PaymentStatus.PENDING:
                save(current, gateway_status="unanswered")
        raise
    with locked_payment(payment.paystack_reference) as current:
        save(current, paystack_access_code=checkout.access_code, authorization_url=checkout.authorization_url)
    if current.outcome is not None:
        raise Conflict("What is due has changed meanwhile. Try again.", code="price_changed")
    return current


def _is_unknown_to_paystack(payment: Payment) -> bool:
    """Ask about an open payment that is not fresh: True when it was never opened, and is ours to open now.

    Else it is out of the way afterwards. Raises Conflict when it was paid, or when its money still moves.
    """
    payment = settle(payment.paystack_reference)
    if payment.status == PaymentStatus.SUCCESSFUL:
        raise Conflict("This is paid already.", code="already_paid")
    if payment.gateway_status in paystack.MOVING:
        raise Conflict("A payment is still being processed. Try again in a moment.", code="payment_moving")
    with locked_payment(payment.paystack_reference) as payment:
        young = clock.now() - payment.created_at < FRESH
        if payment.status != PaymentStatus.PENDING or payment.outcome is not None or is_being_opened(payment):
            return False
        if young and payment.authorization_url:
            return False
        if young and payment.gateway_status == UNKNOWN:
            save(payment, gateway_status="")
            return True
        save(payment, outcome=PaymentOutcome.SUPERSEDED)
        return False
