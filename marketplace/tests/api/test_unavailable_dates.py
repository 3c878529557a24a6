"""The days on which a serviceman does not work: blocked, listed, freed, and heeded by whoever offers work."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core import clock
from marketplace.models import ServicemanProfile, UnavailableDate

PATH = "/api/me/unavailable-dates/"
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def monday():
    with clock.at(NOW):
        yield


def blocked(caller):
    return [item["date"] for item in caller.get(PATH).json()["items"]]


def test_days_are_blocked_once_however_often_they_are_named(as_, tunde):
    answer = as_(tunde).post(PATH, {"dates": ["2026-03-09", "2026-03-07", "2026-03-09"]})
    assert (answer.status_code, answer["Location"]) == (201, PATH)
    assert answer.json() == {"items": [{"date": "2026-03-07"}, {"date": "2026-03-09"}], "next": None}
    assert as_(tunde).post(PATH, {"dates": ["2026-03-07"]}).status_code == 201
    assert blocked(as_(tunde)) == ["2026-03-07", "2026-03-09"]
    assert UnavailableDate.objects.count() == 2


def test_today_counts_and_what_is_past_is_out_of_sight(as_, tunde):
    as_(tunde).post(PATH, {"dates": ["2026-03-02", "2026-03-03"]})
    with clock.at(NOW + timedelta(days=1)):
        assert blocked(as_(tunde)) == ["2026-03-03"]


def test_days_are_freed_by_name_and_others_are_passed_over(as_, tunde, bola):
    for person in (tunde, bola):
        as_(person).post(PATH, {"dates": ["2026-03-07", "2026-03-08", "2026-03-09"]})
    answer = as_(tunde).delete(f"{PATH}?date=2026-03-07&date=2026-03-09&date=2026-05-01")
    assert (answer.status_code, answer.content) == (204, b"")
    assert blocked(as_(tunde)) == ["2026-03-08"]
    assert len(blocked(as_(bola))) == 3


def test_who_does_not_work_is_not_free_that_day(as_, tunde, bola):
    as_(tunde).post(PATH, {"dates": ["2026-03-07"]})
    day = date(2026, 3, 7)
    assert [profile.user for profile in ServicemanProfile.objects.free_on(day)] == [bola]
    assert as_().get(f"/api/servicemen/{tunde.pk}/").json()["unavailable_dates"] == ["2026-03-07"]
    assert [row["id"] for row in as_().get("/api/servicemen/?available_on=2026-03-07").json()["items"]] == [bola.pk]


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"dates": ["2026-03-07", "2026-03-01"]}, "dates"),
        ({"dates": ["2027-03-03"]}, "dates"),
        ({"dates": []}, "dates"),
        ({"dates": ["soon"]}, "dates.0"),
        ({"dates": ["2026-03-07"] * 367}, "dates"),
        ({}, "dates"),
        ({"dates": ["2026-03-07"], "reason": "Rest"}, "reason"),
    ],
)
def test_what_is_no_day_to_come_is_refused_and_nothing_is_blocked(as_, tunde, body, loc):
    answer = as_(tunde).post(PATH, body)
    assert answer.status_code == 422
    assert [error["loc"] for error in answer.json()["errors"]] == [loc]
    assert not UnavailableDate.objects.exists()


@pytest.mark.parametrize("query", ["", "?date=", "?date=soon", "?date=2026-03-07&day=2026-03-08"])
def test_a_day_to_free_must_be_named(as_, tunde, query):
    as_(tunde).post(PATH, {"dates": ["2026-03-07"]})
    assert as_(tunde).delete(PATH + query).status_code == 422
    assert blocked(as_(tunde)) == ["2026-03-07"]


def test_it_is_the_servicemen_s_own(as_, ada, boss):
    for caller in (as_(ada), as_(boss)):
        for answer in (
            caller.get(PATH),
            caller.post(PATH, {"dates": ["2026-03-07"]}),
            caller.delete(f"{PATH}?date=2026-03-07"),
        ):
            assert answer.status_code == 403
    assert as_().get(PATH).status_code == 401


def test_a_long_list_is_paged(as_, tunde):
    days = [f"2026-03-{day:02}" for day in range(3, 31)]
    first = as_(tunde).post(PATH, {"dates": days}).json()
    assert [item["date"] for item in first["items"]] == days[:20]
    rest = as_(tunde).get(first["next"]).json()
    assert [item["date"] for item in rest["items"]] == days[20:]
    assert rest["next"] is None


def test_repeated_with_a_key_it_is_answered_as_at_first(as_, tunde):
    key = {"HTTP_IDEMPOTENCY_KEY": "days-1"}
    first = as_(tunde).post(PATH, {"dates": ["2026-03-07"]}, **key)
    as_(tunde).delete(f"{PATH}?date=2026-03-07")
    again = as_(tunde).post(PATH, {"dates": ["2026-03-07"]}, **key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert blocked(as_(tunde)) == []
