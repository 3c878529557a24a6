"""One job from registration to rating: web and worker as processes, mails over SMTP, Paystack's sandbox over HTTP.

Nothing is replaced or called from inside: the test knows the API's contract, the mails and the pages, as people do.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
import requests
from aiosmtpd.controller import Controller
from django.conf import settings

from marketplace.management.processes import Child

PATIENCE_SECONDS = 60
"""For whatever happens in the background; on a quiet machine it takes a second."""
PASSWORD = "Str0ng-enough"
ADDRESS = "12 Allen Avenue, Ikeja, Lagos"
LINK = re.compile(r"https?://\S+/verify-email\?token=\S+")


def eventually[Found](look: Callable[[], Found], what: str) -> Found:
    """The first thing `look` finds, or a failure that says what was awaited."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < give_up, f"waited {PATIENCE_SECONDS} s for {what}"
        time.sleep(0.1)
    return found


# --- The mail server


class Letters:
    """What aiosmtpd took, in the order it came."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, EmailMessage]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        for to in envelope.rcpt_tos:
            self.taken.append((to, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"

    def to(self, email: str) -> list[EmailMessage]:
        return [letter for to, letter in self.taken if to == email]

    def of(self, email: str, notification_id: int) -> list[EmailMessage]:
        """The mails of one notice: its id is in the Message-ID."""
        mark = f"<notification-{notification_id}-"
        return [letter for letter in self.to(email) if letter["Message-ID"].startswith(mark)]


def check_both_parts(letter: EmailMessage) -> None:
    """Text and HTML, both saying something, and nothing that a template forgot."""
    assert letter.get_content_type() in ("multipart/alternative", "multipart/mixed")
    for kind in ("plain", "html"):
        part = letter.get_body((kind,))
        assert part is not None, f"{letter['Subject']}: no {kind} part"
        content = part.get_content()
        assert len(content.split()) > 10
        assert not re.search(r"\{\{|\{%|\{\w+\}|\bNone\b", content), content


# --- The web


class Form(HTMLParser):
    """The first form of a page: its hidden fields and its buttons by their text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.buttons: dict[str, dict[str, str]] = {}
        self._button: dict[str, str] | None = None
        self._state = "before"
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and self._state == "before":
            self._state = "inside"
        elif self._state == "inside" and tag == "input":
            self.fields[given.get("name", "")] = given.get("value", "")
        elif self._state == "inside" and tag == "button":
            self._button = {given["name"]: given.get("value", "")} if "name" in given else {}

    def handle_data(self, data: str) -> None:
        if self._button is not None and data.strip():
            self.buttons[data.strip()] = self._button
            self._button = None

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._state == "inside":
            self._state = "after"


def press(browser: requests.Session, url: str, button: str) -> requests.Response:
    """Open a page and press the button that begins so."""
    page = browser.get(url, timeout=30)
    assert page.status_code == 200, page.text
    form = Form(page.text)
    chosen = next((sent for text, sent in form.buttons.items() if text.startswith(button)), None)
    assert chosen is not None, f"no button {button} among {list(form.buttons)}"
    return browser.post(url, data=form.fields | chosen, timeout=30)


@dataclass
class Town:
    """The running marketplace as seen from outside."""

    site: str
    letters: Letters
    children: list[Child]

    def person(self, email: str, **account: Any) -> Person:
        return Person(self, email, **account)


@dataclass
class Person:
    """Somebody with an app in his hand."""

    town: Town
    email: str
    token: str = ""
    id: int = 0
    seen: list[str] = field(default_factory=list)
    """Types of the notices he was expected to get so far."""

    def call(self, method: str, path: str, body: Any = None, *, expect: int = 200) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = requests.request(method, f"{self.town.site}/api{path}", json=body, headers=headers, timeout=30)
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}\n{self._logs()}"
        return answer.json() if answer.content else None

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None, *, expect: int = 200) -> Any:
        return self.call("POST", path, body or {}, expect=expect)

    def register(self, user_type: str, **profile: Any) -> Person:
        body = {"email": self.email, "password": PASSWORD, "user_type": user_type, **profile}
        self.id = self.post("/auth/register/", body, expect=201)["id"]
        return self

    def verification_link(self) -> str:
        """From the text part of the mail, where it stands whole."""
        letter = eventually(lambda: self.town.letters.to(self.email), f"a mail to {self.email}")[0]
        text = letter.get_body(("plain",))
        found = LINK.search(text.get_content()) if text else None
        assert found, letter
        return found[0]

    def sign_in(self, password: str = PASSWORD) -> Person:
        session = self.post("/auth/login/", {"email": self.email, "password": password})
        self.token, self.id = session["access"], session["user"]["id"]
        return self

    def notices(self) -> list[dict[str, Any]]:
        """All on the dashboard, oldest first."""
        items: list[dict[str, Any]] = []
        path: str | None = "/notifications/?limit=100"
        while path:
            page = self.get(path.removeprefix("/api"))
            items, path = items + page["items"], page["next"]
        return items[::-1]

    def expects(self, *types: str) -> None:
        """Exactly these notices are new on the dashboard, and each has come by mail, once, in both parts."""
        wanted = Counter([*self.seen, *types])
        eventually(lambda: len(self.notices()) >= wanted.total(), f"{types} to {self.email}, not {self._got()}")
        notices = self.notices()
        assert Counter(notice["notification_type"] for notice in notices) == wanted
        self.seen += types
        for notice in notices[-len(types) :] if types else ():
            letter = eventually(
                lambda notice=notice: self.town.letters.of(self.email, notice["id"]),  # type: ignore[misc]
                f"the mail of {notice['title']!r} to {self.email}",
            )[0]
            check_both_parts(letter)

    def _got(self) -> list[str]:
        return [notice["notification_type"] for notice in self.notices()]

    def _logs(self) -> str:
        return "\n".join(child.last_words() for child in self.town.children)


