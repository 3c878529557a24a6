"""The serviceman gives an accepted job back before work has started."""

from decimal import Decimal

import pytest

from core.errors import Conflict, Invalid
from marketplace.enums import Status
from marketplace.models import Offer, Payment, Price, ServicemanProfile
from marketplace.services.assignment import assign_serviceman, withdraw_from_job
from marketplace.tests.trail import fresh, offers, refused, trail

pytestmark = pytest.mark.django_db

PRICED = ["SERVICEMAN_INSPECTED", "AWAITING_CLIENT_APPROVAL", "NEGOTIATING", "AWAITING_PAYMENT"]


@pytest.mark.parametrize("status", ["ASSIGNED_TO_SERVICEMAN", *PRICED, "PAYMENT_CONFIRMED"])
def test_the_backup_is_asked_next(status, request_in, tunde, bola):
    request = request_in(status, accepted=True)
    withdraw_from_job(request.pk, reason="My van broke down.", by=tunde)
    request = fresh(request)
    assert (request.status, request.serviceman) == (Status.ASSIGNED_TO_SERVICEMAN, bola)
    assert (request.backup_serviceman, request.accepted_at) == (None, None)
    assert offers(request) == [(tunde, "PRIMARY", "WITHDRAWN"), (bola, "PRIMARY", None)]
    assert request.offers.get(serviceman=bola).respond_by == request.due_at
    assert trail(request) == [("withdraw", tunde, None, "My van broke down.")]


def test_without_one_who_can_an_admin_chooses_again_but_never_him(request_in, tunde, bola, boss):
    request = request_in("PAYMENT_CONFIRMED")
    ServicemanProfile.objects.filter(user=bola).update(is_available=False)
    withdraw_from_job(request.pk, reason="Ill.", by=tunde)
    assert (fresh(request).status, fresh(request).serviceman) == (Status.PENDING_ADMIN_ASSIGNMENT, None)
    assert not Offer.objects.live().exists()
    with refused(Conflict, "serviceman_not_eligible"):
        assign_serviceman(request.pk, serviceman_id=tunde.pk, by=boss)


@pytest.mark.parametrize("status", PRICED)
def test_before_the_payment_his_price_goes_with_him(status, request_in, tunde):
    before = request_in(status, admin_markup_percentage=None)  # the price was set as an amount
    Payment.objects.create(
        service_request=before, payment_type="FINAL_PAYMENT", amount=22000, paystack_reference="open"
    )
    withdraw_from_job(before.pk, reason="Ill.", by=tunde)
    request = fresh(before)
    assert (request.serviceman_estimated_cost, request.final_cost, request.inspection_completed_at) == (
        None,
        None,
        None,
    )
    assert request.price_version == before.price_version + 1
    assert request.admin_markup_percentage == Decimal(10)
    assert Price.objects.filter(request=request).count() == (0 if status == "SERVICEMAN_INSPECTED" else 1)
    assert Payment.objects.get(paystack_reference="open").outcome == "SUPERSEDED"
    assert [n.status for n in request.negotiations.all()] == (["REJECTED"] if status == "NEGOTIATING" else [])


def test_a_paid_price_stays(request_in, tunde):
    before = request_in("PAYMENT_CONFIRMED")
    withdraw_from_job(before.pk, reason="Ill.", by=tunde)
    request = fresh(before)
    assert (request.final_cost, request.price_version) == (Decimal(22_000), before.price_version)
    assert request.final_is_paid


def test_it_is_too_late_once_work_has_started(request_in, tunde):
    for status in ("IN_PROGRESS", "WORK_COMPLETED", "COMPLETED"):
        request = request_in(status)
        with refused(Conflict, "wrong_status"):
            withdraw_from_job(request.pk, reason="Ill.", by=tunde)


def test_an_offer_he_has_not_accepted_is_declined_and_not_withdrawn(request_in, tunde):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    with refused(Conflict, "not_accepted"):
        withdraw_from_job(request.pk, reason="Ill.", by=tunde)


def test_it_needs_a_reason(request_in, tunde):
    request = request_in("NEGOTIATING")
    with refused(Invalid, "reason_required", field="reason"):
        withdraw_from_job(request.pk, reason=" ", by=tunde)


def test_an_admin_withdraws_for_him(request_in, tunde, make_admin):
    dispatcher, request = make_admin("dispatcher"), request_in("PAYMENT_CONFIRMED")
    withdraw_from_job(request.pk, reason="He is in hospital.", by=dispatcher, on_behalf=True)
    assert trail(request) == [("withdraw", dispatcher, tunde, "He is in hospital.")]
