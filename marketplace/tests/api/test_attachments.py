"""Pictures of a job: who may add which, who sees them, and by what link."""

import hashlib
import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import MULTIPART_CONTENT
from PIL import Image

from core import clock
from core.models import User
from marketplace.models import Attachment
from marketplace.services import assignment, attachments
from marketplace.services.attachments import MOST

pytestmark = pytest.mark.django_db


def path(request):
    return f"/api/service-requests/{request.pk}/attachments/"


def photo(size=(40, 20)):
    kept = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(kept, "JPEG")
    return SimpleUploadedFile("tap.jpg", kept.getvalue(), content_type="image/jpeg")


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def send():
    """`send(caller, request, kind="JOB")`: a multipart POST."""

    def send(caller, request, *, headers=None, **fields):
        body = {"kind": "JOB", "file": photo()} | fields
        body = {name: value for name, value in body.items() if value is not None}
        return caller.post(path(request), body, content_type=MULTIPART_CONTENT, headers=headers)

    return send


def files(folder):
    return [file for file in folder.rglob("*") if file.is_file()]


def test_a_picture_is_kept_and_shown_by_its_link(as_, ada, send, request_in, client, folder):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    answer = send(as_(ada), request)
    assert (answer.status_code, answer["Location"]) == (201, path(request))
    made = answer.json()
    assert (made["kind"], made["content_type"]) == ("JOB", "image/jpeg")
    assert made["uploaded_by"] == {"id": ada.pk, "name": "Ada Obi"}
    listed = as_(ada).get(path(request)).json()
    assert [item["id"] for item in listed["items"]] == [made["id"]]
    shown = client.get(listed["items"][0]["url"])
    content = b"".join(shown.streaming_content)
    assert (shown.status_code, shown["Content-Type"], len(content)) == (200, "image/jpeg", made["size"])
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert "private" in shown["Cache-Control"]
    assert hashlib.sha256(content).hexdigest() == Attachment.objects.get().sha256
    assert len(files(folder)) == 1


def test_a_link_dies_and_cannot_be_made_up(as_, ada, send, request_in, client, monkeypatch):
    link = send(as_(ada), request_in("IN_PROGRESS")).json()["url"]
    shown = client.get(link)
    assert shown.status_code == 200
    shown.close()
    assert client.get(link[:-5] + "xxxx/").status_code == 404
    assert client.get("/attachments/1/").status_code == 404
    assert client.post(link).status_code == 405
    monkeypatch.setattr(attachments, "LINK_SECONDS", -1)
    assert client.get(link).status_code == 404


def test_the_file_behind_a_link_may_be_gone(as_, ada, send, request_in, client, folder):
    link = send(as_(ada), request_in("IN_PROGRESS")).json()["url"]
    for file in files(folder):
        file.unlink()
    assert client.get(link).status_code == 404


@pytest.mark.parametrize(
    ("who", "kind", "status"),
    [
        ("ada", "JOB", 201),
        ("ada", "COMPLETION", 403),
        ("tunde", "JOB", 201),
        ("tunde", "ESTIMATE", 201),
        ("tunde", "COMPLETION", 201),
        ("bola", "JOB", 403),
        ("dispatcher", "COMPLETION", 201),
        ("finance", "JOB", 403),
        ("eve", "JOB", 404),
        ("sani", "JOB", 404),
        ("nobody", "JOB", 401),
    ],
)
def test_each_adds_what_is_theirs_to_show(
    who, kind, status, as_, eve, make_admin, make_serviceman, send, request_in, folder
):
    request = request_in("IN_PROGRESS")
    if who in ("dispatcher", "finance"):
        make_admin(who)
    elif who == "sani":
        make_serviceman("sani")
    caller = as_() if who == "nobody" else as_(User.objects.get(email=f"{who}@example.com"))
    answer = send(caller, request, kind=kind)
    assert answer.status_code == status, answer.content
    assert Attachment.objects.count() == len(files(folder)) == (status == 201)


def test_who_has_not_accepted_adds_nothing_yet(as_, tunde, send, request_in):
    assert send(as_(tunde), request_in("ASSIGNED_TO_SERVICEMAN", accepted=False)).status_code == 403


