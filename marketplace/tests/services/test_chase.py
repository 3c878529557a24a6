"""A deadline has passed: who must act is reminded and the admins are told, once for each deadline."""

from datetime import timedelta

import pytest

from core import clock
from marketplace.enums import OPEN, Status
from marketplace.models import Notification, ServiceRequest
from marketplace.services.assignment import withdraw_from_job
from marketplace.services.issues import raise_issue, resolve_issue
from marketplace.services.requests import chase
from marketplace.services.work import mark_work_completed
from marketplace.tests.trail import fresh, trail

pytestmark = pytest.mark.django_db

LATE = timedelta(days=30)
REMINDED = {
    Status.AWAITING_CLIENT_APPROVAL: "ada",
    Status.AWAITING_PAYMENT: "ada",
    Status.PAYMENT_CONFIRMED: "tunde",
    Status.IN_PROGRESS: "tunde",
}
"""Whom else than the admins a status waits for."""


def told() -> set[tuple[str, str]]:
    rows = Notification.objects.select_related("user")
    return {(row.notification_type, row.user.email.split("@")[0]) for row in rows}


def chase_all():
    for request in ServiceRequest.objects.to_chase():
        chase(request.pk)


@pytest.mark.parametrize("status", OPEN[3:])
def test_who_must_act_and_the_admins_are_told_once(status, request_in, boss):
    request = request_in(status)
    chase_all()
    assert not told()
    with clock.at(LATE):
        chase_all()
        expected = {("ACTION_OVERDUE", "boss")}
        if status in REMINDED:
            expected.add(("ACTION_REMINDER", REMINDED[status]))
        assert told() == expected
        chase_all()
        chase(request.pk)
    assert Notification.objects.count() == len(expected)
    assert (trail(request), fresh(request).status) == ([], status)


def test_an_inspection_that_is_late_has_its_own_words(request_in, boss, tunde):
    request_in("ASSIGNED_TO_SERVICEMAN", accepted=True)
    with clock.at(timedelta(hours=24, minutes=1)):
        chase_all()
    assert told() == {("INSPECTION_OVERDUE", "tunde"), ("INSPECTION_OVERDUE", "boss")}


def test_nobody_is_chased_before_the_time_is_over(request_in):
    request = request_in("IN_PROGRESS")
    with clock.at(request.due_at):
        chase_all()
        chase(request.pk)
    assert not told()


@pytest.mark.parametrize("status", ["AWAITING_BOOKING_FEE", "ASSIGNED_TO_SERVICEMAN"])
def test_what_ends_by_itself_is_not_chased(status, request_in):
    request = request_in(status)
    with clock.at(LATE):
        chase_all()
        chase(request.pk)
    assert not told()


def test_a_new_deadline_is_chased_anew(request_in, tunde, boss):
    request = request_in("IN_PROGRESS")
    with clock.at(LATE):
        chase_all()
        mark_work_completed(request.pk, by=tunde)
    Notification.objects.all().delete()
    with clock.at(LATE * 2):
        chase_all()
    assert told() == {("ACTION_OVERDUE", "boss")}


def test_an_open_issue_pauses_it(request_in, ada, boss):
    request = request_in("IN_PROGRESS")
    issue = raise_issue(request.pk, kind="OTHER", message="?", by=ada)
    Notification.objects.all().delete()
    with clock.at(LATE):
        chase_all()
        assert not told()
        resolve_issue(request.pk, issue.pk, resolution="Talked.", by=boss)
        Notification.objects.all().delete()
        chase_all()
        assert told() == {("ACTION_OVERDUE", "boss"), ("ACTION_REMINDER", "tunde")}


def test_closed_and_deleted_ones_are_left_alone(request_in, tunde):
    for status in ("COMPLETED", "CANCELLED"):
        request = request_in(status)
        ServiceRequest.objects.filter(pk=request.pk).update(due_at=clock.now())
    with clock.at(LATE):
        chase_all()
    assert not told()


def test_the_deadline_it_was_about_may_have_moved_meanwhile(request_in, tunde):
    request = request_in("PAYMENT_CONFIRMED")
    with clock.at(LATE):
        found = ServiceRequest.objects.to_chase().get()
        withdraw_from_job(request.pk, reason="Ill.", by=tunde)
        Notification.objects.all().delete()
        chase(found.pk)
    assert not told()
