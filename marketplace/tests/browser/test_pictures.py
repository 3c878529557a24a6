"""Pictures of the console on the demo: those of docs/tour.md, and of every page in every guise.

With CONSOLE_PICTURES=some/folder they are kept there: see docs/tour.md. Without it the tour's are taken all the same,
to see that they can be; every page is looked at by `test_accessibility.py`.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import reverse

from core.tests.browser import webp
from marketplace import models
from marketplace.enums import Status
from marketplace.services.assignment import suggest
from marketplace.tests.browser.conftest import STILL, Hand, admin_url, choose, request_at
from marketplace.tests.browser.test_accessibility import DIALOGS, the_objects

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
S = Status
FOLDER = os.environ.get("CONSOLE_PICTURES", "")
DESK, PHONE = (1440, 900), (390, 844)
HIGHEST = 4_000
"""Pixels kept of a long page."""
SMALLEST, ALL_TOGETHER = 4_000, 1_500_000
"""Bytes: an empty page is smaller than the first, and the tour's pictures stay below the second."""


DRAWN = """async () => {
    await document.fonts.ready;
    const charts = [...document.querySelectorAll("canvas")].map((canvas) => Chart.getChart(canvas));
    if (document.documentElement.hasAttribute("x-cloak") || charts.includes(undefined)) return false;
    charts.forEach((chart) => { chart.options.animation = false; chart.resize(); chart.update("none"); });
    return true;
}"""


def is_drawn(page):
    """Fonts, icons and charts are there, and nothing moves."""
    page.add_style_tag(content=STILL)
    page.wait_for_function(DRAWN)
    page.wait_for_timeout(150)


def save(folder, name, picture):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.webp").write_bytes(picture)
    assert len(picture) > SMALLEST, f"{name} is nearly empty"


def height_of(page):
    return page.evaluate("document.documentElement.scrollHeight")


# --- The tour


def the_tour() -> dict[str, tuple[str, str, str]]:
    """Name of the picture -> who looks at it, where, and the dialog or tab to open there."""
    waiting = [*models.ServiceRequest.objects.to_assign()]
    choices = suggest(waiting)
    to_assign = max(waiting, key=lambda request: len(choices[request.pk]))
    talks = models.ServiceRequest.objects.filter(negotiations__consultations__answered_at__isnull=False)
    the_list = reverse("admin:marketplace_servicerequest_changelist")
    return {
        "home": ("boss", reverse("admin:index"), ""),
        "requests": ("dispatcher", f"{the_list}?queue=overdue", ""),
        "assign": (
            "dispatcher",
            admin_url(to_assign),
            "Assign serviceman",
        ),
        "price": ("pricing", admin_url(request_at(S.SERVICEMAN_INSPECTED)), "Set final cost"),
        "negotiation": ("pricing", admin_url(talks.filter(status=S.NEGOTIATING).last() or talks.last()), "Negotiation"),
        "verify": ("dispatcher", admin_url(models.ServiceRequest.objects.to_verify().filter(issues=None).first()), ""),
        "risk": ("finance", reverse("admin:money_at_risk"), ""),
        "refunds": ("finance", reverse("admin:marketplace_refund_changelist") + "?queue=to_decide", ""),
        "export": ("finance", reverse("admin:marketplace_payment_export"), ""),
        "insight": ("boss", reverse("admin:insight_revenue"), ""),
        "settings": ("boss", admin_url(models.BusinessSettings.current()), ""),
        "dark": ("boss", admin_url(request_at(S.NEGOTIATING)), "Timeline"),
        "phone": ("dispatcher", reverse("admin:index"), ""),
    }


TOUR = [
    "sign-in", "home", "requests", "assign", "price", "negotiation", "verify", "risk", "refunds", "export", "insight",
    "settings", "dark", "phone",
]  # fmt: skip


def open_what(page, what):
    if not what:
        return
    tab = page.get_by_role("tab", name=re.compile(what))
    if tab.count():
        tab.click()
    else:
        choose(Hand(), page, what)
        page.wait_for_timeout(500)


def test_the_tour(console_as, chromium, demo, tmp_path):
    folder = Path(FOLDER) if FOLDER else tmp_path
    console_as("boss")
    for name, (who, place, what) in the_tour().items():
        width, height = PHONE if name == "phone" else DESK
        window = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if name == "dark" else "light",
            locale="en-GB",
        )
        window.add_cookies([demo.cookie(who)])
        page = window.new_page()
        page.goto(demo.site + place)
        open_what(page, what)
        is_drawn(page)
        save(folder, f"console-{name}", webp(page, quality=72, whole=False, scale=2 if name == "phone" else 1))
        window.close()
    page = chromium.new_page(viewport={"width": 960, "height": 600})
    page.goto(demo.console)
    is_drawn(page)
    save(folder, "console-sign-in", webp(page, quality=72, whole=False))
    page.close()
    assert {picture.name for picture in folder.glob("console-*.webp")} == {f"console-{name}.webp" for name in TOUR}


def test_the_tour_shows_them_all():
    docs = Path(__file__).parents[3] / "docs"
    shown = re.findall(r"\]\((pictures/console-.+?)\)", (docs / "tour.md").read_text())
    assert shown == [f"pictures/console-{name}.webp" for name in TOUR]
    assert sum((docs / picture).stat().st_size for picture in shown) < ALL_TOGETHER


# --- Every page


def places(page) -> Iterator[tuple[str, str, str]]:
    """Name, path, and the dialog or tab to open there."""
    for path in page.locator("#nav-sidebar-apps a").evaluate_all("links => links.map(a => a.getAttribute('href'))"):
        yield re.sub(r"\W+", "-", path.removeprefix("/admin/")).strip("-") or "home", path, ""
    for status in S:
        yield f"request-{status.lower()}", admin_url(request_at(status)), ""
    for status in (S.NEGOTIATING, S.COMPLETED):
        for tab in ("Money", "Negotiation", "People", "Timeline", "Notifications"):
            yield f"request-{status.lower()}-{tab.lower()}", admin_url(request_at(status)), tab
    for title, statuses in DIALOGS.items():
        yield f"dialog-{title.replace(' ', '-').lower()}", admin_url(request_at(*statuses)), title
    for record in the_objects():
        yield f"{record._meta.model_name}-{record.pk}", admin_url(record), ""
    request = request_at(S.COMPLETED)
    yield "history", admin_url(request, "history"), ""
    yield (
        "version",
        reverse("admin:marketplace_servicerequest_simple_history", args=[request.pk, request.history.first().pk]),
        "",
    )
    yield "category-add", reverse("admin:marketplace_category_add"), ""
    yield "export", reverse("admin:marketplace_payment_export"), ""
    yield "nothing-found", reverse("admin:marketplace_servicerequest_changelist") + "?q=nobody", ""
    yield "password", reverse("admin:password_change"), ""


@pytest.mark.skipif(not FOLDER, reason="CONSOLE_PICTURES names no folder to keep them in")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [DESK, PHONE])
def test_every_page(width, height, scheme, console_as, demo):
    page = console_as("boss")
    page.emulate_media(color_scheme=scheme)
    for number, (name, path, what) in enumerate([*places(page)]):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(demo.site + path)
        open_what(page, what)
        is_drawn(page)
        # A window as high as the page: what sticks to its lower edge stands where it ends.
        page.set_viewport_size({"width": width, "height": max(height, min(height_of(page), HIGHEST))})
        is_drawn(page)
        picture = webp(page, quality=60, whole=False)
        save(Path(FOLDER) / "every-page" / f"{width}-{scheme}", f"{number:02}-{name}", picture)
