"""The calls of Paystack's API that the marketplace makes, answered with Paystack's envelopes, errors and codes."""

import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from marketplace.sandbox import events, store

_REFERENCE = re.compile(r"[A-Za-z0-9.=-]+")
_AMOUNT = re.compile(r"[0-9]{1,15}")
_CURRENCIES = ("NGN", "USD", "GHS", "ZAR", "KES")
_NEXT_STEPS = {
    "invalid_Key": "Ensure that you provide the correct authorization key for the request",
    "duplicate_reference": "Generate a new reference and retry the transaction",
    "transaction_not_found": (
        "Ensure that you're passing the reference of a transaction that exists on this integration"
    ),
}

View = Callable[..., HttpResponse]


class Refusal(Exception):
    """An answer with `status: false`."""

    def __init__(self, code: str, message: str, *, http_status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.http_status = code, message, http_status

    def answer(self) -> JsonResponse:
        """As Paystack writes it."""
        step = _NEXT_STEPS.get(self.code, "Ensure that all required params are passed and are valid")
        body = {"status": False, "message": self.message, "meta": {"nextStep": step}}
        return JsonResponse({**body, "type": "validation_error", "code": self.code}, status=self.http_status)


def call(name: str, *methods: str) -> Callable[[View], Callable[..., HttpResponseBase]]:
    """A call of the API: checks method and key, plays the fault that is asked for under `name`."""

    def decorate(view: View) -> Callable[..., HttpResponseBase]:
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            try:
                _admit(request, methods)
                fault = store.take_fault(name) if name else ""
                if fault in ("error", "rate_limit", "not_json"):
                    return _broken(fault)
                answer = view(request, **kwargs)
            except Refusal as refusal:
                return refusal.answer()
            if fault == "stall_after":
                time.sleep(store.scenario()["stall_seconds"])
            return _broken("error") if fault == "error_after" else answer

        return guarded

    return decorate


def _admit(request: HttpRequest, methods: tuple[str, ...]) -> None:
    if request.method not in methods:
        raise Refusal("unsupported_method", "Method not allowed", http_status=405)
    if request.headers.get("Authorization") != f"Bearer {settings.PAYSTACK_SECRET_KEY}":
        raise Refusal("invalid_Key", "Invalid key", http_status=401)


def _broken(fault: str) -> HttpResponse:
    if fault == "not_json":
        return HttpResponse("<html>Bad Gateway</html>")
    if fault == "rate_limit":
        return JsonResponse({"status": False, "message": "Too many requests"}, status=429)
    return JsonResponse({"status": False, "message": "An internal error occurred"}, status=500)


def _done(message: str, data: object) -> JsonResponse:
    return JsonResponse({"status": True, "message": message, "data": data})


def _body(request: HttpRequest) -> Mapping[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError as problem:
        raise Refusal("invalid_params", "Invalid JSON") from problem
    if not isinstance(body, dict):
        raise Refusal("invalid_params", "Invalid JSON")
    return body


def _kobo(body: Mapping[str, Any]) -> int:
    value = body.get("amount")
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not _AMOUNT.fullmatch(text) or int(text) == 0:
        raise Refusal("invalid_params", "Invalid Amount Sent")
    return int(text)


@call("initialize", "POST")
def initialize(request: HttpRequest) -> HttpResponse:
    """Open a charge."""
    body = _body(request)
    for name in ("email", "amount"):
        if not body.get(name):
            raise Refusal("missing_params", f"{name.title()} is required")
    if not isinstance(body["email"], str) or "@" not in body["email"]:
        raise Refusal("invalid_email_address", "Invalid Email Address Passed")
    reference = body.get("reference") or secrets.token_hex(5)
    if not isinstance(reference, str) or not _REFERENCE.fullmatch(reference):
        raise Refusal("invalid_params", "Only -, ., = and alphanumeric characters are allowed in reference")
    currency = body.get("currency") or "NGN"
    if currency not in _CURRENCIES:
        raise Refusal("unsupported_currency", "Currency not supported by merchant")
    charge = store.open_charge(
        reference=reference,
        email=body["email"],
        amount=_kobo(body),
        currency=currency,
        callback_url=str(body.get("callback_url") or ""),
        metadata=body.get("metadata") or "",
    )
    if charge is None:
        raise Refusal("duplicate_reference", "Duplicate Transaction Reference")
    page = reverse("paystack-sandbox:checkout", args=[charge["access_code"]])
    data = {
        # The browser's address of this process, which may differ from the one the marketplace calls.
        "authorization_url": settings.SITE_URL + page,
        "access_code": charge["access_code"],
        "reference": reference,
    }
    return _done("Authorization URL created", data)


@call("verify", "GET")
def verify(request: HttpRequest, reference: str) -> HttpResponse:
    """What became of a charge."""
    charge = store.charge(reference=reference)
    if charge is None:
        raise Refusal("transaction_not_found", "Transaction reference not found.")
    return _done("Verification successful", events.charge_data(charge))


@call("refund_call", "POST", "GET")
def refunds(request: HttpRequest) -> HttpResponse:
    """Send money back, or list what was sent back."""
    if request.method == "GET":
        page, limit = request.GET.get("page", "1"), request.GET.get("perPage", "50")
        if not (_AMOUNT.fullmatch(page) and _AMOUNT.fullmatch(limit)):
            raise Refusal("invalid_params", "Invalid page")
        rows = store.refunds(since=request.GET.get("from", ""), page=int(page), limit=int(limit))
        return _done("Refunds retrieved", [_refund(row) for row in rows])
    body = _body(request)
    if not body.get("transaction"):
        raise Refusal("missing_params", "Transaction is required")
    named = str(body["transaction"])
    charge = store.charge(reference=named, number=int(named) if named.isdecimal() else 0)
    if charge is None:
        raise Refusal("transaction_not_found", "Transaction not found")
    if charge["status"] == "reversed":
        raise Refusal("transaction_reversed", "Transaction has been fully reversed")
    if charge["status"] != "success":
        raise Refusal("transaction_not_successful", "Only successful transactions can be refunded")
    amount = _kobo(body) if body.get("amount") is not None else charge["amount"]
    refund = store.open_refund(of=charge, amount=amount, note=str(body.get("merchant_note") or ""))
    if refund is None:
        raise Refusal("invalid_params", "Refund amount cannot be more than transaction amount")
    events.play_refund(refund, charge, until=store.scenario()["refund"])
    transaction = {"id": charge["id"], "reference": charge["reference"]}
    return _done("Refund has been queued for processing", {**_refund(refund), "transaction": transaction})


@call("verify", "GET")
def refund(request: HttpRequest, number: int) -> HttpResponse:
    """What became of a refund."""
    row = store.refund(number)
    if row is None:
        raise Refusal("refund_not_found", "Refund not found", http_status=404)
    return _done("Refund retrieved", _refund(row))


@call("refund_call", "POST")
def retry_refund(request: HttpRequest, number: int) -> HttpResponse:
    """Give a refund that needs attention the payer's account."""
    row = store.refund(number)
    if row is None:
        raise Refusal("refund_not_found", "Refund not found", http_status=404)
    if row["status"] != "needs-attention":
        raise Refusal("invalid_params", "Refund does not need attention")
    account = _body(request).get("refund_account_details")
    if not isinstance(account, dict) or not account.get("account_number") or not account.get("bank_id"):
        raise Refusal("missing_params", "Account number and bank are required")
    charge = store.charge(number=row["transaction_id"])
    moved = store.move_refund(number, "pending")
    if charge and moved:
        events.play_refund(moved, charge, until="processed")
    return _done("Refund retried and has been queued for processing", _refund(moved or row))


def _refund(row: store.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "transaction": row["transaction_id"],
        "amount": row["amount"],
        "deducted_amount": row["amount"] if row["status"] == "processed" else 0,
        "currency": row["currency"],
        "status": row["status"],
        "domain": "test",
        "merchant_note": row["merchant_note"],
        "customer_note": f"Refund for transaction {row['reference']}",
        "createdAt": row["created_at"],
    }


@call("verify", "GET")
def disputes(request: HttpRequest) -> HttpResponse:
    """List chargebacks."""
    page, limit = request.GET.get("page", "1"), request.GET.get("perPage", "50")
    if not (_AMOUNT.fullmatch(page) and _AMOUNT.fullmatch(limit)):
        raise Refusal("invalid_params", "Invalid page")
    rows = store.disputes(since=request.GET.get("from", ""), page=int(page), limit=int(limit))
    return _done("Disputes retrieved", [_dispute(row) for row in rows])


@call("verify", "GET")
def dispute(request: HttpRequest, number: int) -> HttpResponse:
    """How a chargeback stands."""
    row = store.dispute(number)
    if row is None:
        raise Refusal("dispute_not_found", "Dispute not found", http_status=404)
    return _done("Dispute retrieved", _dispute(row))


def _dispute(row: store.Row) -> dict[str, Any]:
    charge = store.charge(number=row["transaction_id"])
    return events.dispute_data(row, charge) if charge else {}
