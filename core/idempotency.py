"""Idempotency-Key: a POST repeated under one key has one effect, and every repetition gets the first answer.

The key is reserved in a short transaction of its own before the work and the answer stored after it, so that the work
itself may leave transactions to call Paystack. A process killed in between leaves a reservation without answer; after
STALE_AFTER whoever repeats the call takes it over and does the work, which its own state checks guard.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from ninja.utils import contribute_operation_callback

from core import clock
from core.errors import Conflict, Invalid
from core.models import IdempotencyKey

if TYPE_CHECKING:
    from ninja.operation import Operation

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(hours=24)
STALE_AFTER = timedelta(minutes=2)
"""Longer than any web process may work on one request."""
WAIT_SECONDS, LOOK_EVERY_SECONDS = 25.0, 0.05


class StillWorking(Conflict):
    """409: the first call under this key has not ended yet."""

    code = "still_working"
    retry_after = 5


def idempotent[View: Callable[..., Any]](view: View) -> View:
    """Mark a POST as honouring Idempotency-Key. The API carries it out, after the checks of shape and e-mail."""
    view.is_idempotent = True  # type: ignore[attr-defined]
    contribute_operation_callback(view, _document)
    return view


def _document(operation: "Operation") -> None:
    parameter = {
        "in": "header",
        "name": HEADER,
        "required": False,
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "description": "Any text of your own, new for each thing you want done. Repeating the call with the same key "
        "and body within 24 hours gives the first answer again; with another body it is refused (422).",
    }
    operation.openapi_extra = {**(operation.openapi_extra or {})}
    operation.openapi_extra["parameters"] = [*operation.openapi_extra.get("parameters", []), parameter]


def once(request: HttpRequest, work: Callable[[], HttpResponse]) -> HttpResponse:
    """Do `work` unless this call repeats an earlier one under its Idempotency-Key; then give that one's answer."""
    if (key := request.headers.get(HEADER)) is None:
        return work()
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise Invalid("The key should have 1 to 255 printable ASCII characters.", field=HEADER)
    call = {"user": request.auth, "method": request.method, "path": request.path[:255], "key": key}  # type: ignore[attr-defined]
    digest = _digest(request)
    give_up = time.monotonic() + WAIT_SECONDS
    while True:
        kept = IdempotencyKey.objects.filter(**call).first()
        if (kept is None or _is_free(kept, digest)) and (ours := _reserve(call, digest)):
            return _worked(ours, work)
        if kept is not None and not _is_over(kept):
            if kept.body_sha256 != digest:
                raise Invalid("This key was used with another body.", code="idempotency_key_reused", field=HEADER)
            if kept.status is not None:
                return _replayed(kept)
        if time.monotonic() > give_up:
            raise StillWorking("The first call under this key is still being worked on.")
        time.sleep(LOOK_EVERY_SECONDS)


def _is_over(kept: IdempotencyKey) -> bool:
    return clock.now() - kept.created_at >= KEPT_FOR


def _is_free(kept: IdempotencyKey, digest: str) -> bool:
    """Whether the work under this key may be done again: its day is over, or whoever did it was killed."""
    stale = kept.status is None and clock.now() - kept.created_at >= STALE_AFTER
    return _is_over(kept) or (stale and kept.body_sha256 == digest)


def _reserve(call: dict[str, Any], digest: str) -> IdempotencyKey | None:
    """The row of this call, if the work is now ours to do; None when somebody else was first."""
    now = clock.now()
    try:
        with transaction.atomic():
            kept, new = IdempotencyKey.objects.select_for_update().get_or_create(
                **call, defaults={"body_sha256": digest, "created_at": now}
            )
            if not new:
                if not _is_free(kept, digest):
                    return None
                kept.body_sha256, kept.created_at, kept.status = digest, now, None
                kept.save()
    except IntegrityError:  # two at once, and the winner was rolled back: look again
        return None
    return kept


def _worked(kept: IdempotencyKey, work: Callable[[], HttpResponse]) -> HttpResponse:
    # Only as long as nobody took the reservation over, which its time tells.
    ours = IdempotencyKey.objects.filter(pk=kept.pk, created_at=kept.created_at)
    try:
        response = work()
    except BaseException:
        ours.delete()
        raise
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        ours.delete()
        return response
    ours.update(
        status=response.status_code,
        body=response.content,
        location=response.get("Location", ""),
        content_type=response.get("Content-Type", ""),
    )
    return response


def _replayed(kept: IdempotencyKey) -> HttpResponse:
    response = HttpResponse(bytes(kept.body), status=kept.status, content_type=kept.content_type)
    if kept.location:
        response["Location"] = kept.location
    response["Idempotent-Replayed"] = "true"
    return response


def _digest(request: HttpRequest) -> str:
    # Keyed, since a body may hold a password and the digest is kept.
    digest = hmac.new(settings.SECRET_KEY.encode(), digestmod=hashlib.sha256)
    digest.update(request.META.get("QUERY_STRING", "").encode() + b"\n")
    if request.content_type == "multipart/form-data":
        # The boundary is drawn anew each time, so the parts count and not the bytes between them.
        for name in sorted(request.POST):
            digest.update(repr((name, request.POST.getlist(name))).encode())
        for name in sorted(request.FILES):
            for file in request.FILES.getlist(name):
                digest.update(repr((name, file.name)).encode())
                for chunk in file.chunks():
                    digest.update(chunk)
                file.seek(0)
    else:
        digest.update(request.body)
    return digest.hexdigest()


def purge() -> int:
    """Forget what is older than a day; how many rows went."""
    return IdempotencyKey.objects.filter(created_at__lt=clock.now() - KEPT_FOR).delete()[0]
