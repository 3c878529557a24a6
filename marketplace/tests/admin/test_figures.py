"""How lists show amounts and long texts."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib import admin
from django.urls import reverse

from core import clock
from marketplace.admin.charts import bars
from marketplace.admin.figures import share_stat, stat
from marketplace.admin.labels import NOTHING, age, ago, beginning, many
from marketplace.money import naira_text

CSS = Path(__file__).parents[3] / "core/static/core/console.css"


@pytest.mark.django_db
def test_every_amount_of_a_list_is_aligned_right(a_row_each, rf, boss):
    request = rf.get("/")
    request.user = boss
    aligned = set(re.findall(r"td\.field-(\w+)", CSS.read_text()))
    assert aligned == set(re.findall(r"th\.column-(\w+)(?=[,\s])", CSS.read_text()))
    left = set()
    for model, row in a_row_each.items():
        site = admin.site._registry[model]
        record = site.get_queryset(request).get(pk=row.pk)
        for name in site.list_display:
            shown = getattr(site, name, None) if name != "__str__" else None
            if callable(shown) and "₦" in str(shown(record)) and name not in aligned:
                left.add((model.__name__, name))
    assert not left


def test_a_long_text_is_cut_between_words_and_says_so():
    assert beginning("") == NOTHING
    assert beginning("Two  words.") == '<span class="c-long">Two words.</span>'
    text = "The serviceman was suspended: two clients report that he asked for cash beside the agreed price."
    assert beginning(text, 75) == (
        '<span class="c-long">The serviceman was suspended: two clients report that he asked for cash …</span>'
    )
    assert "&lt;b&gt;" in beginning("<b>")


@pytest.mark.django_db
def test_a_line_of_the_ledger_names_its_entry_in_words(console, boss, a_row_each):
    html = console(boss).get(reverse("admin:marketplace_ledgerline_changelist")).content.decode()
    assert "Booking fee in" in html
    assert "booking_fee_in" not in html.replace("?kind=booking_fee_in", "")


@pytest.mark.django_db
def test_every_queue_of_requests_is_a_tab_in_sight(console, boss):
    html = console(boss).get(f"{reverse('admin:marketplace_servicerequest_changelist')}?queue=overdue").content.decode()
    tabs = html[html.index('aria-label="Queues"') :].partition("</nav>")[0]
    assert tabs.count("<a ") == 9
    assert re.search(r'queue=overdue" class="active" aria-current="page">\s*Overdue', tabs)
    assert "tabs-dropdown" not in html, "its script hides tabs when the window is resized and brings back only one"


@pytest.mark.django_db
def test_every_bar_of_a_chart_of_names_has_its_name(console, boss, plumbing, make_serviceman):
    client = console(boss)

    def skips(page):
        charts = client.get(reverse(f"admin:insight_{page}")).context["charts"]
        return {json.loads(chart.options)["scales"]["x"]["ticks"]["autoSkip"] for chart in charts}

    assert skips("servicemen") == skips("categories") == {False}
    assert skips("revenue") == skips("operations") == {True}


@pytest.mark.parametrize(
    ("now", "before", "told", "way"),
    [
        (150, 100, "+50 %", "up"),
        (50, 100, "-50 %", "down"),
        (100, 100, "0 %", ""),
        (999, 100, "+899 %", "up"),
        (1000, 100, "from ₦100.00", "up"),
        (5_000_000, "1.12", "from ₦1.12", "up"),
        (7, 0, "from ₦0.00", "up"),
        (0, 7, "-100 %", "down"),
        (0, 0, "", ""),
        (-2000, 100, "from ₦100.00", "down"),
        (50, -100, "+150 %", "up"),
        (5, None, "new", ""),
        (None, 5, "", ""),
        (None, None, "", ""),
    ],
)
def test_a_change_is_a_percentage_only_where_one_makes_sense(now, before, told, way):
    amounts = [None if amount is None else Decimal(amount) for amount in (now, before)]
    shown = stat("Collected", *amounts, naira_text)
    assert (shown["told"], shown["way"]) == (told, way)
    worse = stat("Refunded", *amounts, naira_text, good="down")
    assert worse["way"] == {"up": "down", "down": "up"}.get(way, way)


def test_a_change_of_a_share_is_in_points_and_of_a_mean_the_difference():
    assert share_stat("Completed", Decimal("74.2"), Decimal("82.8"))["told"] == "-8.6 pts"
    assert share_stat("Completed", Decimal(50), Decimal(0))["told"] == "+50 pts"
    assert share_stat("Completed", Decimal(50), Decimal(50))["told"] == "0 pts"
    assert stat("Average rating", Decimal("4.03"), Decimal("4.5"), unit="")["told"] == "-0.47"


def test_one_of_a_thing_is_no_several():
    assert [many(count, "payment") for count in (0, 1, 1200)] == ["0 payments", "1 payment", "1,200 payments"]


def test_bars_say_their_share_and_the_longest_fills_its_line():
    lines = bars([("Plumbing", 30, "?a"), ("Painting", 10, "?b")])
    assert [(line["part"], line["share"]) for line in lines] == [("100%", "75 %"), ("33%", "25 %")]
    assert [(line["part"], line["share"]) for line in bars([("Plumbing", 0, "")])] == [("0%", "")]


def test_a_relative_time_says_the_exact_one_when_pointed_at():
    with clock.at(datetime(2026, 3, 1, 12, tzinfo=UTC)):
        shown = ago(datetime(2026, 2, 26, 8, 30, tzinfo=UTC), " ago")
        assert age(datetime(2026, 2, 26, 8, 30, tzinfo=UTC)) == "3 d 3 h"
    assert 'title="26 Feb 2026, 09:30"' in shown
    assert ">3 d 3 h ago</time>" in shown
    assert ago(None) == NOTHING