# --- Starting it


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def database_of_its_own(home: Path) -> Iterator[str]:
    """Its DATABASE_URL, on the engine the suite runs on."""
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        yield f"sqlite:///{home / 'journey.sqlite3'}"
        return
    name = f"journey_{os.getpid()}"
    url = urlsplit(os.environ["DATABASE_URL"])
    with psycopg.connect(url._replace(path="/postgres").geturl(), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield url._replace(path=f"/{name}").geturl()
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Database, mail server, web and worker, all of its own; gone afterwards with everything they started."""
    letters = Letters()
    post = Controller(letters, hostname="127.0.0.1", port=free_port())
    post.start()
    site = f"http://127.0.0.1:{free_port()}"
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    children: list[Child] = []
    with database_of_its_own(tmp_path) as database:
        env = os.environ | {
            "DATABASE_URL": database,
            "EMAIL_URL": f"smtp://127.0.0.1:{post.port}",
            "SITE_URL": site,
            "PAYSTACK_BASE_URL": f"{site}/sandbox/paystack",
            "SANDBOX_STATE": str(tmp_path / "paystack.sqlite3"),
            "DJANGO_SUPERUSER_EMAIL": "boss@example.com",
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }
        try:
            run([*manage, "migrate", "-v0"], env)
            listen = ["runserver", "--noreload", urlsplit(site).netloc]
            for name, command in (("web", listen), ("worker", ["qcluster"])):
                children.append(Child(name, [*manage, *command], env=env, log=tmp_path / f"{name}.log"))
            run([*manage, "createsuperuser", "--noinput"], env)
            eventually(lambda: answers(site) or children[0].exit_code() is not None, "the web")
            yield Town(site, letters, children)
        finally:
            for child in children:
                child.stop(after_seconds=0)
            post.stop()


def run(command: list[str], env: dict[str, str]) -> None:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def answers(site: str) -> bool:
    try:
        return requests.get(f"{site}/api/config/", timeout=10).ok
    except requests.ConnectionError:
        return False


# --- The journey


@dataclass
class Job:
    """The request of the journey, as its three parties see it."""

    id: int
    client: Person
    serviceman: Person
    admin: Person

    @property
    def path(self) -> str:
        return f"/service-requests/{self.id}/"

    def stands(self, status: str, *, waiting_on: str) -> None:
        for person in (self.client, self.serviceman, self.admin):
            seen = person.get(self.path)
            assert (seen["status"], seen["waiting_on"]) == (status, waiting_on)

    def pay(self, payment_type: str, amount: str, *, then: str) -> None:
        """On the checkout page, like anybody; Paystack's event is what settles it."""
        due = {"service_request_id": self.id, "payment_type": payment_type}
        payment = self.client.post("/payments/initialize/", due, expect=201)
        assert (payment["amount"], payment["status"]) == (amount, "PENDING")
        with requests.Session() as browser:
            back = press(browser, payment["authorization_url"], "Pay")
        assert urlsplit(back.url).path == "/payment/callback"
        eventually(lambda: self.client.get(self.path)["status"] == then, f"{then} after {payment_type}")
        paid = self.client.get(f"/payments/{payment['id']}/")
        assert (paid["status"], paid["outcome"]) == ("SUCCESSFUL", "APPLIED")


def test_a_job_goes_from_registration_to_rating(town: Town) -> None:
    boss = town.person("boss@example.com").sign_in()
    trade = boss.post("/categories/", {"name": "Plumbing", "description": "Pipes and taps."}, expect=201)["id"]
    ada = town.person("ada@example.com").register("CLIENT", first_name="Ada")
    tunde = town.person("tunde@example.com").register("SERVICEMAN", first_name="Tunde", category_id=trade)
    they_are_let_in(ada, tunde, boss)
    job = she_books(ada, tunde, boss, trade=trade)
    he_looks_at_it(job)
    they_agree_and_she_pays(job)
    he_works_and_she_rates(job)
    every_notice_came_by_mail_once(town, [ada, tunde, boss])
    assert all(child.exit_code() is None for child in town.children)


def they_are_let_in(ada: Person, tunde: Person, boss: Person) -> None:
    """Both prove their address by the link of the mail: she on the page, he in the app."""
    with requests.Session() as browser:
        assert "confirmed" in press(browser, ada.verification_link(), "Confirm").text
    token = parse_qs(urlsplit(tunde.verification_link()).query)["token"][0]
    tunde.post("/auth/verify-email/", {"token": token})
    ada.sign_in().expects("EMAIL_VERIFICATION", "WELCOME")
    tunde.sign_in().expects("EMAIL_VERIFICATION", "WELCOME")
    boss.expects("SERVICEMAN_APPLICATION")
    boss.post(f"/admin/servicemen/{tunde.id}/approve/")
    tunde.expects("SERVICEMAN_APPROVED")


def she_books(ada: Person, tunde: Person, boss: Person, *, trade: int) -> Job:
    booking = {
        "category_id": trade,
        "booking_date": (datetime.now(UTC) + timedelta(days=6)).date().isoformat(),
        "client_address": ADDRESS,
        "service_description": "The kitchen tap drips.",
    }
    request = ada.post("/service-requests/", booking, expect=201)
    assert (request["status"], request["initial_booking_fee"]) == ("AWAITING_BOOKING_FEE", "2000.00")
    job = Job(request["id"], ada, tunde, boss)
    job.pay("INITIAL_BOOKING", "2000.00", then="PENDING_ADMIN_ASSIGNMENT")
    ada.expects("BOOKING_CONFIRMED")
    boss.expects("PAYMENT_RECEIVED")
    return job


def he_looks_at_it(job: Job) -> None:
    ada, tunde, boss = job.client, job.serviceman, job.admin
    boss.post("/admin/assign-serviceman/", {"service_request_id": job.id, "serviceman_id": tunde.id})
    job.stands("ASSIGNED_TO_SERVICEMAN", waiting_on="SERVICEMAN")
    tunde.expects("SERVICEMAN_ASSIGNED")
    assert tunde.get(job.path)["client_address"] == "Ikeja, Lagos"
    tunde.post(f"{job.path}accept/")
    assert tunde.get(job.path)["client_address"] == ADDRESS
    ada.expects("SERVICEMAN_ACCEPTED")
    boss.expects("SERVICEMAN_ACCEPTED")
    tunde.post(f"{job.path}estimate/", {"amount": "15000.00", "notes": "New cartridge.", "estimated_days": 1})
    job.stands("SERVICEMAN_INSPECTED", waiting_on="ADMIN")
    boss.expects("COST_ESTIMATE_READY")


def they_agree_and_she_pays(job: Job) -> None:
    ada, tunde, boss = job.client, job.serviceman, job.admin
    priced = {"service_request_id": job.id, "admin_markup_percentage": "50.00", "note_to_client": "Parts included."}
    boss.call("PATCH", "/admin/update-final-cost/", priced)
    job.stands("AWAITING_CLIENT_APPROVAL", waiting_on="CLIENT")
    ada.expects("FINAL_COST_SET")
    shown = ada.get(job.path)
    assert (shown["final_cost"], shown["serviceman_estimated_cost"]) == ("22500.00", None)
    ada.post(f"{job.path}approve/", {"price_version": shown["price_version"]})
    job.stands("AWAITING_PAYMENT", waiting_on="CLIENT")
    boss.expects("PRICE_APPROVED")
    job.pay("FINAL_PAYMENT", "22500.00", then="PAYMENT_CONFIRMED")
    ada.expects("PAYMENT_RECEIPT")
    boss.expects("PAYMENT_CONFIRMED")
    tunde.expects("PAYMENT_CONFIRMED")
    receipt = ada.town.letters.of(ada.email, ada.notices()[-1]["id"])[0]
    for kind in ("plain", "html"):
        part = receipt.get_body((kind,))
        assert part is not None
        assert "₦22,500.00" in part.get_content()


def he_works_and_she_rates(job: Job) -> None:
    ada, tunde, boss = job.client, job.serviceman, job.admin
    tunde.post(f"{job.path}start/")
    job.stands("IN_PROGRESS", waiting_on="SERVICEMAN")
    ada.expects("WORK_STARTED")
    tunde.post(f"{job.path}complete/", {"notes": "Dry."})
    job.stands("WORK_COMPLETED", waiting_on="ADMIN")
    boss.expects("JOB_COMPLETED")
    boss.post(f"{job.path}verify-completion/")
    job.stands("COMPLETED", waiting_on="NOBODY")
    ada.expects("JOB_CONFIRMED")
    tunde.expects("JOB_CONFIRMED")
    ada.post("/ratings/", {"service_request_id": job.id, "rating": 5, "review": "Quick and clean."}, expect=201)
    tunde.expects("RATING_RECEIVED")
    listed = ada.get(f"/servicemen/{tunde.id}/")
    assert (listed["rating"], listed["total_jobs_completed"]) == ("5.00", 1)


def every_notice_came_by_mail_once(town: Town, everybody: list[Person]) -> None:
    for person in everybody:
        person.expects()
        for notice in person.notices():
            assert len(town.letters.of(person.email, notice["id"])) == 1, notice
    assert len(town.letters.taken) == sum(len(person.seen) for person in everybody)
