"""Reading messages, and telling many people at once."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from core.errors import Forbidden, Invalid, Missing
from marketplace.models import Notification
from marketplace.services import notifications
from marketplace.tests.trail import refused

pytestmark = pytest.mark.django_db
WORDS = {"title": "We are closed", "message": "On Friday 25 December."}


@pytest.fixture
def message(ada):
    def message(person=ada, **fields):
        return Notification.objects.create(
            **{"user": person, "notification_type": "ANNOUNCEMENT", "title": "Hello", "message": "There."} | fields
        )

    return message


def test_reading_one_is_noted_and_again_changes_nothing(message, ada):
    row, other = message(), message()
    assert notifications.mark_read(row.pk, by=ada).is_read
    assert notifications.mark_read(row.pk, by=ada).is_read
    assert not Notification.objects.get(pk=other.pk).is_read
    assert notifications.unread_count(by=ada) == 1


def test_other_peoples_messages_are_not_there(message, eve, boss):
    row = message()
    for stranger in (eve, boss):
        with refused(Missing):
            notifications.mark_read(row.pk, by=stranger)


def test_reading_all_counts_the_new_ones_of_ones_own(message, ada, eve):
    message(), message(), message(is_read=True), message(eve)
    assert notifications.mark_all_read(by=ada) == 2
    assert notifications.mark_all_read(by=ada) == 0
    assert notifications.unread_count(by=eve) == 1


def test_an_announcement_reaches_each_once_with_a_mail(ada, eve, tunde, boss):
    rows = notifications.send_announcement([ada.pk, eve.pk, ada.pk], **WORDS, by=boss)
    assert sorted(row.user_id for row in rows) == sorted([ada.pk, eve.pk])
    assert {(row.notification_type, row.title, row.message) for row in rows} == {
        ("ANNOUNCEMENT", "We are closed", "On Friday 25 December.")
    }
    assert OrmQ.objects.count() == 2
    assert not Notification.objects.filter(user=tunde).exists()


def test_the_announcer_may_choose_himself(boss):
    assert len(notifications.send_announcement([boss.pk], **WORDS, by=boss)) == 1


def test_only_those_who_may_announce_do(ada, make_admin, eve):
    for somebody in (make_admin("finance"), eve):
        with refused(Forbidden):
            notifications.send_announcement([ada.pk], **WORDS, by=somebody)
    assert notifications.send_announcement([ada.pk], **WORDS, by=make_admin("dispatcher"))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("user_ids", {"user_ids": []}),
        ("user_ids", {"user_ids": [2**40]}),
        ("title", {"title": "  "}),
        ("message", {"message": "\n"}),
    ],
)
def test_nonsense_is_named_and_writes_nothing(ada, boss, field, changes):
    with refused(Invalid, field=field):
        values = {"user_ids": [ada.pk], **WORDS} | changes
        notifications.send_announcement(values.pop("user_ids"), **values, by=boss)


def test_a_closed_account_is_refused_by_name(ada, eve, boss):
    type(eve).objects.filter(pk=eve.pk).update(is_active=False)
    with refused(Invalid, "unknown_user", field="user_ids"):
        notifications.send_announcement([ada.pk, eve.pk], **WORDS, by=boss)


def test_the_number_of_statements_does_not_grow_with_the_people(make_client, boss):
    people = [make_client(f"client{number}").pk for number in range(25)]

    def statements(ids):
        with CaptureQueriesContext(connection) as captured:
            notifications.send_announcement(ids, **WORDS, by=boss)
        return len(captured)

    assert statements(people) == statements(people[:1])


def test_a_bulk_message_leaves_out_who_is_gone(ada, eve):
    type(eve).objects.filter(pk=eve.pk).update(is_active=False)
    rows = notifications.notify([ada.pk, eve.pk, 2**40], notification_type="ANNOUNCEMENT", **WORDS)
    assert [row.user_id for row in rows] == [ada.pk]


def test_a_bulk_message_with_a_key_comes_once(ada):
    for expected in (1, 0):
        assert len(notifications.notify([ada.pk], notification_type="ANNOUNCEMENT", dedupe="x", **WORDS)) == expected


def test_a_bulk_message_of_an_unknown_type_is_refused(ada):
    with pytest.raises(ValueError, match="NO_SUCH"):
        notifications.notify([ada.pk], notification_type="NO_SUCH", **WORDS)
