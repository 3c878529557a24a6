"""Haggling from the console: every answer to a client's proposal, and never to another one by mistake."""

from decimal import Decimal

import pytest

from marketplace.models import Consultation, PriceNegotiation, ServiceRequest

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposed(request_in):
    """Priced at 22,000; ada proposes 18,000."""
    return request_in("NEGOTIATING", serviceman_estimated_cost=Decimal("15000.00"))


def fresh(record):
    return ServiceRequest.objects.get(pk=record.pk)


def standing(record):
    return PriceNegotiation.objects.get(service_request=record, status="PENDING")


@pytest.mark.parametrize(
    ("name", "values", "status", "final"),
    [
        ("accept_proposal", {}, "AWAITING_PAYMENT", "18000.00"),
        ("reject_proposal", {"message": "Sorry."}, "AWAITING_CLIENT_APPROVAL", "22000.00"),
        ("counter", {"amount": "20000", "message": "Meet me half way."}, "NEGOTIATING", "22000.00"),
    ],
)
def test_a_proposal_is_answered(name, values, status, final, console, boss, open_dialog, proposed):
    open_dialog(console(boss), proposed, name, negotiation=standing(proposed).pk, **values)
    assert (fresh(proposed).status, str(fresh(proposed).final_cost)) == (status, final)


def test_the_dialog_says_what_is_answered_and_names_it(console, boss, open_dialog, proposed):
    html = open_dialog(console(boss), proposed, "accept_proposal", method="get").content.decode()
    assert "Ada Obi proposed ₦18,000.00." in html
    assert f'name="negotiation" value="{standing(proposed).pk}"' in html


def test_an_answer_to_a_proposal_that_is_gone_is_refused(console, boss, open_dialog, said, proposed):
    client, old = console(boss), standing(proposed)
    open_dialog(client, proposed, "counter", negotiation=old.pk, amount="20000")
    said(client)
    ServiceRequest.objects.filter(pk=proposed.pk).update(waiting_on="ADMIN")
    PriceNegotiation.objects.filter(status="PENDING").update(proposed_by=proposed.client)
    open_dialog(client, proposed, "accept_proposal", negotiation=old.pk)
    assert said(client) == ["This proposal was answered already."]
    assert fresh(proposed).status == "NEGOTIATING"


def test_a_proposal_of_another_request_cannot_be_answered_from_this_page(
    console, boss, open_dialog, said, proposed, request_in
):
    other, client = request_in("NEGOTIATING"), console(boss)
    open_dialog(client, proposed, "accept_proposal", negotiation=standing(other).pk)
    assert said(client) == ["This proposal was answered already."]
    assert fresh(other).status == fresh(proposed).status == "NEGOTIATING"


def test_our_own_proposal_can_be_made_and_taken_back(console, boss, open_dialog, request_in):
    record, client = request_in("AWAITING_CLIENT_APPROVAL"), console(boss)
    assert "greater than or equal to" in open_dialog(client, record, "propose_price", amount="0").content.decode()
    open_dialog(client, record, "propose_price", amount="21000", message="Our last word.")
    assert standing(record).proposed_amount == Decimal("21000.00")
    open_dialog(client, record, "withdraw_proposal", negotiation=standing(record).pk)
    assert fresh(record).status == "AWAITING_CLIENT_APPROVAL"


def test_the_serviceman_is_asked_in_our_words(console, boss, open_dialog, proposed, tunde):
    client = console(boss)
    assert "This field is required" in open_dialog(client, proposed, "consult", message="").content.decode()
    open_dialog(client, proposed, "consult", negotiation=standing(proposed).pk, message="Can you do it for less?")
    asked = Consultation.objects.get()
    assert (asked.serviceman, asked.question, asked.asked_by) == (tunde, "Can you do it for less?", boss)
