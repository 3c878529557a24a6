"""People's own words that belong to a notice, such as the reason or the question: read where they are kept, when shown.

The row of a notice repeats none of them, so that erasing a person's words once erases them everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from marketplace.enums import NotificationType as T
from marketplace.models import Notification, Offer, Price, Rating, ServicemanProfile, ServiceRequest

Key = Any


class Source(NamedTuple):
    """Where words are kept: the key a notice has into it, and the texts of many keys in one statement."""

    key: Callable[[Notification], Key]
    texts: Callable[[set[Key]], Mapping[Key, str]]


def _for(*types: T, key: Callable[[Notification], Key]) -> Callable[[Notification], Key]:
    return lambda n: key(n) if n.notification_type in types else None


def _reasons(history_ids: set[Key]) -> dict[Key, str]:
    rows = ServiceRequest.history.filter(history_id__in=history_ids)
    return {pk: reason or "" for pk, reason in rows.values_list("history_id", "history_change_reason")}


def _notes_to_client(keys: set[Key]) -> dict[Key, str]:
    rows = Price.objects.filter(request__in={request_id for request_id, _ in keys})
    return {
        (request_id, version): note
        for request_id, version, note in rows.values_list("request", "version", "note_to_client")
    }


def _notes_to_serviceman(ids: set[Key]) -> dict[Key, str]:
    return dict(Offer.objects.filter(pk__in=ids).values_list("pk", "notes"))


def _reviews(ids: set[Key]) -> dict[Key, str]:
    return dict(Rating.objects.visible().filter(pk__in=ids).values_list("pk", "review"))


def _decisions(history_ids: set[Key]) -> dict[Key, str]:
    rows = ServicemanProfile.history.filter(history_id__in=history_ids)
    return {pk: reason or "" for pk, reason in rows.values_list("history_id", "history_change_reason")}


DECISIONS = (T.SERVICEMAN_APPROVED, T.SERVICEMAN_REJECTED, T.SERVICEMAN_SUSPENDED, T.SERVICEMAN_REINSTATED)
HAVE_WORDS = frozenset({T.FINAL_COST_SET, T.SERVICEMAN_ASSIGNED, T.BACKUP_OPPORTUNITY, T.RATING_RECEIVED, *DECISIONS})
"""Types with words of their own, besides those whose step was given a reason."""

SOURCES = (
    Source(lambda n: n.facts.get("history_id"), _reasons),
    Source(
        _for(T.FINAL_COST_SET, key=lambda n: (n.service_request_id, n.facts.get("price_version"))), _notes_to_client
    ),
    Source(_for(T.SERVICEMAN_ASSIGNED, key=lambda n: n.facts.get("offer_id")), _notes_to_serviceman),
    Source(_for(T.BACKUP_OPPORTUNITY, key=lambda n: n.facts.get("backup_offer_id")), _notes_to_serviceman),
    Source(_for(T.RATING_RECEIVED, key=lambda n: n.facts.get("rating_id")), _reviews),
    Source(_for(*DECISIONS, key=lambda n: n.facts.get("profile_history_id")), _decisions),
)


def words_of(notifications: Iterable[Notification]) -> dict[int, str]:
    """The words to show with each notice, by its id; a fixed number of statements however many there are."""
    notifications = list(notifications)
    found: dict[int, str] = {}
    for source in SOURCES:
        keys = {n.pk: key for n in notifications if (key := source.key(n)) is not None}
        if keys:
            texts = source.texts(set(keys.values()))
            found |= {pk: text.strip() for pk, key in keys.items() if (text := texts.get(key, "")).strip()}
    return found
