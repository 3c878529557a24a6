"""The list of requests: queues, filters, search, and the same number of statements however long it is."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core import clock
from core.console import InfinitePaginator
from marketplace.admin.queues import QUEUES
from marketplace.admin.requests import ServiceRequestAdmin
from marketplace.models import Issue, Offer, ServiceRequest

pytestmark = pytest.mark.django_db

URL = "admin:marketplace_servicerequest_changelist"


@pytest.fixture
def codes(console, boss):
    """`codes(queue="to_assign")`: the requests a list shows, in its order."""
    client = console(boss)

    def codes(**query):
        answer = client.get(reverse(URL), query)
        assert answer.status_code == 200
        return [record.code for record in answer.context["cl"].result_list]

    return codes


def test_each_queue_lists_what_its_card_counts(console, boss, codes, request_in):
    late = clock.now() - timedelta(days=2)
    rows = {
        "to_assign": request_in("PENDING_ADMIN_ASSIGNMENT"),
        "unanswered": request_in("ASSIGNED_TO_SERVICEMAN"),
        "inspection_overdue": request_in("ASSIGNED_TO_SERVICEMAN", accepted=True, due_at=late),
        "to_price": request_in("SERVICEMAN_INSPECTED"),
        "to_answer": request_in("NEGOTIATING"),
        "to_verify": request_in("WORK_COMPLETED"),
        "issues": request_in("IN_PROGRESS"),
        "overdue": request_in("AWAITING_PAYMENT", due_at=late),
    }
    Issue.objects.create(request=rows["issues"], kind="OTHER", message="Hm.", raised_by_role="ADMIN")
    cards = {card["queue"].key: card for card in console(boss).get(reverse("admin:index")).context["queues"]}
    for queue in QUEUES:
        if queue.model == "servicerequest":
            shown = codes(queue=queue.key)
            assert rows[queue.key].code in shown
            assert len(shown) == cards[queue.key]["count"] == (2 if queue.key == "overdue" else 1), queue.key
            assert cards[queue.key]["queue"].url.endswith(f"?queue={queue.key}")


def test_a_queue_is_worked_off_from_its_front(codes, request_in):
    now = clock.now()
    later = request_in("PENDING_ADMIN_ASSIGNMENT", due_at=now + timedelta(hours=3))
    sooner = request_in("PENDING_ADMIN_ASSIGNMENT", due_at=now + timedelta(hours=1))
    urgent = request_in("PENDING_ADMIN_ASSIGNMENT", due_at=now + timedelta(hours=5), is_emergency=True)
    assert codes(queue="to_assign") == [urgent.code, sooner.code, later.code]
    assert len(codes()) == 3


@pytest.mark.parametrize(
    "words",
    ["{code}", "{short}", "ada obi", "Obi", "ada@example.com", "+2348031234501", "08031234501", "{reference}", "Tunde"],
)
def test_it_is_found_by_whatever_a_caller_says(words, codes, request_in, eve):
    record = request_in("IN_PROGRESS")
    other = request_in("PENDING_ADMIN_ASSIGNMENT", client=eve)
    reference = record.payments.first().paystack_reference
    words = words.format(code=record.code.lower(), short=record.code[3:], reference=reference)
    found = codes(q=words)
    assert record.code in found
    assert other.code not in found


@pytest.mark.parametrize("words", ["zzz", "%", "' OR 1=1", "\\", "SR-"])
def test_strange_words_find_nothing_or_everything_but_never_fail(words, codes, request_in):
    request_in("IN_PROGRESS")
    assert len(codes(q=words)) <= 1


def test_filters_narrow_it(codes, request_in, tunde, bola, plumbing):
    soon = clock.today() + timedelta(days=1)
    a = request_in("IN_PROGRESS", booking_date=soon, is_emergency=True)
    b = request_in("WORK_COMPLETED", serviceman=bola)
    late = request_in("AWAITING_PAYMENT", due_at=clock.now() - timedelta(hours=1))
    assert codes(status__exact="WORK_COMPLETED") == [b.code]
    assert set(codes(status__exact=["WORK_COMPLETED", "IN_PROGRESS"])) == {a.code, b.code}
    assert codes(is_emergency__exact="1") == [a.code]
    assert codes(serviceman__id__exact=bola.pk) == [b.code]
    assert codes(overdue="yes") == [late.code]
    assert codes(booking_date_from=str(soon), booking_date_to=str(soon)) == [a.code]
    assert len(codes(category__id__exact=plumbing.pk)) == 3


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"sent_at_from": "2026-03-01"}, ["first", "last", "after"]),
        ({"sent_at_from": "2026-03-01", "sent_at_to": "2026-03-01"}, ["first", "last"]),
        ({"sent_at_to": "2026-03-01"}, ["before", "first", "last"]),
        ({"sent_at_from": "nonsense", "sent_at_to": "9999-12-31"}, ["before", "first", "last", "after"]),
    ],
)
def test_moments_are_filtered_by_whole_days_in_lagos(query, found, console, boss, request_in, tunde):
    record = request_in("PENDING_ADMIN_ASSIGNMENT")
    moments = {"before": (28, 22, 59), "first": (28, 23, 0), "last": (29, 22, 59), "after": (29, 23, 0)}
    for name, (day, hour, minute) in moments.items():
        moment = datetime(2026, 2, 1, hour, minute, tzinfo=UTC) + timedelta(days=day - 1)
        Offer.objects.create(
            request=record, serviceman=tunde, notes=name, sent_at=moment, rank="BACKUP", answer="LAPSED"
        )
    listed = console(boss).get(reverse("admin:marketplace_offer_changelist"), query).context["cl"].result_list
    assert sorted(offer.notes for offer in listed) == sorted(found)


@pytest.mark.parametrize(
    ("query", "found"),
    [({"amount_from": "2000.01"}, 1), ({"amount_to": "2000"}, 1), ({"amount_from": "2000", "amount_to": "22000"}, 2)],
)
def test_payments_are_filtered_by_amount(query, found, console, boss, request_in):
    request_in("PAYMENT_CONFIRMED")
    listed = console(boss).get(reverse("admin:marketplace_payment_changelist"), query).context["cl"].result_list
    assert len(listed) == found


@pytest.mark.parametrize(
    "query",
    [
        {"status__exact": "NONSENSE"},
        {"queue": "nonsense"},
        {"queue": "at_risk"},
        {"booking_date_from": "nonsense"},
        {"serviceman__id__exact": "x"},
        {"p": "x"},
        {"p": "99999999999999999999"},
        {"o": "99.-99"},
        {"category__id__exact": "99999999999999999999"},
    ],
)
def test_a_nonsensical_address_is_no_error_page(query, console, boss, request_in):
    request_in("IN_PROGRESS")
    assert console(boss).get(reverse(URL), query).status_code in (200, 302)


@pytest.mark.parametrize("deep", [500, 0])
def test_every_page_is_reached_without_counting(deep, console, boss, request_in, monkeypatch):
    monkeypatch.setattr(ServiceRequestAdmin, "list_per_page", 2)
    monkeypatch.setattr(InfinitePaginator, "deep", deep)
    made = [request_in("IN_PROGRESS").code for _ in range(5)]
    client, seen = console(boss), []
    for page in (1, 2, 3):
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(reverse(URL), {"p": page})
        listing = [q["sql"] for q in captured if 'ORDER BY "marketplace_servicerequest"' in q["sql"]]
        assert len(listing) == (1 if deep else 2)
        assert not [q["sql"] for q in captured if "COUNT(*)" in q["sql"]]
        seen += [record.code for record in answer.context["cl"].result_list]
        assert ('rel="next"' in answer.content.decode()) == (page < 3)
    assert seen == made[::-1]


def test_a_row_opens_to_the_job_and_how_to_reach_people(console, boss, request_in, tunde):
    request_in("IN_PROGRESS", service_description="The kitchen tap drips <i>badly</i>.")
    html = console(boss).get(reverse(URL)).content.decode()
    for words in (
        "The kitchen tap drips &lt;i&gt;badly",
        "12 Allen Avenue",
        'href="tel:+2348031234501"',
        "Tunde Bello",
    ):
        assert words in html


def test_ages_and_deadlines_are_told_and_what_is_late_is_red(console, boss, request_in):
    request_in("AWAITING_PAYMENT", due_at=clock.now() - timedelta(hours=3, minutes=1))
    request_in("AWAITING_PAYMENT", due_at=clock.now() + timedelta(days=2, minutes=1))
    html = console(boss).get(reverse(URL)).content.decode()
    assert "3 h 1 min overdue" in html
    assert html.count("c-overdue") == 1
    assert "in 2 d" in html


def test_what_people_typed_is_shown_as_text(console, boss, ada, request_in):
    ada.first_name = "<b>Ada</b>"
    ada.save()
    record = request_in("IN_PROGRESS", service_description="<img src=x onerror=alert(1)>")
    client = console(boss)
    page = reverse("admin:marketplace_servicerequest_change", args=[record.pk])
    for path in (reverse(URL), page, reverse("admin:index")):
        html = client.get(path).content.decode()
        assert "<b>Ada</b>" not in html
        assert "<img src=x" not in html


def test_a_request_from_another_world_is_not_there(console, boss):
    assert not ServiceRequest.objects.filter(pk=1).exists()
    assert console(boss).get(reverse("admin:marketplace_servicerequest_change", args=[1])).status_code in (302, 404)
