"""A copy of all that is kept about the caller, and the end of the account, by the API."""

import json
from decimal import Decimal

import pytest

from core.models import User
from marketplace.services import negotiations
from marketplace.tests.books import enter

pytestmark = pytest.mark.django_db


def test_a_client_s_copy_holds_what_she_wrote_and_paid_and_nothing_of_others(as_, ada, boss, eve, request_in):
    enter(request_in("PAYMENT_CONFIRMED"))
    talk = request_in("AWAITING_CLIENT_APPROVAL")
    negotiations.propose_price(talk.pk, amount=Decimal(21000), message="A little less?", by=ada)
    enter(request_in("PENDING_ADMIN_ASSIGNMENT", client=eve, client_address="9 Eve Street"))
    answer = as_(ada).get("/api/me/export/")
    assert answer.status_code == 200
    data = answer.json()
    assert data["account"][0]["email"] == "ada@example.com"
    assert data["client_profile"] == [{"address": "12 Allen Avenue, Ikeja, Lagos"}]
    assert [row["message"] for row in data["proposals"]] == ["A little less?"]
    assert [row["amount"] for row in data["payments"]] == ["2000.00", "22000.00", "2000.00"]
    assert data["payments"][0]["service_request_code"] == data["service_requests"][0]["code"]
    assert data["exported_at"].endswith("+01:00")
    assert data["service_requests"][0]["created_at"].endswith("+01:00")
    assert data["jobs"] == data["earnings"] == []
    text = json.dumps(data)
    assert "Eve Street" not in text
    assert "eve@example.com" not in text


def test_a_serviceman_s_copy_holds_his_jobs_and_earnings_but_no_address_of_a_client(as_, tunde, request_in):
    enter(request_in("COMPLETED"))
    data = as_(tunde).get("/api/me/export/").json()
    assert [row["serviceman_estimated_cost"] for row in data["jobs"]] == ["20000.00"]
    assert [row["amount_kobo"] for row in data["earnings"]] == [-2_000_000]
    assert "Allen Avenue" not in json.dumps(data)
    assert data["service_requests"] == data["payments"] == []


def test_the_copy_takes_as_many_statements_however_much_there_is(as_, ada, request_in, django_assert_num_queries):
    for _ in range(5):
        request_in("NEGOTIATING")
    with django_assert_num_queries(22):
        as_(ada).get("/api/me/export/")


def test_an_account_is_erased_when_nothing_is_open(as_, ada):
    answer = as_(ada).delete("/api/me/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert as_(ada).get("/api/me/").status_code == 401
    login = {"email": "ada@example.com", "password": "Str0ng-enough"}
    assert as_().post("/api/auth/login/", login).status_code == 401
    again = {"email": "ada@example.com", "password": "Str0ng-enough-2", "user_type": "CLIENT"}
    assert as_().post("/api/auth/register/", again).status_code == 201


def test_what_is_open_is_named_and_nothing_is_erased(as_, ada, request_in):
    request = request_in("IN_PROGRESS")
    answer = as_(ada).delete("/api/me/")
    assert (answer.status_code, answer.json()["code"]) == (409, "open_obligations")
    assert request.code in answer.json()["detail"]
    assert as_(ada).get("/api/me/").json()["first_name"] == "Ada"


def test_an_admin_sees_and_may_erase_himself_too(as_, boss, make_admin):
    assert as_(boss).get("/api/me/export/").json()["account"][0]["user_type"] == "ADMIN"
    assert as_(boss).delete("/api/me/").json()["code"] == "last_superuser"
    clerk = make_admin("dispatcher")
    assert as_(clerk).delete("/api/me/").status_code == 204
    assert not User.objects.get(pk=clerk.pk).is_staff


def test_strangers_have_neither(as_):
    assert as_().get("/api/me/export/").status_code == 401
    assert as_().delete("/api/me/").status_code == 401


def test_nobody_books_for_an_account_that_was_closed_meanwhile(ada, plumbing):
    from datetime import timedelta

    from core import clock
    from core.errors import Conflict
    from marketplace.services.privacy import erase
    from marketplace.services.requests import book

    erase(user=ada, by=ada)
    with pytest.raises(Conflict) as refused:
        book(
            category_id=plumbing.pk,
            booking_date=clock.today() + timedelta(days=5),
            client_address="12 Allen Avenue",
            service_description="The tap drips.",
            by=ada,
        )
    assert refused.value.code == "account_closed"
