from datetime import timedelta

import pytest
from django.core import signing

from core import auth, clock, tokens
from core.errors import Invalid
from core.models import User

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize(
    "purpose", [tokens.verify_email, tokens.reset_password], ids=lambda purpose: purpose.name
)


def is_good(purpose, token):
    try:
        purpose.read(token)
    except Invalid as refusal:
        assert (refusal.code, list(refusal.errors)) == ("token_invalid", ["token"])  # noqa: PT017
        return False
    return True


@BOTH
def test_a_token_names_its_user(purpose, ada, eve):
    assert purpose.read(purpose.make(ada)) == ada


@BOTH
@pytest.mark.parametrize("spoil", ["", "x", "a:b:c", "\x00", "é", "." * 9000])
def test_nonsense_is_refused(purpose, spoil):
    assert not is_good(purpose, spoil)


@BOTH
def test_a_changed_token_is_refused(purpose, ada):
    token = purpose.make(ada)
    assert not any(
        is_good(purpose, token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :])
        for at in range(0, len(token), 7)
    )


@BOTH
@pytest.mark.parametrize("claims", [5, [], [1], {"pk": 1}, [1, "x", "y"], [None, 0, None]])
def test_odd_claims_under_a_good_signature_are_refused(purpose, claims):
    assert not is_good(purpose, signing.dumps(claims, salt=purpose._salt))


def test_a_token_is_for_one_purpose(ada):
    assert not is_good(tokens.verify_email, tokens.reset_password.make(ada))
    assert not is_good(tokens.reset_password, tokens.verify_email.make(ada))


@pytest.mark.parametrize(
    ("purpose", "lives"), [(tokens.verify_email, timedelta(days=3)), (tokens.reset_password, timedelta(hours=1))]
)
def test_tokens_are_short_lived(purpose, lives, ada):
    token = purpose.make(ada)
    with clock.at(lives - timedelta(minutes=1)):
        assert is_good(purpose, token)
    with clock.at(lives + timedelta(minutes=1)):
        assert not is_good(purpose, token)


def set_password(ada):
    ada.set_password("An0ther-one")
    ada.save()


@BOTH
@pytest.mark.parametrize(
    "change",
    [
        set_password,
        lambda ada: User.objects.filter(pk=ada.pk).update(email="other@example.com"),
        lambda ada: User.objects.filter(pk=ada.pk).update(is_active=False),
        auth.end_sessions,
        User.delete,
    ],
    ids=["password", "email", "deactivation", "end of sessions", "deletion"],
)
def test_a_token_dies_with_a_change_of_its_user(purpose, change, ada):
    token = purpose.make(ada)
    assert is_good(purpose, token)
    change(ada)
    assert not is_good(purpose, token)


def test_verification_works_once(make_client):
    kemi = make_client("kemi", is_email_verified=False)
    token = tokens.verify_email.make(kemi)
    User.objects.filter(pk=kemi.pk).update(is_email_verified=True)
    assert not is_good(tokens.verify_email, token)


def test_signing_in_does_not_end_a_reset(ada):
    token = tokens.reset_password.make(ada)
    User.objects.filter(pk=ada.pk).update(last_login=clock.now())
    assert is_good(tokens.reset_password, token)
