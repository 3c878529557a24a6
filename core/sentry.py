"""Errors go to Sentry and to the logs without anybody's data.

Sentry's defaults would send e-mails, phones, tokens and passwords.
"""

import logging
import re
from typing import Any

import sentry_sdk

FILTERED = "[filtered]"
_SECRET_KEYS = re.compile(
    r"pass|secret|token|auth|cookie|session|csrf|otp|key|phone|e-?mail|address|account_number|bank|first_name|last_name",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.-]+"  # e-mail addresses
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]+"  # JSON web tokens
    r"|\b[sp]k_(?:live|test)_\w+"  # Paystack's keys
    r"|\bBearer\s+\S+"
    r"|\+\d[\d ()-]{7,}\d|\b0\d{2,3}[ -]?\d{3}[ -]?\d{4}\b|\b\d{10,19}\b"  # phone, account and card numbers
    r"|(?<=[?&]token=)[^&\s]+"
)
# PostgreSQL repeats the offending row after these words.
_DATABASE_DETAIL = re.compile(r"\s*(?:DETAIL|CONTEXT):.*", re.DOTALL)
_KEPT_WHOLE = frozenset(
    {"event_id", "trace_id", "span_id", "parent_span_id", "timestamp", "start_timestamp", "release"}
)


def start(dsn: str) -> None:
    """Report to `dsn`. Sentry leaves personal data out unless told otherwise; the rest of its curiosity ends here."""
    sentry_sdk.init(
        dsn=dsn,
        include_local_variables=False,
        max_request_body_size="never",
        traces_sample_rate=0.0,
        before_send=scrub,
        before_send_transaction=scrub,
        before_breadcrumb=scrub,
    )


def scrub(event: Any, hint: Any = None) -> Any:
    """`event` without the request's private parts, and without anything that looks like somebody's data."""
    if isinstance(request := event.get("request"), dict):
        event["request"] = {name: request[name] for name in ("method", "url") if name in request}
    event.pop("user", None)
    return _clean(event)


class LineFormatter(logging.Formatter):
    """Lines of the log, tracebacks included, scrubbed likewise."""

    def format(self, record: logging.LogRecord) -> str:
        return _SECRET_TEXT.sub(FILTERED, super().format(record))


def _clean(value: Any) -> Any:
    match value:
        case str():
            return _SECRET_TEXT.sub(FILTERED, _DATABASE_DETAIL.sub(f" {FILTERED}", value))
        case dict():
            return {key: _clean_item(str(key), item) for key, item in value.items()}
        case list() | tuple():
            return [_clean(item) for item in value]
    return value


def _clean_item(key: str, value: Any) -> Any:
    if key in _KEPT_WHOLE:
        return value
    return FILTERED if isinstance(value, str) and _SECRET_KEYS.search(key) else _clean(value)
