from datetime import timedelta

import jwt
import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError

from core import auth, clock
from core.models import User

pytestmark = [pytest.mark.urls("core.tests.sample"), pytest.mark.django_db]


def who(caller, path="person"):
    return caller.get(f"/api/whoami/{path}/").status_code


def with_token(client, token):
    return client.get("/api/whoami/person/", headers={"authorization": f"Bearer {token}"})


def test_a_token_says_who_calls(as_, ada):
    assert as_(ada).get("/api/whoami/person/").json() == "ada@example.com"


@pytest.mark.parametrize(
    ("path", "let_in"),
    [
        ("person", {"client", "serviceman", "admin", "boss"}),
        ("client", {"client"}),
        ("serviceman", {"serviceman"}),
        ("admin", {"admin", "boss"}),
        ("staff-editor", {"boss"}),
        ("client-or-editor", {"client", "boss"}),
    ],
)
def test_each_operation_lets_its_roles_in(as_, ada, tunde, boss, make_admin, path, let_in):
    people = {"client": ada, "serviceman": tunde, "admin": make_admin(), "boss": boss}
    assert {name for name, person in people.items() if who(as_(person), path) == 200} == let_in
    assert {who(as_(person), path) for name, person in people.items() if name not in let_in} <= {403}


def test_an_admin_with_the_permission_is_let_in(as_, make_admin):
    clerk = make_admin()
    clerk.user_permissions.add(Permission.objects.get(codename="change_user"))
    assert who(as_(clerk), "staff-editor") == 200


def test_a_permission_alone_makes_no_admin(as_, ada):
    ada.user_permissions.add(Permission.objects.get(codename="change_user"))
    response = as_(ada).get("/api/whoami/staff-editor/")
    assert (response.status_code, response.json()["code"]) == (403, "not_yours_to_do")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token abc", "bearer"])
def test_without_a_token_nobody_is_let_in(client, header):
    response = client.get("/api/whoami/person/", headers={"authorization": header})
    assert (response.status_code, response.json()["code"]) == (401, "token_missing")


@pytest.mark.parametrize("token", ["x", "a.b.c", "é", "eyJhbGciOiJub25lIn0.eyJ1c2VyX2lkIjoxfQ.", "." * 5000])
def test_a_mangled_token_is_refused(client, token):
    response = with_token(client, token)
    assert (response.status_code, response.json()["code"]) == (401, "token_invalid")


def forged(ada, **changes):
    claims = jwt.decode(auth.access_for(ada), options={"verify_signature": False}) | changes
    return {name: value for name, value in claims.items() if value is not None}


def signed(claims, settings, **options):
    return jwt.encode(claims, options.pop("key", settings.JWT_SIGNING_KEY), **({"algorithm": "HS256"} | options))


@pytest.mark.filterwarnings("ignore:The HMAC key is")
def test_a_token_signed_by_another_is_refused(client, ada, settings):
    assert with_token(client, signed(forged(ada), settings)).status_code == 200
    assert with_token(client, signed(forged(ada), settings, key="k" * 64)).status_code == 401
    assert with_token(client, signed(forged(ada), settings, key=None, algorithm="none")).status_code == 401
    assert with_token(client, signed(forged(ada), settings, algorithm="HS512")).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"tv": 1},
        {"tv": None},
        {"user_type": "ADMIN"},
        {"user_type": None},
        {"user_id": 0},
        {"user_id": None},
        {"iss": "other"},
        {"token_type": "refresh"},
        {"exp": 1},
        {"exp": None},
        {"family": None},
        {"jti": None},
    ],
)
def test_every_claim_counts(client, ada, settings, change):
    assert with_token(client, signed(forged(ada, **change), settings)).status_code == 401


def test_a_refresh_token_is_no_access_token(client, ada):
    assert with_token(client, auth.issue(ada).refresh).status_code == 401


def test_an_access_token_lives_a_quarter_of_an_hour(client, ada):
    token = auth.issue(ada).access
    with clock.at(timedelta(minutes=14)):
        assert with_token(client, token).status_code == 200
    with clock.at(timedelta(minutes=15)):
        assert with_token(client, token).status_code == 401


def test_a_token_made_in_moved_time_counts_there(client, ada):
    with clock.at(timedelta(days=400)):
        assert with_token(client, auth.issue(ada).access).status_code == 200


def test_the_token_carries_the_role(ada):
    claims = jwt.decode(auth.issue(ada).access, options={"verify_signature": False})
    assert (claims["user_type"], claims["user_id"], claims["tv"]) == ("CLIENT", ada.pk, 0)


# --- What ends a token: five events, two kinds


def change_password(ada, pair):
    ada.set_password("An0ther-one")
    ada.save()


def end_sessions(ada, pair):
    auth.end_sessions(ada)


def deactivate(ada, pair):
    User.objects.filter(pk=ada.pk).update(is_active=False)


def change_role(ada, pair):
    User.objects.filter(pk=ada.pk).update(user_type="SERVICEMAN")


def sign_out(ada, pair):
    auth.sign_out(ada, pair.refresh)


@pytest.mark.parametrize("event", [change_password, end_sessions, deactivate, change_role, sign_out])
def test_tokens_die_with_what_they_stood_for(client, ada, event):
    pair = auth.issue(ada)
    assert with_token(client, pair.access).status_code == 200
    event(ada, pair)
    assert with_token(client, pair.access).status_code == 401
    with pytest.raises(auth.Unauthenticated):
        auth.rotate(pair.refresh)


def test_signing_out_leaves_other_devices_alone(client, ada):
    here, there = auth.issue(ada), auth.issue(ada)
    auth.sign_out(ada, here.refresh)
    assert with_token(client, there.access).status_code == 200
    auth.rotate(there.refresh)


def test_nobody_signs_out_another(client, ada, eve):
    pair = auth.issue(ada)
    with pytest.raises(auth.Unauthenticated):
        auth.sign_out(eve, pair.refresh)
    assert with_token(client, pair.access).status_code == 200


def test_hashing_the_same_password_anew_ends_nothing(client, ada, settings):
    pair = auth.issue(ada)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]
    assert User.objects.get(pk=ada.pk).check_password("Str0ng-enough")
    ada.refresh_from_db()
    assert ada.password.startswith("pbkdf2")
    assert with_token(client, pair.access).status_code == 200


@pytest.mark.parametrize("event", [change_password, end_sessions])
@pytest.mark.urls("core.urls")
def test_console_sessions_die_as_well(console, boss, event):
    session = console(boss)
    assert session.get("/admin/").status_code == 200
    event(boss, None)
    assert session.get("/admin/").status_code == 302


def test_looking_up_the_caller_is_one_statement(as_, ada, django_assert_num_queries):
    caller = as_(ada)
    with django_assert_num_queries(1):
        caller.get("/api/whoami/client/")


def test_the_console_session_means_nothing_to_the_api(console, boss):
    assert console(boss).get("/api/whoami/person/").status_code == 401
    assert console(boss).get("/api/signed-in/").json() is False


# --- Passwords


@pytest.mark.parametrize("password", ["lower1case", "UPPER1CASE", "NoDigitsHere", "12345678", "Éa!aaaaa"])
def test_a_password_needs_upper_case_lower_case_and_a_digit(password):
    with pytest.raises(ValidationError):
        auth.MixedPasswordValidator().validate(password)


@pytest.mark.parametrize("password", ["Str0ng-enough", "Éa1!aaaa", "aB3"])
def test_a_mixed_password_passes(password):
    auth.MixedPasswordValidator().validate(password)
