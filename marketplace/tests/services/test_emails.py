"""The outbox: every mail is tried, counted before it leaves, tried later and later, parked in the end, and seen."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected

import pytest
from django.db import IntegrityError, transaction

from core import clock, mail
from core.errors import Forbidden
from core.tests.race import at_once
from marketplace.models import Notification
from marketplace.services import notifications
from marketplace.services.notifications import CUT_SHORT, LEASE, MAX_ATTEMPTS, MAX_CUT_SHORT, Outcome

pytestmark = pytest.mark.django_db


@pytest.fixture
def owed(ada):
    """An e-mail that is owed to ada."""

    def owed(kind="WELCOME", **fields):
        values = {"user": ada, "notification_type": kind, "title": "Welcome", "message": "Your account is ready."}
        return Notification.objects.create(**values | fields)

    return owed


@pytest.fixture
def broken(monkeypatch):
    """`broken(error)` makes the mail server answer so; `broken(None)` repairs it."""

    def broken(error, only=None):
        def send(**letter):
            if error is not None and only in (None, letter["subject"]):
                raise error
            real(**letter)

        monkeypatch.setattr(mail, "send", send)

    real = mail.send
    return broken


def now(row):
    return Notification.objects.get(pk=row.pk)


def test_it_is_sent_once_and_noted(owed, mailoutbox):
    row = owed()
    assert notifications.send_email(row.pk) is Outcome.SENT
    assert notifications.send_email(row.pk) is Outcome.NOT_OURS
    row = now(row)
    assert (row.sent_to_email, row.attempts, row.last_error, row.parked_at) == (True, 1, "", None)
    assert abs(row.email_sent_at - clock.now()) < timedelta(seconds=5)
    assert [(message.to, message.subject) for message in mailoutbox] == [(["ada@example.com"], "Welcome")]


def test_the_message_id_is_the_rows_own(owed, mailoutbox, boss):
    row, other = owed(), owed()
    notifications.send_due_emails()
    notifications.resend([row.pk], by=boss)
    notifications.send_due_emails()
    ids = [message.message()["Message-ID"] for message in mailoutbox]
    assert ids[0] == ids[2] != ids[1]
    assert f"notification-{row.pk}-" in ids[0]
    assert f"notification-{other.pk}-" in ids[1]


def test_a_try_is_counted_and_committed_before_anything_leaves(owed, monkeypatch):
    row, seen = owed(), []
    monkeypatch.setattr(mail, "send", lambda **_: seen.append(now(row)))
    notifications.send_email(row.pk)
    assert (seen[0].attempts, seen[0].last_error, seen[0].sent_to_email) == (1, CUT_SHORT, False)
    assert seen[0].next_try_at > clock.now() + LEASE / 2


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_inside_a_transaction_that_may_roll_back(owed, mailoutbox):
    row = owed()
    with pytest.raises(RuntimeError), transaction.atomic():
        notifications.send_email(row.pk)
    assert not mailoutbox


def test_a_failure_waits_longer_each_time(owed, broken, settings):
    settings.EMAIL_RETRY_BASE_SECONDS = 30
    broken(SMTPRecipientsRefused({"ada@example.com": (451, b"later")}))
    row, moment = owed(), clock.now()
    for attempt in range(1, MAX_ATTEMPTS):
        with clock.at(moment):
            assert notifications.send_email(row.pk) is Outcome.FAILED
            row = now(row)
            wait = (row.next_try_at - moment).total_seconds()
            assert 30 * 2 ** (attempt - 1) <= wait <= 30 * 2 ** (attempt - 1) * 1.25
            assert notifications.send_email(row.pk) is Outcome.NOT_OURS
        assert (row.attempts, row.parked_at) == (attempt, None)
        assert "SMTPRecipientsRefused" in row.last_error
        moment = row.next_try_at


def test_trying_goes_on_for_more_than_an_hour_without_a_mail_server(owed, broken):
    broken(ConnectionRefusedError(111, "Connection refused"))
    row, began = owed(), clock.now()
    moment = began
    for _ in range(MAX_ATTEMPTS - 1):
        with clock.at(moment):
            assert notifications.send_email(row.pk) is Outcome.SERVER_AWAY
        moment = now(row).next_try_at
    assert moment - began > timedelta(hours=1)
    broken(None)
    with clock.at(moment):
        assert notifications.send_email(row.pk) is Outcome.SENT


def test_in_the_end_it_is_parked_with_its_error(owed, broken):
    broken(ValueError("no such thing"))
    row = owed(attempts=MAX_ATTEMPTS - 1)
    assert notifications.send_email(row.pk) is Outcome.FAILED
    row = now(row)
    assert row.parked_at is not None
    assert row.last_error == "ValueError: no such thing"
    broken(None)
    with clock.at(timedelta(days=3)):
        assert notifications.send_due_emails() == 0


def test_resending_gives_a_parked_mail_all_its_tries_again(owed, broken, boss, mailoutbox):
    broken(ValueError("no such thing"))
    row = owed(attempts=MAX_ATTEMPTS - 1)
    notifications.send_email(row.pk)
    broken(None)
    assert notifications.resend([row.pk], by=boss) == 1
    assert notifications.send_due_emails() == 1
    assert len(mailoutbox) == 1
    assert (now(row).attempts, now(row).parked_at) == (1, None)


def test_only_those_who_may_announce_resend(owed, make_admin):
    row = owed(attempts=5)
    with pytest.raises(Forbidden):
        notifications.resend([row.pk], by=make_admin("finance"))
    assert now(row).attempts == 5


def test_one_bad_row_does_not_stop_the_rest(owed, broken, mailoutbox):
    rows = [owed(title=title) for title in ("one", "poison", "three")]
    broken(ZeroDivisionError("boom"), only="poison")
    assert notifications.send_due_emails() == 2
    assert [now(row).sent_to_email for row in rows] == [True, False, True]
    assert now(rows[1]).last_error == "ZeroDivisionError: boom"


@pytest.mark.parametrize("kind", ["NO_SUCH_TYPE", ""])
def test_a_row_that_cannot_be_written_is_kept_with_its_error(owed, kind):
    row = owed(kind)
    assert notifications.send_email(row.pk) is Outcome.FAILED
    assert "ValueError" in now(row).last_error


def test_a_mail_that_kills_its_worker_is_parked_after_five_tries(owed, monkeypatch, mailoutbox):
    killer, moment = owed(title="killer"), clock.now()
    others = [owed(title=f"other {number}") for number in range(3)]
    real = mail.send

    def send(**letter):
        if letter["subject"] == "killer":
            raise SystemExit(9)
        real(**letter)

    monkeypatch.setattr(mail, "send", send)
    for _ in range(10):
        with clock.at(moment):
            try:
                notifications.send_due_emails()
            except SystemExit:
                notifications.send_due_emails()
        moment += LEASE + timedelta(seconds=1)
    killer = now(killer)
    assert killer.attempts == MAX_CUT_SHORT
    assert killer.parked_at is not None
    assert killer.last_error == CUT_SHORT
    assert len(mailoutbox) == len(others)


def test_a_try_that_was_cut_short_is_taken_up_after_the_lease(owed, mailoutbox):
    row = owed(attempts=1, last_error=CUT_SHORT, next_try_at=clock.now() + LEASE)
    assert notifications.send_email(row.pk) is Outcome.NOT_OURS
    with clock.at(LEASE):
        assert notifications.send_email(row.pk) is Outcome.SENT
    assert len(mailoutbox) == 1


def test_a_late_failure_does_not_disturb_the_next_try(owed, monkeypatch):
    row = owed()

    def slow(**_):
        Notification.objects.filter(pk=row.pk).update(attempts=2, last_error=CUT_SHORT)
        raise ValueError("late")

    monkeypatch.setattr(mail, "send", slow)
    notifications.send_email(row.pk)
    assert now(row).last_error == CUT_SHORT


def test_a_sweep_stops_when_the_server_is_away(owed, broken):
    rows = [owed() for _ in range(5)]
    broken(SMTPServerDisconnected("gone"))
    assert notifications.send_due_emails() == 0
    assert sorted(now(row).attempts for row in rows) == [0, 0, 0, 0, 1]


def test_a_sweep_ends_by_itself(owed):
    for _ in range(3):
        owed()
    assert notifications.send_due_emails(seconds=0) == 1


def test_a_sweep_takes_the_longest_waiting_first(owed, mailoutbox):
    owed(title="new")
    owed(title="old", next_try_at=clock.now() - timedelta(hours=1))
    owed(title="not yet", next_try_at=clock.now() + timedelta(hours=1))
    assert notifications.send_due_emails() == 2
    assert [message.subject for message in mailoutbox] == ["old", "new"]


def test_closed_accounts_get_nothing_by_mail(owed, ada, mailoutbox):
    row = owed()
    type(ada).objects.filter(pk=ada.pk).update(is_active=False)
    assert notifications.send_due_emails() == 0
    assert not mailoutbox
    assert now(row).parked_at is not None
    assert "not active" in now(row).last_error


def test_the_database_still_complains_aloud(owed, monkeypatch):
    """What is no fault of a mail is not written to its row as one."""
    row = owed()

    def fail(*_, **__):
        raise IntegrityError("broken")

    monkeypatch.setattr(notifications, "_claim", fail)
    with pytest.raises(IntegrityError):
        notifications.send_email(row.pk)


@pytest.mark.django_db(transaction=True)
def test_many_workers_send_each_mail_once(owed, mailoutbox):
    rows = [owed(title=f"mail {number}") for number in range(20)]
    at_once(lambda _: [notifications.send_email(row.pk) for row in rows], 8)
    assert sorted(message.subject for message in mailoutbox) == sorted(row.title for row in rows)


@pytest.mark.django_db(transaction=True)
def test_without_the_claim_they_would_not(owed, monkeypatch, mailoutbox):
    rows = [owed(title=f"mail {number}") for number in range(20)]
    monkeypatch.setattr(
        notifications, "_claim", lambda pk: Notification.objects.filter(pk=pk, sent_to_email=False).first()
    )
    at_once(lambda _: [notifications.send_email(row.pk) for row in rows], 8)
    assert len(mailoutbox) > len(rows)
