import time
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from core import clock, idempotency
from core.models import IdempotencyKey, User
from core.tests import sample
from core.tests.race import at_once

pytestmark = [pytest.mark.urls("core.tests.sample"), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _no_effects_yet():
    sample.effects.clear()


def pay(caller, key="k1", path="/api/pay/", **body):
    return caller.post(path, {"amount": "100.00"} | body, headers={"idempotency-key": key} if key else {})


def test_a_repeated_call_gets_the_first_answer_and_has_no_second_effect(as_, ada):
    first, second = pay(as_(ada)), pay(as_(ada))
    assert sample.effects == ["created"]
    assert (first.status_code, first.content) == (second.status_code, second.content) == (201, second.content)
    assert first["Location"] == second["Location"] == "/api/pay/1/"
    assert first["Content-Type"] == second["Content-Type"]
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"


def test_without_a_key_every_call_counts(as_, ada):
    pay(as_(ada), key="")
    pay(as_(ada), key="")
    assert len(sample.effects) == 2
    assert not IdempotencyKey.objects.exists()


def test_another_key_or_person_or_query_is_another_call(as_, ada, eve):
    pay(as_(ada))
    pay(as_(ada), key="k2")
    pay(as_(eve))
    assert len(sample.effects) == 3


def test_another_body_under_the_same_key_is_refused(as_, ada):
    pay(as_(ada))
    response = pay(as_(ada), amount="100.01")
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert response.json()["errors"][0]["loc"] == "Idempotency-Key"
    assert len(sample.effects) == 1


def test_a_refusal_is_kept_too(as_, ada):
    first, second = pay(as_(ada), outcome="conflict"), pay(as_(ada), outcome="conflict")
    assert first.status_code == second.status_code == 409
    assert first.content == second.content
    assert second["Content-Type"] == "application/problem+json"
    assert len(sample.effects) == 1


def test_a_failure_of_ours_is_not_kept(as_, ada):
    assert pay(as_(ada), outcome="unavailable").status_code == 503
    assert pay(as_(ada), outcome="unavailable").status_code == 503
    assert len(sample.effects) == 2
    with pytest.raises(RuntimeError):
        pay(as_(ada), key="k2", outcome="bug")
    assert not IdempotencyKey.objects.exists()


def test_what_is_refused_before_the_work_is_not_kept(as_, ada, make_client):
    assert pay(as_(ada), amount=5).status_code == 422
    kemi = make_client("kemi", is_email_verified=False)
    assert pay(as_(kemi)).status_code == 403
    User.objects.filter(pk=kemi.pk).update(is_email_verified=True)
    assert pay(as_(kemi)).status_code == 201


@pytest.mark.parametrize("key", ["x" * 256, "é", "a\tb", " " * 0])
def test_an_odd_key_is_refused(as_, ada, key):
    response = as_(ada).post("/api/pay/", {"amount": "1.00"}, headers={"idempotency-key": key})
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == "Idempotency-Key"


def test_after_a_day_the_key_is_free_again(as_, ada):
    pay(as_(ada))
    with clock.at(timedelta(hours=23, minutes=59)):
        pay(as_(ada))
    assert len(sample.effects) == 1
    with clock.at(timedelta(hours=24)):
        assert pay(as_(ada), amount="5.00").status_code == 201
    assert len(sample.effects) == 2


def reserved(ada, **fields):
    pay_body = b'{"amount": "100.00"}'
    request = type("R", (), {"META": {}, "content_type": "application/json", "body": pay_body})
    values = {"user": ada, "method": "POST", "path": "/api/pay/", "key": "k1", "status": None}
    return IdempotencyKey.objects.create(**values | {"body_sha256": idempotency._digest(request)} | fields)


def test_a_call_still_being_worked_on_is_waited_for_and_then_refused(as_, ada, monkeypatch):
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.2)
    reserved(ada)
    response = pay(as_(ada))
    assert (response.status_code, response.json()["code"]) == (409, "still_working")
    assert response["Retry-After"] == "5"
    assert not sample.effects


