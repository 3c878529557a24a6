"""The pytest plugin with a real Chromium, the machine's own: nothing is downloaded. For tests marked `browser`."""

import base64
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Browser]":
    """One browser for all tests; each has its own window by `page`."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail("There is no Chromium: apt-get install chromium")
    # Playwright keeps an event loop in this thread; the ORM is used from the same one, and never at the same time.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        # Chromium's own sandbox wants privileges that containers and root do not have.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(chromium: "Browser") -> "Iterator[Page]":
    """A fresh window. Fails its test on a script error, and on any request to another machine."""
    errors: list[str] = []
    context = chromium.new_context()
    context.set_default_timeout(10_000)

    def watch(request: "Request") -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https") and address.hostname not in ("127.0.0.1", "localhost"):
            errors.append(f"asked the web for {request.url}")

    context.on("request", watch)
    context.on("weberror", lambda error: errors.append(f"script error: {error.error}"))
    yield context.new_page()
    context.close()
    assert not errors


def webp(page: "Page", *, quality: int, scale: float = 1, whole: bool = True) -> bytes:
    """A picture of the page, all of it or what the window shows, scaled before it is drawn: letters stay sharp."""
    size = page.evaluate(
        """whole => whole ? { width: document.body.offsetWidth, height: document.body.scrollHeight }
            : { width: innerWidth, height: innerHeight }""",
        whole,
    )
    options = {
        "format": "webp",
        "quality": quality,
        "clip": {"x": 0, "y": 0, "scale": scale, **size},
        "captureBeyondViewport": whole,
    }
    answer = page.context.new_cdp_session(page).send("Page.captureScreenshot", options)
    return base64.b64decode(answer["data"])
