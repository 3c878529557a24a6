"""HEAD under /api/: health checks and caches send it, and Ninja knows only the methods an operation names."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
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
    if not isinstance(response, HttpResponse):
        # A stream has no length, and must not run for nobody.
        empty = HttpResponse(status=response.status_code, headers=response.headers)
        response.close()
        return empty
    response.setdefault("Content-Length", str(len(response.content)))
    response.content = b""
    return response
