"""Whatever a payer, Paystack or a stranger may do, over real HTTP from the checkout to the books.

The site and the local Paystack answer behind a port. A payment is opened by the API, paid on the checkout page, told by
signed events and asked about when the browser returns; afterwards the request, the payments, the books, the refunds and
what everybody was told stand exactly as they should.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
import requests as http

from core import auth, clock
from core.tests.race import at_once
from marketplace import paystack, tasks
from marketplace.enums import Account, WebhookOutcome
from marketplace.models import Notification, Payment, Refund, ServiceRequest, WebhookEvent
from marketplace.sandbox import store
from marketplace.services import ledger, refunds
from marketplace.tests.gateway import Gateway, sign

pytestmark = pytest.mark.django_db(transaction=True)

CLEARING, FEES, FEE_EARNED = Account.GATEWAY_CLEARING, Account.GATEWAY_FEES, Account.REVENUE_BOOKING_FEE
OWED, HELD = Account.REFUNDS_PAYABLE, Account.CLIENT
OURS = "marketplace.services.payments"


# --- How everything stands


@dataclass(frozen=True)
class Stand:
    """All that a payment can move: kobo in the books, debit positive; notices as "TYPE who"."""

    request: str = "AWAITING_BOOKING_FEE"
    payments: list[str] = field(default_factory=lambda: ["PENDING None"])
    books: dict[Account, int] = field(default_factory=dict)
    refunds: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


OPEN = Stand()
"""A checkout that nobody has paid."""
PAID = Stand(
    request="PENDING_ADMIN_ASSIGNMENT",
    payments=["SUCCESSFUL APPLIED"],
    books={CLEARING: 197000, FEES: 3000, FEE_EARNED: -200000},
    told=["BOOKING_CONFIRMED ada", "PAYMENT_RECEIVED boss"],
)
"""2,000 naira came, of which Paystack kept 30."""
LATE = Stand(
    request="CANCELLED",
    payments=["SUCCESSFUL LATE"],
    books={CLEARING: 197000, FEES: 3000, OWED: -200000},
    refunds=["2000.00 DUE"],
    told=["MONEY_AT_RISK boss"],
)
"""The money came for nothing, and is owed back."""


def stand() -> Stand:
    """How everything stands now."""
    notices = Notification.objects.select_related("user")
    return Stand(
        request=ServiceRequest.objects.get().status,
        payments=[f"{p.status} {p.outcome}" for p in Payment.objects.order_by("pk")],
        books={account: kobo for account, kobo in ledger.balances().items() if kobo},
        refunds=[f"{r.amount} {r.status}" for r in Refund.objects.order_by("pk")],
        told=sorted(f"{n.notification_type} {n.user.email.partition('@')[0]}" for n in notices),
    )


# --- How people and Paystack come to us


class Payer:
    """Ada with her booking, in a browser."""

    def __init__(self, gateway: Gateway, booking: ServiceRequest) -> None:
        self.gateway, self.booking = gateway, booking
        self.headers = {"Authorization": f"Bearer {auth.access_for(booking.client)}"}

    def initialize(self) -> http.Response:
        """Press Pay."""
        body = {"service_request_id": self.booking.pk, "payment_type": "INITIAL_BOOKING"}
        return self._post("/api/payments/initialize/", body)

    def checkout(self) -> dict[str, Any]:
        """Press Pay and be sent to Paystack's page."""
        answer = self.initialize()
        assert answer.status_code == 201, answer.text
        return answer.json()

    def choose(self, checkout: dict[str, Any], choice: str = "pay") -> None:
        """Decide on Paystack's page, be sent back to ours, and let every event of it arrive."""
        reference = checkout["reference"]
        answer = self.gateway.choose(checkout["authorization_url"], choice)
        back = f"{self.gateway.site}/payment/callback?trxref={reference}&reference={reference}"
        assert (answer.status_code, answer.headers["Location"]) == (302, back)
        self.gateway.settle()

    def returns(self, checkout: dict[str, Any]) -> http.Response:
        """What our page asks when the browser is back."""
        url = f"{self.gateway.site}/api/payments/verify/{checkout['reference']}/"
        return http.get(url, headers=self.headers, timeout=20)

    def sees(self, checkout: dict[str, Any]) -> str:
        """Status and outcome, as the app is told."""
        answer = self.returns(checkout)
        assert answer.status_code == 200, answer.text
        return f"{answer.json()['status']} {answer.json()['outcome']}"

    def cancels(self) -> None:
        """Call the booking off."""
        answer = self._post(f"/api/service-requests/{self.booking.pk}/cancel/", {"reason": "Changed my mind."})
        assert (answer.status_code, answer.json()["status"]) == (200, "CANCELLED")

    def waits_half_an_hour(self) -> None:
        """The checkouts become old."""
        Payment.objects.update(created_at=clock.now() - timedelta(minutes=30))

    def _post(self, path: str, body: dict[str, Any]) -> http.Response:
        return http.post(f"{self.gateway.site}{path}", json=body, headers=self.headers, timeout=20)


