"""HEAD under /api/: health checks and caches send it, and Ninja knows only the methods an operation names."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from core.problems import is_api


@sync_and_async_middleware
def head_middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Answer HEAD as GET, without the body. Stands outermost, so that everything else sees a GET."""
    if iscoroutinefunction(get_response):

        async def async_middleware(request: HttpRequest) -> HttpResponseBase:
            if not _is_head(request):
                return await get_response(request)
            request.method = "GET"
            response = await get_response(request)
            request.method = "HEAD"
            return _without_body(response)

        return async_middleware

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not _is_head(request):
            return get_response(request)
        request.method = "GET"
        response = get_response(request)
        request.method = "HEAD"
        return _without_body(response)

    return middleware


def _is_head(request: HttpRequest) -> bool:
    return request.method == "HEAD" and is_api(request)


def _without_body(response: HttpResponseBase) -> HttpResponseBase:
    if isinstance(response, StreamingHttpResponse):
        # Not run for nobody; what it holds is let go when the response is closed.
        response.streaming_content = _nothing() if response.is_async else ()
    elif isinstance(response, HttpResponse):
        response.setdefault("Content-Length", str(len(response.content)))
        response.content = b""
    return response


async def _nothing() -> AsyncIterator[bytes]:
    parts: tuple[bytes, ...] = ()
    for part in parts:
        yield part
