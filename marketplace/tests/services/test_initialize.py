"""Opening a checkout: the right amount, one at a time, whatever Paystack does meanwhile."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from core.errors import Conflict, Forbidden, Missing
from marketplace import paystack
from marketplace.enums import PaymentOutcome, PaymentStatus, PaymentType, Status
from marketplace.models import Payment, ServiceRequest
from marketplace.sandbox import store
from marketplace.services import payments
from marketplace.services.payments import checkout
from marketplace.services.payments.checkout import new_payment
from marketplace.tests.gateway import Gateway, proof

pytestmark = pytest.mark.django_db

FEE, FINAL = "INITIAL_BOOKING", "FINAL_PAYMENT"


@pytest.fixture
def booking(request_in):
    return request_in("AWAITING_BOOKING_FEE")


def open_payments(request):
    return list(Payment.objects.open().filter(service_request=request))


def test_it_opens_a_checkout_for_the_booking_fee(gateway: Gateway, booking, ada):
    payment, is_new = payments.initialize(booking.pk, payment_type=FEE, by=ada)
    assert is_new
    assert (payment.amount, payment.status, payment.outcome) == (Decimal("2000.00"), PaymentStatus.PENDING, None)
    assert payment.authorization_url == f"{gateway.url}/checkout/{payment.paystack_access_code}"
    [charge] = store.charges()
    assert (charge["reference"], charge["requested_amount"]) == (payment.paystack_reference, 200000)
    assert (charge["email"], charge["callback_url"]) == ("ada@example.com", f"{gateway.site}/payment/callback")
    assert Payment.objects.get() == payment


def test_the_final_payment_is_the_agreed_price(gateway: Gateway, request_in, ada):
    request = request_in("AWAITING_PAYMENT")
    payment, _ = payments.initialize(request.pk, payment_type=FINAL, by=ada)
    assert (payment.amount, payment.price_version) == (Decimal("22000.00"), request.price_version)
    assert store.charges()[0]["requested_amount"] == 2200000


def test_the_browser_comes_back_to_the_frontend(gateway: Gateway, booking, ada, settings):
    settings.FRONTEND_URL = "https://app.example"
    payments.initialize(booking.pk, payment_type=FEE, by=ada)
    assert store.charges()[0]["callback_url"] == "https://app.example/payment/callback"


def test_asked_again_it_is_the_same_checkout(gateway: Gateway, booking, ada):
    first, _ = payments.initialize(booking.pk, payment_type=FEE, by=ada)
    with clock.at(timedelta(minutes=24)):
        again, is_new = payments.initialize(booking.pk, payment_type=FEE, by=ada)
    assert (again, is_new, again.authorization_url) == (first, False, first.authorization_url)
    assert len(store.charges()) == 1


def test_an_old_checkout_gives_way_to_a_new_one(gateway: Gateway, booking, ada):
    first, _ = payments.initialize(booking.pk, payment_type=FEE, by=ada)
    with clock.at(timedelta(minutes=26)):
        again, is_new = payments.initialize(booking.pk, payment_type=FEE, by=ada)
    assert is_new
    assert again != first
    first.refresh_from_db()
    assert (first.status, first.outcome) == (PaymentStatus.PENDING, PaymentOutcome.SUPERSEDED)
    assert open_payments(booking) == [again]


def test_an_old_checkout_that_was_paid_is_found_instead(gateway: Gateway, booking, ada):
    first, _ = payments.initialize(booking.pk, payment_type=FEE, by=ada)
    gateway.choose(first.authorization_url)
    with clock.at(timedelta(minutes=26)), pytest.raises(Conflict) as refusal:
        payments.initialize(booking.pk, payment_type=FEE, by=ada)
    assert refusal.value.code == "already_paid"
    assert ServiceRequest.objects.get(pk=booking.pk).status == Status.PENDING_ADMIN_ASSIGNMENT


@pytest.mark.parametrize("word", sorted(paystack.MOVING))
def test_money_on_its_way_is_not_paid_a_second_time(gateway: Gateway, booking, ada, word):
    first, _ = payments.initialize(booking.pk, payment_type=FEE, by=ada)
    store.move_charge(first.paystack_reference, status=word)
    with clock.at(timedelta(minutes=26)), pytest.raises(Conflict) as refusal:
        payments.initialize(booking.pk, payment_type=FEE, by=ada)
    assert refusal.value.code == "payment_moving"
    assert open_payments(booking) == [first]


def test_a_declined_checkout_gives_way(gateway: Gateway, booking, ada):
    first, _ = payments.initialize(booking.pk, payment_type=FEE, by=ada)
    gateway.choose(first.authorization_url, "decline")
    with clock.at(timedelta(minutes=26)):
        again, is_new = payments.initialize(booking.pk, payment_type=FEE, by=ada)
    first.refresh_from_db()
    assert (is_new, first.status, first.outcome) == (True, PaymentStatus.FAILED, None)
    assert open_payments(booking) == [again]


def test_a_checkout_for_another_price_is_not_handed_out(gateway: Gateway, request_in, ada):
    request = request_in("AWAITING_PAYMENT")
    first, _ = payments.initialize(request.pk, payment_type=FINAL, by=ada)
    ServiceRequest.objects.filter(pk=request.pk).update(final_cost=Decimal("25000.00"), price_version=9)
    again, is_new = payments.initialize(request.pk, payment_type=FINAL, by=ada)
    assert (is_new, again.amount, again.price_version) == (True, Decimal("25000.00"), 9)
    first.refresh_from_db()
    assert first.outcome == PaymentOutcome.SUPERSEDED


# --- Faults of Paystack


@pytest.mark.parametrize("fault", ["error", "error_after", "stall_after", "rate_limit", "not_json"])
def test_after_a_fault_the_next_call_succeeds(gateway: Gateway, booking, ada, settings, fault):
    settings.PAYSTACK_TIMEOUT_SECONDS = 0.5
    gateway.scenario(initialize=fault, times=1)
    with pytest.raises(paystack.PaystackUnavailable):
        payments.initialize(booking.pk, payment_type=FEE, by=ada)
    assert len(open_payments(booking)) == 1
    payment, is_new = payments.initialize(booking.pk, payment_type=FEE, by=ada)
    assert is_new
    assert open_payments(booking) == [payment]
    assert payment.authorization_url
    opened = [charge["reference"] for charge in store.charges()]
    assert payment.paystack_reference in opened
    # A charge that nobody has the address of is superseded; one that was never opened is opened under its reference.
    assert Payment.objects.count() == len(opened)


def test_while_paystack_stays_away_nothing_piles_up(gateway: Gateway, booking, ada):
    gateway.scenario(initialize="error")
    for _ in range(3):
        with pytest.raises(paystack.PaystackUnavailable):
            payments.initialize(booking.pk, payment_type=FEE, by=ada)
    assert Payment.objects.count() == 1


def test_a_charge_opened_by_a_lost_call_and_paid_is_found(gateway: Gateway, booking, ada):
    gateway.scenario(initialize="error_after", times=1)
    with pytest.raises(paystack.PaystackUnavailable):
        payments.initialize(booking.pk, payment_type=FEE, by=ada)
    [charge] = store.charges()
    gateway.choose(f"{gateway.url}/checkout/{charge['access_code']}")
    with pytest.raises(Conflict) as refusal:
        payments.initialize(booking.pk, payment_type=FEE, by=ada)
    assert refusal.value.code == "already_paid"
    assert ServiceRequest.objects.get(pk=booking.pk).status == Status.PENDING_ADMIN_ASSIGNMENT


def test_a_caller_that_died_is_not_waited_for_for_ever(gateway: Gateway, booking, ada, monkeypatch):
    monkeypatch.setattr(checkout, "WAIT_SECONDS", 0.2)
    payment, _ = checkout._reserve(booking.pk, PaymentType.INITIAL_BOOKING, by=ada)
    with pytest.raises(Conflict) as refusal:
        payments.initialize(booking.pk, payment_type=FEE, by=ada)
    assert refusal.value.code == "checkout_opening"
    with clock.at(timedelta(seconds=30)):
        again, is_new = payments.initialize(booking.pk, payment_type=FEE, by=ada)
    assert (again, is_new) == (payment, True)
    assert again.authorization_url


def test_a_wrong_key_is_unavailable_and_leaves_one_payment(gateway: Gateway, booking, ada, scripted):
    scripted.answers = [(401, b'{"status": false, "message": "Invalid key", "code": "invalid_Key"}')]
    with pytest.raises(paystack.PaystackRefused) as refusal:
        payments.initialize(booking.pk, payment_type=FEE, by=ada)
    assert refusal.value.status == 503
    assert len(open_payments(booking)) == 1


def test_a_price_that_changes_while_the_checkout_opens_is_not_handed_out(gateway, request_in, ada, monkeypatch):
    request = request_in("AWAITING_PAYMENT")
    really = paystack.initialize

    def slowly(**facts):
        checkout = really(**facts)
        Payment.objects.supersede(request.pk)
        return checkout

    monkeypatch.setattr(paystack, "initialize", slowly)
    with pytest.raises(Conflict) as refusal:
        payments.initialize(request.pk, payment_type=FINAL, by=ada)
    assert refusal.value.code == "price_changed"


def test_whoever_asks_second_leaves_the_first_ones_call_alone(gateway: Gateway, booking, ada):
    gateway.scenario(initialize="error", times=1)
    with pytest.raises(paystack.PaystackUnavailable):
        payments.initialize(booking.pk, payment_type=FEE, by=ada)
    [payment] = open_payments(booking)
    assert checkout._is_unknown_to_paystack(payment)
    # The first one is opening it again now; a second one that asked at the same time finds it so.
    assert not checkout._is_unknown_to_paystack(payment)
    assert open_payments(booking) == [payment]


# --- Who, and when


@pytest.mark.parametrize("status", [status for status in Status if status != Status.AWAITING_BOOKING_FEE])
def test_the_booking_fee_is_due_in_one_status_only(request_in, ada, status):
    with pytest.raises(Conflict) as refusal:
        payments.initialize(request_in(status).pk, payment_type=FEE, by=ada)
    assert refusal.value.code == ("nothing_due" if status == Status.CANCELLED else "already_paid")


@pytest.mark.parametrize("status", [status for status in Status if status != Status.AWAITING_PAYMENT])
def test_the_final_payment_is_due_in_one_status_only(request_in, ada, status):
    before = Payment.objects.count
    request = request_in(status)
    count = before()
    with pytest.raises(Conflict):
        payments.initialize(request.pk, payment_type=FINAL, by=ada)
    assert before() == count


def test_nobody_else_pays(booking, eve, tunde, boss):
    with pytest.raises(Missing):
        payments.initialize(booking.pk, payment_type=FEE, by=eve)
    with pytest.raises(Missing):
        payments.initialize(booking.pk, payment_type=FEE, by=tunde)
    with pytest.raises(Forbidden):
        payments.initialize(booking.pk, payment_type=FEE, by=boss)
    assert not Payment.objects.exists()


def test_an_unknown_request_or_type_is_refused(ada):
    with pytest.raises(Missing):
        payments.initialize(987654, payment_type=FEE, by=ada)
    with pytest.raises(ValueError, match="TIP"):
        payments.initialize(1, payment_type="TIP", by=ada)


def test_a_second_fee_after_the_first_was_paid_is_refused(booking, ada):
    payment = new_payment(booking, PaymentType.INITIAL_BOOKING)
    payments.apply(payment.paystack_reference, proof(payment))
    with pytest.raises(Conflict) as refusal:
        payments.initialize(booking.pk, payment_type=FEE, by=ada)
    assert refusal.value.code == "already_paid"
