"""An admin takes a serviceman off all work, and puts him back."""

from datetime import timedelta

import pytest
from django.db import connection

from core import clock
from core.errors import Conflict, Forbidden, Invalid, Missing
from core.tests.race import at_once
from marketplace.enums import Side, Status
from marketplace.models import Issue, Offer, ServicemanProfile
from marketplace.services import standing
from marketplace.services.assignment import (
    accept_job,
    assign_serviceman,
)
from marketplace.services.standing import reinstate_serviceman, suspend_serviceman
from marketplace.tests.trail import fresh, offers, refused, trail

pytestmark = pytest.mark.django_db


@pytest.fixture
def dispatcher(make_admin):
    return make_admin("dispatcher")


def test_his_open_offers_lapse_at_once(request_in, tunde, bola, dispatcher):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    suspend_serviceman(tunde.pk, reason="Complaints.", by=dispatcher)
    request = fresh(request)
    assert (request.status, request.serviceman, request.backup_serviceman) == (
        Status.ASSIGNED_TO_SERVICEMAN,
        bola,
        None,
    )
    assert offers(request) == [(tunde, "PRIMARY", "LAPSED"), (bola, "PRIMARY", None)]
    assert [row[0] for row in trail(request)] == ["lapse"]
    profile = ServicemanProfile.objects.get(user=tunde)
    assert (profile.approval, profile.approval_reason, profile.approval_by) == ("SUSPENDED", "Complaints.", dispatcher)
    assert profile.history.first().history_user == dispatcher
    assert profile.is_available  # his own switch is never turned


def test_a_waiting_backup_waits_no_more(request_in, tunde, bola, dispatcher):
    request = request_in("IN_PROGRESS")
    with clock.at(timedelta(hours=1)) as now:
        suspend_serviceman(bola.pk, reason="Complaints.", by=dispatcher)
    assert (fresh(request).serviceman, fresh(request).backup_serviceman) == (tunde, None)
    assert offers(request) == [(tunde, "PRIMARY", "ACCEPTED"), (bola, "BACKUP", "LAPSED")]
    assert trail(request) == [("drop_backup", dispatcher, None, "The backup was suspended: Complaints.")]
    assert request.history.latest().backup_serviceman is None
    assert (fresh(request).updated_at, fresh(request).due_at) == (now, request.due_at)
    assert not Issue.objects.exists()


@pytest.mark.parametrize("status", ["ASSIGNED_TO_SERVICEMAN", "NEGOTIATING", "PAYMENT_CONFIRMED", "WORK_COMPLETED"])
def test_his_accepted_jobs_wait_on_an_admin_with_an_issue(status, request_in, tunde, dispatcher):
    request = request_in(status, accepted=True)
    suspend_serviceman(tunde.pk, reason="Complaints.", by=dispatcher)
    assert (fresh(request).status, fresh(request).serviceman) == (status, tunde)
    assert fresh(request).waiting_on == Side.ADMIN
    issue = Issue.objects.get(request=request)
    assert (issue.raised_by, "Complaints." in issue.message) == (dispatcher, True)
    assert [row[:2] for row in trail(request)] == [("raise_issue", dispatcher)]


def test_an_issue_that_is_open_already_will_do(request_in, tunde, dispatcher):
    request = request_in("IN_PROGRESS")
    Issue.objects.create(request=request, kind="OTHER", message="?", raised_by_role=Side.CLIENT)
    suspend_serviceman(tunde.pk, reason="Complaints.", by=dispatcher)
    assert Issue.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="On SQLite nobody offers anything meanwhile")
def test_an_offer_made_at_the_same_moment_is_not_overlooked(request_in, tunde, dispatcher, boss, monkeypatch):
    request, lock_profiles = request_in("PENDING_ADMIN_ASSIGNMENT"), standing._lock_profiles

    def offer_meanwhile(*args):
        at_once(lambda _: assign_serviceman(request.pk, serviceman_id=tunde.pk, by=boss), 1)
        lock_profiles(*args)

    monkeypatch.setattr(standing, "_lock_profiles", offer_meanwhile)
    with pytest.raises(Conflict) as caught:
        suspend_serviceman(tunde.pk, reason="Complaints.", by=dispatcher)
    monkeypatch.setattr(standing, "_lock_profiles", lock_profiles)
    assert caught.value.code == "try_again"
    assert ServicemanProfile.objects.get(user=tunde).approval == "APPROVED"
    suspend_serviceman(tunde.pk, reason="Complaints.", by=dispatcher)
    assert not Offer.objects.filter(answer=None).exists()


def test_closed_requests_stay_as_they_are(request_in, tunde, dispatcher):
    request_in("COMPLETED")
    suspend_serviceman(tunde.pk, reason="Complaints.", by=dispatcher)
    assert not Issue.objects.exists()
    assert Offer.objects.get(serviceman=tunde).answer == "ACCEPTED"


def test_he_gets_no_new_offers_until_he_is_reinstated(request_in, tunde, boss, dispatcher):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    suspend_serviceman(tunde.pk, reason="Complaints.", by=dispatcher)
    with refused(Conflict, "serviceman_not_eligible"):
        assign_serviceman(request.pk, serviceman_id=tunde.pk, by=boss)
    with refused(Conflict):
        suspend_serviceman(tunde.pk, reason="Again.", by=dispatcher)
    reinstate_serviceman(tunde.pk, reason="Cleared.", by=dispatcher)
    assign_serviceman(request.pk, serviceman_id=tunde.pk, by=boss)
    accept_job(request.pk, by=tunde)
    with refused(Conflict):
        reinstate_serviceman(tunde.pk, reason="Cleared.", by=dispatcher)


def test_only_who_may_and_only_with_a_reason(request_in, tunde, ada, make_admin, dispatcher):
    request_in("ASSIGNED_TO_SERVICEMAN")
    for act in (suspend_serviceman, reinstate_serviceman):
        for by in (make_admin("pricing", name=f"p-{act.__name__}"), tunde, ada):
            with refused(Forbidden):
                act(tunde.pk, reason="x", by=by)
        with refused(Missing):
            act(ada.pk, reason="x", by=dispatcher)
        with refused(Invalid, field="reason"):
            act(tunde.pk, reason=" ", by=dispatcher)


@pytest.mark.parametrize("approval", ["PENDING", "REJECTED"])
def test_only_the_approved_are_suspended(approval, make_serviceman, dispatcher):
    sani = make_serviceman("sani", profile={"approval": approval})
    with refused(Conflict):
        suspend_serviceman(sani.pk, reason="x", by=dispatcher)
    with refused(Conflict):
        reinstate_serviceman(sani.pk, reason="x", by=dispatcher)
