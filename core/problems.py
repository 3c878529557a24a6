"""RFC 9457 problem documents: how every refusal under /api/ looks."""

import logging
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.decorators import sync_and_async_middleware
from ninja import Schema
from ninja.errors import HttpError, ValidationError
from pydantic_core import to_json

from core.errors import DomainError

logger = logging.getLogger("core.api")

MEDIA_TYPE = "application/problem+json"
RETRY_SOON = {"Retry-After": "5"}


class FieldProblem(Schema):
    """What is wrong with one field: `loc` is the caller's own name of it ("amount", "lines.0.label")."""

    loc: str
    msg: str


class Problem(Schema):
    """A refusal. `detail` is a sentence for people, `code` is stable for programs."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem]


PROBLEMS: dict[int, type[Problem]] = dict.fromkeys((400, 401, 403, 404, 405, 409, 413, 422, 429, 503), Problem)
"""The refusals any operation may answer: ``response={200: RequestOut, **PROBLEMS}``."""

# What stands behind a bare status, when nothing more is known: code and sentence.
PLAIN: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "The request could not be understood."),
    401: ("token_missing", "Sign in first: send the access token as 'Authorization: Bearer ...'."),
    403: ("not_yours_to_do", "This is not yours to do."),
    404: ("not_found", "There is nothing here, or nothing you may see."),
    405: ("method_not_allowed", "This method is not allowed here."),
    409: ("conflict", "The state no longer allows this."),
    413: ("too_large", "The request is too large."),
    415: ("unsupported_media_type", "This media type is not understood here."),
    422: ("invalid", "Some values are not valid."),
    429: ("too_many_requests", "Too many attempts. Wait a little and try again."),
    500: ("internal_error", "Something went wrong on our side. We have been told."),
    503: ("unavailable", "The service is away for a moment. Try again shortly."),
}


class TooLarge(DomainError):
    """413: a body or a file above the limit."""

    status = 413
    code = "too_large"


def problem(
    status: int,
    *,
    detail: str = "",
    code: str = "",
    errors: Iterable[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """One problem document; what is not given is taken from the status."""
    plain_code, plain_detail = PLAIN.get(status, (HTTPStatus(status).name.lower(), HTTPStatus(status).phrase + "."))
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail or plain_detail,
        "code": code or plain_code,
        "errors": [{"loc": loc, "msg": msg} for loc, msg in errors],
    }
    headers = {**({"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}), **(headers or {})}
    return HttpResponse(to_json(body), status=status, content_type=MEDIA_TYPE, headers=headers)


def problem_of(request: HttpRequest, error: BaseException) -> HttpResponse:  # noqa: PLR0911 - a table
    """The problem document for whatever went wrong; only what nobody foresaw is a 500, and that is logged."""
    match error:
        case DomainError():
            return problem(
                error.status, detail=error.detail, code=error.code, errors=error.errors.items(), headers=_wait(error)
            )
        case ValidationError():
            return _shape(error.errors)
        case HttpError():
            return problem(error.status_code, detail=str(error) if error.status_code == HTTPStatus.BAD_REQUEST else "")
        case RequestDataTooBig() | TooManyFieldsSent() | TooManyFilesSent():
            return problem(413)
        case BadRequest() | SuspiciousOperation() | MultiPartParserError() | UnreadablePostError():
            return problem(400)
        case Http404():
            return problem(404)
        case PermissionDenied():
            return problem(403)
        case OperationalError() | InterfaceError():
            logger.error("The database is away: %s %s", request.method, request.path, exc_info=error)
            return problem(503, headers=RETRY_SOON)
    # Sentry and Django's test client listen to this signal.
    got_request_exception.send(sender=None, request=request)
    logger.error("Internal error: %s %s", request.method, request.path, exc_info=error)
    return problem(500)


def _wait(error: DomainError) -> Mapping[str, str] | None:
    if seconds := getattr(error, "retry_after", None):
        return {"Retry-After": str(seconds)}
    return RETRY_SOON if error.status == HTTPStatus.SERVICE_UNAVAILABLE else None


def _shape(errors: list[dict[str, Any]]) -> HttpResponse:
    named = [(str(each["loc"]), each["msg"].removeprefix("Value error, ").rstrip(".")) for each in errors]
    if len(named) == 1:
        loc, msg = named[0]
        return problem(422, detail=f"{loc}: {msg}." if loc else f"{msg}.", errors=named)
    fields = ", ".join(dict.fromkeys(loc for loc, _ in named))
    return problem(422, detail=f"Some values are not valid: {fields}.", errors=named)


def is_api(request: HttpRequest) -> bool:
    """Whether a path is the API's, which answers in its own manner whatever becomes of the call."""
    return request.path_info.startswith("/api/") or request.path_info == "/api"


def no_such_route(request: HttpRequest) -> HttpResponse:
    """The answer to any path under /api/ that is no operation: a problem, also without the closing slash."""
    if not request.path.endswith("/"):
        return problem(404, detail="There is nothing here. Every path of this API ends with a slash.")
    return problem(404)


no_such_route.csrf_exempt = True  # type: ignore[attr-defined]


@sync_and_async_middleware
def problems_middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Turn every refusal under /api/ that is not a problem document yet into one, and keep the API out of caches.

    Stands before all other middleware, since that refuses too (a wrong Host, for one).
    """
    if iscoroutinefunction(get_response):

        async def async_middleware(request: HttpRequest) -> HttpResponse:
            return _as_problem(request, await get_response(request))

        return async_middleware

    def middleware(request: HttpRequest) -> HttpResponse:
        return _as_problem(request, get_response(request))

    return middleware


def _as_problem(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if not is_api(request):
        return response
    is_problem = response.get("Content-Type", "").startswith(MEDIA_TYPE)
    if response.status_code >= HTTPStatus.BAD_REQUEST and not is_problem:
        # Allow, Retry-After, and what lets a browser read the answer at all.
        kept = {name: value for name, value in response.items() if not name.lower().startswith("content-")}
        cookies = response.cookies
        response = problem(response.status_code, headers=kept)
        response.cookies = cookies
    if "GET" in (allowed := response.get("Allow", "").split(", ")) and "HEAD" not in allowed:
        response["Allow"] = ", ".join(sorted([*allowed, "HEAD"]))
    response.setdefault("Cache-Control", "no-store")
    return response
