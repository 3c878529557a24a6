from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db.models import Count, F, Value
from django.test import RequestFactory

from core import clock
from core.errors import Invalid
from core.models import User
from core.pages import paginate

pytestmark = pytest.mark.urls("core.tests.sample")


@pytest.fixture
def crowd(db):
    """Seven people, two dates among them, and last sign-ins of which three are missing."""
    now = clock.now()
    return [
        User.objects.create(
            email=f"p{number}@example.com",
            user_type="CLIENT",
            first_name="ABABABA"[number],
            date_joined=now - timedelta(days=number // 4),
            last_login=None if number in (1, 4, 6) else now - timedelta(microseconds=number // 3),
        )
        for number in range(7)
    ]


def walk(client, path):
    """All items page by page, as a caller would."""
    items = []
    while path:
        page = client.get(path).json()
        items += page["items"]
        path = page["next"]
        assert len(items) < 100
    return [item["id"] for item in items]


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("name", ["id", "date_joined", "last_login", "first_name"])
def test_pages_show_every_row_once_in_order(client, crowd, name, sign, limit):
    seen = walk(client, f"/api/people/?limit={limit}&ordering={sign}{name}")
    assert sorted(seen) == sorted(person.pk for person in crowd)
    people = {person.pk: person for person in crowd}

    def key(pk):
        value = getattr(people[pk], name)
        return (value is None, value if value is not None else 0, pk)

    assert seen == sorted(seen, key=key, reverse=bool(sign))


def test_the_next_page_keeps_the_query_and_is_a_path(client, crowd):
    following = client.get("/api/people/?user_type=CLIENT&user_type=ADMIN&limit=2&ordering=-id").json()["next"]
    parts = urlsplit(following)
    assert (parts.scheme, parts.netloc, parts.path) == ("", "", "/api/people/")
    query = parse_qs(parts.query)
    assert query["user_type"] == ["CLIENT", "ADMIN"]
    assert (query["limit"], query["ordering"]) == (["2"], ["-id"])


def test_rows_that_arrive_meanwhile_move_nothing(client, crowd):
    first = client.get("/api/people/?limit=3&ordering=-id").json()
    User.objects.create(email="new@example.com", user_type="CLIENT")
    second = walk(client, first["next"])
    assert [item["id"] for item in first["items"]] + second == [person.pk for person in reversed(crowd)]


def test_rows_that_go_meanwhile_move_nothing(client, crowd):
    first = client.get("/api/people/?limit=3").json()
    User.objects.filter(pk__in=[crowd[0].pk, crowd[2].pk]).delete()
    assert walk(client, first["next"]) == [person.pk for person in crowd[3:]]


def test_the_last_page_has_no_next(client, crowd):
    assert client.get("/api/people/?limit=7").json()["next"] is None
    assert client.get("/api/people/").json()["next"] is None


def test_a_page_is_one_statement(client, crowd, django_assert_num_queries):
    following = client.get("/api/people/?limit=2&ordering=last_login").json()["next"]
    with django_assert_num_queries(1):
        client.get(following)


def cursor_of(following):
    return parse_qs(urlsplit(following).query)["cursor"][0]


@pytest.mark.parametrize(
    "spoil", [lambda c: c + "x", lambda c: c[1:], lambda c: "x", lambda c: c[::-1], lambda c: "a:b:c"]
)
def test_a_cursor_that_was_tampered_with_is_refused(client, crowd, spoil):
    cursor = cursor_of(client.get("/api/people/?limit=2").json()["next"])
    response = client.get("/api/people/", {"limit": "2", "cursor": spoil(cursor)})
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == "cursor"


@pytest.mark.parametrize("ordering", ["-id", "first_name", "-last_login"])
def test_a_cursor_of_another_ordering_is_refused(client, crowd, ordering):
    cursor = cursor_of(client.get("/api/people/?limit=2").json()["next"])
    response = client.get("/api/people/", {"ordering": ordering, "cursor": cursor})
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == "cursor"


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=-1", "limit=x", "limit=1.5", "ordering=password", "ordering=--id", "ordering="],
)
def test_limits_and_orderings_are_checked(client, db, query):
    response = client.get(f"/api/people/?{query}")
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == query.split("=")[0]


def all_pages(queryset, ordering, limit=2):
    """The rows of every page, without the HTTP."""
    rows, path = [], "/list/"
    while path:
        request = RequestFactory().get(path)
        page = paginate(request, queryset, ordering=ordering, limit=limit, cursor=request.GET.get("cursor"))
        rows += page["items"]
        path = page["next"]
    return rows


def test_several_columns_may_order_together(crowd):
    rows = all_pages(User.objects.all(), ("-first_name", "date_joined"))
    assert len(rows) == 7
    assert all((b.first_name, a.date_joined, a.pk) <= (a.first_name, b.date_joined, b.pk) for a, b in pairwise(rows))


def test_annotations_and_relations_may_order(crowd):
    with_rank = User.objects.annotate(rank=Count("groups") + F("id") % 3, nothing=Value(Decimal("2.50")))
    assert [row.rank for row in all_pages(with_rank, "-rank")] == sorted((row.rank for row in with_rank), reverse=True)
    assert len(all_pages(with_rank, "nothing")) == 7


def test_an_ordering_that_is_not_allowed_names_its_field(crowd):
    with pytest.raises(Invalid) as refused:
        paginate(RequestFactory().get("/"), User.objects.all(), ordering="-password", allowed=("id",))
    assert "ordering" in refused.value.errors


def test_items_may_be_made_of_rows(crowd):
    page = paginate(
        RequestFactory().get("/"), User.objects.all(), ordering="id", limit=2, to_item=lambda row: row.email
    )
    assert page["items"] == ["p0@example.com", "p1@example.com"]
