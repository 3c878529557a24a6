from datetime import timedelta

import pytest

from core import auth, clock, tokens
from core.models import User
from core.tests.race import at_once
from marketplace.models import Notification
from marketplace.tests.people import PASSWORD

PATH, FORGOT, CHANGE = "/api/auth/reset-password/", "/api/auth/forgot-password/", "/api/me/change-password/"
NEW = "Quite-d1fferent"
pytestmark = pytest.mark.django_db


def types_for(user):
    return sorted(Notification.objects.filter(user=user).values_list("notification_type", flat=True))


def can_sign_in(as_, password):
    return as_().post("/api/auth/login/", {"email": "ada@example.com", "password": password}).status_code == 200


def test_the_token_sets_a_new_password(as_, ada):
    answer = as_().post(PATH, {"token": tokens.reset_password.make(ada), "password": NEW})
    assert answer.status_code == 200
    assert can_sign_in(as_, NEW)
    assert not can_sign_in(as_, PASSWORD)
    assert types_for(ada) == ["PASSWORD_CHANGED"]


def test_every_older_token_and_session_ends(as_, ada, boss, console):
    for person in (ada, boss):
        pair, reset, session = auth.issue(person), tokens.reset_password.make(person), console(person)
        verify = tokens.verify_email.make(person)
        assert as_().post(PATH, {"token": reset, "password": NEW}).status_code == 200
        assert auth.user_of(pair.access) is None
        with pytest.raises(auth.Unauthenticated):
            auth.rotate(pair.refresh)
        assert as_().post(PATH, {"token": reset, "password": NEW + "1"}).json()["code"] == "token_invalid"
        assert tokens.verify_email.owner_id(verify) == person.pk
        assert as_().post("/api/auth/verify-email/", {"token": verify}).status_code == 422
        if person == boss:
            assert session.get("/admin/").status_code == 302


def test_a_weak_password_is_refused_and_the_token_stays_good(as_, ada):
    token = tokens.reset_password.make(ada)
    for weak in ("short1A", "alllower1", "Password1", "ada@Example.com1"):
        answer = as_().post(PATH, {"token": token, "password": weak})
        assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, "password"), weak
    assert not Notification.objects.exists()
    assert as_().post(PATH, {"token": token, "password": NEW}).status_code == 200


def test_an_old_token_is_refused(as_, ada):
    token = tokens.reset_password.make(ada)
    with clock.at(timedelta(hours=1, minutes=1)):
        assert as_().post(PATH, {"token": token, "password": NEW}).json()["code"] == "token_invalid"
    assert User.objects.get(pk=ada.pk).check_password(PASSWORD)


def test_a_verification_token_resets_nothing(as_, make_client):
    kemi = make_client("kemi", is_email_verified=False)
    answer = as_().post(PATH, {"token": tokens.verify_email.make(kemi), "password": NEW})
    assert answer.json()["code"] == "token_invalid"


def test_no_password_is_in_the_history(as_, ada):
    as_().post(PATH, {"token": tokens.reset_password.make(ada), "password": NEW})
    latest = ada.history.latest()
    assert latest.history_user == ada
    assert not hasattr(latest, "password")


@pytest.mark.trust
@pytest.mark.django_db(transaction=True)
def test_twenty_uses_at_once_have_one_effect(as_, ada, settings):
    settings.AUTH_RATE_LIMIT = settings.AUTH_ADDRESS_RATE_LIMIT = "1000/min"
    token = tokens.reset_password.make(ada)
    answers = at_once(lambda n: as_().post(PATH, {"token": token, "password": f"{NEW}{n}"}).status_code, 20)
    assert sorted(answers) == [200] + [422] * 19
    assert types_for(ada) == ["PASSWORD_CHANGED"]


# --- Asking for the mail


def test_the_mail_is_sent(as_, ada):
    assert as_().post(FORGOT, {"email": "ADA@example.com"}).status_code == 202
    assert types_for(ada) == ["PASSWORD_RESET"]


def test_everybody_gets_the_same_answer(as_, ada, eve):
    User.objects.filter(pk=eve.pk).update(is_active=False)
    names = ["ada@example.com", "eve@example.com", "nobody@example.com"]
    answers = [as_().post(FORGOT, {"email": name}) for name in names]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert Notification.objects.count() == 1


def test_five_a_minute_by_account(as_, ada, settings):
    settings.AUTH_ADDRESS_RATE_LIMIT = "1000/min"
    answers = [as_().post(FORGOT, {"email": "ada@example.com"}).status_code for _ in range(7)]
    assert answers == [202] * 5 + [429] * 2


# --- Changing it, knowing the old one


def test_the_old_password_sets_a_new_one(as_, ada):
    pair = auth.issue(ada)
    answer = as_(ada).post(CHANGE, {"current_password": PASSWORD, "new_password": NEW})
    assert answer.status_code == 200
    assert answer.json()["email"] == "ada@example.com"
    assert auth.user_of(pair.access) is None
    assert can_sign_in(as_, NEW)
    assert types_for(ada) == ["PASSWORD_CHANGED"]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"current_password": "Wr0ng-one"}, "current_password", "wrong_password"),
        ({"new_password": "weak"}, "new_password", "password_weak"),
        ({"new_password": "Aa1" + "x" * 126}, "new_password", "invalid"),
    ],
)
def test_a_refusal_names_its_field_and_changes_nothing(as_, ada, body, field, code):
    answer = as_(ada).post(CHANGE, {"current_password": PASSWORD, "new_password": NEW} | body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["loc"] == field
    assert can_sign_in(as_, PASSWORD)
    assert not Notification.objects.exists()


def test_whoever_finds_a_phone_unlocked_cannot_guess_the_password(as_, ada):
    answers = [
        as_(ada).post(CHANGE, {"current_password": f"Wr0ng-{n}", "new_password": NEW}).status_code for n in range(7)
    ]
    assert answers == [422] * 5 + [429] * 2


def test_strangers_change_nothing(as_, ada):
    assert as_().post(CHANGE, {"current_password": PASSWORD, "new_password": NEW}).status_code == 401
