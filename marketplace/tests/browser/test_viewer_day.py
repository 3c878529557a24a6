"""A viewer's day on the demo: everything is there to be read, and nothing changes anything."""

import pytest

from marketplace import models
from marketplace.enums import OPEN, Status
from marketplace.models import ServiceRequest
from marketplace.tests.browser.conftest import admin_url, request_at

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CHANGES = """() => [
    ...[...document.forms].filter((form) => form.method === "post" && form.id !== "logout-form"
        && !(form.id === "changelist-form" && !form.querySelector("select[name=action], [type=submit]"))
        && form.querySelector("[type=submit], [name=_save], select[name=action]")),
    ...document.querySelectorAll("[hx-target='#modal-content'], .addlink, [name=_save], [form$=_form][type=submit]"),
].map((each) => each.outerHTML.slice(0, 160))"""
"""What a page offers that would change something: dialogs, forms, actions on a selection, buttons that save."""


def places(page):
    return page.locator("#nav-sidebar-apps a").evaluate_all("links => links.map((link) => link.href)")


def pages_of_rows(demo):
    rows = [
        models.Payment.objects.filter(outcome="LATE").first(),
        models.Refund.objects.filter(status="REVIEW").first(),
    ]
    rows += [models.ServicemanProfile.objects.filter(approval=state).first() for state in ("PENDING", "APPROVED")]
    rows += [models.Category.objects.first(), models.Notification.objects.first(), models.BusinessSettings.current()]
    return [demo.site + admin_url(row) for row in rows if row]


def test_a_viewer_sees_everything_and_can_change_nothing(console_as, demo):
    page = console_as("viewer")
    assert page.locator("a.c-queue").count() >= 10
    assert page.get_by_role("heading", name="The last 30 days").is_visible()
    there = ServiceRequest.objects.filter(is_deleted=False).values_list("status", flat=True).distinct()
    requests = [demo.site + admin_url(request_at(status)) for status in there if status in OPEN]
    seen = places(page)
    assert {f"{demo.console}marketplace/servicerequest/", f"{demo.console}insight/revenue/"} <= set(seen)
    lists = {place.partition("?")[0]: place for place in seen}.values()
    for place in [*lists, *requests, *pages_of_rows(demo)]:
        answer = page.goto(place)
        if answer.status == 403:
            assert place in pages_of_rows(demo), place
            continue
        assert answer.status == 200, place
        assert page.evaluate(CHANGES) == [], place
        if place in requests[-2:]:
            for tab in page.get_by_role("tab").all():
                tab.click()
                page.get_by_role("tabpanel").filter(visible=True).wait_for()


def test_whoever_may_change_something_finds_the_way(console_as, demo):
    """The control: the same look finds what others are offered."""
    page = console_as("boss")
    ways = {
        f"{demo.console}marketplace/servicerequest/": "assign_best_match",
        f"{demo.console}marketplace/category/": "addlink",
        demo.site + admin_url(models.BusinessSettings.current()): "_save",
        demo.site + admin_url(request_at(Status.IN_PROGRESS, Status.WORK_COMPLETED)): "add_note",
    }
    for place, way in ways.items():
        page.goto(place)
        assert page.evaluate(CHANGES), way
