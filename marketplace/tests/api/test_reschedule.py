"""POST reschedule, and PATCH emergency."""

from datetime import timedelta

import pytest

from core import clock
from marketplace.models import Notification, UnavailableDate

PATH = "/api/service-requests/{}/reschedule/"
EMERGENCY = "/api/admin/service-requests/{}/emergency/"


def body(days):
    return {"booking_date": (clock.today() + timedelta(days=days)).isoformat(), "reason": "I am travelling."}


def test_the_client_moves_the_visit(as_, ada, request_in):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    answer = as_(ada).post(PATH.format(request.pk), body(20))
    assert answer.status_code == 200, answer.content
    assert answer.json()["booking_date"] == body(20)["booking_date"]
    assert answer.json()["is_emergency"] is False


def test_a_near_date_makes_it_an_emergency_and_the_fee_stays(as_, ada, request_in):
    seen = as_(ada).post(PATH.format(request_in("PENDING_ADMIN_ASSIGNMENT").pk), body(1)).json()
    assert (seen["is_emergency"], seen["auto_flagged_emergency"]) == (True, True)
    assert seen["initial_booking_fee"] == "2000.00"


@pytest.mark.parametrize("status", ["SERVICEMAN_INSPECTED", "AWAITING_PAYMENT", "PAYMENT_CONFIRMED"])
def test_after_the_inspection_only_an_admin_may(as_, ada, boss, request_in, status):
    request = request_in(status)
    answer = as_(ada).post(PATH.format(request.pk), body(20))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_yours_to_do")
    assert as_(boss).post(PATH.format(request.pk), body(20)).status_code == 200


def test_nobody_moves_work_that_has_started(as_, boss, ada, request_in):
    request = request_in("IN_PROGRESS")
    for person in (ada, boss):
        answer = as_(person).post(PATH.format(request.pk), body(20))
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_status")


def test_a_past_date_and_one_on_which_he_is_not_free_are_422(as_, ada, tunde, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN", accepted=True)
    UnavailableDate.objects.create(serviceman=tunde, date=clock.today() + timedelta(days=20))
    for days in (-1, 20):
        answer = as_(ada).post(PATH.format(request.pk), body(days))
        assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, "booking_date")


def test_date_and_reason_are_asked_for(as_, ada, request_in):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    for missing in ("booking_date", "reason"):
        given = {name: value for name, value in body(20).items() if name != missing}
        answer = as_(ada).post(PATH.format(request.pk), given)
        assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, missing)


def test_it_is_the_clients_and_of_admins_who_may_assign(as_, eve, tunde, make_admin, request_in):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    assert as_(eve).post(PATH.format(request.pk), body(20)).status_code == 404
    assert as_(tunde).post(PATH.format(request.pk), body(20)).status_code == 403
    assert as_(make_admin("pricing")).post(PATH.format(request.pk), body(20)).status_code == 403


def test_an_admin_sets_and_lifts_the_emergency(as_, boss, request_in):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    answer = as_(boss).patch(EMERGENCY.format(request.pk), {"is_emergency": True})
    assert answer.status_code == 200, answer.content
    assert (answer.json()["is_emergency"], answer.json()["initial_booking_fee"]) == (True, "2000.00")
    assert as_(boss).patch(EMERGENCY.format(request.pk), {"is_emergency": False}).json()["is_emergency"] is False


def test_setting_it_again_answers_the_same_and_alerts_nobody(as_, boss, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    first, again = (as_(boss).patch(EMERGENCY.format(request.pk), {"is_emergency": True}) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert Notification.objects.filter(notification_type="EMERGENCY_ALERT").count() == 2  # he and the backup, once


def test_the_emergency_is_for_dispatchers_and_open_requests(as_, ada, boss, make_admin, request_in):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    for person in (ada, make_admin("pricing")):
        assert as_(person).patch(EMERGENCY.format(request.pk), {"is_emergency": True}).status_code == 403
    assert as_(boss).patch(EMERGENCY.format(request.pk), {"is_emergency": "on"}).status_code == 422
    assert as_(boss).patch(EMERGENCY.format(request.pk), {}).status_code == 422
    assert as_(boss).patch(EMERGENCY.format(999_999), {"is_emergency": True}).status_code == 404
    closed = request_in("COMPLETED")
    assert as_(boss).patch(EMERGENCY.format(closed.pk), {"is_emergency": True}).status_code == 409
