"""An admin takes a job from whoever has it and offers it to another."""

from decimal import Decimal

import pytest

from core import clock
from core.errors import Conflict, Invalid
from marketplace.enums import Side, Status
from marketplace.models import BusinessSettings, Consultation, Payment, Price, UnavailableDate
from marketplace.services.assignment import accept_job, decline_job, reassign_serviceman
from marketplace.tests.trail import fresh, offers, refused, trail

pytestmark = pytest.mark.django_db

UNPAID = ["SERVICEMAN_INSPECTED", "AWAITING_CLIENT_APPROVAL", "NEGOTIATING", "AWAITING_PAYMENT"]
PAID = ["PAYMENT_CONFIRMED", "IN_PROGRESS"]


@pytest.fixture
def sani(make_serviceman):
    return make_serviceman("sani")


@pytest.fixture
def give_to(tunde, boss):
    def give_to(request, to, **more):
        asked = {"serviceman_id": to.pk, "replaces": tunde.pk, "reason": "He is ill.", "by": boss}
        return reassign_serviceman(request.pk, **asked | more)

    return give_to


def test_the_other_gets_the_offer_and_both_losers_lose_theirs(request_in, give_to, tunde, bola, sani, boss):
    before = request_in("ASSIGNED_TO_SERVICEMAN", accepted=True)
    give_to(before, sani, notes="Quick!")
    request = fresh(before)
    assert (request.status, request.waiting_on) == (Status.ASSIGNED_TO_SERVICEMAN, Side.SERVICEMAN)
    assert (request.serviceman, request.backup_serviceman, request.accepted_at) == (sani, None, None)
    assert offers(request) == [
        (tunde, "PRIMARY", "TAKEN_BACK"),
        (bola, "BACKUP", "TAKEN_BACK"),
        (sani, "PRIMARY", None),
    ]
    last = request.offers.get(serviceman=sani)
    assert (last.respond_by, last.notes) == (request.due_at, "Quick!")
    assert request.offers.get(serviceman=tunde).reason == "He is ill."
    assert (request.price_version, trail(request)) == (0, [("reassign", boss, None, "He is ill.")])


def test_the_backup_may_become_the_first_and_the_first_the_backup(request_in, give_to, tunde, bola):
    before = request_in("ASSIGNED_TO_SERVICEMAN")
    give_to(before, bola, backup_id=tunde.pk)
    request = fresh(before)
    assert (request.serviceman, request.backup_serviceman) == (bola, tunde)
    assert offers(request)[2:] == [(bola, "PRIMARY", None), (tunde, "BACKUP", None)]


@pytest.mark.parametrize("status", UNPAID)
def test_before_the_payment_it_voids_estimate_and_price(status, request_in, give_to, sani, tunde):
    before = request_in(status, admin_markup_percentage=None)  # the price was set as an amount
    BusinessSettings.objects.create(pk=1, default_markup_percentage=12)
    checkout = Payment.objects.create(
        service_request=before, payment_type="FINAL_PAYMENT", amount=22000, paystack_reference="open"
    )
    if before.open_proposal:
        Consultation.objects.create(negotiation=before.open_proposal, serviceman=tunde, question="Less?")
    prices = list(Price.objects.values())
    with clock.at(clock.now()) as now:
        give_to(before, sani)
    request = fresh(before)
    assert (request.serviceman_estimated_cost, request.final_cost, request.inspection_completed_at) == (
        None,
        None,
        None,
    )
    assert (request.estimate_notes, request.estimated_days) == ("", None)
    assert request.admin_markup_percentage == Decimal(12)
    assert request.price_version == before.price_version + 1
    assert list(Price.objects.values()) == prices
    assert Payment.objects.get(pk=checkout.pk).outcome == "SUPERSEDED"
    assert Payment.objects.get(pk=checkout.pk).status == "PENDING"
    assert [n.status for n in request.negotiations.all()] == (["REJECTED"] if status == "NEGOTIATING" else [])
    assert [c.closed_at for c in Consultation.objects.all()] == ([now] if status == "NEGOTIATING" else [])


@pytest.mark.parametrize("status", PAID)
def test_after_the_payment_it_keeps_the_price_and_goes_straight_back_to_work(status, request_in, give_to, sani):
    before = request_in(status, admin_markup_percentage=None)
    give_to(before, sani)
    request = fresh(before)
    assert request.status == Status.ASSIGNED_TO_SERVICEMAN
    assert (request.serviceman_estimated_cost, request.final_cost) == (Decimal(20_000), Decimal(22_000))
    assert request.admin_markup_percentage is None
    assert request.price_version == before.price_version
    assert request.final_is_paid
    accept_job(request.pk, by=sani)
    assert (fresh(request).status, fresh(request).waiting_on) == (Status.PAYMENT_CONFIRMED, Side.SERVICEMAN)


def test_a_paid_price_survives_the_newcomers_no_as_well(request_in, give_to, sani, tunde, bola, boss):
    request = request_in("IN_PROGRESS")
    give_to(request, sani)
    decline_job(request.pk, reason="Far.", by=sani)
    assert (fresh(request).status, fresh(request).final_cost) == (Status.PENDING_ADMIN_ASSIGNMENT, Decimal(22_000))


def test_it_refuses_when_the_job_is_not_his_any_more(request_in, give_to, sani, bola):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    for replaces in (bola.pk, sani.pk, 987654):
        with refused(Conflict, "already_assigned", field="replaces"):
            give_to(request, sani, replaces=replaces)


def test_it_refuses_the_same_man(request_in, give_to, tunde):
    request = request_in("IN_PROGRESS")
    with refused(Conflict, "same_serviceman", field="serviceman_id"):
        give_to(request, tunde)


def test_it_refuses_without_a_reason(request_in, give_to, sani):
    request = request_in("NEGOTIATING")
    with refused(Invalid, "reason_required", field="reason"):
        give_to(request, sani, reason=" \n ")


def test_it_refuses_a_serviceman_who_cannot_do_it(request_in, give_to, sani, bola):
    request = request_in("NEGOTIATING")
    UnavailableDate.objects.create(serviceman=sani, date=request.booking_date)
    with refused(Conflict, "serviceman_not_eligible", field="serviceman_id"):
        give_to(request, sani)
    with refused(Conflict, "serviceman_not_eligible", field="backup_serviceman_id"):
        give_to(request, bola, backup_id=sani.pk)
    with refused(Conflict, field="backup_serviceman_id"):
        give_to(request, bola, backup_id=bola.pk)
