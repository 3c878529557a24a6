"""The client of Paystack, against scripted answers of every shape that Paystack really gives."""

import hashlib
import hmac
import json
import socket
from datetime import UTC, datetime

import pytest
from django.test import override_settings

from core.errors import Unavailable
from marketplace import paystack
from marketplace.tests.gateway import Scripted

VERIFIED = {
    "id": 4099260516,
    "domain": "test",
    "status": "success",
    "reference": "SR-1-abc",
    "amount": 4033300,
    "requested_amount": 3005000,
    "currency": "NGN",
    "fees": 10283,
    "channel": "card",
    "paid_at": "2026-11-22T09:15:02.000Z",
    "gateway_response": "Approved",
    "metadata": {"request": 1},
}


def envelope(data: object, *, ok: bool = True, **more: object) -> bytes:
    return json.dumps({"status": ok, "message": "said", "data": data, **more}).encode()


def no(code: str, message: str = "No") -> bytes:
    return json.dumps({"status": False, "message": message, "type": "validation_error", "code": code}).encode()


def verified(**changes: object) -> paystack.Transaction:
    return paystack.transaction_from({**VERIFIED, **changes})


# --- Reading answers


def test_it_reads_a_transaction() -> None:
    assert verified() == paystack.Transaction(
        reference="SR-1-abc",
        status="success",
        amount_kobo=4033300,
        requested_amount_kobo=3005000,
        currency="NGN",
        domain="test",
        fees_kobo=10283,
        id=4099260516,
        paid_at=datetime(2026, 11, 22, 9, 15, 2, tzinfo=UTC),
        channel="card",
        gateway_response="Approved",
    )


@pytest.mark.parametrize("metadata", [{}, {"a": 1}, "", 0, None, "text", []])
def test_metadata_may_have_any_shape(metadata: object) -> None:
    assert verified(metadata=metadata) == verified()


def test_amounts_may_be_strings_and_fees_unknown() -> None:
    transaction = verified(amount="3005000", requested_amount="3005000", fees=None)
    assert (transaction.amount_kobo, transaction.requested_amount_kobo, transaction.fees_kobo) == (
        3005000,
        3005000,
        None,
    )


def test_without_a_requested_amount_the_amount_counts() -> None:
    assert verified(requested_amount=None).requested_amount_kobo == 4033300


@pytest.mark.parametrize("amount", [None, "", "30.50", 30.5, True, -1, "-1", "٣٠", "1e5", 10**15, [], {}])
def test_an_amount_that_is_no_whole_number_is_no_answer(amount: object) -> None:
    with pytest.raises(paystack.PaystackUnavailable):
        verified(amount=amount)


@pytest.mark.parametrize("name", ["reference", "status", "currency", "domain"])
@pytest.mark.parametrize("value", [None, "", 5, {}])
def test_an_answer_without_its_essentials_is_no_answer(name: str, value: object) -> None:
    with pytest.raises(paystack.PaystackUnavailable):
        verified(**{name: value})


@pytest.mark.parametrize("moment", [None, "", "yesterday", 17, "2026-11-22T09:15:02"])
def test_a_moment_it_cannot_place_is_left_out(moment: object) -> None:
    assert verified(paid_at=moment).paid_at is None


# --- What settles


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"amount": 3005000}, []),
        ({}, []),  # the payer bore the fee
        ({"amount": 3004999}, ["amount"]),
        ({"amount": 3005001, "requested_amount": 3005001}, ["requested_amount"]),
        ({"amount": 3004999, "requested_amount": 3004999}, ["requested_amount", "amount"]),
        ({"amount": 0, "requested_amount": 0}, ["requested_amount", "amount"]),
        ({"amount": 300500000, "requested_amount": 300500000}, ["requested_amount"]),
        ({"amount": 30050, "requested_amount": 30050}, ["requested_amount", "amount"]),
        ({"currency": "USD"}, ["currency"]),
        ({"currency": "ngn"}, ["currency"]),
        ({"domain": "live"}, ["domain"]),
        ({"reference": "SR-1-abd"}, ["reference"]),
    ],
)
def test_only_the_exact_charge_settles(changes: dict, wrong: list[str]) -> None:
    assert verified(**changes).wrong_about(reference="SR-1-abc", amount_kobo=3005000) == wrong


