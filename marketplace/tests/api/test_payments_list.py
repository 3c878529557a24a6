"""GET /api/payments/ and GET /api/payments/{id}/."""

import pytest

from marketplace.models import Payment

pytestmark = pytest.mark.django_db

URL = "/api/payments/"


@pytest.fixture
def paid(request_in):
    """Three payments of ada's: two booking fees and a final price."""
    request_in("PAYMENT_CONFIRMED")
    request_in("PENDING_ADMIN_ASSIGNMENT")
    return Payment.objects.order_by("-created_at", "-id")


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [item["id"] for item in answer.json()["items"]]


def test_a_client_sees_what_she_paid_newest_first(paid, ada, as_):
    answer = as_(ada).get(URL)
    assert ids(answer) == [payment.pk for payment in paid]
    assert answer.json()["next"] is None
    assert {item["status"] for item in answer.json()["items"]} == {"SUCCESSFUL"}


def test_nobody_sees_what_others_paid(paid, eve, tunde, as_):
    assert ids(as_(eve).get(URL)) == []
    assert as_(tunde).get(URL).status_code == 403
    assert as_().get(URL).status_code == 401


def test_admins_who_may_see_all(paid, boss, make_admin, as_):
    assert len(ids(as_(boss).get(URL))) == 3
    assert len(ids(as_(make_admin("finance")).get(URL))) == 3
    assert as_(make_admin()).get(URL).status_code == 403


def test_it_goes_page_by_page(paid, ada, as_):
    first = as_(ada).get(URL, {"limit": 2})
    second = as_(ada).get(first.json()["next"])
    assert ids(first) + ids(second) == [payment.pk for payment in paid]
    assert second.json()["next"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"cursor": "x"},
        {"owner": "1"},
        {"status": "SUCCESSFUL"},
        {"service_request_id": "1"},
        {"ordering": "created_at"},
    ],
)
def test_a_query_of_the_wrong_shape_is_refused(ada, as_, query):
    answer = as_(ada).get(URL, query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == next(iter(query))


def test_one_payment(paid, ada, eve, boss, tunde, as_):
    payment = paid[0]
    assert as_(ada).get(f"{URL}{payment.pk}/").json()["reference"] == payment.paystack_reference
    assert as_(boss).get(f"{URL}{payment.pk}/").status_code == 200
    assert as_(eve).get(f"{URL}{payment.pk}/").status_code == 404
    assert as_(tunde).get(f"{URL}{payment.pk}/").status_code == 403
    assert as_(ada).get(f"{URL}987654/").status_code == 404
    assert as_(ada).get(f"{URL}x/").status_code == 422
