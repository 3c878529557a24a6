"""What apps poll is answered with an ETag, and with 304 while nothing has changed; long answers are packed."""

import gzip
import json

import pytest

from marketplace.models import BusinessSettings, Notification

pytestmark = pytest.mark.django_db

POLLED = [
    "/api/config/",
    "/api/categories/",
    "/api/notifications/",
    "/api/notifications/unread-count/",
    "/api/service-requests/",
    "/api/service-requests/summary/",
    "/api/service-requests/{id}/",
]


def again(caller, path, etag):
    return caller.get(path, headers={"If-None-Match": etag})


@pytest.mark.parametrize("path", POLLED)
def test_who_holds_the_answer_hears_304_and_nothing_else(path, as_, ada, request_in):
    path = path.format(id=request_in("IN_PROGRESS").pk)
    full = as_(ada).get(path)
    assert full["ETag"].startswith('"')
    answer = again(as_(ada), path, full["ETag"])
    assert (answer.status_code, answer.content) == (304, b"")
    assert (answer["ETag"], answer["Cache-Control"]) == (full["ETag"], full["Cache-Control"])
    for held in ('"another"', f'W/"another", {full["ETag"]}', "*"):
        assert again(as_(ada), path, held).status_code == (200 if held == '"another"' else 304)


def test_an_answer_that_has_changed_comes_whole(as_, ada, request_in):
    request = request_in("AWAITING_CLIENT_APPROVAL")
    path = f"/api/service-requests/{request.pk}/"
    seen, unread = as_(ada).get(path), as_(ada).get("/api/notifications/unread-count/")
    as_(ada).post(f"{path}approve/", {"price_version": 1})
    answer = again(as_(ada), path, seen["ETag"])
    assert (answer.status_code, answer.json()["status"]) == (200, "AWAITING_PAYMENT")
    Notification.objects.create(user=ada, notification_type="ANNOUNCEMENT", title="Hello", message="Hello.")
    answer = again(as_(ada), "/api/notifications/unread-count/", unread["ETag"])
    assert (answer.status_code, answer.json()) == (200, {"unread_count": 1})


def test_an_answer_for_one_is_kept_by_no_other(as_, ada):
    private, public = as_(ada).get("/api/notifications/"), as_().get("/api/config/")
    assert private["Cache-Control"] == "private, no-cache"
    assert "Authorization" in private["Vary"]
    assert public["Cache-Control"] == "public, max-age=60"
    assert as_(ada).get("/api/me/")["Cache-Control"] == "no-store"


def test_a_refusal_has_no_etag_and_whoever_may_not_read_learns_nothing(as_, ada, eve, request_in):
    path = f"/api/service-requests/{request_in('IN_PROGRESS').pk}/"
    etag = as_(ada).get(path)["ETag"]
    for caller, status in ((as_(eve), 404), (as_(), 401)):
        answer = again(caller, path, etag)
        assert answer.status_code == status
        assert "ETag" not in answer


def test_new_fees_are_another_answer(as_):
    etag = as_().get("/api/config/")["ETag"]
    assert again(as_(), "/api/config/", etag).status_code == 304
    BusinessSettings.objects.update_or_create(pk=1, defaults={"booking_fee": 2500})
    assert again(as_(), "/api/config/", etag).status_code == 200


def test_a_long_answer_is_packed_for_whoever_can_unpack_it(as_, ada, request_in):
    for _ in range(5):
        request_in("IN_PROGRESS")
    plain = as_(ada).get("/api/service-requests/")
    packed = as_(ada).get("/api/service-requests/", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) / 3
    assert json.loads(gzip.decompress(packed.content)) == plain.json()
    # Packed it is the same in other bytes, which the W/ says; it counts as the one held all the same.
    answer = again(as_(ada), "/api/service-requests/", packed["ETag"])
    assert (packed["ETag"][:2], answer.status_code) == ("W/", 304)
