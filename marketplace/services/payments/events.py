"""What Paystack tells us: every genuine event is kept word for word, and believed only after asking Paystack."""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import timedelta
from typing import Any

from django.db.models import F, Q

from core import clock
from core.errors import DomainError, Missing
from marketplace import paystack
from marketplace.enums import PaymentOutcome, WebhookOutcome
from marketplace.models import WebhookEvent
from marketplace.services import refunds
from marketplace.services.payments.disputes import record_dispute
from marketplace.services.payments.proof import settle

log = logging.getLogger(__name__)

HANDLING = timedelta(minutes=2)
"""An event that was received this long ago and is not handled was dropped by a dying process."""
REPLAY_FOR = timedelta(days=3)
"""As long as Paystack itself repeats an event."""


class BadSignature(DomainError):
    """401: these bytes were not signed by Paystack."""

    status = 401
    code = "bad_signature"


def receive_webhook(raw: bytes, signature: str | None) -> WebhookEvent:
    """Keep an event word for word, then act on it by asking Paystack. The same bytes again are the same event.

    Raises BadSignature (401), keeping nothing. Whatever else goes wrong is kept and tried again later.
    """
    if not paystack.is_genuine(raw, signature):
        raise BadSignature("This was not signed by Paystack.")
    name, reference, data = _read(raw)
    event, is_new = WebhookEvent.objects.get_or_create(
        sha256=hashlib.sha256(raw).hexdigest(), defaults={"body": raw, "event": name, "reference": reference}
    )
    if not is_new:
        WebhookEvent.objects.filter(pk=event.pk).update(deliveries=F("deliveries") + 1)
        if event.outcome != WebhookOutcome.RETRY:
            return event
    return _handle(event, data)


def replay(event_id: int) -> WebhookEvent:
    """Act on a kept event once more. Raises Missing."""
    event = WebhookEvent.objects.filter(pk=event_id).first()
    if event is None:
        raise Missing("There is no such event.")
    event.event, event.reference, data = _read(bytes(event.body))
    return _handle(event, data)


def to_replay() -> list[int]:
    """Kept events that could not be acted on, or were dropped by a process that died, the oldest first."""
    now = clock.now()
    dropped = Q(outcome=WebhookOutcome.RECEIVED, received_at__lt=now - HANDLING)
    unfinished = WebhookEvent.objects.filter(Q(outcome=WebhookOutcome.RETRY) | dropped)
    return list(unfinished.filter(received_at__gt=now - REPLAY_FOR).order_by("id").values_list("pk", flat=True)[:200])


def _read(raw: bytes) -> tuple[str, str, dict[str, Any]]:
    """Name, reference and data of an event; empty where the bytes are not one."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return "", "", {}
    if not isinstance(body, dict) or not isinstance(body.get("data"), dict):
        return "", "", {}
    data = body["data"]
    transaction_ = data.get("transaction")
    of = transaction_.get("reference") if isinstance(transaction_, dict) else None
    reference = data.get("transaction_reference") or data.get("reference") or of
    return _plain(body.get("event"), 60), _plain(reference, 100), data


def _plain(value: object, length: int) -> str:
    """Text that any database takes: an event may hold NUL and half a surrogate pair."""
    text = value if isinstance(value, str) else ""
    return text.replace("\0", "").encode(errors="ignore").decode()[:length]


def _handle(event: WebhookEvent, data: dict[str, Any]) -> WebhookEvent:
    try:
        event.outcome, event.detail = _act(event, data)
    except paystack.PaystackError as problem:
        event.outcome, event.detail = WebhookOutcome.RETRY, problem.detail
    except Exception as problem:
        # Paystack has done its part: the event is kept and tried again, and we are told.
        log.exception("Event %s could not be handled", event.pk)
        event.outcome, event.detail = WebhookOutcome.RETRY, type(problem).__name__
    event.handled_at = clock.now()
    event.save(update_fields=["event", "reference", "outcome", "detail", "handled_at"])
    return event


def _act(event: WebhookEvent, data: dict[str, Any]) -> tuple[WebhookOutcome, str]:
    if not event.event:
        return WebhookOutcome.NOT_UNDERSTOOD, "No event with data."
    if event.event == "charge.success":
        return _act_on_charge(event.reference)
    if event.event.startswith("charge.dispute."):
        return _act_on_dispute(data)
    if not event.event.startswith("refund."):
        return WebhookOutcome.IGNORED, "Nothing is done on this event."
    if (refund := refunds.find_for_event(data)) is None:
        return WebhookOutcome.IGNORED, "No refund of ours."
    return WebhookOutcome.APPLIED, f"Refund {refund.pk}: {refunds.settle(refund.pk).status}"


def _act_on_charge(reference: str) -> tuple[WebhookOutcome, str]:
    try:
        payment = settle(reference)
    except Missing:
        return WebhookOutcome.IGNORED, "No payment of ours."
    if payment.outcome in (None, PaymentOutcome.SUPERSEDED):
        return WebhookOutcome.RETRY, f"Paystack itself says: {payment.gateway_status}"
    return WebhookOutcome.APPLIED, f"Payment {payment.pk}: {payment.outcome}"


def _act_on_dispute(data: dict[str, Any]) -> tuple[WebhookOutcome, str]:
    number = _plain(str(data.get("id", "")), 20)
    if not number.isdecimal():
        return WebhookOutcome.NOT_UNDERSTOOD, "No dispute without an id."
    try:
        dispute = record_dispute(number)
    except Missing:
        return WebhookOutcome.IGNORED, "No payment of ours."
    return WebhookOutcome.APPLIED, f"Dispute {dispute.pk}: {dispute.status}"
