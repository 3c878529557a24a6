"""GET /api/payments/verify/{reference}/."""

import pytest

from marketplace.enums import Status
from marketplace.models import ServiceRequest
from marketplace.services import payments
from marketplace.tests.gateway import Gateway

pytestmark = pytest.mark.django_db


@pytest.fixture
def checkout(gateway: Gateway, request_in, ada):
    booking = request_in("AWAITING_BOOKING_FEE")
    return payments.initialize(booking.pk, payment_type="INITIAL_BOOKING", by=ada)[0]


def url(payment):
    return f"/api/payments/verify/{payment.paystack_reference}/"


def test_it_asks_paystack_while_the_payment_is_open(gateway: Gateway, checkout, ada, as_):
    assert as_(ada).get(url(checkout)).json()["status"] == "PENDING"
    gateway.choose(checkout.authorization_url)
    body = as_(ada).get(url(checkout)).json()
    assert (body["status"], body["outcome"], body["amount"]) == ("SUCCESSFUL", "APPLIED", "2000.00")
    assert body["paid_at"].endswith("+01:00")
    assert ServiceRequest.objects.get().status == Status.PENDING_ADMIN_ASSIGNMENT


def test_the_browser_coming_back_proves_nothing(gateway: Gateway, checkout, ada, as_):
    gateway.choose(checkout.authorization_url, "decline")
    assert as_(ada).get(url(checkout)).json()["status"] == "FAILED"
    assert ServiceRequest.objects.get().status == Status.AWAITING_BOOKING_FEE


def test_a_proven_payment_needs_no_paystack(gateway: Gateway, checkout, ada, as_):
    gateway.choose(checkout.authorization_url)
    as_(ada).get(url(checkout))
    gateway.scenario(verify="error")
    assert as_(ada).get(url(checkout)).status_code == 200


def test_while_paystack_is_away_it_says_so(gateway: Gateway, checkout, ada, as_):
    gateway.scenario(verify="error")
    answer = as_(ada).get(url(checkout))
    assert (answer.status_code, answer.json()["code"]) == (503, "paystack_unavailable")


def test_only_the_payer_and_admins_may_ask(checkout, eve, tunde, boss, make_admin, as_):
    assert as_().get(url(checkout)).status_code == 401
    assert as_(eve).get(url(checkout)).status_code == 404
    assert as_(tunde).get(url(checkout)).status_code == 403
    assert as_(boss).get(url(checkout)).status_code == 200
    assert as_(make_admin("finance")).get(url(checkout)).status_code == 200
    assert as_(make_admin()).get(url(checkout)).status_code == 403


@pytest.mark.parametrize("reference", ["unknown", "%00", "a%2Fb", "é", "x" * 300])
def test_an_unknown_reference_is_not_found(ada, as_, reference):
    assert as_(ada).get(f"/api/payments/verify/{reference}/").status_code in (404, 422)
