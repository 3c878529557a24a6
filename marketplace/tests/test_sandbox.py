"""The local Paystack over real HTTP: its protocol, its checkout, its events and its scenarios."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
import requests

from marketplace import paystack
from marketplace.sandbox import store
from marketplace.tests.gateway import Gateway, serve

KEY = {"Authorization": "Bearer sk_test_sandbox"}
BACK = "https://app.example/payment/callback"


class Inbox:
    """Where the sandbox's events arrive: answers as told, keeps what came."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.events: list[dict[str, Any]] = []
        self.genuine: list[bool] = []

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        expected = hmac.new(b"sk_test_sandbox", body, hashlib.sha512).hexdigest()
        self.events.append({**json.loads(body), "path": environ["PATH_INFO"]})
        self.genuine.append(environ.get("HTTP_X_PAYSTACK_SIGNATURE") == expected)
        start(f"{self.answers.pop(0) if self.answers else 200} Taken", [("Content-Length", "0")])
        return [b""]

    @property
    def names(self) -> list[str]:
        return [event["event"] for event in self.events]


@pytest.fixture
def inbox(gateway: Gateway, settings: Any) -> Iterator[Inbox]:
    application = Inbox()
    for url in serve(application):
        settings.SITE_URL = url
        gateway.scenario(webhooks="deliver")
        yield application
        gateway.settle()
    settings.SITE_URL = gateway.site


def opened(gateway: Gateway, reference: str = "SR-1-abc", kobo: int = 200000, **more: Any) -> requests.Response:
    body = {"email": "ada@example.com", "amount": kobo, "reference": reference, "callback_url": BACK, **more}
    return requests.post(f"{gateway.url}/transaction/initialize", json=body, headers=KEY, timeout=10)


def checkout_of(gateway: Gateway, answer: requests.Response) -> str:
    return f"{gateway.url}/checkout/{answer.json()['data']['access_code']}"


def verify(gateway: Gateway, reference: str = "SR-1-abc") -> dict[str, Any]:
    return requests.get(f"{gateway.url}/transaction/verify/{reference}", headers=KEY, timeout=10).json()["data"]


# --- The protocol


def test_it_opens_a_charge(gateway: Gateway) -> None:
    answer = opened(gateway)
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] is True
    assert body["message"] == "Authorization URL created"
    assert body["data"]["reference"] == "SR-1-abc"
    assert body["data"]["authorization_url"] == checkout_of(gateway, answer)
    charge = verify(gateway)
    assert (charge["status"], charge["amount"], charge["currency"], charge["domain"]) == (
        "abandoned",
        200000,
        "NGN",
        "test",
    )
    assert (charge["fees"], charge["paid_at"]) == (None, None)


def test_the_amount_may_be_digits_in_a_string(gateway: Gateway) -> None:
    assert opened(gateway, kobo="200000").status_code == 200  # type: ignore[arg-type]
    assert verify(gateway)["requested_amount"] == 200000


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"email": ""}, "missing_params"),
        ({"email": None}, "missing_params"),
        ({"amount": None}, "missing_params"),
        ({"email": "ada"}, "invalid_email_address"),
        ({"amount": "20.50"}, "invalid_params"),
        ({"amount": 20.5}, "invalid_params"),
        ({"amount": -5}, "invalid_params"),
        ({"amount": True}, "invalid_params"),
        ({"reference": "with_underscore"}, "invalid_params"),
        ({"reference": "with space"}, "invalid_params"),
        ({"reference": "a/b"}, "invalid_params"),
        ({"currency": "EUR"}, "unsupported_currency"),
    ],
)
def test_it_refuses_as_paystack_does(gateway: Gateway, changes: dict[str, Any], code: str) -> None:
    answer = opened(gateway, **changes) if "reference" not in changes else opened(gateway, changes["reference"])
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (400, False, code)
    assert body["meta"]["nextStep"]
    assert store.charges() == []


def test_a_reference_is_taken_once(gateway: Gateway) -> None:
    assert opened(gateway).status_code == 200
    answer = opened(gateway, kobo=1)
    assert (answer.status_code, answer.json()["code"]) == (400, "duplicate_reference")
    assert verify(gateway)["amount"] == 200000


