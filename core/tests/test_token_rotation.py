from datetime import timedelta
from uuid import UUID

import jwt
import pytest
from django.db import connection

from core import auth, clock
from core.models import RefreshToken, User
from core.tests.race import at_once

pytestmark = pytest.mark.django_db


def test_a_refresh_token_works_once(ada):
    first = auth.issue(ada)
    second = auth.rotate(first.refresh)
    assert second.refresh != first.refresh
    with pytest.raises(auth.Unauthenticated):
        auth.rotate(first.refresh)


def test_a_reused_refresh_token_ends_its_family(ada):
    first = auth.issue(ada)
    second = auth.rotate(first.refresh)
    with pytest.raises(auth.Unauthenticated):
        auth.rotate(first.refresh)
    with pytest.raises(auth.Unauthenticated):
        auth.rotate(second.refresh)
    assert auth.user_of(second.access) is None


def test_another_sign_in_survives_that(ada):
    first, elsewhere = auth.issue(ada), auth.issue(ada)
    auth.rotate(first.refresh)
    with pytest.raises(auth.Unauthenticated):
        auth.rotate(first.refresh)
    assert auth.user_of(elsewhere.access) == ada
    auth.rotate(elsewhere.refresh)


def test_a_refresh_token_lives_a_fortnight(ada):
    first = auth.issue(ada)
    with clock.at(timedelta(days=13)):
        second = auth.rotate(first.refresh)
    with clock.at(timedelta(days=26)):
        third = auth.rotate(second.refresh)
    with clock.at(timedelta(days=41)), pytest.raises(auth.Unauthenticated):
        auth.rotate(third.refresh)


def test_an_access_token_refreshes_nothing(ada):
    with pytest.raises(auth.Unauthenticated):
        auth.rotate(auth.issue(ada).access)


def test_a_token_without_its_row_is_refused(ada):
    pair = auth.issue(ada)
    RefreshToken.objects.all().delete()
    with pytest.raises(auth.Unauthenticated):
        auth.rotate(pair.refresh)


def test_new_tokens_carry_the_person_as_he_is_now(ada):
    pair = auth.rotate(auth.issue(ada).refresh)
    assert jwt.decode(pair.access, options={"verify_signature": False})["tv"] == ada.token_version


def test_purging_keeps_what_is_alive(ada):
    old = auth.issue(ada)
    with clock.at(timedelta(days=10)):
        new = auth.issue(ada)
    with clock.at(timedelta(days=15)):
        assert auth.purge() == 1
        auth.rotate(new.refresh)
    assert not RefreshToken.objects.filter(
        jti=UUID(jwt.decode(old.refresh, options={"verify_signature": False})["jti"])
    )


def refreshes(token):
    def refresh(_):
        try:
            return auth.rotate(token)
        except auth.Unauthenticated:
            return None

    return refresh


@pytest.mark.trust
@pytest.mark.django_db(transaction=True)
def test_twenty_refreshes_at_once_have_one_winner():
    for round_ in range(5):
        person = User.objects.create_user(None, f"p{round_}@example.com", "Str0ng-enough", user_type="CLIENT")
        pair = auth.issue(person)
        assert sum(answer is not None for answer in at_once(refreshes(pair.refresh), 20)) == 1


@pytest.mark.trust
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer whatever we lock")
def test_control_without_the_lock_there_are_several_winners(monkeypatch):
    monkeypatch.setattr("django.db.models.QuerySet.select_for_update", lambda rows, **_: rows)
    winners = 0
    for round_ in range(5):
        person = User.objects.create_user(None, f"p{round_}@example.com", "Str0ng-enough", user_type="CLIENT")
        pair = auth.issue(person)
        winners = max(winners, sum(answer is not None for answer in at_once(refreshes(pair.refresh), 20)))
    assert winners > 1
