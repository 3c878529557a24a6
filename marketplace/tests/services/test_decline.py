"""He does not want the job, or did not answer in time: the backup is next, or an admin must choose again."""

from datetime import timedelta

import pytest

from core import clock
from core.errors import Conflict, Forbidden, Invalid
from marketplace.enums import Side, Status
from marketplace.models import Category, Offer, ServicemanProfile, UnavailableDate
from marketplace.services.assignment import accept_job, assign_serviceman, decline_job, lapse_offer
from marketplace.tests.trail import fresh, offers, refused, trail

pytestmark = pytest.mark.django_db


@pytest.fixture
def offered(request_in):
    return request_in("ASSIGNED_TO_SERVICEMAN")


@pytest.fixture(params=["decline", "lapse"])
def lose(request, tunde):
    """`lose(request)` by his no, or by his silence; answers the moment."""

    def lose(offered):
        with clock.at(offered.due_at + timedelta(seconds=1)) as now:
            if request.param == "lapse":
                lapse_offer(offered.pk)
            else:
                decline_job(offered.pk, reason="Too far.", by=tunde)
        return now

    lose.answer, lose.by = ("LAPSED", None) if request.param == "lapse" else ("DECLINED", tunde)
    lose.step, lose.reason = request.param, "No answer in time." if request.param == "lapse" else "Too far."
    return lose


def test_the_backup_gets_an_offer_of_his_own(offered, lose, tunde, bola):
    now = lose(offered)
    request = fresh(offered)
    assert (request.status, request.waiting_on) == (Status.ASSIGNED_TO_SERVICEMAN, Side.SERVICEMAN)
    assert (request.serviceman, request.backup_serviceman, request.accepted_at) == (bola, None, None)
    assert (request.status_since, request.due_at) == (now, now + timedelta(hours=12))
    assert offers(request) == [(tunde, "PRIMARY", lose.answer), (bola, "PRIMARY", None)]
    assert request.offers.get(serviceman=bola).respond_by == request.due_at
    his = request.offers.get(serviceman=tunde)
    assert (his.answered_at, his.reason) == (now, lose.reason)
    assert trail(request) == [(lose.step, lose.by, None, lose.reason)]


def test_without_a_backup_an_admin_must_choose_again(offered, lose, tunde):
    Offer.objects.filter(rank="BACKUP").delete()
    type(offered).objects.update(backup_serviceman=None)
    now = lose(offered)
    request = fresh(offered)
    assert (request.status, request.waiting_on) == (Status.PENDING_ADMIN_ASSIGNMENT, Side.ADMIN)
    assert (request.serviceman, request.due_at) == (None, now + timedelta(hours=4))
    assert offers(request) == [(tunde, "PRIMARY", lose.answer)]


@pytest.mark.parametrize("why", ["suspended", "unavailable", "that day", "other trade", "inactive", "said no before"])
def test_a_backup_who_can_no_longer_do_it_is_passed_over(offered, lose, tunde, bola, why):
    bolas = ServicemanProfile.objects.filter(user=bola)
    match why:
        case "suspended":
            bolas.update(approval="SUSPENDED")
        case "unavailable":
            bolas.update(is_available=False)
        case "that day":
            UnavailableDate.objects.create(serviceman=bola, date=offered.booking_date)
        case "other trade":
            bolas.update(category=Category.objects.create(name="Roofing", description="-"))
        case "inactive":
            type(bola).objects.filter(pk=bola.pk).update(is_active=False)
        case "said no before":
            Offer.objects.create(request=offered, serviceman=bola, rank="PRIMARY", answer="DECLINED")
    lose(offered)
    request = fresh(offered)
    assert (request.status, request.serviceman, request.backup_serviceman) == (
        Status.PENDING_ADMIN_ASSIGNMENT,
        None,
        None,
    )
    assert not Offer.objects.live().exists()


def test_the_backup_may_decline_once_he_is_promoted(offered, lose, bola):
    with refused(Forbidden):
        decline_job(offered.pk, reason="Not me.", by=bola)
    lose(offered)
    decline_job(offered.pk, reason="Not me.", by=bola)
    assert fresh(offered).status == Status.PENDING_ADMIN_ASSIGNMENT


def test_who_declined_is_barred_but_who_was_silent_is_not(offered, lose, tunde, boss):
    Offer.objects.filter(rank="BACKUP").delete()
    type(offered).objects.update(backup_serviceman=None)
    lose(offered)
    if lose.answer == "DECLINED":
        with refused(Conflict, "serviceman_not_eligible"):
            assign_serviceman(offered.pk, serviceman_id=tunde.pk, by=boss)
    else:
        assert assign_serviceman(offered.pk, serviceman_id=tunde.pk, by=boss).serviceman == tunde


def test_it_is_too_late_to_decline_what_he_accepted(offered, tunde):
    accept_job(offered.pk, by=tunde)
    with refused(Conflict, "already_answered"):
        decline_job(offered.pk, reason="No.", by=tunde)


def test_what_he_accepted_does_not_lapse(offered, tunde):
    accept_job(offered.pk, by=tunde)
    with clock.at(timedelta(days=3)), refused(Conflict, "already_answered"):
        lapse_offer(offered.pk)


def test_it_does_not_lapse_before_the_time_is_over(offered):
    with clock.at(offered.due_at), refused(Conflict, "offer_open"):
        lapse_offer(offered.pk)


def test_a_no_needs_a_reason(offered, tunde):
    with refused(Invalid, "reason_required", field="reason"):
        decline_job(offered.pk, reason="", by=tunde)


def test_an_admin_declines_for_him(offered, tunde, make_admin):
    dispatcher = make_admin("dispatcher")
    decline_job(offered.pk, reason="He called.", by=dispatcher, on_behalf=True)
    assert trail(offered) == [("decline", dispatcher, tunde, "He called.")]
