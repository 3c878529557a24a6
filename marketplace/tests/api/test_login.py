from datetime import timedelta

import jwt
import pytest

from core import clock
from core.models import User
from marketplace.tests.people import PASSWORD

PATH = "/api/auth/login/"
pytestmark = pytest.mark.django_db


def sign_in(as_, name="ada@example.com", password=PASSWORD, **body):
    return as_().post(PATH, {"email": name, "password": password} | body)


def test_the_password_opens_a_session(as_, ada):
    answer = sign_in(as_).json()
    claims = jwt.decode(answer["access"], options={"verify_signature": False})
    assert (claims["user_type"], claims["user_id"]) == ("CLIENT", ada.pk)
    assert answer["user"]["email"] == "ada@example.com"
    assert answer["user"]["profile"] == {"address": "12 Allen Avenue, Ikeja, Lagos"}
    me = as_().get("/api/me/", headers={"authorization": f"Bearer {answer['access']}"})
    assert me.json() == answer["user"]


@pytest.mark.parametrize("name", ["ADA@Example.com", " ada@example.com ", "ada", "Ada"])
def test_the_name_may_be_written_in_several_ways(as_, ada, name):
    assert sign_in(as_, name).status_code == 200


def test_the_username_may_have_a_field_of_its_own(as_, ada):
    assert as_().post(PATH, {"username": "ada", "password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("body", [{"email": "ada@example.com", "username": ""}, {"email": " ", "username": "ada"}])
def test_a_name_left_empty_counts_as_not_sent(as_, ada, body):
    assert as_().post(PATH, {"password": PASSWORD} | body).status_code == 200


def test_a_code_is_taken_from_whoever_sends_one(as_, ada):
    assert sign_in(as_, otp="123456").status_code == 200
    assert sign_in(as_, otp="12").status_code == 422


@pytest.mark.parametrize("body", [{}, {"email": "", "username": ""}, {"email": "ada@example.com", "username": "ada"}])
def test_one_name_is_needed(as_, ada, body):
    response = as_().post(PATH, {"password": PASSWORD} | body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == "email"


def test_unverified_people_may_sign_in(as_, make_client):
    make_client("kemi", is_email_verified=False)
    assert sign_in(as_, "kemi@example.com").json()["user"]["is_email_verified"] is False


def test_wrong_passwords_unknown_people_and_closed_accounts_look_alike(as_, ada, eve):
    User.objects.filter(pk=eve.pk).update(is_active=False)
    answers = [
        sign_in(as_, password="Wr0ng-password"),
        sign_in(as_, "nobody@example.com"),
        sign_in(as_, "eve@example.com"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["code"] == "bad_credentials"


def test_nobody_is_found_as_slowly_as_somebody(as_, ada, monkeypatch):
    from django.contrib.auth.hashers import MD5PasswordHasher

    hashed = []
    real = MD5PasswordHasher.encode

    def encode(hasher, password, salt):
        hashed.append(password)
        return real(hasher, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", encode)
    sign_in(as_, password="Wr0ng-password")
    somebody = len(hashed)
    sign_in(as_, "nobody@example.com", password="Wr0ng-password")
    assert len(hashed) == 2 * somebody > 0


def test_signing_in_is_noted(as_, ada):
    sign_in(as_)
    ada.refresh_from_db()
    assert ada.last_login


def test_five_a_minute_by_account_from_however_many_places(as_, ada, settings):
    settings.NUM_PROXIES = 1

    def attempt(number, name):
        headers = {"x-forwarded-for": f"203.0.113.{number}"}
        return as_().post(PATH, {"email": name, "password": "Wr0ng-one"}, headers=headers)

    names = ["ada@example.com", "ada", "ADA@example.com", "Ada"]
    answers = [attempt(number, names[number % 4]).status_code for number in range(8)]
    assert answers == [401] * 5 + [429] * 3


def test_five_a_minute_by_address_for_however_many_accounts(as_, ada):
    answers = [sign_in(as_, f"p{number}@example.com") for number in range(7)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
    assert int(answers[-1]["Retry-After"]) <= 60
    with clock.at(timedelta(seconds=61)):
        assert sign_in(as_).status_code == 200


def test_the_right_password_does_not_lift_the_limit(as_, ada):
    for _ in range(5):
        sign_in(as_, password="Wr0ng-one")
    assert sign_in(as_).status_code == 429


def test_limits_tell_nothing_about_who_exists(as_, ada, settings):
    settings.AUTH_ADDRESS_RATE_LIMIT = "1000/min"
    known = [sign_in(as_, password="Wr0ng-one").status_code for _ in range(7)]
    unknown = [sign_in(as_, "nobody@example.com").status_code for _ in range(7)]
    assert known == unknown == [401] * 5 + [429] * 2