def test_fifty_at_once_with_one_reference_open_one_charge(gateway: Gateway) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: opened(gateway).status_code, range(50)))
    assert sorted(set(answers)) == [200, 400]
    assert answers.count(200) == 1
    assert len(store.charges()) == 1


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer sk_test_other"}, {"Authorization": "sk_test_sandbox"}]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "transaction/initialize"), ("GET", "transaction/verify/x"), ("POST", "refund"), ("GET", "refund/1")],
)
def test_it_knows_only_its_key(gateway: Gateway, headers: dict[str, str], method: str, path: str) -> None:
    answer = requests.request(method, f"{gateway.url}/{path}", headers=headers, json={}, timeout=10)
    assert (answer.status_code, answer.json()["message"]) == (401, "Invalid key")


def test_an_unknown_reference_is_not_found(gateway: Gateway) -> None:
    with pytest.raises(paystack.NotFound):
        paystack.verify("never-seen")


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"\x00", b'"x"'])
def test_a_body_that_is_no_object_is_refused(gateway: Gateway, body: bytes) -> None:
    answer = requests.post(f"{gateway.url}/transaction/initialize", data=body, headers=KEY, timeout=10)
    assert (answer.status_code, answer.json()["status"]) == (400, False)


# --- The checkout


def test_the_page_shows_what_is_paid_and_by_whom(gateway: Gateway) -> None:
    page = requests.get(checkout_of(gateway, opened(gateway, kobo=2250000)), timeout=10)
    assert page.status_code == 200
    assert "₦22,500.00" in page.text
    assert "ada@example.com" in page.text
    assert "http://" not in page.text.replace(gateway.site, "")
    assert "https://" not in page.text


def test_paying_settles_and_returns_to_the_merchant(gateway: Gateway) -> None:
    answer = gateway.choose(checkout_of(gateway, opened(gateway)), "pay")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{BACK}?trxref=SR-1-abc&reference=SR-1-abc"
    charge = verify(gateway)
    assert (charge["status"], charge["amount"], charge["requested_amount"], charge["fees"]) == (
        "success",
        200000,
        200000,
        3000,
    )
    assert charge["paid_at"]


def test_a_callback_with_a_query_keeps_it(gateway: Gateway) -> None:
    answer = gateway.choose(checkout_of(gateway, opened(gateway, callback_url=f"{BACK}?lang=en")), "pay")
    assert answer.headers["Location"] == f"{BACK}?lang=en&trxref=SR-1-abc&reference=SR-1-abc"


def test_declining_fails_the_charge_but_not_for_good(gateway: Gateway, inbox: Inbox) -> None:
    checkout = checkout_of(gateway, opened(gateway))
    gateway.choose(checkout, "decline")
    assert (verify(gateway)["status"], verify(gateway)["gateway_response"]) == ("failed", "Declined")
    gateway.settle()
    assert inbox.events == []
    gateway.choose(checkout, "pay")
    assert verify(gateway)["status"] == "success"


def test_leaving_and_paying_late(gateway: Gateway) -> None:
    checkout = checkout_of(gateway, opened(gateway))
    assert gateway.choose(checkout, "abandon").status_code == 302
    assert verify(gateway)["status"] == "abandoned"
    gateway.choose(checkout, "pay")
    assert verify(gateway)["status"] == "success"
    page = requests.get(checkout, timeout=10)
    assert "Payment received" in page.text


@pytest.mark.parametrize(
    ("choice", "name", "value"),
    [("short", "amount", 199900), ("dollars", "currency", "USD"), ("live", "domain", "live")],
)
def test_a_payment_can_be_wrong(gateway: Gateway, choice: str, name: str, value: object) -> None:
    gateway.choose(checkout_of(gateway, opened(gateway)), choice)
    charge = verify(gateway)
    assert (charge["status"], charge[name], charge["requested_amount"]) == ("success", value, 200000)


def test_the_payer_may_bear_the_fee(gateway: Gateway) -> None:
    gateway.scenario(payer_bears_fee=True)
    gateway.choose(checkout_of(gateway, opened(gateway)), "pay")
    assert (verify(gateway)["amount"], verify(gateway)["requested_amount"]) == (203000, 200000)


def test_twenty_payers_of_one_checkout_pay_once(gateway: Gateway, inbox: Inbox) -> None:
    checkout = checkout_of(gateway, opened(gateway))
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: gateway.choose(checkout, "pay"), range(20)))
    gateway.settle()
    assert inbox.names == ["charge.success"]


