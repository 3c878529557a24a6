"""HEAD under /api/: health checks and caches send it, and Ninja knows only the methods an operation names."""

from collections.abc import AsyncIterator, Callable

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from core.problems import is_api


def head_middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer HEAD as GET, without the body. Stands outermost, so that everything else sees a GET."""

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
