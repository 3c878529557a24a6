"""POST /api/admin/notifications/."""

import pytest

from marketplace.models import Notification

PATH = "/api/admin/notifications/"


def test_chosen_people_are_told(as_, boss, ada, tunde, eve):
    body = {"user_ids": [ada.pk, tunde.pk], "title": "Closed on Monday", "message": "Our office is closed."}
    answer = as_(boss).post(PATH, body)
    assert (answer.status_code, answer.json()) == (202, {"announced": 2})
    assert set(Notification.objects.values_list("user", flat=True)) == {ada.pk, tunde.pk}
    (item,) = as_(ada).get("/api/notifications/").json()["items"]
    assert (item["notification_type"], item["title"]) == ("ANNOUNCEMENT", "Closed on Monday")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_ids", []),
        ("user_ids", [999_999]),
        ("user_ids", list(range(1, 1002))),
        ("title", " "),
        ("title", "x" * 201),
        ("title", "two\nlines"),
        ("message", ""),
        ("notification_type", "WELCOME"),
    ],
)
def test_a_bad_body_names_its_field_and_nobody_is_told(as_, boss, ada, field, value):
    body = {"user_ids": [ada.pk], "title": "Hello", "message": "Hello."} | {field: value}
    answer = as_(boss).post(PATH, body)
    assert answer.status_code == 422
    assert [error["loc"] for error in answer.json()["errors"]] == [field]
    assert not Notification.objects.exists()


def test_only_admins_who_may_announce(as_, ada, make_admin):
    body = {"user_ids": [ada.pk], "title": "Hello", "message": "Hello."}
    for person in (ada, make_admin("pricing"), make_admin("finance")):
        assert as_(person).post(PATH, body).status_code == 403
    assert as_(make_admin("dispatcher")).post(PATH, body).status_code == 202
