"""Messages to people: reading them on the dashboard, telling many at once, and sending the e-mail of each.

The row of a notice is the outbox of its e-mail. Each try is claimed and counted in a transaction of its own before
anything leaves the process, so that two workers never send one row at once, and a try that kills its worker counts.
Delivery is at least once: only a crash between the mail server's yes and our note of it sends a mail twice.
"""

from __future__ import annotations

import hashlib
import json
import logging
import random
import smtplib
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import Enum, auto

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from core import clock, jobs, mail
from core.errors import Forbidden, Invalid, Missing
from core.models import User
from marketplace.analytics import Span, revenue
from marketplace.enums import NotificationType
from marketplace.models import Notification
from marketplace.notices import MAIL_TASK, announce, post
from marketplace.notices.letters import attachments_of, render_email
from marketplace.notices.words import words_of

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
"""Then a mail is parked until somebody resends it: with waits that begin at 30 s, after more than an hour of trying."""
MAX_CUT_SHORT = 5
"""A mail whose try did not come to an end, since it killed its worker, is parked sooner."""
CUT_SHORT = "The try did not come to an end."
LEASE = timedelta(seconds=settings.Q_CLUSTER["retry"])
"""How long a try may take before another worker may begin one; longer than a job lives."""
SWEEP_SECONDS = 40
"""A sweep ends by itself before its job would be killed."""
SERVER_AWAY = (
    smtplib.SMTPServerDisconnected,
    smtplib.SMTPConnectError,
    smtplib.SMTPHeloError,
    smtplib.SMTPAuthenticationError,
)


# --- Reading


def messages_of(person: User, *, is_read: bool | None = None) -> QuerySet[Notification]:
    """A person's own messages, all or only the read or unread ones."""
    rows = Notification.objects.filter(user=person)
    return rows if is_read is None else rows.filter(is_read=is_read)


def with_words(notifications: Sequence[Notification]) -> Sequence[Notification]:
    """The messages as they are shown: with the words people gave as reason, question or review, not saved."""
    words = words_of(notifications)
    for notification in notifications:
        if said := words.get(notification.pk):
            notification.message = f"{notification.message}\n\n“{said}”"
    return notifications


def unread_count(*, by: User) -> int:
    """How many messages `by` has not opened."""
    return messages_of(by, is_read=False).count()


def mark_read(notification_id: int, *, by: User) -> Notification:
    """Note that `by` has opened a message of his. Again changes nothing. Raises Missing for other people's."""
    if not messages_of(by).filter(pk=notification_id).update(is_read=True):
        raise Missing("There is no such message.")
    return messages_of(by).get(pk=notification_id)


def mark_all_read(*, by: User) -> int:
    """Note that `by` has opened all his messages; how many were new."""
    return messages_of(by, is_read=False).update(is_read=True)


# --- Telling many


def send_announcement(user_ids: Iterable[int], *, title: str, message: str, by: User) -> list[Notification]:
    """Tell chosen people something, on their dashboards and by e-mail; a fixed number of statements.

    Raises Forbidden without the codename announce, Invalid for nobody, for unknown people and without words.
    """
    _require_announcer(by)
    wanted = set(user_ids)
    if not wanted:
        raise Invalid("Choose at least one person.", field="user_ids")
    for field, words in (("title", title), ("message", message)):
        if not words.strip():
            raise Invalid("This may not be blank.", field=field)
    with transaction.atomic():
        known = set(User.objects.filter(pk__in=wanted, is_active=True).values_list("pk", flat=True))
        if unknown := sorted(wanted - known):
            raise Invalid(f"There is no active account {unknown[0]}.", code="unknown_user", field="user_ids")
        said = {"title": title.strip(), "message": message.strip()}
        return announce(NotificationType.ANNOUNCEMENT, None, by=by, user_ids=sorted(known), **said)


def notify(
    user_ids: Iterable[int],
    *,
    notification_type: str,
    title: str,
    message: str,
    service_request_id: int | None = None,
    dedupe: str = "",
) -> list[Notification]:
    """Write one message to many people; those whose accounts are gone or not active are left out.

    Each person gets it once under `dedupe`; without one, once a day, since a job that is delivered again would tell
    them again. Raises ValueError for an unknown type.
    """
    kind, title = NotificationType(notification_type), " ".join(title.split())[:200]
    key = dedupe or _of_today(kind, title, message, service_request_id)
    people = User.objects.filter(pk__in=set(user_ids), is_active=True).order_by("pk").values_list("pk", flat=True)
    return post(
        [
            Notification(
                user_id=user_id,
                notification_type=kind,
                title=title,
                message=message,
                service_request_id=service_request_id,
                dedupe_key=f"{kind}:{key}:{user_id}",
            )
            for user_id in people
        ]
    )


def _of_today(*said: object) -> str:
    """A key that stands for just this message on this day."""
    return f"{clock.today()}:{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]}"


def send_revenue_report(period: str) -> list[Notification]:
    """Mail finance the last full "day", "week" or "month" in Lagos, once. Raises ValueError for another period."""
    span = Span.last_full(period, today=clock.today())
    with transaction.atomic():
        return announce(
            NotificationType.REVENUE_REPORT,
            None,
            by=None,
            dedupe=f"{period}:{span.start}",
            period=period,
            start=span.start,
            end=span.end,
            amount=revenue(span.start, span.end).totals.collected,
        )


