"""Chargebacks: reported by signed events, asked about, kept with their due date, and in the books when lost."""

from datetime import timedelta
from decimal import Decimal

import pytest
import requests as http

from core import clock
from core.errors import Missing
from marketplace import paystack, tasks
from marketplace.enums import Account, DisputeStatus, NotificationType, RefundStatus, WebhookOutcome
from marketplace.models import Dispute, Notification, Refund, WebhookEvent
from marketplace.sandbox import events, store
from marketplace.services import ledger, payments, refunds, requests
from marketplace.tests.gateway import Gateway, sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance(make_admin):
    return make_admin("finance", name="funke")


@pytest.fixture
def paid(gateway: Gateway, request_in, ada):
    """A final payment that was really paid at the sandbox: 22,000 naira, a fee of 430."""
    payment, _ = payments.initialize(request_in("AWAITING_PAYMENT").pk, payment_type="FINAL_PAYMENT", by=ada)
    gateway.choose(payment.authorization_url)
    return payments.settle(payment.paystack_reference)


def raised(payment, kobo=None):
    charge = store.charge(reference=payment.paystack_reference)
    row = store.open_dispute(
        of=charge, amount=kobo or charge["amount"], due_at=(clock.now() + timedelta(days=2)).isoformat()
    )
    return row["id"]


def tell(number, verb):
    """The event that the sandbox would send, received as it stands."""
    import json

    row = store.dispute(number)
    data = events.dispute_data(row, store.charge(number=row["transaction_id"]))
    body = json.dumps({"event": f"charge.dispute.{verb}", "data": data}).encode()
    return payments.receive_webhook(body, sign(body))


def moved():
    return {account: kobo for account, kobo in ledger.balances().items() if kobo}


def test_it_is_kept_with_its_due_date_and_finance_is_told_once(paid, finance):
    number = raised(paid)
    assert tell(number, "create").outcome == WebhookOutcome.APPLIED
    tell(number, "remind")
    dispute = Dispute.objects.get()
    assert (dispute.payment, dispute.status, dispute.amount_kobo) == (paid, DisputeStatus.OPEN, 2200000)
    assert clock.day_of(dispute.due_at) == clock.today() + timedelta(days=2)
    at_risk = Notification.objects.filter(notification_type=NotificationType.MONEY_AT_RISK, user=finance)
    assert at_risk.count() == 1
    assert "bank wants it back" in at_risk.get().message
    assert Refund.objects.count() == 0


def test_what_the_event_says_is_not_believed(paid):
    import json

    number = raised(paid)
    data = {"id": number, "status": "resolved", "resolution": "merchant-accepted", "refund_amount": 2200000}
    body = json.dumps({"event": "charge.dispute.resolve", "data": data}).encode()
    payments.receive_webhook(body, sign(body))
    assert Dispute.objects.get().status == DisputeStatus.OPEN
    assert Refund.objects.count() == 0


def test_won_the_money_stays(paid):
    number = raised(paid)
    before = moved()
    store.resolve_dispute(number, "declined")
    tell(number, "resolve")
    dispute = Dispute.objects.get()
    assert (dispute.status, dispute.resolution, dispute.refund) == (DisputeStatus.RESOLVED, "declined", None)
    assert moved() == before


def test_lost_while_the_job_goes_on_the_platform_bears_it(paid):
    number = raised(paid)
    store.resolve_dispute(number, "merchant-accepted")
    for _ in range(3):
        tell(number, "resolve")
    refund = Refund.objects.get()
    assert (refund.status, refund.amount, refund.from_revenue) == (RefundStatus.PROCESSED, Decimal("22000.00"), True)
    assert Dispute.objects.get().refund == refund
    assert moved() == {
        Account.GATEWAY_CLEARING: -43000,
        Account.GATEWAY_FEES: 43000,
        Account.CLIENT: -2200000,
        Account.REVENUE_MARKUP: 2200000,
    }


def test_lost_and_then_cancelled_the_client_is_not_paid_twice(paid, boss):
    number = raised(paid)
    store.resolve_dispute(number, "merchant-accepted")
    tell(number, "resolve")
    requests.cancel(paid.service_request_id, reason="Enough", by=boss)
    assert [r.amount for r in paid.refunds.all()] == [Decimal("22000.00")]
    books = ledger.balances()
    assert (books[Account.CLIENT], books[Account.REVENUE_MARKUP], books[Account.REFUNDS_PAYABLE]) == (0, 0, -200000)


