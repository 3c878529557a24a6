"""A serviceman's accept, decline and withdraw."""

from datetime import timedelta

import pytest

from core import clock
from marketplace.models import ServiceRequest
from marketplace.services import assignment

PATH = "/api/service-requests/{}/{}/"
WHY = {"reason": "I am ill this week."}


def test_he_accepts_and_sees_what_comes_next(as_, tunde, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    answer = as_(tunde).post(PATH.format(request.pk, "accept"))
    assert answer.status_code == 200, answer.content
    seen = answer.json()
    assert seen["status"] == "ASSIGNED_TO_SERVICEMAN"
    assert seen["accepted_at"] is not None
    assert seen["available_actions"] == ["withdraw", "estimate", "issues"]


def test_a_second_answer_is_409(as_, tunde, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN", accepted=True)
    for action, body in (("accept", {}), ("decline", WHY)):
        answer = as_(tunde).post(PATH.format(request.pk, action), body)
        assert (answer.status_code, answer.json()["code"]) == (409, "already_answered")


def test_a_late_answer_is_409(as_, tunde, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    with clock.at(timedelta(hours=13)):
        answer = as_(tunde).post(PATH.format(request.pk, "accept"))
    assert (answer.status_code, answer.json()["code"]) == (409, "offer_lapsed")


def test_the_backup_may_not_answer_yet(as_, bola, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    for action, body in (("accept", {}), ("decline", WHY)):
        answer = as_(bola).post(PATH.format(request.pk, action), body)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_yours_to_do")


def test_who_declines_learns_id_and_status_only(as_, tunde, bola, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    answer = as_(tunde).post(PATH.format(request.pk, "decline"), WHY)
    assert (answer.status_code, answer.json()) == (200, {"id": request.pk, "status": "ASSIGNED_TO_SERVICEMAN"})
    assert as_(bola).post(PATH.format(request.pk, "accept")).status_code == 200


def test_without_a_backup_an_admin_must_choose_again(as_, tunde, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN", backup_serviceman=None)
    answer = as_(tunde).post(PATH.format(request.pk, "decline"), WHY)
    assert answer.json() == {"id": request.pk, "status": "PENDING_ADMIN_ASSIGNMENT"}


def test_who_withdraws_learns_id_and_status_only(as_, tunde, request_in):
    request = request_in("AWAITING_CLIENT_APPROVAL", backup_serviceman=None)
    answer = as_(tunde).post(PATH.format(request.pk, "withdraw"), WHY)
    assert answer.json() == {"id": request.pk, "status": "PENDING_ADMIN_ASSIGNMENT"}
    request = ServiceRequest.objects.get(pk=request.pk)
    assert (request.final_cost, request.serviceman_estimated_cost, request.price_version) == (None, None, 2)


def test_nobody_withdraws_once_work_has_started(as_, tunde, request_in):
    answer = as_(tunde).post(PATH.format(request_in("IN_PROGRESS").pk, "withdraw"), WHY)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_status")


@pytest.mark.parametrize("action", ["decline", "withdraw"])
@pytest.mark.parametrize("reason", [None, "", "   ", "x" * 1001, 7])
def test_a_reason_is_asked_for(as_, tunde, request_in, action, reason):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    body = {} if reason is None else {"reason": reason}
    answer = as_(tunde).post(PATH.format(request.pk, action), body)
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, "reason")
    assert ServiceRequest.objects.get(pk=request.pk).serviceman_id == tunde.pk


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("accept", {}),
        ("decline", WHY),
        ("withdraw", WHY),
        ("estimate", {"amount": "1.00"}),
        ("start", {}),
        ("complete", {}),
        ("issues", {"kind": "OTHER", "message": "Hello."}),
    ],
)
def test_whose_offer_is_dead_is_told_so_whatever_he_tries(as_, tunde, bola, boss, request_in, action, body):
    request = request_in("ASSIGNED_TO_SERVICEMAN", backup_serviceman=None)
    assignment.reassign_serviceman(request.pk, serviceman_id=bola.pk, replaces=tunde.pk, reason="Faster.", by=boss)
    answer = as_(tunde).post(PATH.format(request.pk, action), body)
    assert (answer.status_code, answer.json()["code"]) == (409, "offer_withdrawn")


@pytest.mark.parametrize("action", ["accept", "decline", "withdraw", "estimate", "start", "complete"])
@pytest.mark.parametrize("who", ["ada", "boss"])
def test_nobody_else_acts_for_him_here(as_, request, request_in, action, who):
    job = request_in("ASSIGNED_TO_SERVICEMAN")
    answer = as_(request.getfixturevalue(who)).post(PATH.format(job.pk, action), {})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_yours_to_do")


def test_a_stranger_finds_nothing(as_, make_serviceman, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    assert as_(make_serviceman("sani")).post(PATH.format(request.pk, "accept")).status_code == 404


def test_accept_takes_no_body(as_, tunde, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    assert as_(tunde).post(PATH.format(request.pk, "accept"), {"amount": "1.00"}).status_code == 422
