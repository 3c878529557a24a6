"""Schedules run once a period: with two clusters on one database, and after a day or more in which none ran."""

import re
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.urls import reverse
from django_q.models import OrmQ, Schedule, Task

from core import clock, jobs
from marketplace.schedules import SCHEDULES

pytestmark = [pytest.mark.trust, pytest.mark.long, pytest.mark.django_db(transaction=True)]

OFTEN = """
from django_q.conf import Conf
class Quick(float):
    def __radd__(self, counter):
        return counter + 150 * float(self)
Conf.GUARD_CYCLE = Quick(0.2)
"""
"""Look at the schedules every 0.2 seconds instead of every 30, and at nothing else more often."""
UNLOCKED = """
import django; django.setup()
import time
from django.db.models import QuerySet
from django_q import scheduler
QuerySet.select_for_update = lambda self, *_, **__: self
def slowly(*args, real=scheduler.async_task, **kwargs):
    time.sleep(0.1)
    return real(*args, **kwargs)
scheduler.async_task = slowly
"""
"""The control: schedules that are read without a lock."""
BROKEN = "Always fails"


@pytest.fixture
def installed():
    """Ours, none of them due, and one whose job fails."""
    Schedule.objects.all().delete()
    jobs.install(SCHEDULES)
    Schedule.objects.create(name=BROKEN, func="operator.truediv", args="1, 0", kwargs=jobs.SAVED, schedule_type="D")
    Schedule.objects.update(next_run=clock.now() + timedelta(days=1))


def last_times():
    """When each should have run, a day or more ago, on its own grid; and the moment the minutes are counted from."""
    now = clock.now()
    times = {BROKEN: now - timedelta(days=3)}
    for job in SCHEDULES:
        next_run = job.next_run()
        times[job.name] = {
            "day": next_run - timedelta(days=3),
            "week": next_run - timedelta(days=21),
            "month": (next_run - timedelta(days=40)).replace(day=1),
        }.get(job.every, now - timedelta(days=1))
    return now, times


def run_by_two_clusters(workers, code):
    """Let everything fall due at once under the eyes of two clusters; when that was, and how often each ran."""
    clusters = [workers.start(code), workers.start(code)]
    workers.eventually(lambda: all(cluster.is_running() for cluster in clusters), "two clusters")
    now, times = last_times()
    began = time.monotonic()
    with transaction.atomic():
        for name, moment in times.items():
            Schedule.objects.filter(name=name).update(next_run=moment)
    ran = Task.objects.filter(group__in=times).values_list("group", flat=True)
    workers.eventually(lambda: set(ran.all()) == set(times), "a run of each")
    for cluster in clusters:
        cluster.stop()  # whatever the other has begun comes to an end
    waiting = [row.group() for row in OrmQ.objects.all()]
    return now, time.monotonic() - began, Counter(ran.all()) + Counter(name for name in waiting if name in times)


def test_each_runs_once_and_keeps_its_times(installed, workers, console, boss):
    now, seconds, runs = run_by_two_clusters(workers, OFTEN)
    # On a machine so busy that all this takes minutes, what runs every minute has come round again.
    periods = {job.name: 1 + int(seconds // (job.every * 60)) for job in SCHEDULES if isinstance(job.every, int)}
    assert set(runs) == {job.name for job in SCHEDULES} | {BROKEN}
    assert not {name: count for name, count in runs.items() if count > periods.get(name, 1)}
    next_runs = dict(Schedule.objects.values_list("name", "next_run"))
    for job in SCHEDULES:
        next_run = next_runs[job.name]
        assert next_run > now, job.name
        assert job.runs_at(next_run), job.name
        if isinstance(job.every, int):
            assert (next_run - now) % timedelta(minutes=job.every) == timedelta(0), job.name

    html = console(boss).get(reverse("admin:django_q_schedule_changelist")).content.decode()
    shown = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    assert len(re.findall(r"\S+ ago Well", shown)) == len(SCHEDULES)
    assert re.search(r"\S+ ago Failed ZeroDivisionError: division by zero", shown)


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite lets one transaction write at a time, lock or no lock"
)
def test_without_the_lock_they_would_run_twice(installed, workers):
    _, _, runs = run_by_two_clusters(workers, UNLOCKED + OFTEN)
    assert runs.total() > len(runs)
