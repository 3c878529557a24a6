"""/api/notifications/: a person's own messages."""

from datetime import timedelta

import pytest

from core import clock
from marketplace.enums import NotificationType
from marketplace.models import Notification
from marketplace.services.requests import cancel

pytestmark = pytest.mark.django_db
LIST = "/api/notifications/"


@pytest.fixture
def messages(ada, eve):
    """Three of ada's, the newest last, and one of eve's."""
    return [
        Notification.objects.create(
            user=person,
            notification_type="ANNOUNCEMENT",
            title=f"No. {number}",
            message="Hello.",
            created_at=clock.now() + timedelta(minutes=number),
            is_read=number == 1,
        )
        for number, person in enumerate([ada, ada, ada, eve])
    ]


def test_a_person_sees_his_own_the_newest_first(as_, ada, messages):
    answer = as_(ada).get(LIST)
    assert answer.status_code == 200
    assert [item["title"] for item in answer.json()["items"]] == ["No. 2", "No. 1", "No. 0"]
    assert answer.json()["items"][0] == {
        "id": messages[2].pk,
        "notification_type": "ANNOUNCEMENT",
        "title": "No. 2",
        "message": "Hello.",
        "service_request_id": None,
        "is_read": False,
        "created_at": messages[2].created_at.astimezone(clock.LAGOS).isoformat(),
    }


@pytest.mark.parametrize(("asked", "titles"), [("true", ["No. 1"]), ("false", ["No. 2", "No. 0"])])
def test_read_and_unread_ones_can_be_asked_for(as_, ada, messages, asked, titles):
    items = as_(ada).get(f"{LIST}?is_read={asked}").json()["items"]
    assert [item["title"] for item in items] == titles


def test_pages_follow_each_other(as_, ada, messages):
    caller, seen, path = as_(ada), [], f"{LIST}?limit=2"
    while path:
        page = caller.get(path).json()
        seen += [item["title"] for item in page["items"]]
        path = page["next"]
    assert seen == ["No. 2", "No. 1", "No. 0"]


@pytest.mark.parametrize("query", ["is_read=yes", "limit=0", "limit=101", "read=true", "cursor=x"])
def test_nonsense_in_the_query_is_named(as_, ada, query):
    answer = as_(ada).get(f"{LIST}?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == query.partition("=")[0]


def test_strangers_see_nothing(as_):
    for method, path in (
        ("get", LIST),
        ("get", f"{LIST}unread-count/"),
        ("patch", f"{LIST}mark-all-read/"),
        ("patch", f"{LIST}1/read/"),
    ):
        assert getattr(as_(), method)(path).status_code == 401


def test_the_unread_are_counted(as_, ada, messages):
    assert as_(ada).get(f"{LIST}unread-count/").json() == {"unread_count": 2}


def test_one_is_marked(as_, ada, messages):
    answer = as_(ada).patch(f"{LIST}{messages[0].pk}/read/")
    assert (answer.status_code, answer.json()["is_read"]) == (200, True)
    assert as_(ada).get(f"{LIST}unread-count/").json() == {"unread_count": 1}


def test_other_peoples_are_not_there(as_, ada, messages):
    assert as_(ada).patch(f"{LIST}{messages[3].pk}/read/").status_code == 404
    assert not Notification.objects.get(pk=messages[3].pk).is_read


def test_all_are_marked(as_, ada, eve, messages):
    assert as_(ada).patch(f"{LIST}mark-all-read/").json() == {"updated": 2}
    assert as_(ada).patch(f"{LIST}mark-all-read/").json() == {"updated": 0}
    assert as_(eve).get(f"{LIST}unread-count/").json() == {"unread_count": 1}


def test_the_words_people_gave_are_part_of_the_message(as_, ada, boss, request_in):
    cancel(request_in("ASSIGNED_TO_SERVICEMAN").pk, reason="The road is flooded.", by=boss)
    (item,) = as_(ada).get(LIST).json()["items"]
    assert item["message"].endswith("was cancelled by our office.\n\n“The road is flooded.”")


def test_every_type_can_be_shown(as_, ada):
    for kind in NotificationType:
        Notification.objects.create(user=ada, notification_type=kind, title="T", message="M")
    assert len(as_(ada).get(f"{LIST}?limit=100").json()["items"]) == len(NotificationType)
