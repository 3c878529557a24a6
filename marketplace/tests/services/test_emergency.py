"""An admin sets or lifts the emergency: deadlines and alerts follow, the fee does not."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from core.errors import Forbidden
from marketplace.enums import OPEN, Side, Status
from marketplace.models import Notification, Offer
from marketplace.services.issues import raise_issue
from marketplace.services.requests import flag_emergency
from marketplace.tests.trail import everything, fresh, refused, trail

pytestmark = pytest.mark.django_db


@pytest.fixture
def dispatcher(make_admin):
    return make_admin("dispatcher")


@pytest.mark.parametrize("status", OPEN)
def test_it_is_set_and_lifted_in_any_open_status(status, request_in, dispatcher):
    before = request_in(status)
    flag_emergency(before.pk, is_emergency=True, by=dispatcher)
    request = fresh(before)
    assert (request.is_emergency, request.auto_flagged_emergency) == (True, False)
    assert (request.status, request.waiting_on, request.status_since) == (
        before.status,
        before.waiting_on,
        before.status_since,
    )
    assert request.initial_booking_fee == Decimal(2000)
    flag_emergency(before.pk, is_emergency=False, by=dispatcher)
    assert (fresh(before).is_emergency, fresh(before).due_at) == (False, before.due_at)
    assert trail(before) == [("flag_emergency", dispatcher, None, "")] * 2


def test_lifting_forgets_that_the_date_had_set_it(request_in, dispatcher):
    request = request_in("PENDING_ADMIN_ASSIGNMENT", is_emergency=True, auto_flagged_emergency=True)
    flag_emergency(request.pk, is_emergency=False, by=dispatcher)
    assert (fresh(request).is_emergency, fresh(request).auto_flagged_emergency) == (False, False)
    assert fresh(request).due_at == request.status_since + timedelta(hours=4)


def test_the_hurry_counts_from_now(request_in, dispatcher, tunde, bola):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    with clock.at(timedelta(hours=5)) as now:
        flag_emergency(request.pk, is_emergency=True, by=dispatcher)
    assert fresh(request).due_at == Offer.objects.get(serviceman=tunde).respond_by == now + timedelta(minutes=30)
    assert Offer.objects.get(serviceman=bola).respond_by is None
    with clock.at(timedelta(hours=5, minutes=10)):
        flag_emergency(request.pk, is_emergency=True, by=dispatcher)
    assert fresh(request).due_at == now + timedelta(minutes=30)


def test_it_never_gives_more_time(request_in, dispatcher):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    with clock.at(timedelta(hours=3, minutes=50)):
        flag_emergency(request.pk, is_emergency=True, by=dispatcher)
    assert fresh(request).due_at == request.due_at


def test_what_happens_meanwhile_does_not_end_the_hurried_wait(request_in, dispatcher, ada):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    with clock.at(timedelta(hours=5)):
        flag_emergency(request.pk, is_emergency=True, by=dispatcher)
        due = fresh(request).due_at
        raise_issue(request.pk, kind="UNREACHABLE", message="He does not answer.", by=ada)
        assert (fresh(request).due_at, fresh(request).waiting_on) == (due, Side.ADMIN)
        assert not fresh(request).is_overdue


def test_an_accepted_offer_keeps_its_answer(request_in, dispatcher, tunde):
    request = request_in("ASSIGNED_TO_SERVICEMAN", accepted=True)
    flag_emergency(request.pk, is_emergency=True, by=dispatcher)
    assert fresh(request).due_at == request.due_at  # a day to inspect, emergency or not
    assert Offer.objects.get(serviceman=tunde).answer == "ACCEPTED"
    assert fresh(request).status == Status.ASSIGNED_TO_SERVICEMAN


@pytest.mark.parametrize("value", [True, False])
def test_what_it_is_already_changes_nothing_and_tells_nobody(value, request_in, dispatcher, make_admin):
    request = request_in("ASSIGNED_TO_SERVICEMAN", is_emergency=value, auto_flagged_emergency=value)
    before = everything()
    with clock.at(timedelta(minutes=10)):
        assert flag_emergency(request.pk, is_emergency=value, by=dispatcher) == request
    assert everything() == before
    with refused(Forbidden):
        flag_emergency(request.pk, is_emergency=value, by=make_admin("pricing"))
    flag_emergency(request.pk, is_emergency=not value, by=dispatcher)
    assert Notification.objects.filter(notification_type="EMERGENCY_ALERT").count() == 2