@pytest.fixture
def payer(gateway: Gateway, request_in: Any) -> Payer:
    """Her booking waits for its fee, and Paystack delivers its events."""
    gateway.scenario(webhooks="deliver")
    return Payer(gateway, request_in("AWAITING_BOOKING_FEE"))


def deliver(gateway: Gateway, body: bytes, signature: Any = "") -> http.Response:
    """An event, as anybody may post it: with Paystack's signature unless another one is given, None for none."""
    headers = {"Content-Type": "application/json", "x-paystack-signature": sign(body) if signature == "" else signature}
    return http.post(f"{gateway.site}/api/payments/webhook/", data=body, headers=headers, timeout=60)


def told_of(checkout: dict[str, Any]) -> bytes:
    """The event that says this checkout was paid."""
    return json.dumps({"event": "charge.success", "data": {"reference": checkout["reference"]}}).encode()


def answered() -> list[str]:
    """What the sandbox heard for each of its events, the oldest first."""
    return [row["answer"] for row in reversed(store.webhooks())]


# --- The payer


def test_she_pays(payer):
    checkout = payer.checkout()
    assert stand() == OPEN
    payer.choose(checkout)
    assert stand() == PAID
    assert answered() == ["200"]
    assert payer.sees(checkout) == "SUCCESSFUL APPLIED"
    assert stand() == PAID
    event = WebhookEvent.objects.get()
    assert (event.event, event.reference, event.outcome) == ("charge.success", checkout["reference"], "APPLIED")


def test_she_is_declined_and_pays_with_another_card(payer):
    checkout = payer.checkout()
    payer.choose(checkout, "decline")
    assert answered() == []
    assert payer.sees(checkout) == "FAILED None"
    assert stand() == replace(OPEN, payments=["FAILED None"])
    again = payer.checkout()
    payer.choose(again)
    assert stand() == replace(PAID, payments=["FAILED None", "SUCCESSFUL APPLIED"])


def test_she_leaves_without_paying(payer):
    checkout = payer.checkout()
    payer.choose(checkout, "abandon")
    assert answered() == []
    assert payer.sees(checkout) == "PENDING None"
    assert stand() == OPEN
    again = payer.initialize()
    assert (again.status_code, again.json()["authorization_url"]) == (200, checkout["authorization_url"])


def test_she_leaves_and_pays_the_same_page_later(payer):
    checkout = payer.checkout()
    payer.choose(checkout, "abandon")
    assert payer.sees(checkout) == "PENDING None"
    payer.waits_half_an_hour()
    payer.choose(checkout)
    assert stand() == PAID


def test_she_leaves_and_pays_after_the_booking_has_expired(payer):
    checkout = payer.checkout()
    payer.choose(checkout, "abandon")
    with clock.at(timedelta(hours=25)):
        assert tasks.expire_bookings() == 1
    assert stand() == Stand("CANCELLED", ["PENDING SUPERSEDED"], told=["REQUEST_CANCELLED ada"])
    payer.choose(checkout)
    assert stand() == replace(LATE, told=["MONEY_AT_RISK boss", "REQUEST_CANCELLED ada"])
    assert payer.sees(checkout) == "SUCCESSFUL LATE"


def test_the_payer_may_bear_paystacks_fee(payer, gateway):
    gateway.scenario(payer_bears_fee=True)
    payer.choose(payer.checkout())
    assert stand() == replace(PAID, books={CLEARING: 200000, FEE_EARNED: -200000})