@override_settings(PAYSTACK_SECRET_KEY="sk_live_x")
def test_a_test_transaction_proves_nothing_under_a_live_key() -> None:
    assert verified().wrong_about(reference="SR-1-abc", amount_kobo=3005000) == ["domain"]
    assert verified(domain="live").wrong_about(reference="SR-1-abc", amount_kobo=3005000) == []


@pytest.mark.parametrize(
    "status", ["abandoned", "failed", "ongoing", "pending", "processing", "queued", "reversed", "SUCCESS"]
)
def test_no_other_status_is_paid(status: str) -> None:
    assert not verified(status=status).is_paid
    assert verified().is_paid


# --- Calling


def test_initialize_sends_whole_kobo_and_the_key(scripted: Scripted) -> None:
    data = {"authorization_url": "https://x/y", "access_code": "y", "reference": "SR-1-abc"}
    scripted.answers = [(200, envelope(data))]
    checkout = paystack.initialize(
        email="ada@example.com", amount_kobo=200000, reference="SR-1-abc", callback_url="https://a/b", metadata={"r": 1}
    )
    assert checkout == paystack.Checkout(reference="SR-1-abc", access_code="y", authorization_url="https://x/y")
    [(method, path, body, key)] = scripted.asked
    assert (method, path, key) == ("POST", "/transaction/initialize", "Bearer sk_test_sandbox")
    assert json.loads(body) == {
        "email": "ada@example.com",
        "amount": 200000,
        "currency": "NGN",
        "reference": "SR-1-abc",
        "callback_url": "https://a/b",
        "metadata": {"r": 1},
    }


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_reading_is_repeated(scripted: Scripted, status: int) -> None:
    scripted.answers = [(status, b"{}"), (status, b"{}"), (200, envelope(VERIFIED))]
    assert paystack.verify("SR-1-abc").status == "success"
    assert len(scripted.asked) == 3


def test_reading_gives_up_after_three_times(scripted: Scripted) -> None:
    with pytest.raises(paystack.PaystackUnavailable) as problem:
        paystack.verify("SR-1-abc")
    assert len(scripted.asked) == 3
    assert (problem.value.status, problem.value.code) == (503, "paystack_unavailable")
    assert isinstance(problem.value, Unavailable)


@pytest.mark.parametrize(("status", "maybe_done"), [(429, False), (500, True), (502, True)])
def test_writing_is_never_repeated(scripted: Scripted, status: int, maybe_done: bool) -> None:
    calls = [
        lambda: paystack.initialize(email="a@b.co", amount_kobo=1, reference="r", callback_url=""),
        lambda: paystack.refund(reference="r", amount_kobo=1, note="n"),
        lambda: paystack.retry_refund(1, account_number="0123456789", bank_id="9"),
    ]
    for number, call in enumerate(calls, 1):
        scripted.answers = [(status, b"{}"), (200, envelope(VERIFIED))]
        with pytest.raises(paystack.PaystackUnavailable) as problem:
            call()
        assert problem.value.maybe_done is maybe_done
        assert len(scripted.asked) == number


@pytest.mark.parametrize(
    "answer", [b"<html>", b"[]", b'"x"', b"null", b'{"status": true}', envelope([]), envelope("x")]
)
def test_an_answer_that_is_no_envelope_is_no_answer(scripted: Scripted, answer: bytes) -> None:
    scripted.answers = [(200, answer)] * 3
    with pytest.raises(paystack.PaystackError):
        paystack.verify("SR-1-abc")


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, no("transaction_not_found")), (404, no("anything")), (404, b"{}")],
)
def test_an_unknown_reference_is_not_found(scripted: Scripted, status: int, body: bytes) -> None:
    scripted.answers = [(status, body)]
    with pytest.raises(paystack.NotFound):
        paystack.verify("nope")
    assert len(scripted.asked) == 1


def test_a_refusal_carries_paystacks_code_and_is_not_repeated(scripted: Scripted) -> None:
    scripted.answers = [(401, no("invalid_Key", "Invalid key"))]
    with pytest.raises(paystack.PaystackRefused) as refusal:
        paystack.verify("SR-1-abc")
    assert (refusal.value.reason, refusal.value.message, refusal.value.http_status) == (
        "invalid_Key",
        "Invalid key",
        401,
    )
    assert refusal.value.status == 503
    assert len(scripted.asked) == 1


