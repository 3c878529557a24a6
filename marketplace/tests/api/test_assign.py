"""/api/admin/pending-assignments/ and /api/admin/assign-serviceman/."""

from datetime import timedelta

import pytest

from core import clock
from marketplace.models import ServiceRequest, UnavailableDate
from marketplace.services import assignment

QUEUE = "/api/admin/pending-assignments/"
PATH = "/api/admin/assign-serviceman/"


@pytest.fixture
def paid(request_in):
    return request_in("PENDING_ADMIN_ASSIGNMENT")


def test_the_queue_has_emergencies_first_then_the_soonest_due(as_, boss, request_in):
    with clock.at(timedelta(hours=-2)):
        early = request_in("PENDING_ADMIN_ASSIGNMENT")
    late = request_in("PENDING_ADMIN_ASSIGNMENT")
    urgent = request_in("PENDING_ADMIN_ASSIGNMENT", is_emergency=True)
    request_in("IN_PROGRESS")
    request_in("AWAITING_BOOKING_FEE")
    items = as_(boss).get(QUEUE).json()["items"]
    assert [item["id"] for item in items] == [urgent.pk, early.pk, late.pk]


def test_pages_of_the_queue_neither_skip_nor_repeat(as_, boss, request_in):
    wanted = [request_in("PENDING_ADMIN_ASSIGNMENT", is_emergency=i % 2 == 0).pk for i in range(5)]
    seen, path = [], f"{QUEUE}?limit=2"
    while path:
        page = as_(boss).get(path).json()
        seen += [item["id"] for item in page["items"]]
        path = page["next"]
    assert seen == [*wanted[::2], *wanted[1::2]]


def test_each_comes_with_servicemen_and_reasons_to_check(as_, boss, tunde, bola, paid):
    ServiceRequest.objects.filter(pk=paid.pk).update(preferred_serviceman=bola)
    (item,) = as_(boss).get(QUEUE).json()["items"]
    first, second = item["suggested_servicemen"]
    assert (first["id"], second["id"]) == (bola.pk, tunde.pk)
    assert set(first) == {"id", "name", "rating", "reasons"}
    assert first["reasons"][0] == "Asked for by the client"
    assert item["available_actions"] == ["cancel", "reschedule", "assign-serviceman", "emergency", "issues"]


def test_the_queue_is_for_admins_who_may_view(as_, ada, tunde, make_admin):
    for person in (ada, tunde, make_admin()):
        assert as_(person).get(QUEUE).status_code == 403
    assert as_(make_admin("viewer")).get(QUEUE).status_code == 200


def test_it_offers_the_job_with_a_backup_next_in_line(as_, boss, tunde, bola, paid):
    body = {
        "service_request_id": paid.pk,
        "serviceman_id": tunde.pk,
        "backup_serviceman_id": bola.pk,
        "notes": "Ladder.",
    }
    answer = as_(boss).post(PATH, body)
    assert answer.status_code == 200, answer.content
    seen = answer.json()
    assert (seen["status"], seen["serviceman"]["id"]) == ("ASSIGNED_TO_SERVICEMAN", tunde.pk)
    assert seen["backup_serviceman"]["id"] == bola.pk
    assert as_(tunde).get(f"/api/service-requests/{paid.pk}/").json()["available_actions"] == [
        "accept",
        "decline",
        "issues",
    ]


def test_assigned_already_is_409_without_saying_from_whom(as_, boss, tunde, bola, paid):
    body = {"service_request_id": paid.pk, "serviceman_id": tunde.pk}
    as_(boss).post(PATH, body)
    answer = as_(boss).post(PATH, body | {"serviceman_id": bola.pk})
    assert (answer.status_code, answer.json()["code"]) == (409, "already_assigned")


def test_it_reassigns_naming_whom_it_is_taken_from_and_why(as_, boss, tunde, bola, request_in):
    request = request_in("AWAITING_CLIENT_APPROVAL", backup_serviceman=None)
    body = {"service_request_id": request.pk, "serviceman_id": bola.pk, "replaces": tunde.pk}
    answer = as_(boss).post(PATH, body)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_assigned"), "to reassign takes both"
    answer = as_(boss).post(PATH, body | {"reason": "He does not answer."})
    assert answer.status_code == 200, answer.content
    seen = answer.json()
    assert (seen["serviceman"]["id"], seen["final_cost"], seen["price_version"]) == (bola.pk, None, 2)
    stale = as_(boss).post(PATH, body | {"reason": "Again."})
    assert (stale.status_code, stale.json()["code"]) == (409, "already_assigned")


def test_the_same_man_again_is_409(as_, boss, tunde, request_in):
    request = request_in("IN_PROGRESS", backup_serviceman=None)
    body = {"service_request_id": request.pk, "serviceman_id": tunde.pk, "replaces": tunde.pk, "reason": "Why not."}
    answer = as_(boss).post(PATH, body)
    assert (answer.status_code, answer.json()["code"]) == (409, "same_serviceman")


@pytest.mark.parametrize("field", ["serviceman_id", "backup_serviceman_id"])
def test_an_unknown_serviceman_is_422_naming_the_field(as_, boss, ada, tunde, paid, field):
    for user_id in (999_999, ada.pk):
        body = {"service_request_id": paid.pk, "serviceman_id": tunde.pk, field: user_id}
        answer = as_(boss).post(PATH, body)
        assert (answer.status_code, [error["loc"] for error in answer.json()["errors"]]) == (422, [field])


def test_who_is_not_eligible_is_409_with_a_reason_to_check(as_, boss, tunde, bola, make_serviceman, paid):
    assignment.assign_serviceman(paid.pk, serviceman_id=bola.pk, by=boss)
    assignment.decline_job(paid.pk, reason="Ill.", by=bola)
    UnavailableDate.objects.create(serviceman=tunde, date=paid.booking_date)
    pending = make_serviceman("sani", profile={"approval": "PENDING"})
    for person, word in ((bola, "declined"), (tunde, "not available"), (pending, "not approved")):
        answer = as_(boss).post(PATH, {"service_request_id": paid.pk, "serviceman_id": person.pk})
        assert (answer.status_code, answer.json()["code"]) == (409, "serviceman_not_eligible")
        assert word in answer.json()["detail"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("service_request_id", None),
        ("serviceman_id", "x"),
        ("backup_serviceman_id", 0),
        ("notes", "x" * 1001),
        ("replaces", "x"),
        ("client_id", 1),
    ],
)
def test_a_bad_body_names_its_field(as_, boss, tunde, field, value):
    answer = as_(boss).post(PATH, {"service_request_id": 1, "serviceman_id": tunde.pk, field: value})
    assert (answer.status_code, [error["loc"] for error in answer.json()["errors"]]) == (422, [field])


def test_only_admins_who_may_assign(as_, ada, tunde, make_admin, paid):
    body = {"service_request_id": paid.pk, "serviceman_id": tunde.pk}
    for person in (ada, tunde, make_admin("pricing"), make_admin("viewer")):
        answer = as_(person).post(PATH, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_yours_to_do")
    dispatcher = make_admin("dispatcher")
    assert as_(dispatcher).post(PATH, body | {"service_request_id": 999_999}).status_code == 404
    assert as_(dispatcher).post(PATH, body).status_code == 200


def test_a_repeated_key_assigns_once(as_, boss, tunde, paid):
    body = {"service_request_id": paid.pk, "serviceman_id": tunde.pk}
    first = as_(boss).post(PATH, body, headers={"Idempotency-Key": "a"})
    again = as_(boss).post(PATH, body, headers={"Idempotency-Key": "a"})
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
