"""POST /api/payments/initialize/."""

import pytest

from marketplace.models import Payment
from marketplace.sandbox import store
from marketplace.tests.gateway import Gateway

pytestmark = pytest.mark.django_db

URL = "/api/payments/initialize/"


@pytest.fixture
def booking(request_in):
    return request_in("AWAITING_BOOKING_FEE")


def asked(booking, payment_type="INITIAL_BOOKING", **more):
    return {"service_request_id": booking.pk, "payment_type": payment_type, **more}


def test_it_answers_the_checkout(gateway: Gateway, booking, ada, as_):
    answer = as_(ada).post(URL, asked(booking))
    assert answer.status_code == 201
    payment = Payment.objects.get()
    assert answer["Location"] == f"/api/payments/{payment.pk}/"
    body = answer.json()
    assert body.pop("created_at").endswith("+01:00")
    assert body == {
        "id": payment.pk,
        "service_request_id": booking.pk,
        "payment_type": "INITIAL_BOOKING",
        "channel": "PAYSTACK",
        "amount": "2000.00",
        "currency": "NGN",
        "status": "PENDING",
        "outcome": None,
        "reference": payment.paystack_reference,
        "access_code": payment.paystack_access_code,
        "authorization_url": f"{gateway.url}/checkout/{payment.paystack_access_code}",
        "paid_at": None,
    }


def test_asked_again_it_answers_the_same_one(gateway: Gateway, booking, ada, as_):
    first = as_(ada).post(URL, asked(booking))
    again = as_(ada).post(URL, asked(booking))
    assert (again.status_code, again.json()) == (200, first.json())
    assert len(store.charges()) == 1


def test_an_idempotency_key_replays_the_first_answer(gateway: Gateway, booking, ada, as_):
    answers = [as_(ada).post(URL, asked(booking), headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize("extra", [{"amount": "1.00"}, {"currency": "USD"}, {"reference": "mine"}, {"email": "x@y.z"}])
def test_the_caller_decides_nothing_else(booking, ada, as_, extra):
    answer = as_(ada).post(URL, asked(booking, **extra))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == next(iter(extra))
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({}, "service_request_id"),
        ({"service_request_id": 1}, "payment_type"),
        ({"service_request_id": "x", "payment_type": "INITIAL_BOOKING"}, "service_request_id"),
        ({"service_request_id": 0, "payment_type": "INITIAL_BOOKING"}, "service_request_id"),
        ({"service_request_id": 2**63, "payment_type": "INITIAL_BOOKING"}, "service_request_id"),
        ({"service_request_id": True, "payment_type": "INITIAL_BOOKING"}, "service_request_id"),
        ({"service_request_id": 1, "payment_type": "TIP"}, "payment_type"),
        ({"service_request_id": 1, "payment_type": None}, "payment_type"),
    ],
)
def test_a_body_of_the_wrong_shape_names_its_field(ada, as_, body, loc):
    answer = as_(ada).post(URL, body)
    assert answer.status_code == 422
    assert loc in [error["loc"] for error in answer.json()["errors"]]


def test_only_the_client_pays(booking, eve, tunde, boss, as_):
    assert as_().post(URL, asked(booking)).status_code == 401
    assert as_(eve).post(URL, asked(booking)).status_code == 404
    assert as_(tunde).post(URL, asked(booking)).status_code == 403
    assert as_(boss).post(URL, asked(booking)).status_code == 403
    assert not Payment.objects.exists()


def test_an_unverified_client_pays_nothing(request_in, make_client, as_):
    kemi = make_client("kemi", is_email_verified=False)
    answer = as_(kemi).post(URL, asked(request_in("AWAITING_BOOKING_FEE", client=kemi)))
    assert (answer.status_code, answer.json()["code"]) == (403, "email_not_verified")


def test_nothing_due_is_a_conflict(request_in, ada, as_):
    answer = as_(ada).post(URL, asked(request_in("IN_PROGRESS"), "FINAL_PAYMENT"))
    assert (answer.status_code, answer.json()["code"]) == (409, "already_paid")
    answer = as_(ada).post(URL, asked(request_in("AWAITING_CLIENT_APPROVAL"), "FINAL_PAYMENT"))
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_due")


@pytest.mark.parametrize("fault", ["error", "error_after", "rate_limit", "not_json"])
def test_while_paystack_is_away_it_says_so(gateway: Gateway, booking, ada, as_, fault):
    gateway.scenario(initialize=fault, times=1)
    answer = as_(ada).post(URL, asked(booking))
    assert (answer.status_code, answer.json()["code"]) == (503, "paystack_unavailable")
    assert answer["Retry-After"]
    assert as_(ada).post(URL, asked(booking)).status_code == 201
