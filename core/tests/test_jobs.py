from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import transaction
from django_q.conf import Conf
from django_q.models import OrmQ, Schedule, Task
from django_q.scheduler import scheduler

from core import clock, jobs
from core.jobs import Periodic
from core.models import ThrottleHit

pytestmark = pytest.mark.django_db
SUNDAY = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)  # 10:00 in Lagos


@pytest.fixture(autouse=True)
def _no_schedules_yet(db):
    """Migrating has installed the real ones."""
    Schedule.objects.all().delete()


def test_a_job_is_named_and_carries_ids():
    jobs.enqueue("marketplace.tasks.send_notification_email", 7)
    task = OrmQ.objects.get().task
    assert (task["func"], task["args"]) == ("marketplace.tasks.send_notification_email", (7,))


def test_a_job_rolls_back_with_its_step():
    with transaction.atomic():
        jobs.enqueue("marketplace.tasks.x", 7)
        transaction.set_rollback(True)
    assert not OrmQ.objects.exists()


def in_lagos(job):
    with clock.at(SUNDAY):
        return job.next_run().astimezone(clock.LAGOS).strftime("%a %d %b %H:%M")


@pytest.mark.parametrize(
    ("job", "first"),
    [
        (Periodic("a", "core.a", 5), "Sun 22 Nov 10:00"),
        (Periodic("a", "core.a", "day"), "Mon 23 Nov 06:00"),
        (Periodic("a", "core.a", "day", at=time(10, 30)), "Sun 22 Nov 10:30"),
        (Periodic("a", "core.a", "week"), "Mon 23 Nov 06:00"),
        (Periodic("a", "core.a", "month"), "Tue 01 Dec 06:00"),
    ],
)
def test_a_schedule_begins_at_its_next_time_in_lagos(job, first):
    assert in_lagos(job) == first


def test_installing_makes_the_schedules_be_the_list():
    Schedule.objects.create(name="theirs", func="elsewhere.x")
    Schedule.objects.create(name="gone", func="core.gone")
    jobs.install(
        [Periodic("sweep", "core.jobs.purge", 5), Periodic("report", "core.jobs.purge", "month", args=("month",))]
    )
    assert set(Schedule.objects.values_list("name", flat=True)) == {"theirs", "sweep", "report"}
    report = Schedule.objects.get(name="report")
    assert (report.schedule_type, report.args, report.repeats) == (Schedule.MONTHLY, "'month',", -1)
    assert Schedule.objects.get(name="sweep").minutes == 5


def test_installing_again_skips_no_run():
    jobs_listed = [Periodic("report", "core.jobs.purge", "day"), Periodic("sweep", "core.jobs.purge", 5)]
    with clock.at(SUNDAY):
        jobs.install(jobs_listed)
    before = set(Schedule.objects.values_list("pk", "next_run"))
    with clock.at(SUNDAY + timedelta(days=3)):
        jobs.install(jobs_listed)
    assert set(Schedule.objects.values_list("pk", "next_run")) == before


def test_a_changed_time_takes_effect():
    with clock.at(SUNDAY):
        jobs.install([Periodic("report", "core.jobs.purge", "day")])
        jobs.install([Periodic("report", "core.jobs.purge", "day", at=time(7))])
        assert Schedule.objects.get().next_run.astimezone(clock.LAGOS).hour == 7
        jobs.install([Periodic("report", "core.jobs.purge", 10)])
        assert Schedule.objects.get().next_run == SUNDAY


def test_doubles_are_removed():
    for _ in range(3):
        Schedule.objects.create(name="sweep", func="core.jobs.purge", schedule_type=Schedule.MINUTES, minutes=5)
    jobs.install([Periodic("sweep", "core.jobs.purge", 5)])
    assert Schedule.objects.count() == 1


def test_purging_takes_what_is_over():
    ThrottleHit.objects.create(key="a", expires_at=clock.now() - timedelta(seconds=1))
    ThrottleHit.objects.create(key="b", expires_at=clock.now() + timedelta(seconds=9))
    jobs.purge()
    assert ThrottleHit.objects.get().key == "b"


@pytest.fixture
def ran():
    """`ran("sweep", days=3)`: a job of that schedule ended so long ago."""

    def ran(group=None, *, success=True, result=None, **ago):
        stopped = clock.now() - timedelta(**ago)
        name = f"run {Task.objects.count()}"
        facts = {"started": stopped, "stopped": stopped, "success": success, "result": result, "group": group}
        return Task.objects.create(id=name.replace(" ", "").zfill(32), name=name, func="core.jobs.purge", **facts).pk

    return ran


def test_what_failed_is_kept_for_a_month_and_what_went_well_for_a_day(ran):
    kept = {ran(success=False, days=29), ran(hours=23)}
    ran(success=False, days=31)
    ran(hours=25)
    jobs.purge()
    assert set(Task.objects.values_list("pk", flat=True)) == kept


def test_the_last_run_of_a_schedule_is_kept_however_old(ran):
    jobs.install([Periodic("report", "core.jobs.purge", "month"), Periodic("never", "core.jobs.purge", "month")])
    ran("report", days=62)
    last = ran("report", days=31)
    ran("gone", days=31)
    jobs.purge()
    assert Task.objects.get().pk == last


@pytest.mark.django_db(transaction=True)  # the scheduler takes a connection of its own
def test_runs_by_the_clock_leave_a_record_and_other_jobs_that_went_well_do_not():
    jobs.install([Periodic("report", "core.jobs.purge", 5, args=("day",))])
    jobs.enqueue("core.jobs.purge", 7)
    scheduler()
    by_hand, by_clock = (row.task for row in OrmQ.objects.order_by("pk"))
    assert "save" not in by_hand
    assert Conf.SAVE_LIMIT < 0
    assert (by_clock["save"], by_clock["group"], by_clock["args"], by_clock["kwargs"]) == (True, "report", ("day",), {})


def test_the_last_run_is_the_last_that_ended(ran):
    jobs.install([Periodic("report", "core.jobs.purge", 5), Periodic("never", "core.jobs.purge", 5)])
    ran("report", minutes=9, result=1)
    ran("report", minutes=4, result=2)
    Schedule.objects.update(task="w" * 32)  # the next one waits in the queue
    results = Schedule.objects.annotate(result=jobs.last_run("result")).values_list("name", "result")
    assert dict(results) == {"report": 2, "never": None}
