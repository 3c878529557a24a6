"""Whoever has not confirmed his e-mail address may look but not act."""

import pytest

WHY = {"reason": "Not needed any more."}
JOB = "/api/service-requests/999999"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{JOB}/approve/", {"price_version": 1}),
        (f"{JOB}/cancel/", WHY),
        (f"{JOB}/reschedule/", WHY | {"booking_date": "2026-12-24"}),
        (f"{JOB}/issues/", {"kind": "OTHER", "message": "Hello."}),
        ("/api/negotiations/", {"service_request_id": 1, "proposed_amount": "1.00", "message": "Less?"}),
        ("/api/negotiations/1/respond/", {"action": "accept"}),
        ("/api/ratings/", {"service_request_id": 1, "rating": 5}),
    ],
)
def test_a_client_is_told_to_confirm_before_anything_is_looked_up(as_, make_client, path, body):
    kemi = make_client("kemi", is_email_verified=False)
    answer = as_(kemi).post(path, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "email_not_verified")
    assert as_(kemi).post(path, body | {"surely_unknown": 1}).status_code == 422


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{JOB}/accept/", {}),
        (f"{JOB}/decline/", WHY),
        (f"{JOB}/withdraw/", WHY),
        (f"{JOB}/estimate/", {"amount": "1.00"}),
        (f"{JOB}/start/", {}),
        (f"{JOB}/complete/", {}),
        ("/api/negotiations/1/serviceman-answer/", {"message": "Yes."}),
        ("/api/ratings/1/reply/", {"reply": "Thank you."}),
    ],
)
def test_a_serviceman_likewise(as_, make_serviceman, path, body):
    answer = as_(make_serviceman("sani", is_email_verified=False)).post(path, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "email_not_verified")


def test_looking_is_free(as_, make_client):
    kemi = make_client("kemi", is_email_verified=False)
    assert as_(kemi).get("/api/service-requests/").json() == {"items": [], "next": None}
    assert as_(kemi).get("/api/service-requests/summary/").status_code == 200
