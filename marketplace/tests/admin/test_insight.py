"""Insight: figures that equal the analytics, tables that export, and only for those who may."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core import clock
from marketplace import analytics
from marketplace.models import Rating
from marketplace.services import assignment, requests
from marketplace.tests.books import enter

pytestmark = pytest.mark.django_db

PAGES = (
    "insight_revenue",
    "insight_operations",
    "insight_servicemen",
    "insight_categories",
    "insight_ratings",
    "insight_workflow",
)
STATEMENTS = {"insight_operations": 22, "insight_revenue": 7}
"""At most; five elsewhere."""


def exported(answer):
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_full_and_empty_in_few_statements(page, console, boss, request_in, bola):
    client, url = console(boss), reverse(f"admin:{page}")
    assert client.get(url).status_code == 200
    for _ in range(5):
        enter(request_in("COMPLETED"))
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    assert len(captured) <= STATEMENTS.get(page, 5)


def test_every_chart_has_its_figures_as_a_table(console, boss, request_in):
    enter(request_in("COMPLETED"))
    shown = set()
    for page in PAGES:
        answer = console(boss).get(reverse(f"admin:{page}"))
        for chart in answer.context.get("charts", ()):
            shown.add(chart.title)
            assert all(len(figures) == len(chart.series) for _, figures in chart.table)
            if not chart.empty:
                assert f">{chart.labels[-1]}</th>" in answer.content.decode()
    assert {"Collected by day", "Time to assign", "Utilisation of servicemen", "Open jobs", "Earned most"} <= shown


def test_revenue_is_what_the_analytics_say_by_any_period(console, boss, request_in):
    enter(request_in("COMPLETED"))
    today = clock.today()
    for by in ("day", "week", "month"):
        query = {"start": today - timedelta(days=40), "end": today, "by": by}
        rows = exported(console(boss).get(reverse("admin:insight_revenue"), query | {"export": "csv"}))
        report = analytics.revenue(query["start"], today, group_by=by)
        assert len(rows) == len(report.periods)
        assert sum(Decimal(row["collected"]) for row in rows) == report.totals.collected == Decimal("24000.00")
        assert rows[0]["period"] == str(max(report.periods))


@pytest.mark.parametrize(
    "query",
    [
        {"start": "nonsense"},
        {"by": "century"},
        {"start": "2026-03-01", "end": "2026-01-01"},
        {"start": "1900-01-01", "end": "2026-01-01"},
        {"end": "9999-12-31"},
        {"start": "0001-01-01", "end": "0001-01-01"},
    ],
)
@pytest.mark.parametrize("page", ["insight_revenue", "insight_operations"])
def test_strange_periods_are_answered(page, query, console, boss):
    assert console(boss).get(reverse(f"admin:{page}"), query).status_code == 200


def test_operations_are_what_the_analytics_say_beside_the_period_before(console, boss, request_in, ada, tunde, bola):
    now = clock.now()
    for days, wait in ((40, 4), (1, 1)):
        with clock.at(now - timedelta(days=days)):
            waits = enter(request_in("PENDING_ADMIN_ASSIGNMENT"))
        with clock.at(now - timedelta(days=days) + timedelta(hours=wait)):
            assignment.assign_serviceman(waits.pk, serviceman_id=tunde.pk, backup_id=bola.pk, by=boss)
    with clock.at(now - timedelta(hours=20)):
        requests.cancel(waits.pk, reason="No.", by=ada)
    page = console(boss).get(reverse("admin:insight_operations"))
    stats = {stat["title"]: stat for _, group in page.context["groups"] for stat in group}
    assert (stats["Time to assign"]["shown"], stats["Time to assign"]["change"]) == ("1 h", -75)
    assert stats["Time to assign"]["way"] == "up"  # shorter is better
    times = next(chart for chart in page.context["charts"] if chart.title == "Time to assign")
    assert [figures for _, figures in times.table if figures != ["-", "-"]] == [["1 h", "1 h"]]
    assert (stats["Collected"]["shown"], stats["Collected"]["change"]) == ("₦2,000.00", 0)
    breakdown = dict(page.context["breakdown"]["rows"])
    assert breakdown["Before a serviceman has accepted"] == [1, 0, 0]
    today = clock.today()
    query = {"start": today - timedelta(days=5), "end": today, "export": "csv"}
    rows = exported(console(boss).get(reverse("admin:insight_operations"), query))
    report = analytics.overview(query["start"], today)
    assert [row["period"] for row in rows] == [str(day) for day in reversed(report.periods)]
    assert [row["time_to_assign_median"] for row in rows if row["time_to_assign_median"]] == ["3600"]
    assert sum(int(row["cancelled"]) for row in rows) == report.totals["cancelled"] == 1


def test_people_and_trades_export_without_formulas(console, make_admin, request_in, tunde, plumbing):
    tunde.first_name = "=cmd"
    tunde.save()
    enter(request_in("COMPLETED"))
    finance = console(make_admin("finance"))
    people = exported(finance.get(reverse("admin:insight_servicemen"), {"export": "csv"}))
    assert {row["serviceman"] for row in people} == {"'=cmd Bello", "Bola Ade"}
    trades = exported(finance.get(reverse("admin:insight_categories"), {"export": "csv"}))
    assert [(row["category"], row["requests"], row["collected"]) for row in trades] == [("Plumbing", "1", "24000.00")]


@pytest.mark.parametrize("page", PAGES)
def test_only_those_who_may_see_and_export(page, console, make_admin, ada, client):
    url = reverse(f"admin:{page}")
    assert console(make_admin()).get(url).status_code == 403
    viewer = console(make_admin("viewer"))
    html = viewer.get(url)
    assert html.status_code == 200
    assert "export=csv" not in html.content.decode()
    assert viewer.get(url, {"export": "csv"}).status_code == 403
    for stranger in (client, console(ada)):
        assert stranger.get(url).status_code == 302


def test_ratings_are_counted_by_stars_without_hidden_ones_and_lead_to_their_list(
    console, boss, request_in, ada, tunde, make_admin
):
    now = clock.now()
    given = [(5, 1, None), (5, 2, None), (3, 29, None), (1, 1, now), (4, 31, None)]
    for stars, days, hidden in given:
        moment = now - timedelta(days=days)
        Rating.objects.create(
            service_request=request_in("COMPLETED"), client=ada, serviceman=tunde, rating=stars, created_at=moment,
            hidden_at=hidden,
        )  # fmt: skip
    client = console(boss)
    answer = client.get(reverse("admin:insight_ratings"))
    assert [(line.stars, line.ratings) for line in answer.context["view"].given] == [
        (5, 2), (4, 0), (3, 1), (2, 0), (1, 0),
    ]  # fmt: skip
    assert dict(answer.context["figures"]) == {"Ratings": "3", "Average": "4.33"}
    for line in answer.context["mixes"][0]["rows"]:
        assert len(client.get(line["url"]).context["cl"].result_list) == line["count"], line
    rows = exported(console(make_admin("finance")).get(reverse("admin:insight_ratings"), {"export": "csv"}))
    assert rows[0] == {"stars": "5", "ratings": "2", "share": "66.67"}