# --- Sending


class Outcome(Enum):
    """What became of one try to send."""

    SENT = auto()
    NOT_OURS = auto()
    """Sent already, parked, not due yet, or another worker has it."""
    FAILED = auto()
    SERVER_AWAY = auto()


def send_email(notification_id: int) -> Outcome:
    """Try to send the e-mail of a notice, if it is owed, due and nobody else's. Never raises for what one mail does."""
    notification = _claim(notification_id)
    if notification is None:
        return Outcome.NOT_OURS
    if not notification.user.is_active:
        _give_up(notification, "Not mailed: the account is not active.")
        return Outcome.FAILED
    try:
        subject, text, html = render_email(notification)
        mail.send(
            to=notification.user.email,
            subject=subject,
            text=text,
            html=html,
            reference=f"notification-{notification.pk}-{notification.created_at:%Y%m%d%H%M%S}",
            attachments=attachments_of(notification),
        )
    except Exception as error:  # noqa: BLE001  (whatever one row does, the rest must flow; it is kept on the row)
        return _failed(notification, error)
    Notification.objects.filter(pk=notification.pk).update(
        sent_to_email=True, email_sent_at=clock.now(), last_error="", parked_at=None
    )
    return Outcome.SENT


def send_due_emails(*, seconds: float = SWEEP_SECONDS) -> int:
    """Send what is owed and due, the longest waiting first, for at most so many seconds; how many were sent.

    Stops when the mail server is away: more tries would only use up the rows' attempts.
    """
    _park_killers()
    until, sent = time.monotonic() + seconds, 0
    while due := list(Notification.objects.to_mail().values_list("pk", flat=True)[:100]):
        for pk in due:
            outcome = send_email(pk)
            sent += outcome is Outcome.SENT
            if outcome is Outcome.SERVER_AWAY or time.monotonic() > until:
                return sent
    return sent


def resend(notification_ids: Iterable[int], *, by: User) -> int:
    """Queue e-mails again, parked or sent ones too, with all their attempts; how many. Needs the codename announce."""
    _require_announcer(by)
    with transaction.atomic():
        rows = Notification.objects.filter(pk__in=set(notification_ids))
        ids = sorted(rows.select_for_update(of=("self",)).values_list("pk", flat=True))
        Notification.objects.filter(pk__in=ids).update(
            sent_to_email=False,
            email_sent_at=None,
            parked_at=None,
            attempts=0,
            last_error="",
            next_try_at=clock.now(),
        )
        jobs.enqueue_each(MAIL_TASK, ids)
    return len(ids)


def _claim(notification_id: int) -> Notification | None:
    """Take a row that is due for one try and count the try, committed before anything is sent."""
    with transaction.atomic(durable=True):
        taken = (
            Notification.objects.to_mail()
            .filter(pk=notification_id)
            .exclude(last_error=CUT_SHORT, attempts__gte=MAX_CUT_SHORT)
            .order_by()
            .update(attempts=F("attempts") + 1, next_try_at=clock.now() + LEASE, last_error=CUT_SHORT)
        )
    return Notification.objects.select_related("user").get(pk=notification_id) if taken else None


def _failed(notification: Notification, error: Exception) -> Outcome:
    """Keep the error and wait longer each time, with some chance, so that not all come back in the same second."""
    log.warning("Mail of notice %s failed, try %s: %s", notification.pk, notification.attempts, type(error).__name__)
    what = f"{type(error).__name__}: {error}"[:500]
    if notification.attempts >= MAX_ATTEMPTS:
        _give_up(notification, what)
    else:
        wait = settings.EMAIL_RETRY_BASE_SECONDS * 2 ** (notification.attempts - 1)
        wait *= random.uniform(1, 1.25)  # noqa: S311  (no secret)
        _still_ours(notification).update(last_error=what, next_try_at=clock.now() + timedelta(seconds=wait))
    # smtplib's own errors are OSErrors too; one that is not speaks of the network.
    of_network = isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException)
    return Outcome.SERVER_AWAY if of_network or isinstance(error, SERVER_AWAY) else Outcome.FAILED


def _give_up(notification: Notification, why: str) -> None:
    log.error("Mail of notice %s is parked after %s tries.", notification.pk, notification.attempts)
    _still_ours(notification).update(last_error=why, parked_at=clock.now())


def _still_ours(notification: Notification) -> QuerySet[Notification]:
    """The row, unless another worker has claimed it since."""
    return Notification.objects.filter(pk=notification.pk, attempts=notification.attempts, sent_to_email=False)


def _park_killers() -> None:
    """Park mails that were tried several times and whose last try never ended: they may kill whoever writes them."""
    parked = Notification.objects.to_mail().filter(last_error=CUT_SHORT, attempts__gte=MAX_CUT_SHORT).order_by()
    if count := parked.update(parked_at=clock.now()):
        log.error("%s mails are parked: their tries did not come to an end.", count)


def _require_announcer(by: User) -> None:
    if not by.has_perm("marketplace.announce"):
        raise Forbidden("Only an admin who may announce can do this.")
