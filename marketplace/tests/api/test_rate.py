"""/api/ratings/."""

import pytest

from marketplace.services import ratings

PATH = "/api/ratings/"


@pytest.fixture
def job(request_in):
    return request_in("COMPLETED")


def test_the_client_rates_a_completed_job_once(as_, ada, tunde, job):
    body = {"service_request_id": job.pk, "rating": 5, "review": "Quick and clean."}
    answer = as_(ada).post(PATH, body)
    assert answer.status_code == 201, answer.content
    row = answer.json()
    assert (row["rating"], row["review"], row["client_name"], row["reply"]) == (5, "Quick and clean.", "Ada O.", None)
    assert as_().get(answer["Location"]).json()["items"] == [row]
    seen = as_(ada).get(f"/api/service-requests/{job.pk}/").json()
    assert seen["rating"] == {"rating": 5, "review": "Quick and clean."}
    assert seen["serviceman"]["rating"] == "5.00"
    again = as_(ada).post(PATH, body)
    assert (again.status_code, again.json()["code"]) == (409, "already_rated")


@pytest.mark.parametrize("rating", [0, 6, -1, 4.5, "good", None, True])
def test_outside_1_to_5_is_422(as_, ada, job, rating):
    answer = as_(ada).post(PATH, {"service_request_id": job.pk, "rating": rating})
    assert (answer.status_code, [error["loc"] for error in answer.json()["errors"]]) == (422, ["rating"])


def test_only_completed_jobs_of_ones_own_are_rated(as_, ada, eve, tunde, boss, job, request_in):
    running = request_in("IN_PROGRESS")
    assert as_(ada).post(PATH, {"service_request_id": running.pk, "rating": 5}).status_code == 409
    assert as_(eve).post(PATH, {"service_request_id": job.pk, "rating": 1}).status_code == 404
    for person in (tunde, boss):
        assert as_(person).post(PATH, {"service_request_id": job.pk, "rating": 5}).status_code == 403


def test_strangers_read_ratings_without_names_or_jobs(as_, ada, tunde, bola, job):
    ratings.rate(job.pk, rating=4, review="Good.", by=ada)
    (row,) = as_().get(f"{PATH}?serviceman_id={tunde.pk}").json()["items"]
    assert set(row) == {"id", "rating", "review", "client_name", "created_at", "reply"}
    assert as_().get(f"{PATH}?serviceman_id={bola.pk}").json() == {"items": [], "next": None}
    assert len(as_().get(PATH).json()["items"]) == 1
    assert as_().get(f"{PATH}?serviceman_id=x").status_code == 422


def test_a_hidden_rating_is_not_listed(as_, ada, boss, tunde, job):
    row = ratings.rate(job.pk, rating=1, review="Rude words.", by=ada)
    ratings.moderate_rating(row.pk, hide=True, reason="Insults.", by=boss)
    assert as_().get(PATH).json()["items"] == []
    assert as_(tunde).get(f"/api/service-requests/{job.pk}/").json()["rating"] is None


def test_the_rated_serviceman_replies_once(as_, ada, tunde, bola, job):
    row = ratings.rate(job.pk, rating=4, by=ada)
    path = f"{PATH}{row.pk}/reply/"
    assert as_(bola).post(path, {"reply": "Thanks."}).status_code == 403
    answer = as_(tunde).post(path, {"reply": "Thank you."})
    assert (answer.status_code, answer.json()["reply"]) == (200, "Thank you.")
    again = as_(tunde).post(path, {"reply": "Really."})
    assert (again.status_code, again.json()["code"]) == (409, "already_replied")
    assert as_(tunde).post(f"{PATH}999999/reply/", {"reply": "Hello."}).status_code == 404
    assert as_(tunde).post(path, {"reply": ""}).status_code == 422