def test_parties_see_them_and_nobody_else(as_, ada, tunde, bola, eve, boss, send, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN", accepted=False)
    send(as_(ada), request)
    for reader in (ada, tunde, bola, boss):
        assert len(as_(reader).get(path(request)).json()["items"]) == 1, reader
    assert as_(eve).get(path(request)).status_code == 404
    assert as_().get(path(request)).status_code == 401
    assignment.decline_job(request.pk, reason="Ill", by=tunde)
    answer = as_(tunde).get(path(request))
    assert (answer.status_code, answer.json()["code"]) == (409, "offer_withdrawn")


@pytest.mark.parametrize("status", ["COMPLETED", "CANCELLED"])
def test_a_closed_request_takes_none(status, as_, ada, send, request_in):
    answer = send(as_(ada), request_in(status))
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_status")


def test_a_request_takes_so_many(as_, ada, send, request_in):
    request = request_in("IN_PROGRESS")
    row = {"kind": "JOB", "file": "x.jpg", "content_type": "image/jpeg", "size": 1, "sha256": "0" * 64}
    Attachment.objects.bulk_create(Attachment(request=request, **row) for _ in range(MOST - 1))
    assert send(as_(ada), request).status_code == 201
    answer = send(as_(ada), request)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_attachments")


@pytest.mark.parametrize(
    ("fields", "loc"),
    [
        ({"file": SimpleUploadedFile("tap.jpg", b"<svg/>", content_type="image/jpeg")}, "file"),
        ({"file": None}, "file"),
        ({"file": "a text"}, "file"),
        ({"kind": "SELFIE"}, "kind"),
        ({"kind": None}, "kind"),
        ({"caption": "My tap"}, "caption"),
        ({"picture": SimpleUploadedFile("tap.jpg", b"x")}, "picture"),
    ],
)
def test_what_is_no_picture_or_no_field_is_refused_by_name(fields, loc, as_, ada, send, request_in, folder):
    answer = send(as_(ada), request_in("IN_PROGRESS"), **fields)
    assert answer.status_code == 422, answer.content
    assert loc in [error["loc"] for error in answer.json()["errors"]]
    assert not Attachment.objects.exists()
    assert not files(folder)


def test_a_file_above_ten_megabytes_is_413(as_, ada, send, request_in):
    big = SimpleUploadedFile("tap.jpg", photo().read() + bytes(10 * 1024 * 1024), content_type="image/jpeg")
    answer = send(as_(ada), request_in("IN_PROGRESS"), file=big)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_json_is_no_picture(as_, ada, request_in):
    assert as_(ada).post(path(request_in("IN_PROGRESS")), {"kind": "JOB"}).status_code == 422


def test_who_has_not_confirmed_the_address_adds_none(as_, make_client, send, request_in):
    kemi = make_client("kemi", is_email_verified=False)
    answer = send(as_(kemi), request_in("IN_PROGRESS", client=kemi))
    assert (answer.status_code, answer.json()["code"]) == (403, "email_not_verified")


def test_repeated_with_a_key_one_is_kept(as_, ada, send, request_in):
    request = request_in("IN_PROGRESS")
    first = send(as_(ada), request, headers={"Idempotency-Key": "p-1"})
    again = send(as_(ada), request, headers={"Idempotency-Key": "p-1"})
    assert again.json()["id"] == first.json()["id"]
    assert Attachment.objects.count() == 1
    other = send(as_(ada), request, headers={"Idempotency-Key": "p-1"}, file=photo((50, 50)))
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_no_file_is_left_when_the_row_cannot_be_kept(as_, ada, send, request_in, folder, monkeypatch):
    def full(*args, **kwargs):
        raise OSError("No space left")

    monkeypatch.setattr(Attachment, "save", full)
    with pytest.raises(OSError, match="No space"):
        send(as_(ada), request_in("IN_PROGRESS"))
    assert not files(folder)


def test_the_list_is_paged_newest_first(as_, ada, send, request_in):
    request = request_in("IN_PROGRESS")
    made = []
    for minute in range(3):
        with clock.at(clock.now() + timedelta(minutes=minute)):
            made.append(send(as_(ada), request).json()["id"])
    first = as_(ada).get(f"{path(request)}?limit=2").json()
    rest = as_(ada).get(first["next"]).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == made[::-1]