def test_she_cancels_and_her_money_comes_afterwards(payer):
    checkout = payer.checkout()
    payer.cancels()
    before = stand()
    assert (before.request, before.payments, before.books) == ("CANCELLED", ["PENDING SUPERSEDED"], {})
    payer.choose(checkout)
    assert stand() == replace(LATE, told=sorted([*before.told, "MONEY_AT_RISK boss"]))
    assert answered() == ["200"]


def test_she_pays_twice_and_one_of_them_goes_back(payer):
    first = payer.checkout()
    payer.waits_half_an_hour()
    second = payer.checkout()
    assert stand() == replace(OPEN, payments=["PENDING SUPERSEDED", "PENDING None"])
    payer.choose(second)
    payer.choose(first)
    assert stand() == Stand(
        request="PENDING_ADMIN_ASSIGNMENT",
        payments=["SUCCESSFUL DUPLICATE", "SUCCESSFUL APPLIED"],
        books={CLEARING: 394000, FEES: 6000, FEE_EARNED: -200000, OWED: -200000},
        refunds=["2000.00 DUE"],
        told=["BOOKING_CONFIRMED ada", "MONEY_AT_RISK boss", "PAYMENT_RECEIVED boss"],
    )
    assert Refund.objects.get().payment.paystack_reference == first["reference"]
    answer = payer.initialize()
    assert (answer.status_code, answer.json()["code"]) == (409, "already_paid")


# --- Wrong money


@pytest.mark.parametrize(
    ("scenario", "choice", "came"), [({}, "short", 199900), ({"amount_off_kobo": -1}, "pay", 199999)]
)
def test_the_wrong_amount_settles_nothing_and_is_held(payer, gateway, scenario, choice, came):
    checkout = payer.checkout()
    gateway.scenario(webhooks="deliver", **scenario)
    payer.choose(checkout, choice)
    assert stand() == Stand(
        payments=["FAILED MISMATCH"],
        books={CLEARING: came - 3000, FEES: 3000, HELD: -came},
        told=["MONEY_AT_RISK boss"],
    )
    assert payer.sees(checkout) == "FAILED MISMATCH"


@pytest.mark.parametrize("choice", ["dollars", "live"])
def test_the_wrong_currency_or_domain_settles_nothing_and_is_no_naira_of_ours(payer, choice):
    checkout = payer.checkout()
    payer.choose(checkout, choice)
    assert payer.sees(checkout) == "FAILED MISMATCH"
    assert stand() == Stand(payments=["FAILED MISMATCH"], told=["MONEY_AT_RISK boss"])


# --- Events


def test_the_event_comes_before_the_browser(payer, gateway):
    checkout = payer.checkout()
    payer.choose(checkout)
    assert stand() == PAID
    gateway.scenario(verify="error")  # nobody needs Paystack any more
    assert payer.sees(checkout) == "SUCCESSFUL APPLIED"
    assert stand() == PAID


def test_the_event_comes_after_the_browser(payer, gateway):
    gateway.scenario(webhooks="drop")
    checkout = payer.checkout()
    payer.choose(checkout)
    assert payer.sees(checkout) == "SUCCESSFUL APPLIED"
    assert stand() == PAID
    http.post(f"{gateway.url}/_webhooks/{store.webhooks()[0]['id']}/resend/", timeout=20)
    assert answered() == ["200"]
    assert WebhookEvent.objects.get().outcome == WebhookOutcome.APPLIED
    assert stand() == PAID


def test_the_event_comes_twice(payer, gateway):
    gateway.scenario(webhooks="twice")
    payer.choose(payer.checkout())
    assert WebhookEvent.objects.get().deliveries == 2
    assert stand() == PAID


def test_the_event_comes_fifty_times_at_once(payer, gateway):
    gateway.scenario(webhooks="drop")
    payer.choose(payer.checkout())
    body = bytes(store.webhooks()[0]["body"])
    answers = at_once(lambda _: deliver(gateway, body).status_code, 50)
    assert answers == [200] * 50
    assert WebhookEvent.objects.get().deliveries == 50
    assert stand() == PAID


