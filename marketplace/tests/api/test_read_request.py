"""One request, as each of its audiences sees it."""

from datetime import timedelta

import pytest

from core import clock
from marketplace.api.schemas.seen import area_of
from marketplace.services import assignment, issues, requests

STREET = "12 Allen Avenue"


def read(caller, request):
    answer = caller.get(f"/api/service-requests/{request.pk}/")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_the_client_sees_the_price_and_never_estimate_or_markup(as_, ada, request_in):
    seen = read(as_(ada), request_in("AWAITING_CLIENT_APPROVAL"))
    assert seen["final_cost"] == "22000.00"
    assert seen["serviceman_estimated_cost"] is None
    assert seen["admin_markup_percentage"] is None
    assert seen["available_actions"] == ["approve", "cancel", "negotiate", "issues"]
    assert "20000.00" not in str(seen)


def test_the_serviceman_sees_his_estimate_and_never_the_price(as_, tunde, request_in):
    seen = read(as_(tunde), request_in("AWAITING_PAYMENT"))
    assert seen["serviceman_estimated_cost"] == "20000.00"
    assert (seen["final_cost"], seen["admin_markup_percentage"], seen["payments"]) == (None, None, None)
    assert "22000.00" not in str(seen)


def test_a_note_to_the_client_is_not_for_the_serviceman(as_, ada, tunde, boss, request_in):
    request = request_in("SERVICEMAN_INSPECTED")
    as_(boss).patch(
        "/api/admin/update-final-cost/",
        {"service_request_id": request.pk, "final_cost": "23000.00", "note_to_client": "23,000 with parts."},
    )
    assert read(as_(ada), request)["price_note"] == "23,000 with parts."
    assert read(as_(tunde), request)["price_note"] is None


def test_the_backup_sees_neither_money_nor_place(as_, bola, request_in):
    seen = read(as_(bola), request_in("IN_PROGRESS"))
    money = ("serviceman_estimated_cost", "final_cost", "admin_markup_percentage", "payments")
    assert [seen[name] for name in money] == [None] * 4
    assert seen["client_address"] == "Ikeja, Lagos"
    assert seen["client"]["phone_number"] is None
    assert seen["serviceman"]["phone_number"] is None
    assert seen["available_actions"] == []


def test_an_admin_sees_everything(as_, boss, request_in):
    seen = read(as_(boss), request_in("AWAITING_PAYMENT"))
    assert seen["serviceman_estimated_cost"] == "20000.00"
    assert seen["admin_markup_percentage"] == "10.00"
    assert seen["final_cost"] == "22000.00"
    assert seen["client_address"].startswith(STREET)
    phones = [seen[who]["phone_number"] for who in ("client", "serviceman", "backup_serviceman")]
    assert phones == ["+2348031234501", "+2348031234503", "+2348031234504"]


