"""The work itself: start, completion, and an admin's check of it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from core.errors import Conflict, Invalid
from marketplace.enums import Account, Side, Status
from marketplace.models import Issue, LedgerEntry, LedgerLine, ServicemanProfile
from marketplace.services.issues import resolve_issue
from marketplace.services.work import mark_work_completed, return_to_work, start_work, verify_completion
from marketplace.tests.trail import fresh, offers, refused, trail

pytestmark = pytest.mark.django_db


@pytest.fixture
def checker(make_admin):
    return make_admin("dispatcher")


def test_he_starts_and_has_a_week(request_in, tunde):
    before = request_in("PAYMENT_CONFIRMED")
    with clock.at(timedelta(hours=2)) as now:
        start_work(before.pk, by=tunde)
    request = fresh(before)
    assert (request.status, request.waiting_on) == (Status.IN_PROGRESS, Side.SERVICEMAN)
    assert (request.status_since, request.due_at) == (now, now + timedelta(days=7))
    assert trail(request) == [("start_work", tunde, None, "")]


def test_he_is_done_and_an_admin_must_look(request_in, tunde):
    before = request_in("IN_PROGRESS")
    with clock.at(timedelta(hours=2)) as now:
        mark_work_completed(before.pk, notes="Dry as dust.", by=tunde)
    request = fresh(before)
    assert (request.status, request.waiting_on) == (Status.WORK_COMPLETED, Side.ADMIN)
    assert (request.work_completed_at, request.completion_notes) == (now, "Dry as dust.")
    assert (request.status_since, request.due_at) == (now, now + timedelta(hours=24))
    assert trail(request) == [("mark_work_completed", tunde, None, "")]


def test_verified_work_is_earned(request_in, checker, tunde, bola):
    before = request_in("WORK_COMPLETED")
    with clock.at(timedelta(hours=2)) as now:
        verify_completion(before.pk, message="Called the client.", by=checker)
    request = fresh(before)
    assert (request.status, request.waiting_on, request.due_at) == (Status.COMPLETED, Side.NOBODY, None)
    assert request.status_since == now
    assert trail(request) == [("verify_completion", checker, None, "Called the client.")]
    assert ServicemanProfile.objects.get(user=tunde).total_jobs_completed == 1
    assert ServicemanProfile.objects.get(user=bola).total_jobs_completed == 0
    assert offers(request) == [(tunde, "PRIMARY", "ACCEPTED"), (bola, "BACKUP", "CLOSED")]
    lines = LedgerLine.objects.filter(entry=LedgerEntry.objects.get(request=request))
    assert {(line.account, line.serviceman_id): line.amount_kobo for line in lines} == {
        (Account.CLIENT, None): 2_200_000,
        (Account.SERVICEMAN_PAYABLE, tunde.pk): -2_000_000,
        (Account.REVENUE_MARKUP, None): -200_000,
    }


def test_it_is_not_verified_while_an_issue_is_open(request_in, checker, ada):
    request = request_in("WORK_COMPLETED")
    issue = Issue.objects.create(request=request, kind="QUALITY", message="Drips.", raised_by=ada)
    with refused(Conflict, "issue_open"):
        verify_completion(request.pk, by=checker)
    resolve_issue(request.pk, issue.pk, resolution="Fixed.", by=checker)
    verify_completion(request.pk, by=checker)
    with refused(Conflict, "wrong_status"):
        verify_completion(request.pk, by=checker)


def test_unfinished_work_goes_back_with_a_reason(request_in, checker, tunde):
    before = request_in("WORK_COMPLETED")
    with refused(Invalid, "reason_required", field="reason"):
        return_to_work(before.pk, reason="", by=checker)
    with clock.at(timedelta(hours=2)) as now:
        return_to_work(before.pk, reason="It still drips.", by=checker)
    request = fresh(before)
    assert (request.status, request.waiting_on) == (Status.IN_PROGRESS, Side.SERVICEMAN)
    assert (request.work_completed_at, request.due_at) == (None, now + timedelta(days=7))
    assert trail(request) == [("return_to_work", checker, None, "It still drips.")]
    mark_work_completed(request.pk, notes="Now it does not.", by=tunde)
    assert fresh(request).completion_notes == "Now it does not."
    assert not LedgerEntry.objects.exists()


@pytest.mark.parametrize(("status", "act", "step"), [
    ("PAYMENT_CONFIRMED", start_work, "start_work"),
    ("IN_PROGRESS", mark_work_completed, "mark_work_completed"),
])  # fmt: skip
def test_an_admin_does_it_for_him_and_says_why(status, act, step, request_in, checker, tunde):
    request = request_in(status)
    with refused(Invalid, "reason_required", field="reason"):
        act(request.pk, by=checker, on_behalf=True)
    act(request.pk, by=checker, on_behalf=True, reason="His phone is dead.")
    assert trail(request) == [(step, checker, tunde, "His phone is dead.")]


def test_a_job_below_its_estimate_costs_the_platform(request_in, checker, tunde):
    request = request_in("WORK_COMPLETED", final_cost=Decimal("19000.00"), admin_markup_percentage=None)
    verify_completion(request.pk, by=checker)
    assert LedgerLine.objects.get(account=Account.REVENUE_MARKUP).amount_kobo == 100_000
