from datetime import timedelta

import pytest

from core import clock, tokens
from core.models import User
from core.tests.race import at_once
from marketplace.models import Notification

PATH, RESEND = "/api/auth/verify-email/", "/api/auth/resend-verification/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def kemi(make_client):
    return make_client("kemi", is_email_verified=False)


@pytest.fixture
def sani(make_serviceman):
    return make_serviceman("sani", profile={"approval": "PENDING"}, is_email_verified=False)


def types_for(user):
    return sorted(Notification.objects.filter(user=user).values_list("notification_type", flat=True))


def test_the_token_proves_the_address(as_, kemi):
    answer = as_().post(PATH, {"token": tokens.verify_email.make(kemi)})
    assert answer.status_code == 200
    assert answer.json()["is_email_verified"] is True
    assert User.objects.get(pk=kemi.pk).is_email_verified
    assert types_for(kemi) == ["WELCOME"]


def test_a_token_works_once(as_, kemi):
    token = tokens.verify_email.make(kemi)
    as_().post(PATH, {"token": token})
    answer = as_().post(PATH, {"token": token})
    assert (answer.status_code, answer.json()["code"]) == (422, "token_invalid")
    assert answer.json()["errors"][0]["loc"] == "token"
    assert types_for(kemi) == ["WELCOME"]


def test_people_are_welcomed_once(as_, kemi):
    for _ in range(2):
        User.objects.filter(pk=kemi.pk).update(is_email_verified=False)
        assert as_().post(PATH, {"token": tokens.verify_email.make(User.objects.get(pk=kemi.pk))}).status_code == 200
    assert types_for(kemi) == ["WELCOME"]


def test_an_old_token_is_refused(as_, kemi):
    token = tokens.verify_email.make(kemi)
    with clock.at(timedelta(days=3, minutes=1)):
        assert as_().post(PATH, {"token": token}).status_code == 422
    assert not User.objects.get(pk=kemi.pk).is_email_verified


@pytest.mark.parametrize("token", ["x", "a:b:c", "x" * 2000])
def test_nonsense_is_refused(as_, db, token):
    answer = as_().post(PATH, {"token": token})
    assert (answer.status_code, answer.json()["code"]) == (422, "token_invalid")


def test_a_reset_token_verifies_nothing(as_, kemi):
    assert as_().post(PATH, {"token": tokens.reset_password.make(kemi)}).status_code == 422


def test_a_serviceman_is_now_shown_to_those_who_approve(as_, sani, boss, make_admin):
    dispatcher, finance = make_admin("dispatcher"), make_admin("finance")
    as_().post(PATH, {"token": tokens.verify_email.make(sani)})
    assert types_for(sani) == ["WELCOME"]
    assert types_for(boss) == types_for(dispatcher) == ["SERVICEMAN_APPLICATION"]
    assert types_for(finance) == []


def test_a_client_is_no_application(as_, kemi, boss):
    as_().post(PATH, {"token": tokens.verify_email.make(kemi)})
    assert types_for(boss) == []


def test_the_change_is_in_the_history(as_, kemi):
    as_().post(PATH, {"token": tokens.verify_email.make(kemi)})
    latest = kemi.history.latest()
    assert (latest.is_email_verified, latest.history_user) == (True, kemi)


# --- Asking for another mail


def test_the_mail_is_sent_again(as_, kemi):
    assert as_().post(RESEND, {"email": "KEMI@example.com"}).status_code == 202
    assert types_for(kemi) == ["EMAIL_VERIFICATION"]


def test_everybody_gets_the_same_answer(as_, kemi, ada, eve):
    User.objects.filter(pk=eve.pk).update(is_active=False, is_email_verified=False)
    names = ["kemi@example.com", "ada@example.com", "eve@example.com", "nobody@example.com"]
    answers = [as_().post(RESEND, {"email": name}) for name in names]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert Notification.objects.count() == 1


def test_five_a_minute_by_account(as_, kemi, settings):
    settings.AUTH_ADDRESS_RATE_LIMIT = "1000/min"
    answers = [as_().post(RESEND, {"email": "kemi@example.com"}).status_code for _ in range(7)]
    assert answers == [202] * 5 + [429] * 2
    assert Notification.objects.count() == 5


@pytest.mark.trust
@pytest.mark.django_db(transaction=True)
def test_twenty_uses_at_once_have_one_effect(as_, kemi, settings):
    settings.AUTH_RATE_LIMIT = settings.AUTH_ADDRESS_RATE_LIMIT = "1000/min"
    token = tokens.verify_email.make(kemi)
    answers = at_once(lambda _: as_().post(PATH, {"token": token}).status_code, 20)
    assert sorted(answers) == [200] + [422] * 19
    assert types_for(kemi) == ["WELCOME"]
