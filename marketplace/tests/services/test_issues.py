"""Something went wrong: while an issue is open the request waits on an admin."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission

from core import clock
from core.errors import Conflict, Forbidden, Invalid, Missing
from marketplace.enums import OPEN, Side
from marketplace.models import Issue, Notification
from marketplace.services.assignment import reassign_serviceman
from marketplace.services.issues import raise_issue, resolve_issue
from marketplace.services.negotiations import reject_proposal
from marketplace.services.requests import cancel
from marketplace.services.work import mark_work_completed
from marketplace.tests.trail import fresh, refused, trail

pytestmark = pytest.mark.django_db


@pytest.fixture
def dispatcher(make_admin):
    return make_admin("dispatcher")


@pytest.mark.parametrize("status", OPEN[1:])
def test_it_waits_on_an_admin_and_then_again_on_whom_it_did(status, request_in, ada, dispatcher):
    before = request_in(status)
    with clock.at(timedelta(hours=1)) as now:
        issue = raise_issue(before.pk, kind="OTHER", message="Wrong house.", by=ada)
    assert (issue.raised_by, issue.raised_by_role, issue.created_at) == (ada, Side.CLIENT, now)
    request = fresh(before)
    assert request.waiting_on == Side.ADMIN
    assert (request.status, request.status_since, request.due_at) == (before.status, before.status_since, before.due_at)
    with clock.at(timedelta(hours=2)) as now:
        resolve_issue(request.pk, issue.pk, resolution="Sent him on.", by=dispatcher)
    assert fresh(before).waiting_on == before.waiting_on
    issue.refresh_from_db()
    assert (issue.resolved_at, issue.resolved_by, issue.resolution) == (now, dispatcher, "Sent him on.")
    assert trail(request) == [
        ("raise_issue", ada, None, "Wrong house."),
        ("resolve_issue", dispatcher, None, "Sent him on."),
    ]


def test_every_party_may_raise_one_but_the_backup(request_in, tunde, bola, dispatcher):
    request = request_in("IN_PROGRESS")
    for kind, by, role in (("NO_SHOW", tunde, Side.SERVICEMAN), ("SAFETY", dispatcher, Side.ADMIN)):
        assert raise_issue(request.pk, kind=kind, message="!", by=by).raised_by_role == role
    with refused(Forbidden):
        raise_issue(request.pk, kind="OTHER", message="!", by=bola)


def test_one_of_a_kind_at_a_time(request_in, ada, tunde, dispatcher):
    request = request_in("IN_PROGRESS")
    issue = raise_issue(request.pk, kind="QUALITY", message="Drips.", by=ada)
    for by in (ada, tunde):
        with refused(Conflict, "issue_open"):
            raise_issue(request.pk, kind="QUALITY", message="Still drips.", by=by)
    raise_issue(request.pk, kind="OTHER", message="And it is loud.", by=ada)
    resolve_issue(request.pk, issue.pk, resolution="Fixed.", by=dispatcher)
    assert fresh(request).waiting_on == Side.ADMIN  # the other one is still open
    raise_issue(request.pk, kind="QUALITY", message="Drips again.", by=ada)


def test_an_open_issue_outlasts_the_next_steps(request_in, ada, tunde, boss):
    request = request_in("IN_PROGRESS")
    raise_issue(request.pk, kind="QUALITY", message="Drips.", by=ada)
    mark_work_completed(request.pk, by=tunde)
    assert fresh(request).waiting_on == Side.ADMIN
    request = request_in("NEGOTIATING")
    raise_issue(request.pk, kind="OTHER", message="?", by=ada)
    reject_proposal(request.open_proposal.pk, by=boss)
    assert fresh(request).waiting_on == Side.ADMIN


def test_it_is_resolved_once_with_words_and_on_its_own_request(request_in, ada, dispatcher):
    request, other, over = request_in("IN_PROGRESS"), request_in("IN_PROGRESS"), request_in("COMPLETED")
    issue = raise_issue(request.pk, kind="OTHER", message="?", by=ada)
    with refused(Invalid, "reason_required", field="resolution"):
        resolve_issue(request.pk, issue.pk, resolution=" ", by=dispatcher)
    for request_id, issue_id in ((other.pk, issue.pk), (request.pk, 987654), (over.pk, issue.pk)):
        with refused(Missing):
            resolve_issue(request_id, issue_id, resolution="x", by=dispatcher)
    resolve_issue(request.pk, issue.pk, resolution="x", by=dispatcher)
    with refused(Conflict, "already_resolved"):
        resolve_issue(request.pk, issue.pk, resolution="x", by=dispatcher)
    assert Issue.objects.get().resolution == "x"


def test_it_needs_words(request_in, ada):
    request = request_in("IN_PROGRESS")
    with refused(Invalid, "reason_required", field="message"):
        raise_issue(request.pk, kind="OTHER", message="\t", by=ada)


def test_an_issue_ends_with_its_request(request_in, ada, tunde, boss):
    request, other = request_in("IN_PROGRESS"), request_in("IN_PROGRESS")
    settled = Issue.objects.create(
        request=request, kind="SAFETY", message="!", raised_by=ada, resolution="Talked.", resolved_at=clock.now()
    )
    raise_issue(request.pk, kind="QUALITY", message="Drips.", by=ada)
    raise_issue(request.pk, kind="NO_SHOW", message="Nobody opens.", by=tunde)
    untouched = raise_issue(other.pk, kind="OTHER", message="?", by=ada)
    with clock.at(timedelta(hours=1)) as now:
        cancel(request.pk, reason="Not needed.", by=boss)
    ended = Issue.objects.filter(request=request).exclude(pk=settled.pk)
    assert set(ended.values_list("resolved_at", "resolved_by", "resolution")) == {
        (now, boss.pk, "The request was cancelled.")
    }
    assert Issue.objects.get(pk=settled.pk).resolution == "Talked."
    assert Issue.objects.get(pk=untouched.pk).resolved_at is None
    assert [row[0] for row in trail(request)] == ["raise_issue", "raise_issue", "cancel"]


def test_the_end_by_the_system_is_nobodys(request_in, ada):
    request = request_in("AWAITING_PAYMENT")
    raise_issue(request.pk, kind="OTHER", message="?", by=ada)
    with clock.at(timedelta(days=15)):
        cancel(request.pk, reason="Silence.", by=None)
    assert Issue.objects.values_list("resolved_by", "resolution").get() == (None, "The request was cancelled.")


def test_who_raised_it_is_told_of_the_end_once(request_in, ada, tunde, bola, boss, make_serviceman, make_admin):
    request, sani, checker = request_in("IN_PROGRESS"), make_serviceman("sani"), make_admin(name="checker")
    checker.user_permissions.set(
        Permission.objects.filter(content_type__app_label="marketplace", codename__in=["verify", "view_servicerequest"])
    )
    for kind, by in (("NO_SHOW", tunde), ("QUALITY", ada), ("SAFETY", checker), ("OTHER", boss)):
        raise_issue(request.pk, kind=kind, message="!", by=by)
    reassign_serviceman(request.pk, serviceman_id=sani.pk, replaces=tunde.pk, reason="Ill.", by=boss)
    Notification.objects.all().delete()
    cancel(request.pk, reason="Between us.", by=boss)
    told = Notification.objects.values_list("notification_type", "user__first_name")
    assert sorted(told) == [("REQUEST_CANCELLED", name) for name in ("Ada", "Checker", "Sani", "Tunde")]
    left = Notification.objects.get(user=tunde)
    assert "history_id" not in left.facts  # he is no longer one of those who are told why
    assert "issue" in left.message
