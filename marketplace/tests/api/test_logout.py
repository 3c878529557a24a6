import pytest

from core import auth

PATH = "/api/auth/logout/"
pytestmark = pytest.mark.django_db


def call(as_, pair, refresh=None):
    headers = {"authorization": f"Bearer {pair.access}"}
    return as_().post(PATH, {"refresh": refresh or pair.refresh}, headers=headers)


def test_both_tokens_of_this_device_end(as_, ada):
    pair, elsewhere = auth.issue(ada), auth.issue(ada)
    answer = call(as_, pair)
    assert (answer.status_code, answer.content) == (204, b"")
    assert call(as_, pair).status_code == 401
    assert as_().post("/api/auth/refresh/", {"refresh": pair.refresh}).status_code == 401
    assert as_().post("/api/auth/refresh/", {"refresh": elsewhere.refresh}).status_code == 200


def test_an_exchanged_refresh_token_still_signs_out(as_, ada):
    first = auth.issue(ada)
    second = auth.rotate(first.refresh)
    assert call(as_, second, refresh=first.refresh).status_code == 204
    assert auth.user_of(second.access) is None


def test_a_stranger_signs_nobody_out(as_, ada, eve):
    assert as_().post(PATH, {"refresh": auth.issue(ada).refresh}).status_code == 401
    pair = auth.issue(ada)
    answer = call(as_, auth.issue(eve), refresh=pair.refresh)
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, "refresh")
    assert auth.user_of(pair.access) == ada


def test_nonsense_is_refused(as_, ada):
    assert call(as_, auth.issue(ada), refresh="x").status_code == 422
