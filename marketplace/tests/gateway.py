"""The pytest plugin with a Paystack to test against: the whole site, sandbox included, behind a real HTTP port."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
import requests
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from core import clock
from marketplace import paystack
from marketplace.money import paystack_fee, to_kobo

if TYPE_CHECKING:
    from marketplace.models import Payment


@pytest.fixture(autouse=True, scope="session")
def _ask_again_at_once() -> Iterator[None]:
    """What Paystack does not answer is asked again as in life, but without a second lost each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paystack, "_FIRST_WAIT_SECONDS", 0.005)
        yield


class QuietHandler(WSGIRequestHandler):
    """Requests that nobody prints."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


class Server(ThreadedWSGIServer):
    """Fifty may knock at the same moment."""

    request_queue_size = 128


class Gateway:
    """The sandbox as a test uses it: over HTTP, like a browser or an operator would."""

    def __init__(self, site: str) -> None:
        self.site, self.url = site, f"{site}/sandbox/paystack"

    def scenario(self, **changes: Any) -> None:
        """Change how it behaves."""
        answer = requests.post(f"{self.url}/_scenario/", json=changes, timeout=60)
        assert answer.status_code == 200, answer.text

    def choose(self, checkout: str, choice: str = "pay") -> requests.Response:
        """What the payer does on the checkout page; answers the redirect without following it."""
        return requests.post(checkout, data={"choice": choice}, allow_redirects=False, timeout=60)

    def settle(self) -> None:
        """Wait until every event of the sandbox was delivered or given up."""
        for thread in threading.enumerate():
            if thread.name == "paystack-sandbox":
                thread.join(20)
                assert not thread.is_alive()


def serve(application: Any) -> Iterator[str]:
    """A threaded HTTP server for a WSGI application, while the test runs; yields its address."""
    server = Server(("127.0.0.1", 0), QuietHandler)
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture
def gateway(settings: Any, tmp_path: Path) -> Iterator[Gateway]:
    """The site on a port of its own, Paystack's address pointing at it, and a sandbox that has seen nothing yet.

    Webhooks are dropped until a test asks for them: most tests report to the service themselves.
    """
    for site in serve(WSGIHandler()):
        settings.SITE_URL = site
        settings.PAYSTACK_BASE_URL = f"{site}/sandbox/paystack"
        settings.SANDBOX_STATE = str(tmp_path / "paystack.sqlite3")
        settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
        settings.PAYSTACK_TIMEOUT_SECONDS = 3
        gateway = Gateway(site)
        gateway.scenario(webhooks="drop", pause_seconds=0.05, stall_seconds=1.5)
        yield gateway
        gateway.settle()


def proof(payment: Payment, **changes: Any) -> paystack.Transaction:
    """What Paystack says of a payment that was paid exactly as asked, but for `changes`."""
    kobo = to_kobo(payment.amount)
    said = {
        "reference": payment.paystack_reference,
        "status": "success",
        "amount_kobo": kobo,
        "requested_amount_kobo": changes.get("amount_kobo", kobo),
        "currency": "NGN",
        "domain": "test",
        "fees_kobo": to_kobo(paystack_fee(payment.amount)),
        "paid_at": clock.now(),
        "channel": "card",
        "gateway_response": "Approved",
    }
    return paystack.Transaction(**said | changes)


def sign(body: bytes) -> str:
    """Paystack's signature of an event."""
    return hmac.new(b"sk_test_sandbox", body, hashlib.sha512).hexdigest()


class Scripted:
    """A server that answers what a test scripted, in order, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.asked: list[tuple[str, str, bytes, str]] = []

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        path = environ["PATH_INFO"] + ("?" + environ["QUERY_STRING"] if environ["QUERY_STRING"] else "")
        self.asked.append((environ["REQUEST_METHOD"], path, body, environ.get("HTTP_AUTHORIZATION", "")))
        status, answer = self.answers.pop(0) if self.answers else (500, b"nothing scripted")
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))]
        if 300 <= status < 400:
            headers.append(("Location", "/moved"))
        start(f"{status} Scripted", headers)
        return [answer]


@pytest.fixture
def scripted(settings: Any) -> Iterator[Scripted]:
    """A Paystack that says exactly what the test tells it to."""
    application = Scripted()
    for url in serve(application):
        settings.PAYSTACK_BASE_URL = url
        settings.PAYSTACK_TIMEOUT_SECONDS = 3
        yield application