def test_an_unknown_choice_or_checkout_is_refused(gateway: Gateway) -> None:
    checkout = checkout_of(gateway, opened(gateway))
    assert gateway.choose(checkout, "steal").status_code == 400
    assert gateway.choose(f"{gateway.url}/checkout/nope").status_code == 404
    assert verify(gateway)["status"] == "abandoned"


# --- Events


def test_a_payment_is_announced_with_a_genuine_signature(gateway: Gateway, inbox: Inbox) -> None:
    gateway.choose(checkout_of(gateway, opened(gateway)), "pay")
    gateway.settle()
    [event] = inbox.events
    assert (event["event"], event["path"], event["data"]["reference"]) == (
        "charge.success",
        "/api/payments/webhook/",
        "SR-1-abc",
    )
    assert inbox.genuine == [True]
    assert {**event["data"]} == verify(gateway)


def test_an_event_is_repeated_until_it_is_taken(gateway: Gateway, inbox: Inbox) -> None:
    inbox.answers = [500, 201, 302, 200]
    gateway.choose(checkout_of(gateway, opened(gateway)), "pay")
    gateway.settle()
    assert len(inbox.events) == 4
    [row] = store.webhooks()
    assert (row["attempts"], row["answer"]) == (4, "200")
    assert row["delivered_at"]


def test_an_event_is_given_up_in_the_end_and_can_be_sent_again(gateway: Gateway, inbox: Inbox) -> None:
    gateway.scenario(pause_seconds=0.01)
    inbox.answers = [500] * 5
    gateway.choose(checkout_of(gateway, opened(gateway)), "pay")
    gateway.settle()
    [row] = store.webhooks()
    assert (len(inbox.events), row["attempts"], row["delivered_at"]) == (5, 5, None)
    assert (
        requests.post(f"{gateway.url}/_webhooks/{row['id']}/resend/", timeout=10, allow_redirects=False).status_code
        == 302
    )
    assert store.webhooks()[0]["delivered_at"]
    assert inbox.events[-1] == inbox.events[0]


def test_events_can_be_lost_or_come_twice(gateway: Gateway, inbox: Inbox) -> None:
    gateway.scenario(webhooks="drop")
    gateway.choose(checkout_of(gateway, opened(gateway, "SR-1-lost")), "pay")
    gateway.settle()
    assert inbox.events == []
    gateway.scenario(webhooks="twice")
    gateway.choose(checkout_of(gateway, opened(gateway, "SR-1-twice")), "pay")
    gateway.settle()
    assert [event["data"]["reference"] for event in inbox.events] == ["SR-1-twice"] * 2


# --- Refunds


def paid(gateway: Gateway, kobo: int = 200000) -> None:
    gateway.choose(checkout_of(gateway, opened(gateway, kobo=kobo)), "pay")
    gateway.settle()


@pytest.mark.parametrize("end", ["processed", "failed", "needs-attention"])
def test_a_refund_goes_its_way_and_tells_each_step(gateway: Gateway, inbox: Inbox, end: str) -> None:
    paid(gateway)
    gateway.scenario(refund=end)
    refund = paystack.refund(reference="SR-1-abc", amount_kobo=200000, note="refund 1")
    assert refund.status == "pending"
    gateway.settle()
    assert inbox.names == ["charge.success", "refund.pending", "refund.processing", f"refund.{end}"]
    data = inbox.events[-1]["data"]
    assert (data["transaction_reference"], data["amount"], data["merchant_note"]) == ("SR-1-abc", "200000", "refund 1")
    assert ("id" in data) is (end == "needs-attention")
    assert paystack.fetch_refund(refund.id).status == end
    assert verify(gateway)["status"] == ("reversed" if end == "processed" else "success")


def test_a_refund_that_needs_attention_takes_an_account(gateway: Gateway, inbox: Inbox) -> None:
    paid(gateway)
    gateway.scenario(refund="needs-attention")
    refund = paystack.refund(reference="SR-1-abc", amount_kobo=200000, note="refund 1")
    gateway.settle()
    assert paystack.retry_refund(refund.id, account_number="0123456789", bank_id="9").status == "pending"
    gateway.settle()
    assert inbox.names[-3:] == ["refund.pending", "refund.processing", "refund.processed"]
    with pytest.raises(paystack.PaystackRefused):
        paystack.retry_refund(refund.id, account_number="0123456789", bank_id="9")