def test_the_reservation_of_a_killed_process_is_taken_over(as_, ada):
    reserved(ada, created_at=clock.now() - idempotency.STALE_AFTER)
    assert pay(as_(ada)).status_code == 201
    assert pay(as_(ada))["Idempotent-Replayed"] == "true"
    assert len(sample.effects) == 1


def test_whoever_was_taken_over_overwrites_nothing(ada):
    kept = reserved(ada)
    IdempotencyKey.objects.filter(pk=kept.pk).update(created_at=clock.now() + timedelta(minutes=3))
    idempotency._worked(kept, lambda: idempotency.HttpResponse(b"late", status=200))
    assert IdempotencyKey.objects.get(pk=kept.pk).status is None


def test_uploads_repeat_whatever_their_boundary(as_, ada):
    def upload(content, boundary):
        photo = SimpleUploadedFile("tap.png", content, content_type="image/png")
        from django.test.client import encode_multipart

        body = encode_multipart(boundary, {"caption": "A tap", "photo": photo})
        return as_(ada).generic(
            "POST",
            "/api/files/",
            body,
            content_type=f"multipart/form-data; boundary={boundary}",
            headers={"idempotency-key": "k"},
        )

    assert upload(b"123", "aaa").json() == upload(b"123", "bbb").json() == "A tap 3"
    assert upload(b"124", "aaa").status_code == 422
    assert sample.effects == ["A tap"]


def test_purging_forgets_only_what_is_over(as_, ada):
    pay(as_(ada))
    with clock.at(timedelta(hours=20)):
        pay(as_(ada), key="k2")
    with clock.at(timedelta(hours=25)):
        assert idempotency.purge() == 1
    assert IdempotencyKey.objects.get().key == "k2"


def slowly(monkeypatch):
    """Work that takes long enough for all the others to arrive, outside of any transaction."""

    def created(request, value, location):
        assert not connection.in_atomic_block
        time.sleep(0.3)
        return real(request, value, location)

    real = sample.created
    monkeypatch.setattr(sample, "created", created)


@pytest.mark.trust
@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_have_one_effect_and_nineteen_replays(as_, ada, monkeypatch):
    slowly(monkeypatch)
    answers = at_once(lambda _: pay(as_(ada)), 20)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert {answer["Location"] for answer in answers} == {"/api/pay/1/"}
    assert len(sample.effects) == 1
    assert sum("Idempotent-Replayed" in answer for answer in answers) == 19


@pytest.mark.trust
@pytest.mark.django_db(transaction=True)
def test_when_the_first_fails_one_of_the_others_does_the_work(as_, ada, monkeypatch):
    real = sample.created

    def created(request, value, location):
        time.sleep(0.1)
        if len(sample.effects) == 1:
            raise sample.Unavailable("Paystack is away.")
        return real(request, value, location)

    monkeypatch.setattr(sample, "created", created)
    answers = at_once(lambda _: pay(as_(ada)), 10)
    assert sorted(answer.status_code for answer in answers) == [201] * 9 + [503]
    assert len(sample.effects) == 2


@pytest.mark.trust
@pytest.mark.django_db(transaction=True)
def test_control_without_a_key_there_are_twenty_effects(as_, ada, monkeypatch):
    slowly(monkeypatch)
    at_once(lambda _: pay(as_(ada), key=""), 20)
    assert len(sample.effects) == 20


@pytest.mark.trust
@pytest.mark.django_db(transaction=True)
def test_twenty_take_over_a_stale_reservation_once(as_, ada, monkeypatch):
    slowly(monkeypatch)
    reserved(ada, created_at=clock.now() - idempotency.STALE_AFTER)
    answers = at_once(lambda _: pay(as_(ada)), 20)
    assert {answer.status_code for answer in answers} == {201}
    assert len(sample.effects) == 1
