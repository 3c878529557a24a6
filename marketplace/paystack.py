"""Paystack over HTTP, and the proof that a webhook is Paystack's. Amounts are integer kobo. Knows no model.

HTTP 200 with `status: true` says that a call worked; a transaction's fate is its own status. Reading calls are repeated
with back-off; opening a charge or sending a refund never is, since nobody can tell whether the first one arrived:
`PaystackUnavailable.maybe_done` says so, and the caller finds out by asking.
"""

import hashlib
import hmac
import logging
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import requests
from django.conf import settings
from requests.auth import AuthBase

from core.errors import Unavailable

log = logging.getLogger(__name__)

CURRENCY: Final = "NGN"
PAID: Final = "success"
MOVING: Final = frozenset({"ongoing", "pending", "processing", "queued"})
"""Money may still be on its way. `abandoned` is not final either, but nothing moves."""
FAILED: Final = frozenset({"failed", "reversed"})

_ATTEMPTS = 3
_FIRST_WAIT_SECONDS = 0.25
_PAGE = 100
_WHOLE = re.compile(r"[0-9]{1,15}")
_LARGEST = 10**15


class PaystackError(Unavailable):
    """Paystack did not do what was asked. Answers 503 wherever nobody handles it."""

    code = "paystack_unavailable"


class PaystackUnavailable(PaystackError):
    """No usable answer: time-out, no connection, 429, 5xx, not JSON. `maybe_done`: it may have worked after all."""

    def __init__(self, message: str, *, maybe_done: bool = True) -> None:
        super().__init__("Paystack is not answering. Please try again in a moment.")
        self.message = message
        self.maybe_done = maybe_done


class PaystackRefused(PaystackError):
    """Paystack answered no. `reason` is its code (duplicate_reference, missing_params, ...), `message` its sentence."""

    def __init__(self, reason: str, message: str, *, http_status: int = 400) -> None:
        super().__init__("Paystack refused this payment call.", code="paystack_refused")
        self.reason = reason
        self.message = message
        self.http_status = http_status


class NotFound(PaystackRefused):
    """Paystack has nothing under this reference or id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkout:
    """A charge that was opened, and where the payer goes."""

    reference: str
    access_code: str
    authorization_url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Transaction:
    """What Paystack says of one charge."""

    reference: str
    status: str
    amount_kobo: int
    requested_amount_kobo: int
    currency: str
    domain: str
    fees_kobo: int | None = None
    id: int | None = None
    paid_at: datetime | None = None
    channel: str = ""
    gateway_response: str = ""
    access_code: str = ""

    @property
    def is_paid(self) -> bool:
        """The money was taken, whatever its amount."""
        return self.status == PAID

    def wrong_about(self, *, reference: str, amount_kobo: int) -> list[str]:
        """What does not fit our charge, by name; empty when it fits.

        The payer may bear Paystack's fee, so the amount may exceed what was requested, and what was requested must
        be ours to the kobo.
        """
        checks = {
            "reference": self.reference == reference,
            "requested_amount": self.requested_amount_kobo == amount_kobo,
            "amount": self.amount_kobo >= amount_kobo,
            "currency": self.currency == CURRENCY,
            "domain": self.domain == expected_domain(),
        }
        return [name for name, fits in checks.items() if not fits]


@dataclass(frozen=True, kw_only=True, slots=True)
class Refund:
    """What Paystack says of one refund: pending, processing, processed, failed or needs-attention."""

    id: int
    status: str
    amount_kobo: int
    currency: str = CURRENCY
    transaction: str = ""
    """The transaction's id or reference, as Paystack gave it."""
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dispute:
    """What Paystack says of one chargeback.

    `resolution` is empty while it is open; "merchant-accepted" means that the client's bank got the money back.
    See https://paystack.com/docs/api/dispute/.
    """

    id: int
    status: str
    resolution: str
    refund_kobo: int
    reference: str
    domain: str = ""
    reason: str = ""
    due_at: datetime | None = None

    @property
    def is_resolved(self) -> bool:
        """Nothing more will happen."""
        return self.status == "resolved"

    @property
    def is_lost(self) -> bool:
        """The money has gone back."""
        return self.is_resolved and self.resolution == "merchant-accepted"


