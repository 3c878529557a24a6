"""An admin offers a paid request to a serviceman, with a backup next in line."""

from datetime import timedelta

import pytest

from core import clock
from core.errors import Conflict, Invalid
from marketplace.enums import Side, Status
from marketplace.models import Category, Offer, UnavailableDate
from marketplace.services.assignment import assign_serviceman
from marketplace.tests.trail import fresh, offers, refused, trail

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(request_in):
    return request_in("PENDING_ADMIN_ASSIGNMENT")


def test_it_offers_the_job_to_him_and_keeps_the_backup_waiting(paid, tunde, bola, boss):
    with clock.at(timedelta(hours=1)) as now:
        assign_serviceman(paid.pk, serviceman_id=tunde.pk, backup_id=bola.pk, notes="Bring a ladder.", by=boss)
    request = fresh(paid)
    assert (request.status, request.waiting_on) == (Status.ASSIGNED_TO_SERVICEMAN, Side.SERVICEMAN)
    assert (request.serviceman, request.backup_serviceman, request.accepted_at) == (tunde, bola, None)
    assert (request.status_since, request.due_at) == (now, now + timedelta(hours=12))
    assert offers(request) == [(tunde, "PRIMARY", None), (bola, "BACKUP", None)]
    first, second = Offer.objects.order_by("id")
    assert (first.sent_at, first.respond_by, first.notes) == (now, request.due_at, "Bring a ladder.")
    assert (second.respond_by, second.notes) == (None, "Bring a ladder.")
    assert trail(request) == [("assign", boss, None, "Bring a ladder.")]


def test_an_emergency_must_be_answered_in_half_an_hour(paid, request_in, tunde, boss):
    request = request_in("PENDING_ADMIN_ASSIGNMENT", is_emergency=True)
    with clock.at(timedelta(hours=1)) as now:
        assign_serviceman(request.pk, serviceman_id=tunde.pk, by=boss)
    assert fresh(request).due_at == Offer.objects.get().respond_by == now + timedelta(minutes=30)


def test_no_backup_is_needed(paid, tunde, boss):
    request = assign_serviceman(paid.pk, serviceman_id=tunde.pk, by=boss)
    assert (fresh(paid).backup_serviceman, offers(request)) == (None, [(tunde, "PRIMARY", None)])


UNFIT = [
    "pending",
    "rejected",
    "suspended",
    "inactive",
    "unverified",
    "unavailable",
    "that day",
    "other trade",
    "no trade",
]


@pytest.fixture
def unfit(make_serviceman):
    def unfit(why):
        profiles = {
            "pending": {"approval": "PENDING"},
            "rejected": {"approval": "REJECTED"},
            "suspended": {"approval": "SUSPENDED"},
            "unavailable": {"is_available": False},
            "other trade": {"category": Category.objects.create(name="Roofing", description="-")},
            "no trade": {"category": None},
        }
        sani = make_serviceman(
            "sani",
            profile=profiles.get(why),
            is_active=why != "inactive",
            is_email_verified=why != "unverified",
        )
        if why == "that day":
            UnavailableDate.objects.create(serviceman=sani, date=clock.today() + timedelta(days=7))
        return sani

    return unfit


@pytest.mark.parametrize("why", UNFIT)
def test_it_refuses_a_serviceman_who_cannot_do_it(why, unfit, paid, tunde, boss):
    sani = unfit(why)
    with refused(Conflict, "serviceman_not_eligible", field="serviceman_id"):
        assign_serviceman(paid.pk, serviceman_id=sani.pk, by=boss)
    with refused(Conflict, "serviceman_not_eligible", field="backup_serviceman_id"):
        assign_serviceman(paid.pk, serviceman_id=tunde.pk, backup_id=sani.pk, by=boss)


def test_it_says_what_he_must_do_first(unfit, paid, boss):
    with pytest.raises(Conflict) as caught:
        assign_serviceman(paid.pk, serviceman_id=unfit("unverified").pk, by=boss)
    assert caught.value.detail == "He has not confirmed his e-mail address."


def test_another_day_he_has_blocked_does_not_matter(paid, tunde, boss):
    UnavailableDate.objects.create(serviceman=tunde, date=clock.today() + timedelta(days=6))
    assert assign_serviceman(paid.pk, serviceman_id=tunde.pk, by=boss).serviceman == tunde


@pytest.mark.parametrize(
    ("answer", "barred"),
    [("DECLINED", True), ("WITHDRAWN", True), ("LAPSED", False), ("TAKEN_BACK", False), ("CLOSED", False)],
)
def test_who_declined_or_gave_it_back_is_never_offered_it_again(paid, request_in, tunde, boss, answer, barred):
    Offer.objects.create(request=paid, serviceman=tunde, rank="PRIMARY", answer=answer)
    if barred:
        with refused(Conflict, "serviceman_not_eligible", field="serviceman_id"):
            assign_serviceman(paid.pk, serviceman_id=tunde.pk, by=boss)
    else:
        assign_serviceman(paid.pk, serviceman_id=tunde.pk, by=boss)
    elsewhere = request_in("PENDING_ADMIN_ASSIGNMENT")
    assert assign_serviceman(elsewhere.pk, serviceman_id=tunde.pk, by=boss).serviceman == tunde


def test_it_refuses_one_man_as_both(paid, tunde, boss):
    with refused(Conflict, field="backup_serviceman_id"):
        assign_serviceman(paid.pk, serviceman_id=tunde.pk, backup_id=tunde.pk, by=boss)


def test_it_refuses_somebody_who_is_no_serviceman(paid, tunde, ada, boss):
    for stranger in (ada.pk, boss.pk, 987654):
        with refused(Invalid, "unknown_serviceman", field="serviceman_id"):
            assign_serviceman(paid.pk, serviceman_id=stranger, by=boss)
        with refused(Invalid, "unknown_serviceman", field="backup_serviceman_id"):
            assign_serviceman(paid.pk, serviceman_id=tunde.pk, backup_id=stranger, by=boss)


def test_another_job_on_the_same_day_does_not_stop_it(paid, request_in, tunde, boss):
    request_in("IN_PROGRESS")
    assert assign_serviceman(paid.pk, serviceman_id=tunde.pk, by=boss).serviceman == tunde


def test_once_assigned_it_says_so(request_in, make_serviceman, boss):
    sani = make_serviceman("sani")
    for status in ("ASSIGNED_TO_SERVICEMAN", "IN_PROGRESS"):
        request = request_in(status)
        with refused(Conflict, "already_assigned"):
            assign_serviceman(request.pk, serviceman_id=sani.pk, by=boss)
    for status in ("AWAITING_BOOKING_FEE", "CANCELLED", "COMPLETED"):
        request = request_in(status)
        with refused(Conflict, "wrong_status"):
            assign_serviceman(request.pk, serviceman_id=sani.pk, by=boss)
