"""Jobs by the clock in the console: when each ran last, how it ended, and when it runs next."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django_q.models import Schedule, Task

from core import clock, jobs
from core.jobs import Periodic

pytestmark = pytest.mark.django_db


@pytest.fixture
def schedule():
    Schedule.objects.all().delete()
    with clock.at(timedelta(minutes=10)):
        jobs.install([Periodic("Mails that are due", "marketplace.tasks.send_due_emails", 1)])
    return Schedule.objects.get()


def ran(*, result, success=True, minutes=3):
    stopped = clock.now() - timedelta(minutes=minutes)
    facts = {"started": stopped, "stopped": stopped, "success": success, "result": result}
    name = f"run{Task.objects.count()}"
    Task.objects.create(id=name.zfill(32), name=name, func="x", group="Mails that are due", **facts)


def words_of(answer):
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def listed(client):
    return words_of(client.get(reverse("admin:django_q_schedule_changelist")))


def page(client, schedule):
    return words_of(client.get(reverse("admin:django_q_schedule_change", args=[schedule.pk])))


def test_before_its_first_run_it_says_when_that_is(console, boss, schedule):
    assert "Every 1 min in 9 min - -" in listed(console(boss))


def test_the_last_run_its_result_and_the_next_run_are_shown(console, boss, schedule):
    ran(result=8, minutes=4)
    ran(result=7)
    assert "Every 1 min in 9 min 3 min ago Well Result: 7" in listed(console(boss))
    assert "3 min ago" in page(console(boss), schedule)


def test_a_run_that_failed_shows_its_error(console, boss, schedule):
    ran(result=7, minutes=4)
    ran(result="boom : Traceback\nZeroDivisionError: boom\n", success=False)
    assert "3 min ago Failed ZeroDivisionError: boom" in listed(console(boss))
    assert "boom : Traceback" in page(console(boss), schedule)


def test_a_job_that_answers_nothing_just_went_well(console, boss, schedule):
    ran(result=None)
    assert "3 min ago Well" in listed(console(boss))
    assert "None" not in listed(console(boss))