def test_it_takes_the_place_of_a_refund_nobody_decided_on(paid, boss):
    requests.cancel(paid.service_request_id, reason="Enough", by=boss)
    number = raised(paid)
    store.resolve_dispute(number, "merchant-accepted")
    tell(number, "resolve")
    refund = paid.refunds.get()
    assert (refund.status, refund.from_revenue) == (RefundStatus.PROCESSED, False)
    assert ledger.balances()[Account.CLIENT] == 0


def test_what_the_bank_takes_beyond_what_is_left_is_told_and_not_booked(paid, boss, finance):
    requests.cancel(paid.service_request_id, reason="Enough", by=boss)
    refund = paid.refunds.get()
    refunds.approve(refund.pk, by=finance)
    refunds.send(refund.pk, by=finance)
    number = raised(paid)
    store.resolve_dispute(number, "merchant-accepted")
    tell(number, "resolve")
    dispute = Dispute.objects.get()
    assert (dispute.refund, dispute.unexplained_kobo) == (None, 2200000)
    told = Notification.objects.filter(notification_type=NotificationType.MONEY_AT_RISK, user=finance)
    assert any("more than was left" in n.message for n in told)
    assert sum(r.amount for r in paid.refunds.all()) == Decimal("22000.00")


def test_a_charge_may_be_disputed_before_we_heard_that_it_was_paid(gateway: Gateway, request_in, ada):
    payment, _ = payments.initialize(request_in("AWAITING_BOOKING_FEE").pk, payment_type="INITIAL_BOOKING", by=ada)
    gateway.choose(payment.authorization_url)
    tell(raised(payment), "create")
    payment.refresh_from_db()
    assert payment.outcome == "APPLIED"
    assert Dispute.objects.get().payment == payment


def test_a_lost_event_is_made_good(paid):
    number = raised(paid)
    assert tasks.check_disputes() == 1
    assert Dispute.objects.get().status == DisputeStatus.OPEN
    store.resolve_dispute(number, "declined")
    assert tasks.check_disputes() == 1
    assert Dispute.objects.get().status == DisputeStatus.RESOLVED


def test_while_paystack_is_away_the_next_round_asks_again(gateway: Gateway, paid):
    raised(paid)
    gateway.scenario(verify="error")
    assert tasks.check_disputes() == 0
    gateway.scenario(verify="")
    assert tasks.check_disputes() == 1


def test_somebody_elses_charge_is_not_ours(gateway: Gateway, paid):
    strange = store.open_charge(
        reference="not-ours", email="x@example.com", amount=5000, currency="NGN", callback_url="", metadata=""
    )
    number = store.open_dispute(of=strange, amount=5000, due_at=clock.now().isoformat())["id"]
    assert tell(number, "create").outcome == WebhookOutcome.IGNORED
    with pytest.raises(Missing):
        payments.record_dispute(number)
    with pytest.raises(paystack.NotFound):
        payments.record_dispute(987654)
    assert tasks.check_disputes() == 0
    assert not Dispute.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_sandbox_raises_and_resolves_one_over_http(gateway: Gateway, paid):
    gateway.scenario(webhooks="deliver")
    charge = store.charge(reference=paid.paystack_reference)
    http.post(f"{gateway.url}/_charges/{charge['id']}/dispute/", timeout=10)
    gateway.settle()
    [row] = store.disputes()
    assert Dispute.objects.get().status == DisputeStatus.OPEN
    page = http.get(f"{gateway.url}/", timeout=10).text
    assert "awaiting-merchant-feedback" in page
    for choice in ("remind", "merchant-accepted"):
        http.post(f"{gateway.url}/_disputes/{row['id']}/", data={"resolution": choice}, timeout=10)
        gateway.settle()
    assert Dispute.objects.get().status == DisputeStatus.RESOLVED
    assert WebhookEvent.objects.filter(outcome=WebhookOutcome.APPLIED, event__startswith="charge.dispute").count() == 3
    assert paid.refunds.get().status == RefundStatus.PROCESSED
    assert http.post(f"{gateway.url}/_disputes/{row['id']}/", data={"resolution": "no"}, timeout=10).status_code == 404
    assert http.post(f"{gateway.url}/_charges/98765/dispute/", timeout=10).status_code == 404