def expected_domain() -> str:
    """`live` under a live key, else `test`: a test transaction proves nothing in production."""
    return "live" if settings.PAYSTACK_SECRET_KEY.startswith("sk_live_") else "test"


def is_genuine(raw_body: bytes, signature: str | None) -> bool:
    """Whether Paystack signed exactly these bytes: lower-case hex HMAC-SHA512 under the secret key."""
    secret = settings.PAYSTACK_WEBHOOK_SECRET
    if not secret or not signature or not signature.isascii():
        return False
    expected = hmac.new(secret.encode(), raw_body, hashlib.sha512).hexdigest()
    return hmac.compare_digest(expected, signature)


def initialize(
    *, email: str, amount_kobo: int, reference: str, callback_url: str, metadata: Mapping[str, Any] | None = None
) -> Checkout:
    """Open a charge and learn where the payer goes. Never repeated: after a time-out, verify the reference."""
    body = {
        "email": email,
        "amount": amount_kobo,
        "currency": CURRENCY,
        "reference": reference,
        "callback_url": callback_url,
        "metadata": dict(metadata or {}),
    }
    data = _record(_call("POST", "/transaction/initialize", body))
    return Checkout(
        reference=_text(data, "reference"),
        access_code=_text(data, "access_code"),
        authorization_url=_text(data, "authorization_url"),
    )


def verify(reference: str) -> Transaction:
    """Ask what became of a charge. Raises NotFound when Paystack never heard of it."""
    return transaction_from(_record(_call("GET", f"/transaction/verify/{quote(reference, safe='')}")))


def refund(*, reference: str, amount_kobo: int, note: str) -> Refund:
    """Send money back. Paystack has no idempotency key: after a time-out, look for `note` with `find_refund`."""
    body = {"transaction": reference, "amount": amount_kobo, "currency": CURRENCY, "merchant_note": note}
    return refund_from(_record(_call("POST", "/refund", body)))


def fetch_refund(refund_id: int | str) -> Refund:
    """Ask what became of a refund."""
    return refund_from(_record(_call("GET", f"/refund/{quote(str(refund_id), safe='')}")))


def find_refund(*, note: str, since: datetime) -> Refund | None:
    """The refund that carries our note, among those made from `since` on; None when Paystack has none."""
    for row in _pages("/refund", since):
        if isinstance(row, dict) and row.get("merchant_note") == note:
            return refund_from(row)
    return None


def retry_refund(refund_id: int | str, *, account_number: str, bank_id: str) -> Refund:
    """Give a refund that needs attention the payer's bank account. Never repeated."""
    account = {"currency": CURRENCY, "account_number": account_number, "bank_id": bank_id}
    path = f"/refund/retry_with_customer_details/{quote(str(refund_id), safe='')}"
    return refund_from(_record(_call("POST", path, {"refund_account_details": account})))


def fetch_dispute(dispute_id: int | str) -> Dispute:
    """Ask how a chargeback stands."""
    return dispute_from(_record(_call("GET", f"/dispute/{quote(str(dispute_id), safe='')}")))


def list_disputes(*, since: datetime) -> list[Dispute]:
    """The chargebacks that were raised from `since` on, all pages of them."""
    return [dispute_from(_record(row)) for row in _pages("/dispute", since)]


def transaction_from(data: Mapping[str, Any]) -> Transaction:
    """A transaction from Paystack's JSON, which gives amounts as numbers or strings and metadata in three shapes."""
    amount = _kobo(data, "amount")
    requested = data.get("requested_amount")
    fees = data.get("fees")
    return Transaction(
        reference=_text(data, "reference"),
        status=_text(data, "status"),
        amount_kobo=amount,
        requested_amount_kobo=amount if requested is None else _kobo(data, "requested_amount"),
        currency=_text(data, "currency"),
        domain=_text(data, "domain"),
        fees_kobo=None if fees in (None, "") else _kobo(data, "fees"),
        id=_kobo(data, "id") if data.get("id") not in (None, "") else None,
        paid_at=_moment(data.get("paid_at") or data.get("paidAt")),
        channel=_loose(data.get("channel")),
        gateway_response=_loose(data.get("gateway_response")),
        access_code=_loose(data.get("access_code")),
    )


