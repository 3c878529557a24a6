"""Another date for the visit."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from core import clock
from core.errors import Forbidden, Invalid
from marketplace.enums import Side
from marketplace.models import Offer, ServicemanProfile, UnavailableDate
from marketplace.services.requests import reschedule
from marketplace.tests.trail import fresh, refused, trail

pytestmark = pytest.mark.django_db

EARLY, LATE = (
    ["AWAITING_BOOKING_FEE", "PENDING_ADMIN_ASSIGNMENT", "ASSIGNED_TO_SERVICEMAN"],
    ["SERVICEMAN_INSPECTED", "AWAITING_CLIENT_APPROVAL", "NEGOTIATING", "AWAITING_PAYMENT", "PAYMENT_CONFIRMED"],
)


@pytest.fixture
def far():
    return clock.today() + timedelta(days=20)


@pytest.mark.parametrize("status", EARLY + LATE)
def test_an_admin_moves_it_until_work_starts(status, request_in, make_admin, far):
    before, dispatcher = request_in(status), make_admin("dispatcher")
    reschedule(before.pk, booking_date=far, reason="Client asked.", by=dispatcher)
    request = fresh(before)
    assert (request.booking_date, request.is_emergency, request.auto_flagged_emergency) == (far, False, False)
    assert (request.status, request.waiting_on, request.status_since) == (
        before.status,
        before.waiting_on,
        before.status_since,
    )
    assert trail(request) == [("reschedule", dispatcher, None, "Client asked.")]


@pytest.mark.parametrize("status", EARLY)
def test_the_client_moves_it_until_the_inspection(status, request_in, ada, far):
    request = request_in(status)
    reschedule(request.pk, booking_date=far, reason="I travel.", by=ada)
    assert fresh(request).booking_date == far


@pytest.mark.parametrize("status", LATE)
def test_after_the_inspection_the_client_must_ask(status, request_in, ada, far):
    request = request_in(status)
    with refused(Forbidden):
        reschedule(request.pk, booking_date=far, reason="I travel.", by=ada)


def test_a_near_date_makes_it_an_emergency_and_the_fee_stays(request_in, boss):
    night = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # 23 November in Lagos
    with clock.at(night):
        request = request_in("PENDING_ADMIN_ASSIGNMENT")
        reschedule(request.pk, booking_date=date(2026, 11, 25), reason="x", by=boss)
        assert not fresh(request).is_emergency
        reschedule(request.pk, booking_date=date(2026, 11, 24), reason="x", by=boss)
    request = fresh(request)
    assert (request.is_emergency, request.auto_flagged_emergency) == (True, True)
    assert request.initial_booking_fee == Decimal(2000)
    assert request.due_at == night + timedelta(minutes=30)


def test_an_open_offer_is_hurried_with_it(request_in, boss, tunde):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    with clock.at(timedelta(hours=3)) as now:
        reschedule(request.pk, booking_date=clock.today(), reason="Now.", by=boss)
    request = fresh(request)
    assert request.due_at == now + timedelta(minutes=30)  # from now on: counted from the offer it would be over
    assert Offer.objects.get(serviceman=tunde).respond_by == request.due_at
    assert request.waiting_on == Side.SERVICEMAN


def test_paid_work_is_due_at_the_end_of_the_new_day(request_in, boss, far):
    request = request_in("PAYMENT_CONFIRMED")
    reschedule(request.pk, booking_date=far, reason="x", by=boss)
    assert fresh(request).due_at == datetime(far.year, far.month, far.day, 23, 59, 59, tzinfo=clock.LAGOS)
    reschedule(request.pk, booking_date=clock.today(), reason="x", by=boss)
    with clock.at(timedelta(minutes=5)):
        assert clock.now() + timedelta(hours=23) < fresh(request).due_at < clock.now() + timedelta(hours=24)


def test_it_refuses_a_past_date_and_one_beyond_a_year(request_in, ada):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    with refused(Invalid, "past_date", field="booking_date"):
        reschedule(request.pk, booking_date=clock.today() - timedelta(days=1), reason="x", by=ada)
    with refused(Invalid, field="booking_date"):
        reschedule(request.pk, booking_date=clock.today() + timedelta(days=366), reason="x", by=ada)
    reschedule(request.pk, booking_date=clock.today(), reason="x", by=ada)


def test_it_refuses_a_day_on_which_the_serviceman_is_not_free(request_in, ada, tunde, bola, far):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    UnavailableDate.objects.create(serviceman=bola, date=far)  # the backup does not count
    block = UnavailableDate.objects.create(serviceman=tunde, date=far)
    with refused(Invalid, "not_available", field="booking_date"):
        reschedule(request.pk, booking_date=far, reason="x", by=ada)
    block.delete()
    ServicemanProfile.objects.filter(user=tunde).update(is_available=False)
    with refused(Invalid, "not_available", field="booking_date"):
        reschedule(request.pk, booking_date=far, reason="x", by=ada)
    ServicemanProfile.objects.update(is_available=True)
    reschedule(request.pk, booking_date=far, reason="x", by=ada)


def test_it_needs_a_reason(request_in, ada, far):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    with refused(Invalid, "reason_required", field="reason"):
        reschedule(request.pk, booking_date=far, reason="", by=ada)
