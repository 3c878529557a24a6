"""What apps ask for again and again: each answer has an ETag, and who names the one he holds hears 304 without a body.

RFC 9110, sections 8.8.3 and 13.1.2. The answer is worked out all the same: it saves the phone's data, not our time.
"""

import hashlib
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import quote_etag
from ninja.utils import contribute_operation_callback

if TYPE_CHECKING:
    from ninja.operation import Operation

HEADER = "If-None-Match"
FRESH = "private, no-cache"
"""May be kept by the caller alone, and must be asked about each time."""


def polled(*, cache: str = FRESH) -> Callable[[Any], Any]:
    """Mark a GET as asked for again and again; `cache` is its Cache-Control."""

    def mark(view: Any) -> Any:
        view.cache_control = cache
        contribute_operation_callback(view, _document)
        return view

    return mark


def _document(operation: "Operation") -> None:
    extra: dict[str, Any] = {**(operation.openapi_extra or {})}
    parameter = {
        "in": "header",
        "name": HEADER,
        "required": False,
        "schema": {"type": "string"},
        "description": "The ETag of the answer you hold. While nothing has changed you hear 304 and no body.",
    }
    extra["parameters"] = [*extra.get("parameters", []), parameter]
    extra["responses"] = {**extra.get("responses", {}), 304: {"description": "Not Modified"}}
    operation.openapi_extra = extra


def conditional(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The answer with its ETag if its operation is polled, or 304 when the caller holds it already."""
    operation: Operation | None = getattr(request, "operation", None)
    cache = getattr(operation.view_func, "cache_control", "") if operation else ""
    if not cache or response.status_code != HTTPStatus.OK:
        return response
    response["ETag"] = quote_etag(hashlib.sha256(response.content).hexdigest()[:32])
    response["Cache-Control"] = cache
    if "private" in cache:
        patch_vary_headers(response, ["Authorization"])
    answer: HttpResponseBase | None = get_conditional_response(request, etag=response["ETag"], response=response)
    if not isinstance(answer, HttpResponse):
        return response
    for name in ("Cache-Control", "Vary"):
        if name in response:
            answer[name] = response[name]
    return answer