def refund_from(data: Mapping[str, Any]) -> Refund:
    """A refund from Paystack's JSON; its transaction is an id, a reference or a whole object."""
    transaction = data.get("transaction")
    if isinstance(transaction, dict):
        transaction = transaction.get("reference") or transaction.get("id")
    return Refund(
        id=_kobo(data, "id"),
        status=_text(data, "status"),
        amount_kobo=_kobo(data, "amount"),
        currency=_loose(data.get("currency")) or CURRENCY,
        transaction=str(transaction or ""),
        note=_loose(data.get("merchant_note")),
    )


def dispute_from(data: Mapping[str, Any]) -> Dispute:
    """A chargeback from Paystack's JSON, as its events and its API give it."""
    charge = data.get("transaction")
    reference = charge.get("reference") if isinstance(charge, dict) else None
    return Dispute(
        id=_kobo(data, "id"),
        status=_text(data, "status"),
        resolution=_loose(data.get("resolution")),
        refund_kobo=_kobo(data, "refund_amount") if data.get("refund_amount") not in (None, "") else 0,
        reference=_loose(reference) or _loose(data.get("transaction_reference")),
        domain=_loose(data.get("domain")),
        reason=_loose(data.get("category")) or _loose(data.get("note")),
        due_at=_moment(data.get("dueAt") or data.get("due_at")),
    )


class _Bearer(AuthBase):
    """The key as requests wants it: a plain header would lose against an entry in somebody's .netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {settings.PAYSTACK_SECRET_KEY}"
        return request


def _pages(path: str, since: datetime) -> Iterator[Any]:
    """Every row of a list from a moment on, a page at a time."""
    page = 1
    while True:
        rows = _call("GET", f"{path}?perPage={_PAGE}&page={page}&from={quote(since.isoformat())}")
        if not isinstance(rows, list):
            raise PaystackUnavailable(f"The list of {path} is no list.")
        yield from rows
        if len(rows) < _PAGE:
            return
        page += 1


def _call(method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """One call; for GETs up to three within the time-out. Answers the envelope's `data`."""
    deadline = time.monotonic() + settings.PAYSTACK_TIMEOUT_SECONDS
    wait = _FIRST_WAIT_SECONDS
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _once(method, path, body)
        except PaystackUnavailable as problem:
            log.warning("Paystack %s %s: %s", method, path.partition("?")[0], problem.message)
            if method != "GET" or attempt == _ATTEMPTS or time.monotonic() + wait > deadline:
                raise
        time.sleep(wait)
        wait *= 2
    raise AssertionError


def _once(method: str, path: str, body: Mapping[str, Any] | None) -> Any:
    try:
        # A connection of its own each time: a kept one that died in the pool makes a POST's fate unknown.
        answer = requests.request(
            method,
            settings.PAYSTACK_BASE_URL + path,
            json=body,
            auth=_Bearer(),
            timeout=settings.PAYSTACK_TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except requests.exceptions.ConnectTimeout as problem:
        raise PaystackUnavailable("no connection in time", maybe_done=False) from problem
    except requests.exceptions.RequestException as problem:
        raise PaystackUnavailable(type(problem).__name__) from problem
    if answer.status_code == requests.codes.too_many_requests:
        raise PaystackUnavailable("429", maybe_done=False)
    try:
        envelope = answer.json()
    except ValueError as problem:
        raise PaystackUnavailable(f"{answer.status_code}, not JSON") from problem
    if answer.status_code >= 500 or not isinstance(envelope, dict):
        raise PaystackUnavailable(str(answer.status_code))
    if answer.ok and envelope.get("status") is True:
        return envelope.get("data")
    reason, message = _loose(envelope.get("code")), _loose(envelope.get("message"))
    log.warning("Paystack %s %s: %s %s %s", method, path.partition("?")[0], answer.status_code, reason, message)
    missing = answer.status_code == requests.codes.not_found or reason.endswith("not_found")
    raise (NotFound if missing else PaystackRefused)(reason, message, http_status=answer.status_code)


def _record(data: object) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise PaystackUnavailable("An answer without data.")
    return data


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise PaystackUnavailable(f"An answer without {name}.")
    return value


def _loose(value: object) -> str:
    return value if isinstance(value, str) else ""


def _kobo(data: Mapping[str, Any], name: str) -> int:
    """A whole number, also written as a string. A fraction is nonsense, not something to round."""
    value = data.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST:
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise PaystackUnavailable(f"An answer whose {name} is no whole number.")


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else None