def test_no_more_goes_back_than_came_in(gateway: Gateway) -> None:
    paid(gateway)
    paystack.refund(reference="SR-1-abc", amount_kobo=150000, note="refund 1")
    with pytest.raises(paystack.PaystackRefused, match="refused"):
        paystack.refund(reference="SR-1-abc", amount_kobo=50001, note="refund 2")
    paystack.refund(reference="SR-1-abc", amount_kobo=50000, note="refund 3")
    gateway.settle()
    with pytest.raises(paystack.PaystackRefused) as refusal:
        paystack.refund(reference="SR-1-abc", amount_kobo=1, note="refund 4")
    assert refusal.value.reason == "transaction_reversed"


def test_only_a_paid_charge_goes_back(gateway: Gateway) -> None:
    opened(gateway)
    with pytest.raises(paystack.PaystackRefused):
        paystack.refund(reference="SR-1-abc", amount_kobo=1, note="refund 1")
    with pytest.raises(paystack.NotFound):
        paystack.refund(reference="never-seen", amount_kobo=1, note="refund 1")
    with pytest.raises(paystack.NotFound):
        paystack.fetch_refund(99)


def test_a_refund_is_found_by_its_note(gateway: Gateway) -> None:
    from core import clock

    before = clock.now()
    paid(gateway)
    sent = paystack.refund(reference="SR-1-abc", amount_kobo=1, note="refund 1")
    found = paystack.find_refund(note="refund 1", since=before)
    assert found is not None
    assert found.id == sent.id
    assert paystack.find_refund(note="refund 2", since=before) is None


# --- Faults


def test_a_fault_lasts_as_many_calls_as_it_was_told(gateway: Gateway) -> None:
    opened(gateway)
    gateway.scenario(verify="error", times=2)
    assert paystack.verify("SR-1-abc").status == "abandoned"
    assert store.scenario()["verify"] == ""


@pytest.mark.parametrize("fault", ["error", "rate_limit", "not_json"])
def test_a_call_can_fail_before_it_does_anything(gateway: Gateway, fault: str) -> None:
    gateway.scenario(initialize=fault)
    with pytest.raises(paystack.PaystackUnavailable):
        paystack.initialize(email="ada@example.com", amount_kobo=1, reference="r1", callback_url=BACK)
    assert store.charges() == []


@pytest.mark.parametrize("fault", ["error_after", "stall_after"])
def test_a_call_can_fail_after_the_charge_was_opened(gateway: Gateway, settings: Any, fault: str) -> None:
    settings.PAYSTACK_TIMEOUT_SECONDS = 0.5
    gateway.scenario(initialize=fault)
    with pytest.raises(paystack.PaystackUnavailable) as problem:
        paystack.initialize(email="ada@example.com", amount_kobo=1, reference="r1", callback_url=BACK)
    assert problem.value.maybe_done
    assert paystack.verify("r1").status == "abandoned"


def test_the_scenario_is_read_changed_and_reset(gateway: Gateway) -> None:
    url = f"{gateway.url}/_scenario/"
    assert requests.get(url, timeout=10).json()["webhooks"] == "drop"
    assert requests.delete(url, timeout=10).json() == dict(store.SCENARIO)
    for wrong in ({"weather": "fine"}, {"times": "2"}, {"webhooks": 1}, {"payer_bears_fee": 1}, [], {}, "x"):
        assert requests.post(url, json=wrong, timeout=10).status_code == 400
    assert requests.get(url, timeout=10).json() == dict(store.SCENARIO)


def test_its_front_page_lists_what_happened(gateway: Gateway, inbox: Inbox) -> None:
    assert "Nothing was paid for yet." in requests.get(f"{gateway.url}/", timeout=10).text
    paid(gateway)
    paystack.refund(reference="SR-1-abc", amount_kobo=100000, note="refund 1")
    gateway.settle()
    page = requests.get(f"{gateway.url}/", timeout=10).text
    for text in ("SR-1-abc", "₦2,000.00", "₦1,000.00", "charge.success", "refund.processed"):
        assert text in page


def test_its_state_is_one_file_of_its_own(gateway: Gateway, settings: Any) -> None:
    opened(gateway)
    assert Path(settings.SANDBOX_STATE).exists()
    store.forget_everything()
    assert store.charges() == []
