"""The demo behind a real server, told once for all tests that ask for it, and windows signed in to its console."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db.models import Model
from django.test import Client, TransactionTestCase
from django.test.utils import override_settings
from django.urls import reverse

from core import clock
from core.models import User
from marketplace.enums import Status
from marketplace.management.demo.cast import DOMAIN
from marketplace.models import ServiceRequest
from marketplace.tests.gateway import serve

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page
    from pytest_django.plugin import DjangoDbBlocker

MOMENT = datetime(2026, 11, 25, 10, 40, tzinfo=clock.LAGOS)
"""When the demo plays, a Wednesday morning: what is seen of it changes only when the console does."""
REQUESTS, CLIENTS = (150, 30) if os.environ.get("CONSOLE_PICTURES") else (84, 16)
"""Enough to have every story; for pictures as many as in the demo."""
STILL = "*, ::before, ::after { animation: none !important; transition: none !important; caret-color: transparent; }"
"""A style in which nothing moves."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the demo come last: every other test with real transactions empties the tables when it ends."""
    items.sort(key=lambda item: "demo" in getattr(item, "fixturenames", ()))


@dataclass(frozen=True)
class Demo:
    """Where its console is, and who works in it: the mailboxes boss, dispatcher, pricing, finance and viewer."""

    site: str

    @property
    def console(self) -> str:
        """The address of its home page."""
        return f"{self.site}/admin/"

    def person(self, mailbox: str) -> User:
        """One of its admins."""
        return User.objects.get(email=f"{mailbox}@{DOMAIN}")

    def cookie(self, mailbox: str) -> Any:
        """What makes a window one of somebody who has signed in."""
        client = Client()
        client.force_login(self.person(mailbox))
        name = settings.SESSION_COOKIE_NAME
        return {"name": name, "value": client.cookies[name].value, "url": self.site}


@pytest.fixture(scope="session")
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Demo]:
    """The demo at its moment, for the threads of the server as well."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: None)
        patch.setattr(clock, "_moved_to", ContextVar("clock_moved_to", default=MOMENT))
        call_command("seed_demo", requests=REQUESTS, clients=CLIENTS, stdout=StringIO())
        # Not pytest-django's own: it would have every page fetch every script and font again.
        for site in serve(WSGIHandler()):
            with override_settings(PAYSTACK_BASE_URL=f"{site}/sandbox/paystack", SITE_URL=site):
                yield Demo(site)


@pytest.fixture
def console_as(page: Page, demo: Demo) -> Callable[[str], Page]:
    """`console_as("dispatcher")`: a fresh window at the home page of that admin."""

    def open_home(mailbox: str) -> Page:
        page.context.add_cookies([demo.cookie(mailbox)])
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(demo.console)
        return page

    return open_home


def admin_url(record: Model, view: str = "change") -> str:
    """The path of a row's page, or of another view of it."""
    meta = record._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{view}", args=[record.pk])


def request_at(*statuses: Status) -> ServiceRequest:
    """The request with the most to show at one of these."""
    rows = ServiceRequest.objects.filter(status__in=statuses, is_deleted=False)
    return max(rows, key=lambda r: (r.issues.count(), r.negotiations.count(), r.payments.count(), r.pk))


class Hand:
    """Clicks, and counts: filling a field in is no click."""

    def __init__(self) -> None:
        self.clicks = 0

    def click(self, target: Locator) -> None:
        """One click."""
        target.click()
        self.clicks += 1


@pytest.fixture
def hand() -> Hand:
    """A fresh one."""
    return Hand()


def next_of(page: Page, queue: str) -> Locator:
    """The way from a card of the home page straight to the row that is next."""
    return page.get_by_role("link", name=f"{queue}: the next one")


def choose(hand: Hand, page: Page, name: str) -> None:
    """Open a dialog of a request, by its button or from the menu."""
    page.locator(".c-actions").wait_for()
    # Hidden ones are named with their icon.
    button = page.locator(".c-actions").get_by_role("button", name=re.compile(f"{name}$"), include_hidden=True)
    if not button.is_visible():
        hand.click(page.get_by_role("button", name="More"))
    hand.click(button)
    page.locator("#dialog").wait_for()


def message(page: Page, words: str | re.Pattern[str]) -> Locator:
    """What the console says on top of the page about what was done."""
    return page.locator("#main > div > div > ul > li", has_text=words)


def submit(hand: Hand, page: Page, name: str) -> None:
    """Send the dialog off."""
    hand.click(page.locator("#dialog").get_by_role("button", name=name))


def fresh[Row: Model](record: Row) -> Row:
    """As it is now."""
    return type(record)._default_manager.get(pk=record.pk)
