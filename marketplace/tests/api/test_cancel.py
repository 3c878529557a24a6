"""POST cancel, and its preview."""

import pytest

CANCEL = "/api/service-requests/{}/cancel/"
PREVIEW = "/api/service-requests/{}/cancellation-preview/"
WHY = {"reason": "Not needed any more."}


@pytest.mark.parametrize(
    ("status", "who", "returned", "kept"),
    [
        ("AWAITING_BOOKING_FEE", "ada", "0.00", "0.00"),
        ("PENDING_ADMIN_ASSIGNMENT", "ada", "2000.00", "0.00"),
        ("ASSIGNED_TO_SERVICEMAN", "ada", "2000.00", "0.00"),
        ("AWAITING_CLIENT_APPROVAL", "ada", "0.00", "2000.00"),
        ("AWAITING_CLIENT_APPROVAL", "boss", "2000.00", "0.00"),
        ("PAYMENT_CONFIRMED", "ada", "22000.00", "2000.00"),
        ("PAYMENT_CONFIRMED", "boss", "24000.00", "0.00"),
        ("IN_PROGRESS", "ada", "0.00", "2000.00"),
    ],
)
def test_the_preview_says_what_each_side_gets_back(as_, request, request_in, status, who, returned, kept):
    job = request_in(status)
    answer = as_(request.getfixturevalue(who)).get(PREVIEW.format(job.pk))
    assert answer.status_code == 200, answer.content
    preview = answer.json()
    assert (preview["returned"], preview["kept"]) == (returned, kept)
    for line in preview["lines"]:
        assert set(line) == {"payment_type", "paid", "returned", "kept", "for_review"}
    if status == "IN_PROGRESS":
        assert preview["lines"][1] == {
            "payment_type": "FINAL_PAYMENT",
            "paid": "22000.00",
            "returned": "0.00",
            "kept": "0.00",
            "for_review": "22000.00",
        }


def test_cancelling_does_what_the_preview_said(as_, ada, request_in):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    answer = as_(ada).post(CANCEL.format(request.pk), WHY)
    assert answer.status_code == 200, answer.content
    seen = answer.json()
    assert (seen["status"], seen["cancellation"]["by_role"]) == ("CANCELLED", "CLIENT")
    assert seen["payments"][0]["refund_status"] == "DUE"
    assert seen["available_actions"] == []


def test_what_is_closed_cannot_be_cancelled(as_, ada, request_in):
    for status in ("COMPLETED", "CANCELLED"):
        request = request_in(status)
        for answer in (as_(ada).post(CANCEL.format(request.pk), WHY), as_(ada).get(PREVIEW.format(request.pk))):
            assert (answer.status_code, answer.json()["code"]) == (409, "wrong_status")


def test_it_wants_a_reason(as_, ada, request_in):
    answer = as_(ada).post(CANCEL.format(request_in("PENDING_ADMIN_ASSIGNMENT").pk), {})
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, "reason")


def test_only_the_client_and_admins_who_may_cancel(as_, make_admin, tunde, eve, request_in):
    request = request_in("IN_PROGRESS")
    for person in (tunde, make_admin("finance"), make_admin("viewer")):
        assert as_(person).post(CANCEL.format(request.pk), WHY).status_code == 403
        assert as_(person).get(PREVIEW.format(request.pk)).status_code == 403
    assert as_(eve).post(CANCEL.format(request.pk), WHY).status_code == 404
    assert as_(eve).get(PREVIEW.format(request.pk)).status_code == 404
    assert as_(make_admin("pricing")).post(CANCEL.format(request.pk), WHY).status_code == 200
