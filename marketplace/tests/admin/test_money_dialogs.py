"""Money from the console: asking Paystack, refunds, events, jobs, notifications."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib import admin
from django.db import transaction
from django.urls import reverse
from django_q.models import Failure, OrmQ, Schedule, Task

from core import clock
from marketplace.models import Notification, ServiceRequest, WebhookEvent
from marketplace.services import payments, refunds

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_a_payment_nobody_reported_is_found_by_asking_paystack(
    console, make_admin, ada, open_dialog, said, request_in, gateway
):
    record = request_in("AWAITING_BOOKING_FEE")
    payment, _ = payments.initialize(record.pk, payment_type="INITIAL_BOOKING", by=ada)
    client = console(make_admin("finance"))
    open_dialog(client, payment, "settle")
    assert said(client) == ["Not paid so far. Paystack says: abandoned."]
    gateway.choose(payment.authorization_url)
    open_dialog(client, payment, "settle")
    assert said(client) == ["Paystack's answer is applied."]
    assert ServiceRequest.objects.get(pk=record.pk).status == "PENDING_ADMIN_ASSIGNMENT"
    open_dialog(client, payment, "settle")
    assert said(client) == ["This payment is proven already."]


def test_paystack_away_is_said_in_the_dialog(console, boss, open_dialog, request_in):
    record = request_in("AWAITING_BOOKING_FEE")
    payment = record.payments.create(payment_type="INITIAL_BOOKING", amount=2000, paystack_reference="r-1")
    answer = open_dialog(console(boss), payment, "settle")
    assert answer.status_code == 200
    assert "Paystack is not answering" in answer.content.decode()


@pytest.fixture
def owe(request_in, boss):
    """`owe()`: 2,000 naira to go back."""

    def owe(**kwargs):
        payment = request_in("PENDING_ADMIN_ASSIGNMENT").payments.get()
        with transaction.atomic():
            return refunds.owe(payment, amount=Decimal(2000), reason="Kind.", by=boss, **kwargs)

    return owe


def test_a_refund_is_approved_and_sent(console, make_admin, open_dialog, said, owe, gateway):
    owed = owe()
    client = console(make_admin("finance"))
    html = open_dialog(client, owed, "approve", method="get").content.decode()
    assert "made smaller" not in html, "there is no amount to change"
    assert "₦2,000.00 goes back to the client." in html
    open_dialog(client, owed, "approve")
    assert said(client) == ["Approved: it can be sent now."]
    owed.refresh_from_db()
    assert owed.status == "APPROVED"
    # The sandbox knows no such charge: Paystack's refusal is said in the dialog, and kept on the row.
    answer = open_dialog(client, owed, "send")
    assert answer.status_code == 200
    assert "Paystack refused" in answer.content.decode()
    owed.refresh_from_db()
    assert (owed.status, bool(owed.last_error)) == ("FAILED", True)


def test_a_refund_under_review_can_be_made_smaller_with_a_note(console, boss, open_dialog, owe):
    owed = owe(for_review=True)
    client = console(boss)
    assert "Say why." in open_dialog(client, owed, "approve", amount="500").content.decode()
    assert "made smaller" in open_dialog(client, owed, "approve", amount="5000", note_text="x").content.decode()
    open_dialog(client, owed, "approve", amount="500", note_text="Half the visit was done.")
    owed.refresh_from_db()
    assert (owed.status, owed.amount, owed.approved_by) == ("APPROVED", Decimal("500.00"), boss)


def test_a_refund_is_waived_with_a_reason(console, boss, open_dialog, owe):
    owed = owe()
    client = console(boss)
    assert "This field is required" in open_dialog(client, owed, "waive").content.decode()
    open_dialog(client, owed, "waive", reason="The client agreed.")
    owed.refresh_from_db()
    assert (owed.status, owed.note) == ("WAIVED", "The client agreed.")


def test_an_event_is_handled_again(console, make_admin, open_dialog, said):
    event = WebhookEvent.objects.create(sha256="0" * 64, body=b"{", outcome="RETRY")
    client = console(make_admin("finance"))
    open_dialog(client, event, "replay")
    event.refresh_from_db()
    assert event.outcome == "NOT_UNDERSTOOD"
    assert said(client) == ["Handled."]


def test_an_event_is_shown_as_text_whatever_it_holds(console, boss):
    event = WebhookEvent.objects.create(sha256="0" * 64, body=b"\xff<script>\x00")
    html = console(boss).get(reverse("admin:marketplace_webhookevent_change", args=[event.pk])).content.decode()
    assert "&lt;script&gt;" in html
    assert "<script>\x00" not in html


def test_a_failed_job_runs_again(console, boss, open_dialog):
    now = clock.now()
    Task.objects.create(
        id="b" * 32, name="bad", func="marketplace.tasks.purge", success=False, started=now, stopped=now, result="Boom"
    )
    open_dialog(console(boss), Failure.objects.get(), "retry")
    assert not Failure.objects.exists()
    assert OrmQ.objects.get().func() == "marketplace.tasks.purge"


def test_a_schedule_runs_now_and_then_as_scheduled(console, boss, open_dialog, said):
    later = clock.now() + timedelta(days=1)
    schedule = Schedule.objects.create(
        name="Purge", func="marketplace.tasks.purge", args="'day',", schedule_type=Schedule.DAILY, next_run=later
    )
    client = console(boss)
    open_dialog(client, schedule, "run_now")
    queued = OrmQ.objects.get()
    assert (queued.func(), tuple(queued.args())) == ("marketplace.tasks.purge", ("day",))
    schedule.refresh_from_db()
    assert schedule.next_run == later, "the job of each day would move to another time of day"
    assert said(client) == ["The job is queued."]


def test_a_schedule_is_not_called_late_within_the_worker_s_own_rhythm(console, boss):
    record = Schedule(name="Mails", func="x.y", next_run=clock.now() - timedelta(seconds=20))
    site = admin.site._registry[Schedule]
    assert site.next(record) == "now"
    record.next_run -= timedelta(minutes=5)
    assert "overdue" in site.next(record)


@pytest.fixture
def letter(ada, request_in):
    """A message whose mail was given up."""
    return Notification.objects.create(
        user=ada,
        notification_type="ANNOUNCEMENT",
        title="Hello",
        message="Good news.",
        parked_at=clock.now(),
        attempts=8,
    )


def test_a_mail_is_sent_again_one_or_many(console, make_admin, open_dialog, said, letter):
    client = console(make_admin("dispatcher"))
    open_dialog(client, letter, "resend")
    letter.refresh_from_db()
    assert (letter.parked_at, letter.attempts) == (None, 0)
    Notification.objects.update(parked_at=clock.now())
    client.post(
        reverse("admin:marketplace_notification_changelist"),
        {"action": "resend_chosen", "_selected_action": [letter.pk]},
    )
    letter.refresh_from_db()
    assert letter.parked_at is None


def test_a_mail_can_be_looked_at_unless_it_holds_a_secret_link(console, boss, open_dialog, said, letter, ada):
    client = console(boss)
    html = open_dialog(client, letter, "preview", method="get").content.decode()
    assert "Good news." in html
    assert 'sandbox=""' in html
    for kind in ("EMAIL_VERIFICATION", "PASSWORD_RESET"):
        secret = Notification.objects.create(user=ada, notification_type=kind, title="T", message="M")
        answer = open_dialog(client, secret, "preview", method="get")
        assert "token=" not in answer.content.decode()
        assert said(client) == ["This e-mail holds a secret link for its reader only."]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"audience": "clients"}, {"ada@example.com", "eve@example.com"}),
        ({"audience": "servicemen"}, {"tunde@example.com"}),
        ({"audience": "chosen", "emails": "ADA@example.com\n"}, {"ada@example.com"}),
    ],
)
def test_an_announcement_reaches_those_chosen(
    values, told, console, make_admin, open_dialog, ada, eve, tunde, make_serviceman
):
    make_serviceman("sani", profile={"approval": "PENDING"})
    client = console(make_admin("dispatcher"))
    open_dialog(client, Notification, "announce", title="Easter", message="We are closed.", **values)
    sent = Notification.objects.filter(notification_type="ANNOUNCEMENT", title="Easter")
    assert set(sent.values_list("user__email", flat=True)) == told


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"audience": "chosen", "emails": "nobody@example.com"}, "Nobody has this address: nobody@example.com"),
        ({"audience": "chosen", "emails": ""}, "There is nobody to tell."),
        ({"audience": "clients", "title": ""}, "This field is required."),
    ],
)
def test_an_announcement_to_nobody_or_about_nothing_is_refused(values, words, console, boss, open_dialog):
    values = {"title": "Easter", "message": "We are closed."} | values
    answer = open_dialog(console(boss), Notification, "announce", **values)
    assert words in answer.content.decode()
    assert not Notification.objects.exists()
