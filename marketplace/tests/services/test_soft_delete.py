"""Hidden from everyone but admins; its money stays."""

from datetime import timedelta

import pytest

from core import clock
from core.errors import Conflict, Missing
from marketplace.enums import Side, Status
from marketplace.models import Payment, Refund, ServiceRequest
from marketplace.services.requests import soft_delete
from marketplace.tests.trail import fresh, refused, trail

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("status", ["COMPLETED", "CANCELLED"])
def test_a_closed_request_is_hidden_and_stays_what_it_was(status, request_in, ada, tunde, boss):
    before = request_in(status)
    money = list(Payment.objects.values())
    with clock.at(timedelta(hours=1)) as now:
        soft_delete(before.pk, by=ada)
    request = fresh(before)
    assert (request.is_deleted, request.deleted_at, request.status) == (True, now, status)
    assert (request.cancelled_by_role, request.cancelled_at) == (before.cancelled_by_role, before.cancelled_at)
    for person in (ada, tunde):
        assert not ServiceRequest.objects.visible_to(person).filter(pk=request.pk).exists()
        assert not ServiceRequest.objects.listed_for(person).exists()
    assert ServiceRequest.objects.visible_to(boss).filter(pk=request.pk).exists()
    assert not ServiceRequest.objects.listed_for(boss).exists()
    assert list(Payment.objects.values()) == money
    assert trail(request) == [("soft_delete", ada, None, "")]


@pytest.mark.parametrize(("who", "side"), [("ada", Side.CLIENT), ("boss", Side.ADMIN)])
def test_an_unpaid_booking_is_cancelled_by_it(who, side, request_in, request):
    by, booking = request.getfixturevalue(who), request_in("AWAITING_BOOKING_FEE")
    Payment.objects.create(
        service_request=booking, payment_type="INITIAL_BOOKING", amount=2000, paystack_reference="open"
    )
    soft_delete(booking.pk, by=by)
    booking = fresh(booking)
    assert (booking.is_deleted, booking.status, booking.waiting_on) == (True, Status.CANCELLED, Side.NOBODY)
    assert (booking.cancelled_by_role, booking.due_at) == (side, None)
    assert booking.cancellation_reason
    assert Payment.objects.get().outcome == "SUPERSEDED"
    assert not Refund.objects.exists()


def test_work_under_way_cannot_be_hidden(request_in, ada):
    for status in ("PENDING_ADMIN_ASSIGNMENT", "NEGOTIATING", "WORK_COMPLETED"):
        request = request_in(status)
        with refused(Conflict, "wrong_status"):
            soft_delete(request.pk, by=ada)


def test_for_its_client_it_is_gone(request_in, ada):
    request = request_in("COMPLETED")
    soft_delete(request.pk, by=ada)
    with refused(Missing):
        soft_delete(request.pk, by=ada)


def test_no_queue_shows_it(request_in, ada):
    request = request_in("COMPLETED")
    ServiceRequest.objects.update(is_deleted=True, deleted_at=clock.now(), due_at=clock.now() - timedelta(days=1))
    for status in Status:
        ServiceRequest.objects.update(status=status)
        for queue in ("to_assign", "to_price", "unanswered", "inspection_overdue", "to_verify", "overdue"):
            assert not getattr(ServiceRequest.objects, queue)().exists()
    assert ServiceRequest.objects.get() == request
