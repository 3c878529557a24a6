"""A killed worker loses no mail: real workers, a real mail server, and kill -9."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings as configured

from core import clock
from marketplace.models import Notification
from marketplace.notices import post
from marketplace.services import notifications
from marketplace.services.notifications import LEASE
from marketplace.tests.services.test_smtp import Sink, free_port

pytestmark = [pytest.mark.trust, pytest.mark.django_db(transaction=True)]
MAILS, KILLS, WORKERS = 60, 5, 2

HONEST = "from django.core.management import execute_from_command_line as run; run(['manage.py', 'qcluster'])"
CARELESS = """
import django; django.setup()
from django.utils import timezone
from marketplace.services import notifications as n
def send_email(pk, real=n.send_email):
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
        await asyncio.sleep(0.1)
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        await asyncio.sleep(0.1)
        return answer


@pytest.fixture
def server(settings):
    controller = Controller(SlowSink(), hostname="127.0.0.1", port=free_port())
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = controller.hostname, controller.port
    controller.start()
    yield controller
    controller.stop()


def run_workers_and_kill_them(code, server, database_url, people):
    """Queue some mails, start the workers, kill all of them while they send; and again with the next mails."""
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "EMAIL_URL": f"smtp://127.0.0.1:{server.port}",
        "DJANGO_SETTINGS_MODULE": "core.settings",
        "Q_WORKERS": str(WORKERS),
    }
    share = MAILS // KILLS
    for start in range(0, MAILS, share):
        queue(people[start : start + share])
        before = len(server.handler.taken)
        workers = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=configured.BASE_DIR,
            env=environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            give_up = time.monotonic() + 60
            while len(server.handler.taken) < before + share // 3:
                assert time.monotonic() < give_up, "The workers send nothing."
                time.sleep(0.02)
            time.sleep(random.uniform(0, 0.4))  # anywhere in the middle of a mail
        finally:
            os.killpg(workers.pid, signal.SIGKILL)
            workers.wait()


def the_rest_is_sent_later():
    with clock.at(LEASE + timedelta(seconds=1)):
        notifications.send_due_emails(seconds=60)


@pytest.fixture
def people(make_client):
    return [make_client(f"client{number}") for number in range(MAILS)]


def queue(people):
    post([Notification(user=p, notification_type="WELCOME", title="Welcome", message="Hello.") for p in people])


def taken(server):
    return Counter(addresses[0] for addresses, _, _ in server.handler.taken)


def test_none_is_lost_and_few_come_twice(people, server, database_url):
    run_workers_and_kill_them(HONEST, server, database_url, people)
    left = Notification.objects.filter(sent_to_email=False).count()
    assert 0 < left < MAILS
    the_rest_is_sent_later()
    assert set(taken(server)) == {person.email for person in people}
    assert sum(taken(server).values()) - MAILS <= KILLS * WORKERS
    assert not Notification.objects.exclude(sent_to_email=True, parked_at=None).exists()


def test_a_worker_that_notes_first_would_lose_some(people, server, database_url):
    run_workers_and_kill_them(CARELESS + HONEST, server, database_url, people)
    the_rest_is_sent_later()
    assert len(taken(server)) < MAILS
