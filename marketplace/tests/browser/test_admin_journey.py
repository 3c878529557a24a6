"""The admin's part of a job, done by clicks in a real browser: assign, price, answer, verify; also on a phone."""

import re
from decimal import Decimal

import pytest

from marketplace.models import ServiceRequest
from marketplace.services import assignment, negotiations, work
from marketplace.tests.people import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def console_of(page, live_server):
    """`console_of(boss)`: the window, signed in by the form."""

    def sign_in(person):
        page.goto(f"{live_server.url}/admin/")
        page.get_by_label("E-mail address or username").fill(person.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name=re.compile("Log in")).click()
        page.get_by_role("heading", name=re.compile(f"{person.first_name}$")).wait_for()
        return page

    return sign_in


def fresh(record):
    return ServiceRequest.objects.get(pk=record.pk)


def paid_final(record):
    """The client pays, as the webhook would tell."""
    ServiceRequest.objects.filter(pk=record.pk).update(status="PAYMENT_CONFIRMED", waiting_on="SERVICEMAN")
    record.payments.create(
        payment_type="FINAL_PAYMENT", amount=fresh(record).final_cost, status="SUCCESSFUL", outcome="APPLIED",
        paystack_reference="final", price_version=fresh(record).price_version,
    )  # fmt: skip


def test_an_admin_brings_a_job_from_booking_to_completion_by_clicks(console_of, boss, ada, tunde, bola, request_in):
    record = request_in("PENDING_ADMIN_ASSIGNMENT")
    page = console_of(boss)
    window = page.locator("#dialog")

    # From the home page's card to the request.
    page.locator("a.c-queue", has_text="To assign").click()
    page.get_by_role("link", name=re.compile(record.code)).click()
    page.get_by_text("An admin must act: Assign a serviceman").wait_for()

    # Assign, with a backup.
    page.get_by_role("button", name="Assign serviceman").click()
    window.get_by_role("radio", name=re.compile("Tunde Bello")).check()
    window.get_by_label("Backup").select_option(label="Bola Ade")
    window.get_by_label("Note to them").fill("Ring twice.")
    window.get_by_role("button", name="Send the offer").click()
    page.get_by_text("Offered to Tunde Bello.").wait_for()
    assert (fresh(record).serviceman, fresh(record).backup_serviceman) == (tunde, bola)

    assignment.accept_job(record.pk, by=tunde)
    work.submit_estimate(record.pk, amount=Decimal(20000), notes="New cartridge.", by=tunde)

    # Price, watching the preview; a price below the estimate is refused in the window.
    page.reload()
    page.get_by_role("button", name="Set final cost").click()
    preview = page.locator("#price-preview")
    preview.get_by_text("₦22,000.00").wait_for()
    window.get_by_label("Markup", exact=True).fill("25")
    preview.get_by_text("₦25,000.00").wait_for()
    window.get_by_text("Amount", exact=True).click()
    window.get_by_label("Final cost").fill("15000")
    preview.get_by_text("-₦5,000.00").wait_for()
    window.get_by_role("button", name="Send the price to the client").click()
    window.get_by_text("This is below the estimate: say why.").wait_for()
    window.get_by_label("Final cost").fill("26000")
    window.get_by_role("button", name="Send the price to the client").click()
    page.get_by_text("The client was sent the price.").wait_for()
    assert fresh(record).final_cost == Decimal("26000.00")

    # The client proposes; we accept from the negotiation's tab.
    negotiations.propose_price(record.pk, amount=Decimal(24000), message="A little less?", by=ada)
    page.reload()
    page.get_by_role("tab", name=re.compile("Negotiation")).click()
    page.get_by_text("A little less?").first.wait_for()
    page.get_by_role("button", name="Accept the proposal").click()
    window.get_by_text("Ada Obi proposed ₦24,000.00.").wait_for()
    window.get_by_role("button", name="Accept the proposal").click()
    page.get_by_text("Accepted: the agreed amount is the price now.").wait_for()
    assert (fresh(record).status, fresh(record).final_cost) == ("AWAITING_PAYMENT", Decimal("24000.00"))
    assert page.get_by_role("tab", name=re.compile("Negotiation")).get_attribute("aria-selected") == "true"

    paid_final(record)
    work.start_work(record.pk, by=tunde)
    work.mark_work_completed(record.pk, notes="Dry.", by=tunde)

    # Verify.
    page.reload()
    page.get_by_role("button", name="Verify completion").click()
    window.get_by_role("button", name="Verify completion").click()
    page.get_by_text("Verified: the request is completed.").wait_for()
    assert fresh(record).status == "COMPLETED"
    page.get_by_role("tab", name="Timeline").click()
    for title in ("Completion verified", "Proposal accepted", "Final cost set", "Offered to a serviceman"):
        page.locator(".c-timeline").get_by_text(title, exact=True).wait_for()


def test_the_menu_and_its_windows_work_on_a_phone(console_of, boss, request_in):
    record = request_in("IN_PROGRESS")
    page = console_of(boss)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{page.url}marketplace/servicerequest/{record.pk}/change/")
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Add a note").click()
    page.locator("#dialog").get_by_label("Note").fill("He has the key.")
    page.locator("#dialog").get_by_role("button", name="Add a note").click()
    page.get_by_text("The note is kept.").wait_for()
    assert page.get_by_text("He has the key.").first.is_visible()

    # What a cancellation does with the money is seen whole, not cut off at the edge.
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Cancel request").click()
    money = page.locator("#dialog table")
    money.wait_for()
    edge = page.locator("#dialog").bounding_box()
    for figure in money.locator("td").all():
        box = figure.bounding_box()
        assert box["x"] + box["width"] <= edge["x"] + edge["width"]
    page.keyboard.press("Escape")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_runs_out_of_its_window(scheme, width, console_of, boss, request_in):
    record = request_in("NEGOTIATING")
    page = console_of(boss)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    base = page.url
    places = [
        "",
        "marketplace/servicerequest/",
        f"marketplace/servicerequest/{record.pk}/change/",
        "marketplace/payment/",
    ]
    for place in places:
        page.goto(base + place)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, place
        assert page.evaluate("document.documentElement.classList.contains('dark')") == (scheme == "dark")


def test_tabs_and_windows_can_be_worked_with_the_keyboard(console_of, boss, request_in):
    record = request_in("WORK_COMPLETED")
    page = console_of(boss)
    page.goto(f"{page.url}marketplace/servicerequest/{record.pk}/change/")
    page.get_by_role("tab", name="Money").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Payments").wait_for()
    page.get_by_role("button", name="Return to work").focus()
    page.keyboard.press("Enter")
    page.locator("#dialog").get_by_label("Reason").wait_for()
    page.keyboard.press("Escape")
    page.locator("#dialog").wait_for(state="hidden")
    assert fresh(record).status == "WORK_COMPLETED"
