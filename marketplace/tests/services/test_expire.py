"""A booking nobody paid for ends, but never while its money may be on the way."""

from datetime import timedelta

import pytest

from core import clock
from core.errors import Conflict
from marketplace import paystack
from marketplace.enums import PaymentOutcome, PaymentStatus, Side, Status
from marketplace.models import Payment, ServiceRequest
from marketplace.sandbox import store
from marketplace.services import payments
from marketplace.tests.gateway import Gateway

pytestmark = pytest.mark.django_db

FEE = "INITIAL_BOOKING"
LATER = timedelta(hours=25)


@pytest.fixture
def booking(request_in):
    return request_in("AWAITING_BOOKING_FEE")


@pytest.fixture
def checkout(gateway: Gateway, booking, ada):
    return payments.initialize(booking.pk, payment_type=FEE, by=ada)[0]


def now_of(booking):
    return ServiceRequest.objects.get(pk=booking.pk)


def test_an_unpaid_booking_expires(booking):
    with clock.at(LATER):
        payments.expire(booking.pk)
    ended = now_of(booking)
    assert (ended.status, ended.cancelled_by_role) == (Status.CANCELLED, Side.SYSTEM)


def test_an_abandoned_checkout_does_not_keep_it(gateway: Gateway, booking, checkout):
    gateway.choose(checkout.authorization_url, "abandon")
    with clock.at(LATER):
        payments.expire(booking.pk)
    assert now_of(booking).status == Status.CANCELLED
    checkout.refresh_from_db()
    assert (checkout.status, checkout.outcome) == (PaymentStatus.PENDING, PaymentOutcome.SUPERSEDED)


def test_one_that_was_paid_unnoticed_is_confirmed_instead(gateway: Gateway, booking, checkout):
    gateway.choose(checkout.authorization_url)
    with clock.at(LATER), pytest.raises(Conflict):
        payments.expire(booking.pk)
    assert now_of(booking).status == Status.PENDING_ADMIN_ASSIGNMENT


def test_a_superseded_checkout_is_asked_about_too(gateway: Gateway, booking, checkout):
    Payment.objects.supersede(booking.pk)
    gateway.choose(checkout.authorization_url)
    with clock.at(LATER), pytest.raises(Conflict):
        payments.expire(booking.pk)
    assert now_of(booking).status == Status.PENDING_ADMIN_ASSIGNMENT


@pytest.mark.parametrize("word", sorted(paystack.MOVING))
def test_money_on_its_way_keeps_it(booking, checkout, word):
    store.move_charge(checkout.paystack_reference, status=word)
    with clock.at(LATER), pytest.raises(Conflict) as refusal:
        payments.expire(booking.pk)
    assert refusal.value.code == "payment_moving"
    assert now_of(booking).status == Status.AWAITING_BOOKING_FEE


def test_nothing_expires_while_paystack_is_away(gateway: Gateway, booking, checkout):
    gateway.scenario(verify="error")
    with clock.at(LATER), pytest.raises(paystack.PaystackUnavailable):
        payments.expire(booking.pk)
    assert now_of(booking).status == Status.AWAITING_BOOKING_FEE


def test_not_before_its_time(booking):
    with clock.at(timedelta(hours=23)), pytest.raises(Conflict) as refusal:
        payments.expire(booking.pk)
    assert refusal.value.code == "not_due"


def test_what_is_paid_for_does_not_expire(request_in):
    with clock.at(LATER), pytest.raises(Conflict):
        payments.expire(request_in("PENDING_ADMIN_ASSIGNMENT").pk)


def test_money_after_the_expiry_is_late(gateway: Gateway, booking, checkout):
    with clock.at(LATER):
        payments.expire(booking.pk)
    gateway.choose(checkout.authorization_url)
    assert payments.settle(checkout.paystack_reference).outcome == PaymentOutcome.LATE
