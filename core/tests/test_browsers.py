"""What browser apps on another origin may send and read, and HEAD, which caches and health checks send."""

import pytest
from django.http import StreamingHttpResponse
from django.test import Client

from core.head import head_middleware
from core.tests.test_problems import problem_in

pytestmark = pytest.mark.urls("core.tests.sample")
APP = "https://app.example.com"


@pytest.fixture(autouse=True)
def app(settings):
    settings.CORS_ALLOWED_ORIGINS = [APP]


@pytest.fixture
def browser():
    return Client(headers={"origin": APP})


def names(response, header):
    return {name.strip().lower() for name in response[header].split(",")}


def test_a_browser_may_send_a_token_json_and_an_idempotency_key(browser):
    wanted = ["authorization", "content-type", "idempotency-key"]
    asked = {"access-control-request-method": "POST", "access-control-request-headers": ",".join(wanted)}
    answer = browser.options("/api/pay/", headers=asked)
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, APP)
    assert names(answer, "Access-Control-Allow-Headers") >= set(wanted)
    assert "POST" in answer["Access-Control-Allow-Methods"]


def test_a_browser_may_read_where_a_new_thing_stands_and_how_long_to_wait(browser):
    answer = browser.get("/api/fails/unavailable/")
    assert names(answer, "Access-Control-Expose-Headers") == {"location", "retry-after", "etag", "idempotent-replayed"}


def test_a_browser_may_read_refusals_that_are_not_the_apis_own(browser):
    for answer in (browser.delete("/api/orders/"), browser.get("/api/nowhere/")):
        assert answer["Access-Control-Allow-Origin"] == APP
        assert "origin" in names(answer, "Vary")


def test_another_origin_may_not(app):
    answer = Client(headers={"origin": "https://evil.example"}).get("/api/fails/missing/")
    assert "Access-Control-Allow-Origin" not in answer


# --- HEAD


@pytest.mark.parametrize(
    "path",
    ["/api/people/", "/api/docs/", "/api/openapi.json", "/api/fails/missing/", "/api/nowhere/", "/api/people/?limit=0"],
)
def test_head_answers_as_get_without_a_body(client, db, path):
    full, head = client.get(path), client.head(path)
    assert head.status_code == full.status_code
    assert head.content == b""
    for name in ("Content-Type", "Content-Length", "Cache-Control"):
        assert head.get(name) == full.get(name)
    assert head["Content-Length"] == str(len(full.content))


def test_head_of_what_cannot_be_read_is_405(client):
    answer = client.head("/api/orders/")
    assert (answer.status_code, answer["Allow"], answer.content) == (405, "POST", b"")


def test_head_needs_the_token_that_get_needs(client):
    assert client.head("/api/whoami/person/").status_code == 401


def test_what_can_be_read_says_so(client):
    assert names(client.post("/api/people/"), "Allow") == {"get", "head"}


def test_head_under_asgi():
    from asgiref.sync import async_to_sync
    from django.test import AsyncClient

    head = async_to_sync(AsyncClient().head)("/api/docs/")
    assert (head.status_code, head.content) == (200, b"")


def test_head_opens_no_stream(rf):
    ran = []
    stream = StreamingHttpResponse((ran.append(part) for part in "ab"), content_type="text/event-stream")
    answer = head_middleware(lambda request: stream)(rf.head("/api/notifications/stream/"))
    assert (answer.status_code, answer.getvalue(), answer["Content-Type"]) == (200, b"", "text/event-stream")
    assert ran == []


def test_head_opens_no_stream_under_asgi_either(rf):
    from asgiref.sync import async_to_sync

    async def live():
        yield b"never asked for"

    async def heard(answer):
        return [part async for part in answer]

    stream = StreamingHttpResponse(live(), content_type="text/event-stream")
    answer = head_middleware(lambda request: stream)(rf.head("/api/notifications/stream/"))
    assert async_to_sync(heard)(answer) == []


def test_head_of_the_console_is_left_alone(client):
    assert client.head("/nowhere/").status_code == 404


# --- The reference


@pytest.mark.parametrize("path", ["/api/docs/", "/api/openapi.json"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_reference_is_only_read(path, method):
    answer = getattr(Client(enforce_csrf_checks=True), method)(path)
    problem_in(answer, 405, "method_not_allowed")
    assert names(answer, "Allow") == {"get", "head"}
