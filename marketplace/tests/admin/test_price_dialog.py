"""Setting a price from the console: by markup or as an amount, with a preview that says what the service will do."""

from decimal import Decimal

import pytest
from django.urls import reverse

from marketplace.models import Price, ServiceRequest

pytestmark = pytest.mark.django_db


@pytest.fixture
def inspected(request_in):
    """Estimated at 20,000 naira."""
    return request_in("SERVICEMAN_INSPECTED")


def fresh(record):
    return ServiceRequest.objects.get(pk=record.pk)


def test_a_markup_makes_the_price_and_the_note_goes_with_it(console, boss, open_dialog, said, inspected):
    client = console(boss)
    open_dialog(client, inspected, "set_final_cost", how="markup", markup="12.5", note_to_client="Parts included.")
    assert said(client) == ["The client was sent the price."]
    price = Price.objects.get(request=inspected)
    assert (price.final, price.markup, price.note_to_client) == (
        Decimal("22500.00"),
        Decimal("12.50"),
        "Parts included.",
    )
    assert fresh(inspected).status == "AWAITING_CLIENT_APPROVAL"


def test_an_amount_leaves_the_markup_out_whatever_is_left_in_its_field(console, boss, open_dialog, inspected):
    open_dialog(console(boss), inspected, "set_final_cost", how="amount", markup="10.00", amount="25000")
    price = Price.objects.get(request=inspected)
    assert (price.final, price.markup) == (Decimal("25000.00"), None)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"how": "markup", "markup": ""}, "Fill this in."),
        ({"how": "amount", "amount": ""}, "Fill this in."),
        ({"how": "markup", "markup": "101"}, "less than or equal to 100"),
        ({"how": "markup", "markup": "-1"}, "greater than or equal to 0"),
        ({"how": "markup", "markup": "NaN"}, "Enter a number."),
        ({"how": "amount", "amount": "1e12"}, "no more than 10 digits"),
        ({"how": "amount", "amount": "19999.99"}, "This is below the estimate: say why."),
        ({"how": "amount", "amount": "10.001"}, "no more than 2 decimal places"),
        ({"how": "other", "markup": "10"}, "not one of the available choices"),
        ({}, "This field is required."),
    ],
)
def test_it_stays_open_and_says_what_is_wrong(values, words, console, boss, open_dialog, inspected):
    answer = open_dialog(console(boss), inspected, "set_final_cost", **values)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not Price.objects.filter(request=inspected).exists()


def test_below_the_estimate_needs_a_reason_and_then_goes_through(console, boss, open_dialog, inspected):
    open_dialog(console(boss), inspected, "set_final_cost", how="amount", amount="19000", reason="Our mistake before.")
    assert Price.objects.get(request=inspected).final == Decimal("19000.00")


def test_a_price_made_meanwhile_is_not_overwritten(console, boss, make_admin, open_dialog, said, inspected):
    client = console(boss)
    open_dialog(client, inspected, "set_final_cost", how="markup", markup="10", price_version=0)
    second = console(make_admin("pricing"))
    open_dialog(second, inspected, "set_final_cost", how="markup", markup="50", price_version=0)
    assert said(second) == ["The price has changed since you saw it."]
    assert fresh(inspected).final_cost == Decimal("22000.00")


def test_the_dialog_carries_the_version_it_shows_and_the_prices_so_far(console, boss, open_dialog, request_in):
    record = request_in("AWAITING_CLIENT_APPROVAL")
    html = open_dialog(console(boss), record, "set_final_cost", method="get").content.decode()
    assert '<input type="hidden" name="price_version" value="1"' in html
    assert "Prices so far" in html
    assert "₦22,000.00" in html


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"how": "markup", "markup": "10"}, ["₦20,000.00", "₦2,000.00", "₦22,000.00"]),
        ({"how": "markup", "markup": "0.005"}, ["₦20,000.00", "-"]),
        ({"how": "amount", "amount": "25000"}, ["₦5,000.00", "25.00 %", "₦25,000.00"]),
        ({"how": "amount", "amount": "15000"}, ["-₦5,000.00", "a reason is needed"]),
        ({"how": "amount", "amount": "rubbish"}, ["₦20,000.00", "-"]),
        ({"how": "markup", "markup": "", "amount": "25000"}, ["-"]),
        ({}, ["₦20,000.00"]),
    ],
)
def test_the_preview_shows_price_and_margin_while_typing(query, shown, console, boss, inspected):
    url = reverse("admin:marketplace_servicerequest_price_preview", args=[inspected.pk])
    answer = console(boss).get(url, query)
    assert answer.status_code == 200
    for words in shown:
        assert words in answer.content.decode()


def test_the_preview_is_for_those_who_price(console, make_admin, inspected):
    url = reverse("admin:marketplace_servicerequest_price_preview", args=[inspected.pk])
    assert console(make_admin("pricing")).get(url).status_code == 200
    assert console(make_admin("dispatcher")).get(url).status_code == 403


def test_another_admin_approves_for_the_client_but_never_whoever_set_the_price(
    console, boss, make_admin, open_dialog, said, request_in
):
    record = request_in("AWAITING_CLIENT_APPROVAL")  # priced by boss
    own = console(boss)
    open_dialog(own, record, "approve_price", price_version=1, reason="She said yes on the phone.")
    assert said(own) == ["Whoever set the price cannot approve it for the client."]
    other = make_admin("dispatcher")
    open_dialog(console(other), record, "approve_price", price_version=1, reason="She said yes on the phone.")
    step = fresh(record).history.latest()
    assert fresh(record).status == "AWAITING_PAYMENT"
    assert (step.history_user, step.on_behalf_of) == (other, record.client)


def test_an_estimate_is_taken_down_for_the_serviceman(console, boss, open_dialog, request_in):
    record = request_in("ASSIGNED_TO_SERVICEMAN", accepted=True)
    values = {"amount": "18000", "notes": "New trap.", "estimated_days": "2", "reason": "Called us."}
    open_dialog(console(boss), record, "submit_estimate", **values)
    done = fresh(record)
    assert (done.status, done.serviceman_estimated_cost) == ("SERVICEMAN_INSPECTED", Decimal("18000.00"))
    assert (done.estimate_notes, done.estimated_days) == ("New trap.", 2)
