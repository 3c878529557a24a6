"""Paystack's events: only genuine ones are kept, each once, and none is believed without asking Paystack."""

import hashlib
import json

import pytest

from core import clock
from marketplace.enums import PaymentOutcome, PaymentStatus, Status, WebhookOutcome
from marketplace.models import LedgerEntry, Payment, ServiceRequest, WebhookEvent
from marketplace.services import payments
from marketplace.services.payments import BadSignature, events, proof, receive_webhook
from marketplace.tests.gateway import Gateway, sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def checkout(gateway: Gateway, request_in, ada):
    return payments.initialize(request_in("AWAITING_BOOKING_FEE").pk, payment_type="INITIAL_BOOKING", by=ada)[0]


def body_of(event, **data):
    return json.dumps({"event": event, "data": data}).encode()


def paid(payment):
    return body_of("charge.success", reference=payment.paystack_reference, status="success", amount=200000)


def receive(body):
    return receive_webhook(body, sign(body))


def status_of(payment):
    return ServiceRequest.objects.get(pk=payment.service_request_id).status


def test_a_paid_charge_is_settled(gateway, checkout):
    gateway.choose(checkout.authorization_url)
    event = receive(paid(checkout))
    assert (event.event, event.reference) == ("charge.success", checkout.paystack_reference)
    assert (event.outcome, event.deliveries) == (WebhookOutcome.APPLIED, 1)
    assert bytes(WebhookEvent.objects.get().body) == paid(checkout)
    assert event.sha256 == hashlib.sha256(paid(checkout)).hexdigest()
    assert status_of(checkout) == Status.PENDING_ADMIN_ASSIGNMENT


def test_the_same_bytes_again_are_the_same_event(gateway, checkout):
    gateway.choose(checkout.authorization_url)
    for _ in range(3):
        receive(paid(checkout))
    event = WebhookEvent.objects.get()
    assert (event.deliveries, event.outcome) == (3, WebhookOutcome.APPLIED)
    assert LedgerEntry.objects.count() == 1


def test_other_bytes_about_the_same_charge_have_no_second_effect(gateway, checkout):
    gateway.choose(checkout.authorization_url)
    receive(paid(checkout))
    receive(paid(checkout) + b" ")
    assert WebhookEvent.objects.count() == 2
    assert LedgerEntry.objects.count() == 1


def test_an_event_is_not_believed_without_paystacks_word(gateway, checkout):
    event = receive(paid(checkout))
    assert event.outcome == WebhookOutcome.RETRY
    assert status_of(checkout) == Status.AWAITING_BOOKING_FEE
    assert Payment.objects.get().status == PaymentStatus.PENDING


@pytest.mark.parametrize("signature", [None, "", "0" * 128, "é" * 128, "\x00", "sha512=abc"])
def test_what_is_not_genuine_leaves_nothing(gateway, checkout, signature):
    gateway.choose(checkout.authorization_url)
    with pytest.raises(BadSignature) as refusal:
        receive_webhook(paid(checkout), signature)
    assert refusal.value.status == 401
    assert not WebhookEvent.objects.exists()
    assert status_of(checkout) == Status.AWAITING_BOOKING_FEE


