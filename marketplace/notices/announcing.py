"""The only reader of the table: writes an event's notices and queues their e-mails, all in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models, transaction

from core import clock, jobs
from core.models import User
from marketplace.models import Notification, ServiceRequest
from marketplace.money import naira_text
from marketplace.notices.audiences import holders_of
from marketplace.notices.notice import Notice
from marketplace.notices.occasions import Occasion
from marketplace.notices.table import EVENTS

MAIL_TASK = "marketplace.tasks.send_notification_email"
TITLE_LENGTH = 200
KEPT = frozenset({"lost", "lost_backup", "promoted", "is_emergency", "was", "side", "why", "period", "start", "end"})
"""Facts that a row keeps besides whatever ends in `_id`: ids, dates and codes, never words or names."""


def announce(event: str, about: Any, *, by: User | None, dedupe: str = "", **facts: Any) -> list[Notification]:
    """Write the notices of an event and queue their e-mails; the rows that are new.

    `by` did it (None: the system) and is not told so. With `dedupe` each person is told once under that key, whoever
    asks and however often. The number of statements does not depend on how many people are told.
    """
    occasion = Occasion(event, about, by, facts)
    notices = [notice for notice in EVENTS[event] if notice.when(occasion)]
    if not notices:
        return []
    holders = holders_of(codename for notice in notices for codename in notice.to.may(occasion))
    told: dict[tuple[int, str], Notification] = {}
    for notice in notices:
        # First the people, then the words: an event that reaches nobody costs no statement for its trade.
        if members := [m for m in notice.to.members(occasion, holders) if (m, notice.type) not in told]:
            shared = written(notice, occasion)
            told |= {(user_id, notice.type): Notification(user_id=user_id, **shared) for user_id in members}
    rows = list(told.values())
    if dedupe:
        for row in rows:
            row.dedupe_key = f"{row.notification_type}:{dedupe}:{row.user_id}"
    return post(rows)


def post(rows: Sequence[Notification]) -> list[Notification]:
    """Save notices and queue their e-mails, in two statements; those whose `dedupe_key` exists already are left out."""
    if not rows:
        return []
    with transaction.atomic(savepoint=False):
        keys = [row.dedupe_key for row in rows if row.dedupe_key]
        if keys:
            known = set(Notification.objects.filter(dedupe_key__in=keys).values_list("dedupe_key", flat=True))
            rows = [row for row in rows if row.dedupe_key not in known]
            Notification.objects.bulk_create(rows, ignore_conflicts=True)
            # Ignoring conflicts returns no ids. Whoever was faster queued its own row; a second job finds it claimed.
            rows = list(Notification.objects.filter(dedupe_key__in=[row.dedupe_key for row in rows]))
        else:
            Notification.objects.bulk_create(rows)
        jobs.enqueue_each(MAIL_TASK, [row.pk for row in rows])
    return list(rows)


def written(notice: Notice, occasion: Occasion) -> dict[str, Any]:
    """What the rows of one notice have in common."""
    amount = notice.amount(occasion) if notice.amount else None
    text = naira_text(amount) if amount is not None else "the amount"
    facts = {"event": occasion.event, **_kept(occasion.facts)}
    if amount is not None:
        facts["amount"] = f"{amount:.2f}"
    if isinstance(occasion.about, models.Model) and not isinstance(occasion.about, ServiceRequest):
        facts.setdefault(f"{occasion.about._meta.model_name}_id", occasion.about.pk)
    if occasion.request is not None:
        facts.setdefault("price_version", occasion.request.price_version)
        if occasion.request.due_at:
            facts |= {"due_at": occasion.request.due_at.isoformat(), "waiting_on": occasion.request.waiting_on}
        if notice.quotes and occasion.history_id:
            facts["history_id"] = occasion.history_id
    return {
        "notification_type": notice.type,
        "title": _one_line(occasion.said(notice.title, amount=text)),
        "message": occasion.said(notice.message, amount=text),
        "service_request": occasion.request,
        "facts": facts,
        "created_at": clock.now(),
        "next_try_at": clock.now(),
    }


def _kept(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _plain(value)
        for name, value in facts.items()
        if (name in KEPT or name.endswith("_id")) and value is not None
    }


def _plain(value: Any) -> Any:
    """As JSON keeps it without loss."""
    match value:
        case models.Model():
            return value.pk
        case Decimal():
            return f"{value:.2f}"
        case date():
            return value.isoformat()
    return value


def _one_line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= TITLE_LENGTH else words[: TITLE_LENGTH - 1] + "…"
