"""The search of the sidebar: pages, requests, people and payments, for whoever may see them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

pytestmark = pytest.mark.django_db

SEARCH = "/admin/search/"


def found(client, term):
    answer = client.get(SEARCH, {"s": term})
    assert answer.status_code == 200
    return {result.title: result for result in answer.context["results"]} if answer.context else {}


@pytest.mark.parametrize(
    ("term", "title"),
    [
        ("{code}", "{code}"),
        ("{short}", "{code}"),
        ("ad", "Ada Obi"),
        ("obi", "Ada Obi"),
        ("Ada Ob", "Ada Obi"),
        ("ADA@exam", "Ada Obi"),
        ("0803 123 4501", "Ada Obi"),
        ("+234803123450", "Ada Obi"),
        ("{reference}", "{reference}"),
        ("to as", "To assign"),
        ("workflow", "Workflow"),
        ("events from", "Events from Paystack"),
        ("receipt", "Receipts"),
    ],
)
def test_it_finds_pages_requests_people_and_payments_this_admin_may_see(
    term, title, console, boss, make_admin, request_in
):
    record = request_in("IN_PROGRESS")
    names = {"code": record.code, "short": record.code[3:], "reference": record.payments.first().paystack_reference}
    term, title = term.format(**names), title.format(**names)
    result = found(console(boss), term)[title]
    assert console(boss).get(result.link).status_code == 200
    assert title not in found(console(make_admin()), term)


def test_a_person_leads_to_the_profile_where_one_may_see_it(console, boss, tunde, ada):
    links = {
        name: found(console(boss), name)[full].link for name, full in (("tunde", "Tunde Bello"), ("ada", "Ada Obi"))
    }
    assert links == {
        "tunde": reverse("admin:marketplace_servicemanprofile_change", args=[tunde.serviceman_profile.pk]),
        "ada": reverse("admin:marketplace_clientprofile_change", args=[ada.client_profile.pk]),
    }
    assert found(console(boss), "ngozi")["Ngozi Eze"].link == reverse("admin:core_user_change", args=[boss.pk])


def test_no_page_is_found_twice(console, boss):
    results = console(boss).get(SEARCH, {"s": "e"}).context
    assert results is None or not list(results["results"])
    links = [result.link for result in console(boss).get(SEARCH, {"s": "re"}).context["results"]]
    assert len(links) == len(set(links)) > 5


def test_rights_count_as_they_are_now(console, make_admin, request_in):
    record = request_in("IN_PROGRESS")
    clerk = make_admin("dispatcher")
    client = console(clerk)
    assert record.code in found(client, record.code)
    clerk.groups.clear()
    assert not found(client, record.code)


@pytest.mark.parametrize("term", ["", " ", "%", "\\", "' OR 1=1", "\x00zq", "x" * 5000, "0", "++"])
def test_strange_words_find_nothing_and_never_fail(term, console, boss, request_in):
    request_in("IN_PROGRESS")
    assert not found(console(boss), term)


def test_a_search_takes_few_statements(console, boss, request_in):
    for _ in range(12):
        request_in("IN_PROGRESS")
    client = console(boss)
    client.get(SEARCH, {"s": "sr-"})
    with CaptureQueriesContext(connection) as captured:
        assert len(found(client, "sr-")) == 8
    assert len(captured) == 5  # session, account, and one a kind


def test_strangers_find_nothing(client, ada, console):
    for caller in (client, console(ada)):
        assert caller.get(SEARCH, {"s": "ada"}).status_code == 302
