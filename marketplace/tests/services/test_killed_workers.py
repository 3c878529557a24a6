"""A killed worker loses no mail: real workers, a real mail server, and kill -9."""

import asyncio
import logging
import random
import time
from collections import Counter

import pytest
from aiosmtpd.controller import Controller

from marketplace.models import Notification
from marketplace.notices import post
from marketplace.tests.services.test_smtp import Sink, free_port
from marketplace.tests.workers import HASTY, PROCESSES, sweep

pytestmark = [pytest.mark.trust, pytest.mark.long, pytest.mark.django_db(transaction=True)]
MAILS, KILLS = 150, 3
BETWEEN_KILLS = 15
"""Mails at least, so that each kill strikes workers that are sending and have some behind them."""

CARELESS = """
from django.utils import timezone
n = notifications
def send_email(pk):
    row = n.Notification.objects.filter(pk=pk, sent_to_email=False)
    if row.update(sent_to_email=True, email_sent_at=timezone.now()):  # noted before it is true
        row = n.Notification.objects.select_related("user").get(pk=pk)
        subject, text, html = n.render_email(row)
        n.mail.send(to=row.user.email, subject=subject, text=text, html=html)
    return n.Outcome.SENT
n.send_email = send_email
"""
"""The control: a worker that notes first and sends then."""


class SlowSink(Sink):
    """Takes its time before and after it has a mail, so that kills strike in the middle of sending."""

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802  (aiosmtpd's name)
        await asyncio.sleep(0.05)
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        await asyncio.sleep(0.05)
        return answer


@pytest.fixture
def server(settings):
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # ten lines a mail otherwise
    controller = Controller(SlowSink(), hostname="127.0.0.1", port=free_port())
    settings.EMAIL_HOST, settings.EMAIL_PORT = controller.hostname, controller.port
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
def people(make_client):
    people = [make_client(f"client{number}") for number in range(MAILS)]
    post([Notification(user=p, notification_type="WELCOME", title="Welcome", message="Hello.") for p in people])
    return people


def taken(server):
    """How often each address got its mail."""
    return Counter(addresses[0] for addresses, _, _ in server.handler.taken)


def left():
    return Notification.objects.filter(sent_to_email=False).count()


def work_through_kills(code, server, workers):
    """Start the workers and kill them all while they send, again and again; then let them come to an end."""
    for kill in range(1, KILLS + 1):
        goal = len(server.handler.taken) + BETWEEN_KILLS
        cluster = workers.start(code)
        workers.eventually(
            lambda goal=goal: len(server.handler.taken) >= goal, f"mails before kill {kill}", meanwhile=sweep
        )
        time.sleep(random.uniform(0, 0.3))  # anywhere in the middle of a mail
        cluster.kill()
        assert left() > 0, f"Nothing was left to lose at kill {kill}."
    cluster = workers.start(code)
    workers.eventually(lambda: not left(), "the rest", meanwhile=sweep)
    cluster.stop()


def test_none_is_lost_and_few_come_twice(people, server, workers):
    work_through_kills(HASTY, server, workers)
    came = taken(server)
    lost, twice = len({person.email for person in people} - came.keys()), came.total() - len(came)
    figures = f"{MAILS} mails, {KILLS} kills of {PROCESSES} processes: {lost} lost, {twice} duplicates"
    print(figures)  # noqa: T201  (seen with -s)
    assert lost == 0, figures
    assert twice <= KILLS * PROCESSES, figures
    assert not Notification.objects.exclude(parked_at=None).exists(), figures


def test_a_worker_that_notes_first_would_lose_some(people, server, workers):
    work_through_kills(HASTY + CARELESS, server, workers)
    assert len(taken(server)) < MAILS
