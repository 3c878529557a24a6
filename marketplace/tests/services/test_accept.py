"""The serviceman takes the job offered to him."""

from datetime import timedelta

import pytest

from core import clock
from core.errors import Conflict, Forbidden, Invalid
from marketplace.enums import Side, Status
from marketplace.models import Payment
from marketplace.services.assignment import accept_job, lapse_offer
from marketplace.tests.trail import fresh, offers, refused, trail

pytestmark = pytest.mark.django_db


@pytest.fixture
def offered(request_in):
    return request_in("ASSIGNED_TO_SERVICEMAN")


def test_he_takes_it_and_has_a_day_to_inspect(offered, tunde, bola):
    with clock.at(timedelta(hours=3)) as now:
        accept_job(offered.pk, by=tunde)
    request = fresh(offered)
    assert (request.status, request.waiting_on) == (Status.ASSIGNED_TO_SERVICEMAN, Side.SERVICEMAN)
    assert (request.accepted_at, request.status_since, request.due_at) == (now, now, now + timedelta(hours=24))
    assert offers(request) == [(tunde, "PRIMARY", "ACCEPTED"), (bola, "BACKUP", None)]
    assert request.offers.get(serviceman=tunde).answered_at == now
    assert trail(request) == [("accept", tunde, None, "")]


def test_it_goes_straight_back_to_work_when_the_price_is_paid(request_in, tunde):
    request = request_in("ASSIGNED_TO_SERVICEMAN", serviceman_estimated_cost=20000, final_cost=22000, price_version=1)
    Payment.objects.create(
        service_request=request,
        payment_type="FINAL_PAYMENT",
        amount=22000,
        status="SUCCESSFUL",
        outcome="APPLIED",
        paystack_reference="paid",
    )
    accept_job(request.pk, by=tunde)
    assert (fresh(request).status, fresh(request).waiting_on) == (Status.PAYMENT_CONFIRMED, Side.SERVICEMAN)


@pytest.mark.parametrize("outcome", ["LATE", "DUPLICATE"])
def test_money_that_did_not_count_does_not_skip_the_inspection(request_in, tunde, outcome):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    Payment.objects.create(
        service_request=request,
        payment_type="FINAL_PAYMENT",
        amount=22000,
        status="SUCCESSFUL",
        outcome=outcome,
        paystack_reference="late",
    )
    accept_job(request.pk, by=tunde)
    assert fresh(request).status == Status.ASSIGNED_TO_SERVICEMAN


def test_it_refuses_a_second_yes(offered, tunde):
    accept_job(offered.pk, by=tunde)
    with refused(Conflict, "already_answered"):
        accept_job(offered.pk, by=tunde)


def test_it_refuses_once_the_time_is_over(offered, tunde):
    with clock.at(offered.due_at + timedelta(seconds=1)), refused(Conflict, "offer_lapsed"):
        accept_job(offered.pk, by=tunde)
    with clock.at(offered.due_at):
        accept_job(offered.pk, by=tunde)


def test_who_lost_it_hears_that_it_is_not_his_any_more(offered, tunde, bola):
    with clock.at(offered.due_at + timedelta(seconds=1)):
        lapse_offer(offered.pk)
        with refused(Conflict, "offer_withdrawn"):
            accept_job(offered.pk, by=tunde)
        accept_job(offered.pk, by=bola)


def test_the_backup_must_wait_for_his_turn(offered, bola):
    with refused(Forbidden, "not_yours_to_do"):
        accept_job(offered.pk, by=bola)


def test_an_admin_takes_it_for_him_and_says_why(offered, tunde, make_admin):
    dispatcher = make_admin("dispatcher")
    with refused(Invalid, "reason_required", field="reason"):
        accept_job(offered.pk, by=dispatcher, on_behalf=True)
    accept_job(offered.pk, by=dispatcher, on_behalf=True, reason="Said yes on the phone.")
    assert trail(offered) == [("accept", dispatcher, tunde, "Said yes on the phone.")]