def test_a_no_inside_a_200_is_a_refusal(scripted: Scripted) -> None:
    scripted.answers = [(200, no("odd"))]
    with pytest.raises(paystack.PaystackRefused, match="refused"):
        paystack.verify("SR-1-abc")


def test_a_redirect_is_not_followed(scripted: Scripted) -> None:
    scripted.answers = [(302, b"{}"), (200, envelope(VERIFIED))]
    with pytest.raises(paystack.PaystackError):
        paystack.verify("SR-1-abc")
    assert [path for _, path, _, _ in scripted.asked] == ["/transaction/verify/SR-1-abc"]


def test_a_reference_cannot_leave_its_place_in_the_path(scripted: Scripted) -> None:
    scripted.answers = [(200, envelope(VERIFIED))]
    paystack.verify("a/b?c#d")
    # The test server shows the path unquoted; a question mark that had escaped would have become a query.
    assert scripted.asked[0][1] == "/transaction/verify/a/b?c#d"


def test_silence_is_unavailable_and_may_have_worked(settings: object) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        settings.PAYSTACK_BASE_URL = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        settings.PAYSTACK_TIMEOUT_SECONDS = 0.3
        with pytest.raises(paystack.PaystackUnavailable) as problem:
            paystack.refund(reference="r", amount_kobo=1, note="n")
    assert problem.value.maybe_done


def test_a_closed_port_is_unavailable(settings: object) -> None:
    settings.PAYSTACK_BASE_URL = "http://127.0.0.1:9"
    with pytest.raises(paystack.PaystackUnavailable):
        paystack.verify("SR-1-abc")


# --- Refunds


@pytest.mark.parametrize("transaction", [1641, "1641", {"id": 1641}, {"id": 1641, "reference": "SR-1-abc"}])
def test_it_reads_a_refund(scripted: Scripted, transaction: object) -> None:
    data = {"id": 7, "status": "pending", "amount": "10000", "transaction": transaction, "merchant_note": "refund 1"}
    scripted.answers = [(200, envelope(data))]
    refund = paystack.refund(reference="SR-1-abc", amount_kobo=10000, note="refund 1")
    assert (refund.id, refund.status, refund.amount_kobo, refund.note) == (7, "pending", 10000, "refund 1")
    assert refund.transaction in ("1641", "SR-1-abc")
    assert json.loads(scripted.asked[0][2]) == {
        "transaction": "SR-1-abc",
        "amount": 10000,
        "currency": "NGN",
        "merchant_note": "refund 1",
    }


def test_a_sent_refund_is_found_by_its_note_on_any_page(scripted: Scripted) -> None:
    other = {"id": 1, "status": "pending", "amount": 1, "merchant_note": "another"}
    ours = {**other, "id": 9, "merchant_note": "refund 1"}
    scripted.answers = [(200, envelope([other] * 100)), (200, envelope([other, ours]))]
    found = paystack.find_refund(note="refund 1", since=datetime(2026, 11, 22, tzinfo=UTC))
    assert found is not None
    assert found.id == 9
    assert "page=2" in scripted.asked[1][1]


def test_a_refund_that_was_never_sent_is_not_found(scripted: Scripted) -> None:
    scripted.answers = [(200, envelope([]))]
    assert paystack.find_refund(note="refund 1", since=datetime(2026, 11, 22, tzinfo=UTC)) is None


# --- Signatures


def signed(body: bytes, secret: str = "sk_test_sandbox") -> str:
    return hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()


BODY = b'{"event": "charge.success", "data": {"reference": "SR-1-abc"}}'


def test_paystacks_signature_is_genuine() -> None:
    assert paystack.is_genuine(BODY, signed(BODY))
    assert paystack.is_genuine(b"", signed(b""))


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "x",
        signed(BODY).upper(),
        signed(BODY) + " ",
        signed(BODY)[:-1],
        signed(BODY, "sk_test_other"),
        signed(BODY + b" "),
        hmac.new(b"sk_test_sandbox", BODY, hashlib.sha256).hexdigest(),
        "é" * 128,
        "\x00" * 128,
    ],
)
def test_any_other_signature_is_not(signature: str | None) -> None:
    assert not paystack.is_genuine(BODY, signature)


@override_settings(PAYSTACK_WEBHOOK_SECRET="")
def test_nothing_is_genuine_without_a_secret() -> None:
    assert not paystack.is_genuine(BODY, signed(BODY, ""))
