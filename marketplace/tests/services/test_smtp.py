"""The whole way with a real mail server: a step, its rows, their mails as a mail program reads them."""

import email
import re
import socket
from decimal import Decimal
from email.policy import default

import pytest
from aiosmtpd.controller import Controller

from core import clock, tokens
from marketplace import tasks
from marketplace.enums import NotificationType as T
from marketplace.models import Notification
from marketplace.notices import announce
from marketplace.services.assignment import assign_serviceman
from marketplace.services.notifications import Outcome, send_email
from marketplace.services.pricing import set_final_cost

pytestmark = pytest.mark.django_db


class Sink:
    """A mail server that keeps what it takes, and says no to `full@example.com`."""

    def __init__(self):
        self.taken = []

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802  (aiosmtpd's name)
        if address == "full@example.com":
            return "452 Mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        message = email.message_from_bytes(envelope.content, policy=default)
        self.taken.append((envelope.rcpt_tos, message, envelope.content))
        return "250 OK"

    def to(self, address):
        return [message for addresses, message, _ in self.taken if addresses == [address]]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def server(settings):
    """A stopped mail server our settings point at."""
    sink = Sink()
    controller = Controller(sink, hostname="127.0.0.1", port=free_port())
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = controller.hostname, controller.port
    controller.sink = sink
    yield controller
    if controller.server is not None:
        controller.stop()


@pytest.fixture
def sink(server):
    server.start()
    return server.sink


def part(message, kind):
    return message.get_body((kind,)).get_content()


def test_a_step_ends_in_mails_people_can_read(sink, request_in, boss, tunde, bola):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    assign_serviceman(request.pk, serviceman_id=tunde.pk, backup_id=bola.pk, notes="Bring a ladder.", by=boss)
    assert tasks.send_due_emails() == 2
    (message,) = sink.to("tunde@example.com")
    day = f"{request.booking_date:%A} {request.booking_date.day} {request.booking_date:%B}"
    assert message["Subject"] == f"New job offer: Plumbing on {day} ({request.code})"
    assert message["From"] == "Serviceman <no-reply@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].startswith("<notification-")
    text, html = part(message, "plain"), part(message, "html")
    assert f"http://127.0.0.1:8000/service-requests/{request.pk}" in text.splitlines()
    assert "Bring a ladder." in text
    assert "Bring a ladder." in html
    assert "Allen Avenue" not in text + html
    assert not Notification.objects.filter(sent_to_email=False).exists()


def test_a_price_arrives_in_naira_in_both_parts(sink, request_in, boss):
    request = request_in("SERVICEMAN_INSPECTED")
    set_final_cost(request.pk, markup=Decimal("12.5"), note_to_client="With a new pipe.", by=boss)
    tasks.send_due_emails()
    (message,) = sink.to("ada@example.com")
    assert message["Subject"].strip() == f"Price ready: ₦22,500.00 for Plumbing ({request.code})"
    for kind in ("plain", "html"):
        assert "₦22,500.00" in part(message, kind)
        assert "20,000.00" not in part(message, kind)
        assert "With a new pipe." in part(message, kind)


def test_styles_are_in_the_elements_and_the_dark_is_kept(sink, ada):
    announce(T.WELCOME, ada, by=ada)
    tasks.send_due_emails()
    html = part(sink.to("ada@example.com")[0], "html")
    assert '<h1 class="heading" style="' in html
    assert "prefers-color-scheme: dark" in html
    # One for what cannot be written into elements, and one that only Outlook reads.
    assert re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL).count("<style") == 1


@pytest.mark.parametrize(
    ("kind", "purpose", "path"),
    [
        (T.EMAIL_VERIFICATION, tokens.verify_email, "/verify-email?token="),
        (T.PASSWORD_RESET, tokens.reset_password, "/reset-password?token="),
    ],
)
def test_a_token_is_made_with_the_mail_and_stored_nowhere(sink, ada, kind, purpose, path):
    type(ada).objects.filter(pk=ada.pk).update(is_email_verified=False)
    announce(kind, ada, by=ada)
    tasks.send_due_emails()
    text = part(sink.to("ada@example.com")[0], "plain")
    (line,) = [line for line in text.splitlines() if path in line]
    assert line.startswith(f"http://127.0.0.1:8000{path}")
    token = line.partition("token=")[2]
    assert purpose.read(token) == ada
    row = Notification.objects.values().get()
    assert token not in str(row)


def test_no_server_delays_and_loses_nothing(server, ada):
    announce(T.WELCOME, ada, by=None)
    row = Notification.objects.get()
    assert send_email(row.pk) is Outcome.SERVER_AWAY
    server.start()
    assert tasks.send_due_emails() == 0
    with clock.at(Notification.objects.get().next_try_at):
        assert tasks.send_due_emails() == 1
    assert len(server.sink.taken) == 1


def test_a_full_mailbox_delays_only_its_own_mail(sink, ada, make_client):
    full = make_client("full")
    announce(T.WELCOME, full, by=None)
    announce(T.WELCOME, ada, by=None)
    assert tasks.send_due_emails() == 1
    assert "452" in Notification.objects.get(user=full).last_error
    assert len(sink.to("ada@example.com")) == 1


def test_a_report_carries_its_payments(sink, boss):
    assert tasks.generate_revenue_report("day") == 1
    tasks.send_due_emails()
    (message,) = sink.to("boss@example.com")
    (attached,) = message.iter_attachments()
    assert attached.get_content_type() == "text/csv"
    assert attached.get_filename().startswith("payments-")
    assert attached.get_content().startswith("paid_at,reference,request")
    assert "₦0.00" in part(message, "plain")
