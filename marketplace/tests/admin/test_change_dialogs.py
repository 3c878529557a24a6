"""The frame of a request, from the console: cancel, reschedule, emergency, notes, delete, and booking for a client."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from core import clock
from marketplace.models import Note, Refund, ServiceRequest

pytestmark = pytest.mark.django_db


def fresh(record):
    return ServiceRequest.objects.get(pk=record.pk)


def test_cancelling_shows_first_what_goes_back_and_then_owes_it(console, boss, open_dialog, said, request_in):
    record, client = request_in("PAYMENT_CONFIRMED"), console(boss)
    html = open_dialog(client, record, "cancel", method="get").content.decode()
    assert html.count("<b>₦2,000.00</b>") == html.count("<b>₦22,000.00</b>") == 1
    assert "This field is required" in open_dialog(client, record, "cancel", reason="").content.decode()
    open_dialog(client, record, "cancel", reason="The client moved away.")
    assert said(client) == ["The request is cancelled."]
    assert fresh(record).status == "CANCELLED"
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [Decimal("2000.00"), Decimal("22000.00")]


def test_before_anything_was_paid_nothing_goes_back(console, boss, open_dialog, request_in):
    html = open_dialog(console(boss), request_in("AWAITING_BOOKING_FEE"), "cancel", method="get").content.decode()
    assert "Nothing was paid yet" in html


@pytest.mark.parametrize("status", ["COMPLETED", "CANCELLED"])
def test_a_closed_request_cannot_be_cancelled(status, console, boss, open_dialog, request_in):
    record = request_in(status)
    for method in ("get", "post"):
        assert open_dialog(console(boss), record, "cancel", method=method, reason="x").headers["HX-Redirect"]
    assert fresh(record).status == status


def test_a_new_date_is_set_and_a_past_one_refused_at_its_field(console, boss, open_dialog, request_in):
    record, client = request_in("ASSIGNED_TO_SERVICEMAN"), console(boss)
    past = clock.today() - timedelta(days=1)
    html = open_dialog(client, record, "reschedule", booking_date=past, reason="Rain.").content.decode()
    assert "The date is past." in html
    day = clock.today() + timedelta(days=9)
    open_dialog(client, record, "reschedule", booking_date=day, reason="Rain.")
    assert fresh(record).booking_date == day


@pytest.mark.parametrize("day", ["", "tomorrow", "2026-13-01", "10000-01-01"])
def test_what_is_no_date_is_refused(day, console, boss, open_dialog, request_in):
    record = request_in("ASSIGNED_TO_SERVICEMAN")
    answer = open_dialog(console(boss), record, "reschedule", booking_date=day, reason="Rain.")
    assert answer.status_code == 200
    assert fresh(record).booking_date == record.booking_date


def test_the_emergency_is_set_and_lifted(console, boss, open_dialog, request_in):
    record, client = request_in("ASSIGNED_TO_SERVICEMAN"), console(boss)
    open_dialog(client, record, "set_emergency")
    assert fresh(record).is_emergency
    assert open_dialog(client, record, "set_emergency", method="get").headers["HX-Redirect"]
    open_dialog(client, record, "lift_emergency")
    assert not fresh(record).is_emergency


def test_a_note_is_kept_with_its_author_and_shown_as_text(console, boss, open_dialog, request_in):
    record, client = request_in("IN_PROGRESS"), console(boss)
    open_dialog(client, record, "add_note", text="<script>alert(1)</script>")
    assert Note.objects.get().author == boss
    html = client.get(reverse("admin:marketplace_servicerequest_change", args=[record.pk])).content.decode()
    assert "&lt;script&gt;alert(1)" in html
    assert "<script>alert(1)" not in html


def test_a_deleted_request_is_hidden_and_found_by_the_filter(console, boss, open_dialog, request_in):
    record, client = request_in("COMPLETED"), console(boss)
    open_dialog(client, record, "soft_delete")
    assert fresh(record).is_deleted
    url = reverse("admin:marketplace_servicerequest_changelist")
    assert record.code not in client.get(url).content.decode()
    assert record.code in client.get(url, {"deleted": "yes"}).content.decode()
    assert client.get(reverse("admin:marketplace_servicerequest_change", args=[record.pk])).status_code == 200


def booking(plumbing, **changes):
    return {
        "client_email": "ada@example.com",
        "category_id": plumbing.pk,
        "booking_date": clock.today() + timedelta(days=5),
        "client_address": "12 Allen Avenue",
        "service_description": "A tap drips.",
        "reason": "She called.",
    } | changes


def test_a_visit_is_booked_for_a_client_who_called(console, boss, ada, open_dialog, said, plumbing):
    client = console(boss)
    open_dialog(client, ServiceRequest, "book", **booking(plumbing, client_email="ADA@example.com "))
    record = ServiceRequest.objects.get()
    assert (record.client, record.status) == (ada, "AWAITING_BOOKING_FEE")
    assert (record.history.get().history_user, record.history.get().on_behalf_of) == (boss, ada)
    assert said(client) == [f"{record.code} is booked: Ada Obi owes the booking fee of ₦2,000.00."]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_email": "nobody@example.com"}, "There is no client with this address."),
        ({"client_email": "tunde@example.com"}, "There is no client with this address."),
        ({"client_email": "new@example.com"}, "Confirm your e-mail address first."),
        ({"booking_date": "2020-01-01"}, "The date is past."),
        ({"category_id": "0"}, "not one of the available choices"),
        ({"reason": ""}, "This field is required."),
    ],
)
def test_a_booking_that_cannot_be_made_says_why(
    changes, words, console, boss, ada, tunde, make_client, open_dialog, plumbing
):
    make_client("new", is_email_verified=False)
    answer = open_dialog(console(boss), ServiceRequest, "book", **booking(plumbing, **changes))
    assert words in answer.content.decode()
    assert not ServiceRequest.objects.exists()
