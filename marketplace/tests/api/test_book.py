"""POST /api/service-requests/."""

from datetime import UTC, datetime, timedelta

import pytest

from core import clock
from marketplace.models import Category, ServiceRequest, UnavailableDate

PATH = "/api/service-requests/"


@pytest.fixture
def wish(plumbing):
    return {
        "category_id": plumbing.pk,
        "booking_date": (clock.today() + timedelta(days=7)).isoformat(),
        "client_address": "12 Allen Avenue, Ikeja, Lagos",
        "service_description": "The kitchen tap drips.",
    }


def test_it_answers_201_with_the_request_and_where_to_find_it(as_, ada, wish):
    answer = as_(ada).post(PATH, wish)
    assert answer.status_code == 201, answer.content
    booked = answer.json()
    assert answer["Location"] == f"{PATH}{booked['id']}/"
    assert as_(ada).get(answer["Location"]).json() == booked
    assert (booked["status"], booked["waiting_on"]) == ("AWAITING_BOOKING_FEE", "CLIENT")
    assert booked["initial_booking_fee"] == "2000.00"
    assert (booked["is_emergency"], booked["auto_flagged_emergency"]) == (False, False)
    assert booked["available_actions"] == ["cancel", "reschedule", "pay-booking-fee"]
    assert booked["price_version"] == 0


def test_a_near_date_is_an_emergency_whatever_was_asked(as_, ada, wish):
    wish |= {"booking_date": (clock.today() + timedelta(days=1)).isoformat(), "is_emergency": False}
    booked = as_(ada).post(PATH, wish).json()
    assert (booked["is_emergency"], booked["auto_flagged_emergency"]) == (True, True)
    assert booked["initial_booking_fee"] == "5000.00"


def test_a_late_date_may_be_an_emergency_too(as_, ada, wish):
    booked = as_(ada).post(PATH, wish | {"is_emergency": True}).json()
    assert (booked["is_emergency"], booked["auto_flagged_emergency"]) == (True, False)
    assert booked["initial_booking_fee"] == "5000.00"


def test_today_is_cut_in_lagos(as_, ada, wish):
    with clock.at(datetime(2026, 11, 22, 23, 30, tzinfo=UTC)):
        assert as_(ada).post(PATH, wish | {"booking_date": "2026-11-22"}).status_code == 422
        booked = as_(ada).post(PATH, wish | {"booking_date": "2026-11-24"}).json()
        assert booked["is_emergency"] is True
        assert as_(ada).post(PATH, wish | {"booking_date": "2026-11-25"}).json()["is_emergency"] is False


def test_a_preferred_serviceman_is_kept(as_, ada, tunde, wish):
    booked = as_(ada).post(PATH, wish | {"preferred_serviceman_id": tunde.pk}).json()
    assert booked["preferred_serviceman"] == {
        "id": tunde.pk,
        "name": "Tunde Bello",
        "phone_number": None,
        "rating": "0.00",
    }


@pytest.mark.parametrize("why", ["away that day", "takes no jobs", "suspended", "not approved", "gone", "other trade"])
def test_a_preferred_serviceman_who_is_not_free_is_named(as_, ada, tunde, bola, wish, why):
    profile = tunde.serviceman_profile
    match why:
        case "away that day":
            UnavailableDate.objects.create(serviceman=tunde, date=wish["booking_date"])
        case "takes no jobs":
            profile.is_available = False
        case "suspended":
            profile.approval = "SUSPENDED"
        case "not approved":
            profile.approval = "PENDING"
        case "gone":
            type(tunde).objects.filter(pk=tunde.pk).update(is_active=False)
        case "other trade":
            profile.category = Category.objects.create(name="Painting", description="Walls.")
    profile.save()
    answer = as_(ada).post(PATH, wish | {"preferred_serviceman_id": tunde.pk})
    assert (answer.status_code, [error["loc"] for error in answer.json()["errors"]]) == (
        422,
        ["preferred_serviceman_id"],
    )
    assert not ServiceRequest.objects.exists()
    assert as_(ada).post(PATH, wish | {"preferred_serviceman_id": bola.pk}).status_code == 201


@pytest.mark.parametrize("days", [-1, 1])
def test_a_preferred_serviceman_may_be_away_on_other_days(as_, ada, tunde, wish, days):
    UnavailableDate.objects.create(serviceman=tunde, date=clock.today() + timedelta(days=7 + days))
    assert as_(ada).post(PATH, wish | {"preferred_serviceman_id": tunde.pk}).status_code == 201


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("category_id", 999_999),
        ("category_id", "1"),
        ("category_id", 0),
        ("category_id", 10**30),
        ("category_id", True),
        ("booking_date", "2020-01-01"),
        ("booking_date", "22.11.2026"),
        ("booking_date", "2199-01-01"),
        ("client_address", ""),
        ("client_address", "x" * 501),
        ("client_address", None),
        ("service_description", "   "),
        ("service_description", "a\0b"),
        ("is_emergency", "yes"),
        ("preferred_serviceman_id", 999_999),
        ("initial_booking_fee", "1.00"),
        ("status", "COMPLETED"),
        ("client", 1),
    ],
)
def test_a_bad_value_is_422_naming_its_field_and_nothing_is_booked(as_, ada, wish, field, value):
    if value == "1":
        value = str(wish["category_id"])
    answer = as_(ada).post(PATH, wish | {field: value})
    assert answer.status_code == 422, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert [error["loc"] for error in answer.json()["errors"]] == [field]
    assert not ServiceRequest.objects.exists()


@pytest.mark.parametrize("field", ["category_id", "booking_date", "client_address", "service_description"])
def test_every_required_field_is_asked_for(as_, ada, wish, field):
    del wish[field]
    answer = as_(ada).post(PATH, wish)
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, field)


def test_an_inactive_category_takes_no_bookings(as_, ada, plumbing, wish):
    plumbing.is_active = False
    plumbing.save()
    answer = as_(ada).post(PATH, wish)
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, "category_id")
    unknown = as_(ada).post(PATH, wish | {"category_id": 999_999})
    assert unknown.json()["code"] == answer.json()["code"] == "unknown_category"


def test_an_unverified_client_is_refused_after_the_shape_and_before_the_data(as_, make_client, wish):
    kemi = make_client("kemi", is_email_verified=False)
    answer = as_(kemi).post(PATH, wish | {"category_id": 999_999})
    assert (answer.status_code, answer.json()["code"]) == (403, "email_not_verified")
    assert as_(kemi).post(PATH, {}).status_code == 422


@pytest.mark.parametrize("who", ["tunde", "boss"])
def test_only_clients_book(as_, request, wish, who):
    answer = as_(request.getfixturevalue(who)).post(PATH, {})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_yours_to_do")


def test_a_repeated_key_books_once(as_, ada, wish):
    first = as_(ada).post(PATH, wish, headers={"Idempotency-Key": "one"})
    again = as_(ada).post(PATH, wish, headers={"Idempotency-Key": "one"})
    assert (again.status_code, again.json(), again["Location"]) == (201, first.json(), first["Location"])
    assert ServiceRequest.objects.count() == 1
    other = as_(ada).post(PATH, wish | {"service_description": "Another."}, headers={"Idempotency-Key": "one"})
    assert other.status_code == 422
