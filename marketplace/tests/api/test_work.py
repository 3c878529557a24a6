"""Start, complete, verify completion, return to work."""

import pytest

from marketplace.services import issues

PATH = "/api/service-requests/{}/{}/"


def test_he_starts_and_completes_and_an_admin_verifies(as_, tunde, boss, ada, request_in):
    request = request_in("PAYMENT_CONFIRMED")
    started = as_(tunde).post(PATH.format(request.pk, "start"))
    assert (started.status_code, started.json()["status"]) == (200, "IN_PROGRESS")
    done = as_(tunde).post(PATH.format(request.pk, "complete"), {"notes": "Tight again."})
    assert (done.status_code, done.json()["status"]) == (200, "WORK_COMPLETED")
    assert done.json()["completion_notes"] == "Tight again."
    assert done.json()["work_completed_at"] is not None
    verified = as_(boss).post(PATH.format(request.pk, "verify-completion"), {"message": "Well done."})
    assert (verified.status_code, verified.json()["status"]) == (200, "COMPLETED")
    assert (verified.json()["waiting_on"], verified.json()["due_at"]) == ("NOBODY", None)
    assert "rate" in as_(ada).get(f"/api/service-requests/{request.pk}/").json()["available_actions"]


def test_notes_and_message_may_be_left_out(as_, tunde, boss, request_in):
    request = request_in("IN_PROGRESS")
    assert as_(tunde).post(PATH.format(request.pk, "complete")).status_code == 200
    assert as_(boss).post(PATH.format(request.pk, "verify-completion")).status_code == 200


def test_an_open_issue_stops_the_verification(as_, ada, boss, request_in):
    request = request_in("WORK_COMPLETED")
    issues.raise_issue(request.pk, kind="QUALITY", message="Still drips.", by=ada)
    answer = as_(boss).post(PATH.format(request.pk, "verify-completion"))
    assert (answer.status_code, answer.json()["code"]) == (409, "issue_open")
    actions = as_(boss).get(f"/api/service-requests/{request.pk}/").json()["available_actions"]
    assert "verify-completion" not in actions
    assert "resolve" in actions


def test_unfinished_work_goes_back_with_a_reason(as_, boss, request_in):
    request = request_in("WORK_COMPLETED")
    assert as_(boss).post(PATH.format(request.pk, "return-to-work"), {}).status_code == 422
    answer = as_(boss).post(PATH.format(request.pk, "return-to-work"), {"reason": "Still drips."})
    assert (answer.status_code, answer.json()["status"]) == (200, "IN_PROGRESS")


@pytest.mark.parametrize(
    ("action", "status"),
    [("start", "AWAITING_PAYMENT"), ("start", "IN_PROGRESS"), ("complete", "PAYMENT_CONFIRMED")],
)
def test_out_of_turn_is_409(as_, tunde, request_in, action, status):
    answer = as_(tunde).post(PATH.format(request_in(status).pk, action))
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_status")


def test_state_comes_before_right(as_, bola, request_in):
    assert as_(bola).post(PATH.format(request_in("IN_PROGRESS").pk, "start")).status_code == 409
    assert as_(bola).post(PATH.format(request_in("PAYMENT_CONFIRMED").pk, "start")).status_code == 403


@pytest.mark.parametrize("action", ["verify-completion", "return-to-work"])
def test_only_admins_who_may_verify_do(as_, make_admin, ada, tunde, request_in, action):
    request = request_in("WORK_COMPLETED")
    for person in (ada, tunde, make_admin("pricing"), make_admin("viewer")):
        answer = as_(person).post(PATH.format(request.pk, action), {"reason": "No."})
        assert (answer.status_code, answer.json()["code"]) == (403, "not_yours_to_do")
    body = {"reason": "Still drips."} if action == "return-to-work" else {}
    assert as_(make_admin("dispatcher")).post(PATH.format(request.pk, action), body).status_code == 200
