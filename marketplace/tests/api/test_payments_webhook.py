"""POST /api/payments/webhook/."""

import json

import pytest
import requests
from django.test import Client

from marketplace.enums import Status, WebhookOutcome
from marketplace.models import LedgerEntry, ServiceRequest, WebhookEvent
from marketplace.sandbox import store
from marketplace.services import payments
from marketplace.tests.gateway import Gateway, sign

pytestmark = pytest.mark.django_db

URL = "/api/payments/webhook/"


def deliver(body, signature=None, **more):
    headers = {"x-paystack-signature": sign(body) if signature is None else signature}
    return Client().post(URL, body, content_type=more.pop("content_type", "application/json"), headers=headers, **more)


@pytest.fixture
def checkout(gateway: Gateway, request_in, ada):
    booking = request_in("AWAITING_BOOKING_FEE")
    return payments.initialize(booking.pk, payment_type="INITIAL_BOOKING", by=ada)[0]


def about(payment):
    return json.dumps({"event": "charge.success", "data": {"reference": payment.paystack_reference}}).encode()


def test_a_genuine_event_settles_the_payment(gateway, checkout):
    gateway.choose(checkout.authorization_url)
    answer = deliver(about(checkout))
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert ServiceRequest.objects.get().status == Status.PENDING_ADMIN_ASSIGNMENT


BODIES = [
    b"",
    b"not json",
    b"[]",
    b"{}",
    b"null",
    b"\x00",
    b'{"event": "charge.success\\u0000", "data": {"reference": "\\u0000"}}',
    b'{"event": "charge.success", "data": {"reference": "\\ud800"}}',
    b'{"event": "never.heard.of.it", "data": {}}',
    b'{"event": "charge.success", "data": {"reference": "unknown"}}',
    b'{"event": "refund.processed", "data": {"transaction_reference": "unknown", "id": {}, "merchant_note": []}}',
    b"\xff" * 64,
    b"[" * 50_000,
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:20].decode("latin-1"))
def test_understood_or_not_it_is_kept_and_answered_with_200(body):
    assert deliver(body).status_code == 200
    assert bytes(WebhookEvent.objects.get().body) == body


@pytest.mark.parametrize("body", [*BODIES, b'{"event": "charge.success", "data": {"reference": "SR"}}'], ids=range(14))
@pytest.mark.parametrize("signature", ["", "0" * 128, "nonsense", "\xe9\xe8", "A" * 5000, sign(b"other")])
def test_a_forged_event_changes_nothing(body, signature):
    answer = deliver(body, signature)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert not WebhookEvent.objects.exists()


def test_without_a_signature_it_is_refused(checkout):
    answer = Client().post(URL, about(checkout), content_type="application/json")
    assert answer.status_code == 401


def test_three_megabytes_are_too_much():
    answer = deliver(b'{"event": "' + b"x" * 3_000_000 + b'"}')
    assert answer.status_code == 413
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
def test_whatever_it_is_called_the_bytes_count(gateway, checkout, content_type):
    gateway.choose(checkout.authorization_url)
    assert deliver(about(checkout), content_type=content_type).status_code == 200
    assert WebhookEvent.objects.get().outcome == WebhookOutcome.APPLIED


def test_no_session_and_no_csrf_token_is_needed(checkout):
    client = Client(enforce_csrf_checks=True)
    body = about(checkout)
    answer = client.post(URL, body, content_type="application/json", headers={"x-paystack-signature": sign(body)})
    assert answer.status_code == 200


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_nothing_but_post(method):
    assert getattr(Client(), method)(URL).status_code == 405


def test_while_paystack_is_away_it_is_kept_for_later(gateway, checkout):
    gateway.choose(checkout.authorization_url)
    gateway.scenario(verify="error")
    assert deliver(about(checkout)).status_code == 200
    assert WebhookEvent.objects.get().outcome == WebhookOutcome.RETRY


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mode", ["deliver", "twice"])
def test_the_whole_way_over_http(gateway: Gateway, request_in, ada, as_, mode):
    booking = request_in("AWAITING_BOOKING_FEE")
    gateway.scenario(webhooks=mode)
    url = f"{gateway.site}/api/payments/initialize/"
    token = as_(ada).defaults["HTTP_AUTHORIZATION"]
    data = {"service_request_id": booking.pk, "payment_type": "INITIAL_BOOKING"}
    checkout = requests.post(url, json=data, headers={"Authorization": token}, timeout=10).json()
    gateway.choose(checkout["authorization_url"])
    gateway.settle()
    assert ServiceRequest.objects.get().status == Status.PENDING_ADMIN_ASSIGNMENT
    assert LedgerEntry.objects.count() == 1
    assert WebhookEvent.objects.get().deliveries == (2 if mode == "twice" else 1)
    assert store.webhooks()[0]["answer"] == "200"
