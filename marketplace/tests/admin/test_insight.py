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

pytestmark = pytest.mark.django_db

PAGES = ("insight_revenue", "insight_servicemen", "insight_categories")


def exported(answer):
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_full_and_empty_in_few_statements(page, console, boss, request_in, bola):
    client, url = console(boss), reverse(f"admin:{page}")
    assert client.get(url).status_code == 200
    for _ in range(5):
        request_in("COMPLETED")
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    assert len(captured) <= 5


def test_revenue_is_what_the_analytics_say_by_any_period(console, boss, request_in):
    request_in("COMPLETED")
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
def test_strange_periods_are_answered(query, console, boss):
    assert console(boss).get(reverse("admin:insight_revenue"), query).status_code == 200


def test_people_and_trades_export_without_formulas(console, make_admin, request_in, tunde, plumbing):
    tunde.first_name = "=cmd"
    tunde.save()
    request_in("COMPLETED")
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
