"""Background work by name. The database is the broker: what is enqueued commits or rolls back with its step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django_q.conf import Conf
from django_q.humanhash import uuid
from django_q.models import OrmQ, Schedule, Task
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from core import auth, clock, idempotency, throttles

KEEP_SUCCESSES, KEEP_FAILURES = timedelta(days=1), timedelta(days=30)
"""How long the record of a run stays. Only runs by the clock leave one when they went well."""
SAVED = "{'q_options': {'save': True}}"
"""A schedule's kwargs, which Django Q takes as options: keep the result, against `save_limit`."""


def enqueue(task: str, *ids: int | str) -> None:
    """Run `task` ("marketplace.tasks.send_notification_email") soon, once the current transaction commits. Ids only."""
    async_task(task, *ids)


def enqueue_each(task: str, ids: Iterable[int]) -> None:
    """Run `task` once for each id, as `enqueue` does, but queued in one statement however many there are."""
    ids = list(ids)
    if Conf.SYNC or Conf.ORM is None:
        for each in ids:
            async_task(task, each)
        return
    OrmQ.objects.using(Conf.ORM).bulk_create(
        OrmQ(key=Conf.CLUSTER_NAME, payload=SignedPackage.dumps(_package(task, each)), lock=timezone.now())
        for each in ids
    )


def _package(task: str, *ids: int | str) -> dict[str, object]:
    """What `async_task` would put into the queue."""
    name, unique = uuid()
    package = {"id": unique, "name": name, "func": task, "args": ids, "kwargs": {}, "started": timezone.now()}
    return package | ({"ack_failure": Conf.ACK_FAILURES} if Conf.ACK_FAILURES else {})


@dataclass(frozen=True)
class Periodic:
    """A job by the clock: every so many minutes, or each day, week (Monday) or month (1st) at a time in Lagos."""

    name: str
    task: str
    every: int | Literal["day", "week", "month"]
    at: time = time(6)
    args: tuple[int | str, ...] = ()

    @property
    def schedule_type(self) -> str:
        """Django Q's letter for it."""
        kinds = {"day": Schedule.DAILY, "week": Schedule.WEEKLY, "month": Schedule.MONTHLY}
        return kinds[self.every] if isinstance(self.every, str) else Schedule.MINUTES

    def next_run(self) -> datetime:
        """The first time from now on."""
        now = clock.now().astimezone(clock.LAGOS)
        if isinstance(self.every, int):
            return now
        day = now.replace(hour=self.at.hour, minute=self.at.minute, second=0, microsecond=0)
        while day < now or (self.every == "week" and day.weekday()) or (self.every == "month" and day.day > 1):
            day += timedelta(days=1)
        return day

    def runs_at(self, moment: datetime) -> bool:
        """Whether `moment` fits: a schedule that fits keeps its next run, so that installing it again skips nothing."""
        local = moment.astimezone(clock.LAGOS)
        if isinstance(self.every, int):
            return True
        right_day = {"day": True, "week": local.weekday() == 0, "month": local.day == 1}[self.every]
        return right_day and (local.hour, local.minute) == (self.at.hour, self.at.minute)


def install(jobs: Iterable[Periodic]) -> None:
    """Make the schedules be exactly `jobs`, by name; those of tasks elsewhere stay. Any number of times."""
    jobs = list(jobs)
    with transaction.atomic():
        ours = [job.task.partition(".")[0] for job in jobs]
        known: dict[str, Schedule] = {}
        for row in Schedule.objects.select_for_update().order_by("pk"):
            if row.func.partition(".")[0] not in ours:
                continue
            if row.name in known or row.name not in {job.name for job in jobs}:
                row.delete()
            else:
                known[row.name] = row
        for job in jobs:
            row = known.get(job.name) or Schedule(name=job.name, next_run=job.next_run())
            minutes = job.every if isinstance(job.every, int) else None
            if (row.schedule_type, row.minutes) != (job.schedule_type, minutes) or not job.runs_at(row.next_run):
                row.next_run = job.next_run()
            row.func, row.schedule_type, row.minutes = job.task, job.schedule_type, minutes
            row.args = ", ".join(repr(value) for value in job.args) + "," if job.args else ""
            row.kwargs, row.repeats = SAVED, -1
            row.save()


def last_run(fact: str) -> Subquery:
    """A fact of the last run that ended, to annotate schedules with; `Schedule.task` may be one that still waits."""
    return Subquery(Task.objects.filter(group=OuterRef("name")).order_by("-stopped", "-pk").values(fact)[:1])


def purge() -> None:
    """Forget what is over: refresh tokens, limits, Idempotency-Keys, sessions, records of jobs. A daily job."""
    auth.purge()
    throttles.purge()
    idempotency.purge()
    Session.objects.filter(expire_date__lt=clock.now()).delete()
    well = Q(success=True, stopped__lt=clock.now() - KEEP_SUCCESSES)
    badly = Q(success=False, stopped__lt=clock.now() - KEEP_FAILURES)
    runs = Schedule.objects.annotate(last=last_run("pk")).filter(last__isnull=False)
    Task.objects.filter(well | badly).exclude(pk__in=list(runs.values_list("last", flat=True))).delete()
