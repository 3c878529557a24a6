"""What the sandbox tells the marketplace: signed events from a background thread, repeated until answered with 200."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import requests
from django.conf import settings

from marketplace.sandbox import store

RETRIES: Final = 4
"""Paystack tries four times at 3 minutes, then hourly for 72 hours; here the pauses are short, the hours left out."""


def sign(body: bytes) -> str:
    """Paystack's signature of these bytes."""
    return hmac.new(settings.PAYSTACK_SECRET_KEY.encode(), body, hashlib.sha512).hexdigest()


def customer(charge: store.Row) -> dict[str, Any]:
    """The payer, as Paystack describes one."""
    return {"id": charge["id"], "first_name": None, "last_name": None, "email": charge["email"], "phone": None}


def charge_data(charge: store.Row) -> dict[str, Any]:
    """A charge, as verify and charge.success describe it."""
    return {
        "id": charge["id"],
        "domain": charge["domain"],
        "status": charge["status"],
        "reference": charge["reference"],
        "receipt_number": None,
        "amount": charge["amount"],
        "requested_amount": charge["requested_amount"],
        "message": None,
        "gateway_response": charge["gateway_response"],
        "paid_at": charge["paid_at"],
        "paidAt": charge["paid_at"],
        "created_at": charge["created_at"],
        "createdAt": charge["created_at"],
        "channel": charge["channel"],
        "currency": charge["currency"],
        "ip_address": "127.0.0.1",
        "metadata": json.loads(charge["metadata"]),
        "fees": charge["fees"],
        "customer": customer(charge),
        "plan": None,
        "split": {},
        "order_id": None,
    }


def refund_data(refund: store.Row, charge: store.Row) -> dict[str, Any]:
    """A refund, as the refund events describe it: the amount a string, the id only where Paystack gives it."""
    data = {
        "status": refund["status"],
        "transaction_reference": refund["reference"],
        "refund_reference": f"TRF_{refund['id']}" if refund["status"] == "processed" else None,
        "amount": str(refund["amount"]),
        "currency": refund["currency"],
        "customer": customer(charge),
        "integration": 100032,
        "domain": charge["domain"],
        "customer_note": f"Refund for transaction {refund['reference']}",
        "merchant_note": refund["merchant_note"],
    }
    return {**data, "id": str(refund["id"])} if refund["status"] == "needs-attention" else data


def dispute_data(dispute: store.Row, charge: store.Row) -> dict[str, Any]:
    """A dispute, as its events and Paystack's API describe it."""
    return {
        "id": dispute["id"],
        "refund_amount": dispute["refund_amount"],
        "currency": dispute["currency"],
        "status": dispute["status"],
        "resolution": dispute["resolution"],
        "domain": dispute["domain"],
        "transaction": {"id": charge["id"], "reference": charge["reference"], "amount": charge["amount"]},
        "transaction_reference": None,
        "category": dispute["category"],
        "customer": customer(charge),
        "dueAt": dispute["due_at"],
        "resolvedAt": None,
        "created_at": dispute["created_at"],
    }


def announce_dispute(dispute: store.Row, verb: str) -> None:
    """Tell the marketplace of a dispute: create, remind or resolve."""
    if charge := store.charge(number=dispute["transaction_id"]):
        _in_background(lambda: _send(f"charge.dispute.{verb}", charge["reference"], dispute_data(dispute, charge)))


def announce_charge(charge: store.Row) -> None:
    """Tell the marketplace that a charge was paid."""
    _in_background(lambda: _send("charge.success", charge["reference"], charge_data(charge)))


def play_refund(refund: store.Row, charge: store.Row, *, until: str) -> None:
    """Take a refund from pending through processing to `until`, telling each step."""

    def play() -> None:
        _send("refund.pending", refund["reference"], refund_data(refund, charge))
        for status in ("processing", until) if until != "pending" else ():
            time.sleep(store.scenario()["pause_seconds"])
            announce_refund(refund["id"], status)

    _in_background(play)


def announce_refund(number: int, status: str) -> None:
    """Move one refund and tell the marketplace, waiting for its answer."""
    refund = store.move_refund(number, status)
    charge = store.charge(number=refund["transaction_id"]) if refund else None
    if refund and charge:
        _send(f"refund.{refund['status']}", refund["reference"], refund_data(refund, charge))


def resend(number: int) -> bool:
    """Deliver one event once more; whether it was answered with 200."""
    event = store.webhook(number)
    return event is not None and _deliver(number, event["body"])


def _in_background(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="paystack-sandbox", daemon=True).start()


def _send(event: str, reference: str, data: dict[str, Any]) -> None:
    mode = store.scenario()["webhooks"]
    body = json.dumps({"event": event, "data": data}).encode()
    number = store.keep_webhook(event=event, reference=reference, body=body)
    if mode == "drop":
        return
    for _ in range(2 if mode == "twice" else 1):
        for attempt in range(RETRIES + 1):
            if _deliver(number, body):
                break
            if attempt < RETRIES:
                time.sleep(store.scenario()["pause_seconds"] * 2**attempt)


def _deliver(number: int, body: bytes) -> bool:
    headers = {"Content-Type": "application/json", "X-Paystack-Signature": sign(body)}
    try:
        answer = requests.post(
            f"{settings.SITE_URL}/api/payments/webhook/", data=body, headers=headers, timeout=20, allow_redirects=False
        )
        said, delivered = str(answer.status_code), answer.status_code == requests.codes.ok
    except requests.RequestException as problem:
        said, delivered = type(problem).__name__, False
    store.note_delivery(number, answer=said, delivered=delivered)
    return delivered