def test_before_he_accepts_the_serviceman_sees_the_area_only(as_, tunde, ada, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    seen = read(as_(tunde), request)
    assert seen["client_address"] == "Ikeja, Lagos"
    assert seen["client"] == {"id": ada.pk, "name": "Ada Obi", "phone_number": None}
    as_(tunde).post(f"/api/service-requests/{request.pk}/accept/")
    seen = read(as_(tunde), request)
    assert seen["client_address"].startswith(STREET)
    assert seen["client"]["phone_number"] == "+2348031234501"


def test_a_week_after_the_end_the_serviceman_sees_the_place_no_more(as_, tunde, request_in):
    request = request_in("COMPLETED")
    with clock.at(timedelta(days=7, seconds=-5)):
        assert read(as_(tunde), request)["client_address"].startswith(STREET)
    with clock.at(timedelta(days=7, seconds=5)):
        seen = read(as_(tunde), request)
    assert (seen["client_address"], seen["client"]["phone_number"]) == (None, None)


def test_the_client_may_call_the_serviceman_once_he_has_accepted(as_, ada, tunde, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    assert read(as_(ada), request)["serviceman"] == {
        "id": tunde.pk,
        "name": "Tunde Bello",
        "phone_number": None,
        "rating": "0.00",
    }
    as_(tunde).post(f"/api/service-requests/{request.pk}/accept/")
    seen = read(as_(ada), request)
    assert seen["serviceman"]["phone_number"] == "+2348031234503"
    assert seen["backup_serviceman"]["phone_number"] is None


@pytest.mark.parametrize("status", ["AWAITING_BOOKING_FEE", "IN_PROGRESS", "COMPLETED"])
def test_it_is_not_there_for_other_clients(as_, eve, request_in, status):
    assert as_(eve).get(f"/api/service-requests/{request_in(status).pk}/").status_code == 404


def test_it_is_not_there_for_a_serviceman_who_was_never_offered_it(as_, make_serviceman, request_in):
    sani = make_serviceman("sani")
    assert as_(sani).get(f"/api/service-requests/{request_in('IN_PROGRESS').pk}/").status_code == 404


def test_an_admin_without_the_right_to_view_may_not_read(as_, make_admin, request_in):
    answer = as_(make_admin()).get(f"/api/service-requests/{request_in('IN_PROGRESS').pk}/")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_yours_to_do")


def test_whose_offer_is_dead_sees_how_it_ended_and_nothing_else(as_, tunde, bola, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN", backup_serviceman=None)
    assignment.decline_job(request.pk, reason="I am ill.", by=tunde)
    seen = read(as_(tunde), request)
    assert set(seen) == {"id", "code", "category", "offer"}
    assert (seen["id"], seen["category"]["name"]) == (request.pk, "Plumbing")
    assert (seen["offer"]["rank"], seen["offer"]["answer"]) == ("PRIMARY", "DECLINED")
    assert seen["offer"]["answered_at"].endswith("+01:00")


def test_times_carry_the_offset_of_lagos(as_, ada, request_in):
    seen = read(as_(ada), request_in("IN_PROGRESS"))
    assert seen["created_at"].endswith("+01:00")
    assert seen["due_at"].endswith("+01:00")


def test_a_cancellation_and_the_way_of_the_money_are_shown(as_, ada, request_in):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    requests.cancel(request.pk, reason="Not needed any more.", by=ada)
    seen = read(as_(ada), request)
    assert (seen["status"], seen["waiting_on"], seen["is_overdue"]) == ("CANCELLED", "NOBODY", False)
    assert seen["cancellation"]["by_role"] == "CLIENT"
    assert seen["cancellation"]["reason"] == "Not needed any more."
    assert [payment["refund_status"] for payment in seen["payments"]] == ["DUE"]


def test_a_client_reads_the_issues_of_the_parties_but_not_what_admins_note(as_, ada, tunde, boss, request_in):
    request = request_in("IN_PROGRESS")
    issues.raise_issue(request.pk, kind="UNREACHABLE", message="Nobody opens.", by=tunde)
    issues.raise_issue(request.pk, kind="OTHER", message="Suspected of theft.", by=boss)
    assert [issue["message"] for issue in read(as_(ada), request)["issues"]] == ["Nobody opens."]
    assert [issue["message"] for issue in read(as_(tunde), request)["issues"]] == ["Nobody opens."]
    assert len(read(as_(boss), request)["issues"]) == 2


def test_a_serviceman_reads_no_issue_from_before_his_time(as_, ada, bola, boss, request_in):
    request = request_in("IN_PROGRESS")
    issues.raise_issue(request.pk, kind="NO_SHOW", message="He never came to 12 Allen Avenue.", by=ada)
    assert read(as_(bola), request)["issues"] == []
    with clock.at(timedelta(minutes=1)):
        assignment.reassign_serviceman(
            request.pk, serviceman_id=bola.pk, replaces=request.serviceman_id, reason="No show.", by=boss
        )
        assignment.accept_job(request.pk, by=bola)
        assert read(as_(bola), request)["issues"] == []


@pytest.mark.parametrize(
    ("address", "area"),
    [
        ("12 Allen Avenue, Ikeja, Lagos", "Ikeja, Lagos"),
        ("Flat 3, 12 Allen Avenue, Ikeja, Lagos", "Ikeja, Lagos"),
        ("Lagos, 12 Allen Avenue", None),
        ("12 Allen Avenue", None),
        ("Beside the mosque\nOgba\nLagos 100218", "Ogba"),
        ("", None),
    ],
)
def test_an_area_never_says_street_or_number(address, area):
    assert area_of(address) == area


def test_it_asks_for_a_token(as_, request_in):
    answer = as_().get(f"/api/service-requests/{request_in('IN_PROGRESS').pk}/")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_missing")


def test_an_id_that_is_none_is_refused(as_, ada):
    assert as_(ada).get("/api/service-requests/abc/").status_code == 422
    assert as_(ada).get("/api/service-requests/99999/").status_code == 404
    assert as_(ada).get("/api/service-requests/99999999999999999999/").status_code == 404