def test_the_event_is_lost_and_the_poller_heals_it(payer, gateway):
    gateway.scenario(webhooks="drop")
    checkout = payer.checkout()
    payer.choose(checkout)
    assert tasks.check_payments() == 0
    assert stand() == OPEN
    with clock.at(timedelta(minutes=4)):
        assert tasks.check_payments() == 1
        assert tasks.check_payments() == 0
    assert stand() == PAID
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize(
    "signature",
    [None, "nonsense", "0" * 128, sign(b"other"), "é" * 128, "\xff"],
    ids=["none", "nonsense", "zeros", "of other bytes", "not ASCII", "one byte"],
)
def test_an_event_with_a_bad_signature_changes_nothing(payer, gateway, signature):
    gateway.scenario(webhooks="drop")
    checkout = payer.checkout()
    payer.choose(checkout)
    forged = signature.encode("latin-1") if signature else signature
    answer = deliver(gateway, told_of(checkout), forged)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert stand() == OPEN
    assert not WebhookEvent.objects.exists()
    assert deliver(gateway, told_of(checkout)).status_code == 200
    assert stand() == PAID


@pytest.mark.parametrize(
    "body", [b"not json", b"[]", b"\x00", b'{"event": "charge.success\\u0000", "data": {}}'], ids=repr
)
def test_signed_nonsense_is_kept_and_changes_nothing(payer, gateway, body):
    payer.checkout()
    assert deliver(gateway, body).status_code == 200
    event = WebhookEvent.objects.get()
    assert bytes(event.body) == body
    assert event.outcome in (WebhookOutcome.NOT_UNDERSTOOD, WebhookOutcome.IGNORED)
    assert stand() == OPEN


def test_three_megabytes_are_refused(payer, gateway):
    payer.checkout()
    answer = deliver(gateway, b'{"event": "' + b"x" * 3_000_000 + b'"}')
    assert answer.status_code == 413
    assert not WebhookEvent.objects.exists()
    assert stand() == OPEN


def test_an_event_of_an_unknown_reference_is_kept_and_changes_nothing(payer, gateway):
    payer.checkout()
    assert deliver(gateway, told_of({"reference": "somebody-elses"})).status_code == 200
    assert WebhookEvent.objects.get().outcome == WebhookOutcome.IGNORED
    assert payer.returns({"reference": "somebody-elses"}).status_code == 404
    assert stand() == OPEN


@pytest.mark.parametrize("name", ["transfer.success", "subscription.create", "never.heard.of.it"])
def test_an_unknown_event_is_kept_and_changes_nothing(payer, gateway, name):
    checkout = payer.checkout()
    body = json.dumps({"event": name, "data": {"reference": checkout["reference"], "status": "success"}}).encode()
    assert deliver(gateway, body).status_code == 200
    event = WebhookEvent.objects.get()
    assert (event.event, event.outcome) == (name, WebhookOutcome.IGNORED)
    assert stand() == OPEN


# --- Refunds


@pytest.fixture
def approved(payer, boss) -> Refund:
    """The fee of a booking that was paid and cancelled, let go by finance."""
    payer.choose(payer.checkout())
    payer.cancels()
    return refunds.approve(Refund.objects.get().pk, by=boss)


def test_a_refund_arrives(payer, gateway, approved, boss):
    before = stand()
    assert (before.books, before.refunds) == ({CLEARING: 197000, FEES: 3000, OWED: -200000}, ["2000.00 APPROVED"])
    refunds.send(approved.pk, by=boss)
    gateway.settle()
    assert answered() == ["200"] * 4  # the charge; the refund pending, processing, processed
    assert stand() == replace(
        before,
        books={CLEARING: -3000, FEES: 3000},
        refunds=["2000.00 PROCESSED"],
        told=sorted([*before.told, "REFUND_SENT ada"]),
    )


