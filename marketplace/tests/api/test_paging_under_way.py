"""Ten thousand requests are booked while a client reads her list page by page: none is skipped, none comes twice."""

from datetime import timedelta
from itertools import count

import pytest

from core import clock
from marketplace.models import ServiceRequest

PATH = "/api/service-requests/"
ARRIVING = 10_000
pytestmark = [pytest.mark.trust, pytest.mark.django_db]


@pytest.fixture
def book(request_in, ada):
    """`book(how_many)`: that many more of hers, a second apart; their ids."""
    first = request_in("AWAITING_BOOKING_FEE")
    fields = {field.attname: getattr(first, field.attname) for field in ServiceRequest._meta.fields}
    fields = {name: value for name, value in fields.items() if name not in ("id", "code", "created_at")}
    number, began = count(), clock.now() - timedelta(days=2)

    def book(how_many):
        rows = [
            ServiceRequest(**fields, code=f"SR-T{n:07}", created_at=began + timedelta(seconds=n))
            for n, _ in zip(number, range(how_many), strict=False)
        ]
        return [row.pk for row in ServiceRequest.objects.bulk_create(rows)]

    first.delete()
    return book


def read(caller, query, meanwhile):
    """The ids of every page, newest state of the list each time; `meanwhile()` before each next page."""
    seen, following = [], f"{PATH}?limit=100&{query}"
    while following:
        page = caller.get(following).json()
        seen += [item["id"] for item in page["items"]]
        meanwhile()
        following = page["next"]
    return seen


def test_newest_first_what_was_there_is_seen_once_whatever_arrives(as_, ada, book):
    there = book(1000)
    seen = read(as_(ada), "ordering=-created_at", lambda: book(ARRIVING // 10))
    assert seen == there[::-1]
    assert ServiceRequest.objects.count() == 1000 + ARRIVING


def test_oldest_first_what_arrives_is_seen_as_well(as_, ada, book):
    booked = book(300)

    def meanwhile():
        if len(booked) < ARRIVING:
            booked.extend(book(500))

    assert read(as_(ada), "ordering=created_at", meanwhile) == booked
    assert len(booked) >= ARRIVING


def test_by_a_date_that_many_share_none_is_skipped(as_, ada, book):
    there = book(450)
    seen = read(as_(ada), "ordering=booking_date", lambda: None)
    assert sorted(seen) == there
