"""How lists show amounts and long texts."""

import json
import re
from pathlib import Path

import pytest
from django.contrib import admin
from django.urls import reverse

from marketplace.admin.labels import NOTHING, beginning

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
    for page in ("servicemen", "categories"):
        options = client.get(reverse(f"admin:insight_{page}")).context["chart"]["options"]
        assert json.loads(options)["scales"]["x"]["ticks"]["autoSkip"] is False
    assert json.loads(client.get(reverse("admin:insight_revenue")).context["chart"]["options"])["scales"]["x"]["ticks"][
        "autoSkip"
    ]
