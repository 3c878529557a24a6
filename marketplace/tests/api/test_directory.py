"""/api/servicemen/ and /api/categories/{id}/servicemen/: what strangers may know of servicemen."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from marketplace.models import Category, ServicemanProfile, UnavailableDate
from marketplace.services import ratings

PATH = "/api/servicemen/"
SHAPE = {
    "id",
    "name",
    "rating",
    "ratings",
    "total_jobs_completed",
    "bio",
    "years_of_experience",
    "is_available",
    "active_jobs_count",
}


def names(caller, query=""):
    answer = caller.get(f"{PATH}{query}")
    assert answer.status_code == 200, answer.content
    return [item["name"].split()[0] for item in answer.json()["items"]]


def profile(user, **values):
    ServicemanProfile.objects.filter(user=user).update(**values)


def test_strangers_see_no_mail_and_no_phone(as_, tunde):
    (item,) = as_().get(PATH).json()["items"]
    assert set(item) == SHAPE
    assert item["id"] == tunde.pk
    one = as_().get(f"{PATH}{tunde.pk}/")
    assert set(one.json()) == SHAPE | {"unavailable_dates"}
    for text in (str(item), one.content.decode()):
        assert "example.com" not in text
        assert "+234" not in text


def test_only_approved_active_and_verified_people_are_listed(as_, tunde, make_serviceman):
    hidden = [
        make_serviceman("sani", profile={"approval": "PENDING"}),
        make_serviceman("musa", profile={"approval": "SUSPENDED"}),
        make_serviceman("emeka", is_active=False),
        make_serviceman("femi", is_email_verified=False),
    ]
    assert names(as_()) == ["Tunde"]
    for person in hidden:
        assert as_().get(f"{PATH}{person.pk}/").status_code == 404


def test_figures_come_from_rows(as_, ada, tunde, boss, request_in):
    ratings.rate(request_in("COMPLETED").pk, rating=4, by=ada)
    hidden = ratings.rate(request_in("COMPLETED").pk, rating=1, by=ada)
    ratings.moderate_rating(hidden.pk, hide=True, reason="Insults.", by=boss)
    request_in("IN_PROGRESS")
    seen = as_().get(f"{PATH}{tunde.pk}/").json()
    assert (seen["rating"], seen["ratings"], seen["total_jobs_completed"]) == ("4.00", 1, 2)
    assert seen["active_jobs_count"] == 1


def test_it_filters(as_, tunde, bola, make_serviceman):
    wiring = Category.objects.create(name="Wiring", description="Cables.")
    sani = make_serviceman("sani", profile={"category": wiring, "rating": Decimal("4.50")})
    profile(bola, rating=Decimal("3.90"), is_available=False)
    assert names(as_(), f"?category_id={wiring.pk}") == ["Sani"]
    assert names(as_(), "?category_id=999999") == []
    assert names(as_(), "?min_rating=3.9") == ["Sani", "Bola"]
    assert names(as_(), "?min_rating=4") == ["Sani"]
    assert names(as_(), "?is_available=false") == ["Bola"]
    assert names(as_(), "?is_available=true") == ["Sani", "Tunde"]
    day = clock.today() + timedelta(days=3)
    UnavailableDate.objects.create(serviceman=sani, date=day)
    assert names(as_(), f"?available_on={day}") == ["Tunde"]


def test_every_word_searched_must_occur(as_, tunde, bola):
    profile(tunde, bio="Pumps and boreholes.")
    assert names(as_(), "?search=bello") == ["Tunde"]
    assert names(as_(), "?search=PUMP") == ["Tunde"]
    assert names(as_(), "?search=plumbing tunde") == ["Tunde"]
    assert names(as_(), "?search=tunde ade") == []
    assert names(as_(), "?search=example.com") == []
    assert names(as_(), "?search=%25") == []
    assert set(names(as_(), "?search=plumb")) == {"Tunde", "Bola"}


def test_it_orders(as_, tunde, bola):
    profile(tunde, rating=Decimal("4.50"), total_jobs_completed=3, years_of_experience=None)
    profile(bola, rating=Decimal("4.10"), total_jobs_completed=9, years_of_experience=2)
    assert names(as_()) == ["Tunde", "Bola"]
    assert names(as_(), "?ordering=rating") == ["Bola", "Tunde"]
    assert names(as_(), "?ordering=-total_jobs_completed") == ["Bola", "Tunde"]
    assert names(as_(), "?ordering=-years_of_experience") == ["Bola", "Tunde"]
    assert names(as_(), "?ordering=years_of_experience") == ["Tunde", "Bola"]


@pytest.mark.parametrize("ordering", ["-rating", "total_jobs_completed", "-years_of_experience"])
def test_pages_neither_skip_nor_repeat(as_, make_serviceman, ordering):
    everybody = {make_serviceman(f"man{i}", profile={"years_of_experience": i or None}).pk for i in range(5)}
    seen, path = [], f"{PATH}?limit=2&ordering={ordering}"
    while path:
        page = as_().get(path).json()
        seen += [item["id"] for item in page["items"]]
        path = page["next"]
    assert sorted(seen) == sorted(everybody)


def test_days_off_from_today_are_shown(as_, tunde):
    days = [clock.today() + timedelta(days=n) for n in (-1, 0, 9)]
    for day in days:
        UnavailableDate.objects.create(serviceman=tunde, date=day)
    assert as_().get(f"{PATH}{tunde.pk}/").json()["unavailable_dates"] == [day.isoformat() for day in days[1:]]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?min_rating=6", "min_rating"),
        ("?min_rating=-1", "min_rating"),
        ("?min_rating=1e0", "min_rating"),
        ("?min_rating=4.", None),
        ("?min_rating=nan", "min_rating"),
        ("?available_on=soon", "available_on"),
        ("?is_available=yes", "is_available"),
        ("?search=", "search"),
        ("?ordering=email", "ordering"),
        ("?category=1", "category"),
    ],
)
def test_a_bad_query_names_its_key(as_, db, query, field):
    answer = as_().get(f"{PATH}{query}")
    if field is None:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, [error["loc"] for error in answer.json()["errors"]]) == (422, [field])


def test_a_category_lists_its_own_the_best_first(as_, plumbing, tunde, bola, make_serviceman):
    profile(bola, rating=Decimal("4.10"))
    make_serviceman("sani", profile={"category": Category.objects.create(name="Wiring", description="Cables.")})
    answer = as_().get(f"/api/categories/{plumbing.pk}/servicemen/")
    assert [item["id"] for item in answer.json()["items"]] == [bola.pk, tunde.pk]
    assert set(answer.json()["items"][0]) == SHAPE
