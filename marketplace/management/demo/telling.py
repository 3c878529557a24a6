"""Telling the demo: every act of every request in the order of time, on a moved clock, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.test import override_settings
from django_q.models import OrmQ

from core import clock
from core.models import User
from marketplace.enums import Status
from marketplace.management.demo import cast as people
from marketplace.management.demo import gateway, stories, words
from marketplace.management.demo.acts import Cast, Job
from marketplace.management.demo.stories import Beat, Story
from marketplace.management.demo.trades import TRADES, Trade
from marketplace.models import Notification, ServiceRequest
from marketplace.services import requests, standing

CLIENTS: Final = 30
REQUESTS: Final = 150
SEED: Final = 7
"""What is told unless something else is asked for."""
STILL_UNREAD: Final = timedelta(days=2)
STILL_UNSENT: Final = timedelta(minutes=45)
"""Mails this young are left to the worker, so that a first start sends a few, not thousands."""

Progress = Callable[[int, int], None]


def is_there() -> bool:
    """Whether the demo was told in this database."""
    return User.objects.filter(email__endswith=f"@{people.DOMAIN}").exists()


def is_in_use() -> bool:
    """Whether the database holds people or requests; admins who may do everything alone are nobody's data."""
    return User.objects.filter(is_superuser=False).exists() or ServiceRequest.objects.exists()


def tell(
    *, clients: int = CLIENTS, count: int = REQUESTS, seed: int = SEED, progress: Progress = lambda done, of: None
) -> None:
    """Make everybody and `count` requests, or nothing at all. `progress` hears how many acts are done, of how many."""
    now = clock.now()
    # With DEBUG Django keeps the text of every statement, at the price of a second one for each.
    with override_settings(DEBUG=False), transaction.atomic():
        last_task = OrmQ.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        cast = people.gather(Random(f"{seed} people"), clients=clients, now=now)  # noqa: S311
        beats = _beats(cast, count=count, seed=seed, now=now)
        for number, (beat, job) in enumerate(beats):
            with clock.at(beat.at):
                _perform(job, beat)
            progress(number + 1, len(beats))
        _suspend(cast, now=now)
        _chase()
        _file_mails(now=now, last_task=last_task)
    if settings.PAYSTACK_SANDBOX:
        gateway.teach()


def _perform(job: Job, beat: Beat) -> None:
    try:
        job.perform(beat.act)
    except Exception as error:
        error.add_note(f"{beat.act} of request {job.request_id} at {beat.at}, in: {job.story}")
        raise


def _beats(cast: Cast, *, count: int, seed: int, now: datetime) -> list[tuple[Beat, Job]]:
    """Everything that will happen, in the order of time."""
    chosen = stories.chosen(Random(f"{seed} stories"), count)  # noqa: S311
    told = []
    for number, story in enumerate(chosen):
        rng = Random(f"{seed} {number}")  # noqa: S311
        beats = story.beats(rng, now=now)
        job = _job(story, beats, rng, cast)
        told += [(beat, job) for beat in beats]
    return sorted(told, key=lambda pair: pair[0].at)


def _job(story: Story, beats: list[Beat], rng: Random, cast: Cast) -> Job:
    trade = _trade(story, rng)
    booked = clock.day_of(beats[0].at)
    starts = next((beat.at for beat in beats if beat.act == "start"), None)
    if story.urgent:
        day = booked + timedelta(days=rng.randint(0, 1))
    else:
        wished = clock.day_of(starts) if starts else booked + timedelta(days=rng.randint(2, 7))
        # Nearer than this it would be an emergency.
        day = max(wished, booked + timedelta(days=2))
    return Job(
        story=story.acts,
        rng=rng,
        cast=cast,
        client=rng.choice(cast.clients),
        trade=trade,
        work=rng.choice(trade.works),
        urgent=story.urgent,
        day=day,
    )


def _trade(story: Story, rng: Random) -> Trade:
    """One with enough servicemen; the busy trades more often."""
    fit = [trade for trade in TRADES if trade.men >= story.men]
    return rng.choices(fit, [trade.men + 0.7 for trade in fit])[0]


def _suspend(cast: Cast, *, now: datetime) -> None:
    """One serviceman with work under way is taken off it, so that his jobs wait on an admin."""
    shared = [cast.categories[trade.name] for trade in TRADES if trade.men > 1]
    jobs = ServiceRequest.objects.filter(status=Status.IN_PROGRESS, category__in=shared)
    if (job := jobs.order_by("-status_since").first()) and job.serviceman_id:
        with clock.at(now - timedelta(minutes=50)):
            standing.suspend_serviceman(job.serviceman_id, reason=words.SUSPENDED, by=cast.dispatcher)


def _chase() -> None:
    """What the periodic job does when a deadline passes."""
    for late in ServiceRequest.objects.to_chase().order_by("due_at"):
        if late.due_at:
            with clock.at(late.due_at + timedelta(minutes=3)):
                requests.chase(late.pk)


def _file_mails(*, now: datetime, last_task: int) -> None:
    """Old mails were sent when they were written, and older ones read; only the newest wait for the worker."""
    unsent = Q(created_at__gt=now - STILL_UNSENT)
    OrmQ.objects.filter(pk__gt=last_task).delete()
    Notification.objects.exclude(unsent).update(sent_to_email=True, email_sent_at=F("created_at"), attempts=1)
    Notification.objects.filter(created_at__lt=now - STILL_UNREAD).update(is_read=True)
