"""How a request moves at all: taken under a lock, moved by a step and nothing else, saved with one row of history."""

from datetime import timedelta
from unittest.mock import sentinel

import pytest
from django.db import connection, transaction

from core import clock
from core.errors import Conflict, Forbidden, Invalid, Missing
from marketplace import notices
from marketplace.enums import Status
from marketplace.models import Offer, ServiceRequest
from marketplace.services.assignment import accept_job
from marketplace.services.workflow import advance, locked, require_reason, take
from marketplace.tests.trail import everything, fresh, refused, trail

pytestmark = pytest.mark.django_db


def test_advance_refuses_what_is_no_step(request_in, boss):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    for no_step in (ServiceRequest.save, ServiceRequest.get_absolute_url, print):
        with pytest.raises(TypeError):
            advance(request, no_step, by=boss)
        with pytest.raises(TypeError), locked(request.pk, by=boss, step=no_step):
            pass
    assert trail(request) == []


def test_advance_refuses_a_step_from_elsewhere(request_in, boss):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    with refused(Conflict, "wrong_status"):
        advance(request, ServiceRequest.start_work, by=boss)


def test_a_stale_instance_moves_nothing(request_in, tunde, boss):
    stale = request_in("PAYMENT_CONFIRMED")
    advance(fresh(stale), ServiceRequest.start_work, by=tunde)
    with refused(Conflict, "wrong_status"), transaction.atomic():
        advance(stale, ServiceRequest.start_work, by=boss)


def test_the_trail_is_written_with_our_clock_and_the_values_of_the_step(request_in, tunde):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    with clock.at(timedelta(hours=1)) as now:
        accept_job(request.pk, by=tunde)
    row = request.history.first()
    assert (row.step, row.history_user, row.history_date, row.accepted_at) == ("accept", tunde, now, now)
    assert row.history_type == "~"
    assert fresh(request).updated_at == now


def test_reasons_of_any_length_are_kept_whole(request_in, boss):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    advance(request, ServiceRequest.flag_emergency, by=boss, reason="x" * 5000, is_emergency=True)
    assert trail(request)[0][3] == "x" * 5000


def test_marks_of_one_step_do_not_stick_to_the_next(request_in, boss, ada):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    advance(request, ServiceRequest.flag_emergency, by=boss, on_behalf_of=ada, reason="Why.", is_emergency=True)
    request.save()
    row = request.history.first()
    assert (row.step, row.history_user, row.on_behalf_of, row.history_change_reason) == ("", None, None, None)


def test_step_trail_and_notices_stand_or_fall_together(request_in, tunde, monkeypatch):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    before = everything()

    def fail(*_args, **_facts):
        raise RuntimeError(sentinel.lost)

    monkeypatch.setattr(notices, "announce", fail)
    with pytest.raises(RuntimeError):
        accept_job(request.pk, by=tunde)
    assert everything() == before


def test_what_you_may_not_see_is_not_there(request_in, eve, make_serviceman, make_admin):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    for by in (eve, make_serviceman("sani"), make_admin()):
        for request_id in (request.pk, 987654):
            with refused(Missing), locked(request_id, by=by, step=ServiceRequest.cancel):
                pass


def test_a_dead_offer_is_a_conflict_and_no_offer_is_missing(request_in, tunde, bola, make_serviceman):
    request, sani = request_in("PENDING_ADMIN_ASSIGNMENT"), make_serviceman("sani")
    Offer.objects.create(request=request, serviceman=tunde, rank="PRIMARY", answer="DECLINED")
    with refused(Conflict, "offer_withdrawn"):
        accept_job(request.pk, by=tunde)
    with refused(Missing):
        accept_job(request.pk, by=sani)


def test_the_state_is_looked_at_before_the_right(request_in, ada):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")

    def gone(_request):
        raise Conflict("Too late.", code="too_late")

    with refused(Forbidden), locked(request.pk, by=ada, step=ServiceRequest.assign):
        pass
    with refused(Conflict, "too_late"), locked(request.pk, by=ada, step=ServiceRequest.assign, state=gone):
        pass


def test_a_steps_own_word_on_behalf_holds_for_every_step(request_in, boss, make_admin):
    request, dispatcher = request_in("IN_PROGRESS"), make_admin("dispatcher")
    for side in ("client", "serviceman"):
        for step in (ServiceRequest.cancel, ServiceRequest.raise_issue, ServiceRequest.reassign):
            for by in (boss, dispatcher):
                with refused(Forbidden), locked(request.pk, by=by, step=step, on_behalf_of=side):
                    pass
    with (
        refused(Forbidden),
        locked(request.pk, by=boss, step=ServiceRequest.mark_work_completed, on_behalf_of="client"),
    ):
        pass


def test_a_superuser_who_is_no_admin_stands_in_for_nobody(request_in, tunde, bola):
    type(bola).objects.filter(pk=bola.pk).update(is_superuser=True)
    request = request_in("IN_PROGRESS")
    superman = type(bola).objects.get(pk=bola.pk)
    with (
        refused(Forbidden),
        locked(request.pk, by=superman, step=ServiceRequest.mark_work_completed, on_behalf_of="serviceman"),
    ):
        pass


def test_take_locks_the_row(request_in):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no row locks: there the whole write transaction is the lock.")
    said = []
    with (
        transaction.atomic(),
        connection.execute_wrapper(lambda run, sql, *rest: (said.append(sql), run(sql, *rest))[1]),
    ):
        take(request.pk, by=None)
    assert said[-1].endswith('FOR UPDATE OF "marketplace_servicerequest"')


def test_a_reason_is_more_than_blanks():
    assert require_reason("  Because. ") == "Because."
    for nothing in ("", " ", "\n\t"):
        with pytest.raises(Invalid):
            require_reason(nothing)


def test_a_moved_request_is_saved_once(request_in, tunde, django_assert_num_queries):
    request = request_in("PAYMENT_CONFIRMED")
    with connection.execute_wrapper(_only_one_update()):
        advance(request, ServiceRequest.start_work, by=tunde)
    assert fresh(request).status == Status.IN_PROGRESS


def _only_one_update():
    seen = []

    def watch(run, sql, *rest):
        if sql.startswith('UPDATE "marketplace_servicerequest"'):
            seen.append(sql)
            assert len(seen) == 1
            assert '"marketplace_servicerequest"."status" = ' in sql.split("WHERE")[1]  # only from where it was read
        return run(sql, *rest)

    return watch
