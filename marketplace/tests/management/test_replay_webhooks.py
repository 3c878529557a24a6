"""replay_webhooks: events that were kept are acted on again, by number, by reference, by age."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from core import clock
from marketplace.models import WebhookEvent
from marketplace.services import payments
from marketplace.tests.gateway import Gateway, sign

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = StringIO()
    call_command("replay_webhooks", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def waiting(gateway: Gateway, request_in, ada):
    """A charge that was paid while Paystack could not be asked about it."""
    payment, _ = payments.initialize(request_in("AWAITING_BOOKING_FEE").pk, payment_type="INITIAL_BOOKING", by=ada)
    gateway.choose(payment.authorization_url)
    gateway.scenario(verify="error")
    body = json.dumps({"event": "charge.success", "data": {"reference": payment.paystack_reference}}).encode()
    event = payments.receive_webhook(body, sign(body))
    assert event.outcome == "RETRY"
    return event


def test_what_could_not_be_acted_on_is_tried_again(gateway: Gateway, waiting):
    with pytest.raises(CommandError, match="1 of 1 could not be handled yet"):
        run()
    gateway.scenario(verify="")
    assert "1 handled, 0 to be tried again." in run()
    assert WebhookEvent.objects.get().outcome == "APPLIED"
    assert "0 handled" in run()


@pytest.mark.parametrize("how", ["id", "reference", "since"])
def test_an_event_is_chosen_by_number_reference_or_age(gateway: Gateway, waiting, how):
    gateway.scenario(verify="")
    chosen = {
        "id": [str(waiting.pk)],
        "reference": ["--reference", waiting.reference],
        "since": ["--since", (clock.now() - timedelta(minutes=5)).isoformat()],
    }[how]
    assert "1 handled" in run(*chosen)
    assert "1 handled" in run(*chosen)
    assert WebhookEvent.objects.get().outcome == "APPLIED"


def test_nonsense_is_named(db):
    with pytest.raises(CommandError, match="There is no event 7"):
        run("7")
    with pytest.raises(CommandError, match="--since: 'yesterday' is no date"):
        run("--since", "yesterday")
    assert "0 handled" in run("--since", "2026-11-22T08:00")
