"""Raising and resolving issues."""

import pytest

PATH = "/api/service-requests/{}/issues/"
RESOLVE = "/api/service-requests/{}/issues/{}/resolve/"
NO_SHOW = {"kind": "NO_SHOW", "message": "Nobody came."}


def test_a_party_raises_one_and_the_request_waits_on_an_admin(as_, ada, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN", accepted=True)
    answer = as_(ada).post(PATH.format(request.pk), NO_SHOW)
    assert answer.status_code == 201, answer.content
    issue = answer.json()
    assert (issue["kind"], issue["message"], issue["raised_by_role"]) == ("NO_SHOW", "Nobody came.", "CLIENT")
    assert (issue["resolved_at"], issue["resolution"]) == (None, "")
    seen = as_(ada).get(answer["Location"]).json()
    assert (seen["waiting_on"], seen["issues"]) == ("ADMIN", [issue])


def test_an_admin_resolves_it_saying_how(as_, ada, boss, request_in):
    request = request_in("IN_PROGRESS")
    issue = as_(ada).post(PATH.format(request.pk), NO_SHOW).json()
    answer = as_(boss).post(RESOLVE.format(request.pk, issue["id"]), {"resolution": "He comes tomorrow."})
    assert answer.status_code == 200, answer.content
    assert answer.json()["waiting_on"] == "SERVICEMAN"
    assert answer.json()["issues"][0]["resolution"] == "He comes tomorrow."
    again = as_(boss).post(RESOLVE.format(request.pk, issue["id"]), {"resolution": "Again."})
    assert (again.status_code, again.json()["code"]) == (409, "already_resolved")


def test_one_of_a_kind_is_open_at_a_time(as_, ada, tunde, request_in):
    request = request_in("IN_PROGRESS")
    as_(ada).post(PATH.format(request.pk), NO_SHOW)
    answer = as_(tunde).post(PATH.format(request.pk), NO_SHOW)
    assert (answer.status_code, answer.json()["code"]) == (409, "issue_open")
    assert as_(tunde).post(PATH.format(request.pk), NO_SHOW | {"kind": "UNREACHABLE"}).status_code == 201


@pytest.mark.parametrize("status", ["AWAITING_BOOKING_FEE", "COMPLETED", "CANCELLED"])
def test_it_needs_a_job_that_runs(as_, ada, request_in, status):
    answer = as_(ada).post(PATH.format(request_in(status).pk), NO_SHOW)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_status")


@pytest.mark.parametrize(
    ("field", "value"),
    [("kind", "LATE"), ("kind", None), ("message", ""), ("message", "x" * 2001), ("resolved_at", None)],
)
def test_a_bad_body_names_its_field(as_, ada, request_in, field, value):
    answer = as_(ada).post(PATH.format(request_in("IN_PROGRESS").pk), NO_SHOW | {field: value})
    assert (answer.status_code, [error["loc"] for error in answer.json()["errors"]]) == (422, [field])


def test_strangers_and_the_backup_raise_nothing(as_, eve, bola, make_admin, request_in):
    request = request_in("IN_PROGRESS")
    assert as_(eve).post(PATH.format(request.pk), NO_SHOW).status_code == 404
    assert as_(bola).post(PATH.format(request.pk), NO_SHOW).status_code == 403
    assert as_(make_admin("pricing")).post(PATH.format(request.pk), NO_SHOW).status_code == 403


def test_an_issue_of_another_request_is_not_there(as_, ada, boss, request_in):
    first, second = request_in("IN_PROGRESS"), request_in("IN_PROGRESS")
    issue = as_(ada).post(PATH.format(first.pk), NO_SHOW).json()
    assert as_(boss).post(RESOLVE.format(second.pk, issue["id"]), {"resolution": "Done."}).status_code == 404
    assert as_(ada).post(RESOLVE.format(first.pk, issue["id"]), {"resolution": "Done."}).status_code == 403