def test_the_signature_is_over_the_bytes_as_they_came(checkout):
    tidied = json.dumps(json.loads(paid(checkout)), separators=(",", ":")).encode()
    with pytest.raises(BadSignature):
        receive_webhook(tidied, sign(paid(checkout)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"null",
        b"17",
        b'"charge.success"',
        b"{}",
        b'{"event": "charge.success"}',
        b'{"event": "charge.success", "data": []}',
        b'{"event": 5, "data": {}}',
        b"\x00",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"event": "x", "data": {"n": ' + b"9" * 5000 + b"}}",
    ],
    ids=lambda body: body[:12].decode("latin-1"),
)
@pytest.mark.django_db
def test_what_cannot_be_read_is_kept(body):
    event = receive(body)
    assert event.outcome == WebhookOutcome.NOT_UNDERSTOOD
    assert bytes(WebhookEvent.objects.get().body) == body


@pytest.mark.parametrize("name", ["transfer.success", "subscription.create", "made.up"])
def test_events_nothing_is_done_on_are_kept(name):
    event = receive(body_of(name, reference="R-1"))
    assert (event.outcome, event.event, event.reference) == (WebhookOutcome.IGNORED, name, "R-1")


@pytest.mark.parametrize("data", [{}, {"id": None}, {"id": "x"}, {"id": [1]}, {"id": "-5"}])
def test_a_dispute_without_a_number_is_kept(data):
    event = receive(body_of("charge.dispute.create", **data))
    assert event.outcome == WebhookOutcome.NOT_UNDERSTOOD


def test_a_charge_that_is_not_ours_is_kept():
    assert receive(body_of("charge.success", reference="somebody-else")).outcome == WebhookOutcome.IGNORED
    assert receive(body_of("charge.success")).outcome == WebhookOutcome.IGNORED
    assert receive(body_of("charge.success", reference={"a": 1})).outcome == WebhookOutcome.IGNORED


def test_text_no_database_takes_is_kept_too():
    event = receive(b'{"event": "charge.\\u0000success\\ud800", "data": {"reference": "R-\\u00001\\udfff"}}')
    assert (event.event, event.reference) == ("charge.success", "R-1")
    assert receive(body_of("e" * 500, reference="r" * 500)).outcome == WebhookOutcome.IGNORED


@pytest.mark.parametrize("fault", ["error", "rate_limit", "not_json"])
def test_while_paystack_is_away_the_event_is_kept_and_tried_again(gateway, checkout, fault):
    gateway.choose(checkout.authorization_url)
    gateway.scenario(verify=fault)
    event = receive(paid(checkout))
    assert event.outcome == WebhookOutcome.RETRY
    assert payments.to_replay() == [event.pk]
    gateway.scenario(verify="")
    assert payments.replay(event.pk).outcome == WebhookOutcome.APPLIED
    assert payments.to_replay() == []
    assert status_of(checkout) == Status.PENDING_ADMIN_ASSIGNMENT


def test_a_second_delivery_finishes_what_the_first_could_not(gateway, checkout):
    gateway.choose(checkout.authorization_url)
    gateway.scenario(verify="error", times=3)
    assert receive(paid(checkout)).outcome == WebhookOutcome.RETRY
    assert receive(paid(checkout)).outcome == WebhookOutcome.APPLIED
    assert WebhookEvent.objects.get().deliveries == 2


def test_a_fault_of_ours_is_kept_and_tried_again(gateway, checkout, monkeypatch, caplog):
    gateway.choose(checkout.authorization_url)
    with monkeypatch.context() as patch:
        patch.setattr(proof, "apply", lambda *_: 1 / 0)
        event = receive(paid(checkout))
    assert (event.outcome, event.detail) == (WebhookOutcome.RETRY, "ZeroDivisionError")
    assert "could not be handled" in caplog.text
    assert payments.replay(event.pk).outcome == WebhookOutcome.APPLIED


def test_an_event_dropped_by_a_dying_process_is_picked_up(gateway, checkout):
    gateway.choose(checkout.authorization_url)
    body = paid(checkout)
    event = WebhookEvent.objects.create(
        sha256=hashlib.sha256(body).hexdigest(), body=body, reference=checkout.paystack_reference
    )
    assert payments.to_replay() == []
    with clock.at(clock.now() + events.HANDLING * 2):
        assert payments.to_replay() == [event.pk]
        assert payments.replay(event.pk).outcome == WebhookOutcome.APPLIED
    with clock.at(clock.now() + events.REPLAY_FOR * 2):
        assert payments.to_replay() == []


def test_a_wrong_amount_is_settled_as_a_mismatch(gateway, checkout):
    gateway.choose(checkout.authorization_url, "short")
    assert receive(paid(checkout)).outcome == WebhookOutcome.APPLIED
    assert Payment.objects.get().outcome == PaymentOutcome.MISMATCH
