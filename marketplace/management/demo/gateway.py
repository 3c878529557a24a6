"""The local Paystack hears of the demo's charges, in its own protocol, so that checks and refunds of them work.

It is spoken to as over HTTP, but inside this process: no server runs while the demo is told.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.test import Client
from django.urls import reverse

from core import clock
from marketplace.enums import CLOSED, Channel, PaymentOutcome, PaymentStatus, RefundStatus
from marketplace.models import Payment, Refund
from marketplace.money import to_kobo
from marketplace.services.refunds import note_of

THREAD = "paystack-sandbox"
"""What the sandbox calls the threads it sends its events from."""
JSON = "application/json"


def teach() -> None:
    """Open and pay, in the sandbox, every charge of the demo that somebody may still want to act on."""
    unreturned = [s for s in RefundStatus if s not in (RefundStatus.PROCESSED, RefundStatus.WAIVED)]
    asked_about = Q(next_check_at__isnull=False) | Q(refunds__status__in=unreturned)
    alive = ~Q(service_request__status__in=CLOSED) | asked_about
    paystack = Client(headers={"authorization": f"Bearer {settings.PAYSTACK_SECRET_KEY}"})
    payments = Payment.objects.filter(alive, channel=Channel.PAYSTACK).distinct().order_by("pk")
    with _behaving(paystack, webhooks="drop"):
        for payment in payments.select_related("service_request__client"):
            _remember(paystack, payment)
    for refund in Refund.objects.filter(status=RefundStatus.NEEDS_ATTENTION).select_related("payment"):
        with _behaving(paystack, webhooks="drop", refund="needs-attention", pause_seconds=0):
            _send_back(paystack, refund)


def _remember(paystack: Client, payment: Payment) -> None:
    body = {
        "email": payment.service_request.client.email,
        "amount": to_kobo(payment.amount),
        "currency": payment.currency,
        "reference": payment.paystack_reference,
        "callback_url": f"{settings.FRONTEND_URL or settings.SITE_URL}/payment/callback",
    }
    with clock.at(payment.created_at):
        opened = _data(paystack.post(_url("initialize"), body, content_type=JSON))
    Payment.objects.filter(pk=payment.pk).update(
        paystack_access_code=opened["access_code"], authorization_url=opened["authorization_url"]
    )
    with clock.at(payment.paid_at or payment.created_at):
        if choice := _choice(payment):
            paystack.post(_url("checkout", opened["access_code"]), {"choice": choice})


def _choice(payment: Payment) -> str:
    """What the payer did on the checkout page, by its buttons; nothing while it is open."""
    if payment.outcome == PaymentOutcome.MISMATCH:
        return "short"
    return {PaymentStatus.SUCCESSFUL: "pay", PaymentStatus.FAILED: "decline"}.get(PaymentStatus(payment.status), "")


def _send_back(paystack: Client, refund: Refund) -> None:
    body = {
        "transaction": refund.payment.paystack_reference,
        "amount": to_kobo(refund.amount),
        "merchant_note": note_of(refund),
    }
    sent = _data(paystack.post(_url("refunds"), body, content_type=JSON))
    Refund.objects.filter(pk=refund.pk).update(paystack_refund_id=str(sent["id"]))


@contextmanager
def _behaving(paystack: Client, **changes: Any) -> Iterator[None]:
    """The sandbox behaves so until the block ends and its events are dealt with, then as before."""
    before = paystack.get(_url("scenario")).json()
    paystack.post(_url("scenario"), changes, content_type=JSON)
    try:
        yield
        for thread in threading.enumerate():
            if thread.name == THREAD:
                thread.join(20)
    finally:
        paystack.post(_url("scenario"), {name: before[name] for name in changes}, content_type=JSON)


def _url(name: str, *args: str) -> str:
    return reverse(f"paystack-sandbox:{name}", args=args)


def _data(answer: Any) -> dict[str, Any]:
    said = answer.json()
    if answer.status_code != 200 or not said["status"]:
        raise RuntimeError(f"The sandbox refused a charge of the demo: {said}")
    data: dict[str, Any] = said["data"]
    return data
