import pytest

from core import auth
from core.models import User
from core.tests.race import at_once

PATH = "/api/auth/refresh/"
pytestmark = pytest.mark.django_db


def test_a_refresh_token_is_exchanged_once(as_, ada):
    first = auth.issue(ada)
    answer = as_().post(PATH, {"refresh": first.refresh})
    assert answer.status_code == 200
    assert set(answer.json()) == {"access", "refresh"}
    headers = {"authorization": f"Bearer {answer.json()['access']}"}
    assert as_().get("/api/me/", headers=headers).status_code == 200
    again = as_().post(PATH, {"refresh": first.refresh})
    assert (again.status_code, again.json()["code"]) == (401, "token_invalid")


def test_reuse_ends_the_whole_family(as_, ada):
    first = auth.issue(ada)
    second = as_().post(PATH, {"refresh": first.refresh}).json()
    as_().post(PATH, {"refresh": first.refresh})
    assert as_().post(PATH, {"refresh": second["refresh"]}).status_code == 401
    assert as_().get("/api/me/", headers={"authorization": f"Bearer {second['access']}"}).status_code == 401


@pytest.mark.parametrize("token", ["x", "a.b.c", "e" * 1999])
def test_what_is_no_token_is_refused(as_, db, token):
    assert as_().post(PATH, {"refresh": token}).status_code == 401


@pytest.mark.parametrize("body", [{}, {"refresh": ""}, {"refresh": None}, {"refresh": "x" * 2001}, {"token": "x"}])
def test_a_misshapen_body_is_refused(as_, db, body):
    assert as_().post(PATH, body).status_code == 422


def test_a_closed_account_refreshes_nothing(as_, ada):
    pair = auth.issue(ada)
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert as_().post(PATH, {"refresh": pair.refresh}).status_code == 401


def test_five_a_minute_by_account(as_, ada, settings):
    settings.AUTH_ADDRESS_RATE_LIMIT = "1000/min"
    answers = [as_().post(PATH, {"refresh": auth.issue(ada).refresh}).status_code for _ in range(7)]
    assert answers == [200] * 5 + [429] * 2


@pytest.mark.trust
@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_have_one_winner(as_, ada, settings):
    settings.AUTH_RATE_LIMIT = settings.AUTH_ADDRESS_RATE_LIMIT = "1000/min"
    pair = auth.issue(ada)
    answers = at_once(lambda _: as_().post(PATH, {"refresh": pair.refresh}).status_code, 20)
    assert sorted(answers) == [200] + [401] * 19