@pytest.mark.parametrize(("end", "status"), [("failed", "FAILED"), ("needs-attention", "NEEDS_ATTENTION")])
def test_a_refund_does_not_arrive_and_is_still_owed(payer, gateway, approved, boss, end, status):
    before = stand()
    gateway.scenario(refund=end)
    refunds.send(approved.pk, by=boss)
    gateway.settle()
    assert answered() == ["200"] * 4
    after = replace(
        before,
        refunds=[f"2000.00 {status}"],
        told=sorted([*before.told, "MONEY_AT_RISK boss", "REFUND_SENT ada"]),
    )
    assert stand() == after
    gateway.scenario(refund="processed")
    if end == "failed":
        with clock.at(timedelta(seconds=5)):
            refunds.approve(approved.pk, by=boss)
            refunds.send(approved.pk, by=boss)
    else:
        refunds.provide_account(approved.pk, account_number="0123456789", bank_id="9", by=boss)
    gateway.settle()
    assert stand().books == {CLEARING: -3000, FEES: 3000}
    assert stand().refunds == ["2000.00 PROCESSED"]


# --- Faults of Paystack


def test_opening_times_out_after_the_charge_was_opened(payer, gateway, settings):
    settings.PAYSTACK_TIMEOUT_SECONDS = 0.5
    gateway.scenario(initialize="stall_after", times=1, stall_seconds=1)
    answer = payer.initialize()
    assert (answer.status_code, answer.json()["code"]) == (503, "paystack_unavailable")
    assert stand() == OPEN
    [lost] = store.charges()
    settings.PAYSTACK_TIMEOUT_SECONDS = 3
    checkout = payer.checkout()
    assert Payment.objects.open().count() == 1
    payer.choose(checkout)
    assert stand() == replace(PAID, payments=["PENDING SUPERSEDED", "SUCCESSFUL APPLIED"])
    # Nobody was given the address of the first one; paid all the same, it goes back.
    gateway.choose(f"{gateway.url}/checkout/{lost['access_code']}")
    gateway.settle()
    assert stand().payments == ["SUCCESSFUL DUPLICATE", "SUCCESSFUL APPLIED"]
    assert stand().refunds == ["2000.00 DUE"]


@pytest.mark.parametrize("fault", ["error", "error_after", "rate_limit", "not_json"])
def test_opening_fails_and_works_the_next_time(payer, gateway, fault):
    gateway.scenario(initialize=fault, times=1)
    answer = payer.initialize()
    assert (answer.status_code, answer.json()["code"]) == (503, "paystack_unavailable")
    assert answer.headers["Retry-After"]
    assert stand() == OPEN
    payer.choose(payer.checkout())
    assert Payment.objects.count() == len(store.charges())
    assert stand() == replace(PAID, payments=["PENDING SUPERSEDED"] * (fault == "error_after") + PAID.payments)


@pytest.mark.parametrize("fault", ["error", "rate_limit", "not_json"])
def test_asking_fails_and_what_was_told_meanwhile_is_acted_on_later(payer, gateway, fault):
    checkout = payer.checkout()
    gateway.scenario(verify=fault)
    payer.choose(checkout)
    assert answered() == ["200"]
    assert payer.returns(checkout).status_code == 503
    assert WebhookEvent.objects.get().outcome == WebhookOutcome.RETRY
    assert stand() == OPEN
    assert tasks.replay_events() == 0
    assert WebhookEvent.objects.get().outcome == WebhookOutcome.RETRY
    gateway.scenario(verify="")
    assert tasks.replay_events() == 1
    assert WebhookEvent.objects.get().outcome == WebhookOutcome.APPLIED
    assert stand() == PAID


@pytest.mark.parametrize(("fault", "sent"), [("error", 0), ("error_after", 1)])
def test_sending_a_refund_fails_and_it_is_sent_once_all_the_same(payer, gateway, approved, boss, fault, sent):
    gateway.scenario(refund_call=fault, times=1)
    with pytest.raises(paystack.PaystackUnavailable):
        refunds.send(approved.pk, by=boss)
    gateway.settle()
    assert len(store.refunds()) == sent
    with clock.at(timedelta(minutes=16)):
        assert tasks.check_refunds() == (0 if Refund.objects.get().status == "PROCESSED" else 1)
        if not sent:
            refunds.send(approved.pk, by=boss)
            gateway.settle()
    assert len(store.refunds()) == 1
    assert stand().refunds == ["2000.00 PROCESSED"]
    assert stand().books == {CLEARING: -3000, FEES: 3000}
