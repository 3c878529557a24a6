"""A mail server that is away delays mails and loses none: a real worker, a real server, a short back-off."""

import time
from collections import Counter

import pytest

from marketplace.models import Notification
from marketplace.notices import post
from marketplace.tests.services.test_smtp import server  # noqa: F401  (a fixture)
from marketplace.tests.workers import sweep

pytestmark = [pytest.mark.trust, pytest.mark.long, pytest.mark.django_db(transaction=True)]
DOWN_SECONDS, MAILS = 20, 30


def test_all_mails_of_twenty_seconds_without_a_server_arrive_and_none_twice(server, workers, make_client):  # noqa: F811
    people = [make_client(f"client{number}") for number in range(MAILS)]
    waiting = list(people)

    def queue_one():
        if waiting:
            who = waiting.pop()
            post([Notification(user=who, notification_type="WELCOME", title="Welcome", message="Hello.")])

    def live():
        queue_one()
        sweep()

    queue_one()
    cluster = workers.start(EMAIL_RETRY_BASE_SECONDS=1)
    workers.eventually(lambda: Notification.objects.filter(attempts__gt=0).exists(), "a first try")
    down_until = time.monotonic() + DOWN_SECONDS
    workers.eventually(lambda: time.monotonic() > down_until and not waiting, "the end of it", meanwhile=live)
    workers.eventually(lambda: not Notification.objects.filter(attempts=0).exists(), "a try of each", meanwhile=sweep)
    assert not Notification.objects.exclude(sent_to_email=False, parked_at=None).exists()
    assert "ConnectionRefusedError" in Notification.objects.earliest("pk").last_error

    server.start()
    unsent = Notification.objects.filter(sent_to_email=False)
    workers.eventually(lambda: not unsent.exists(), "all mails", meanwhile=sweep)
    cluster.stop()
    assert Counter(addresses[0] for addresses, _, _ in server.sink.taken) == {person.email: 1 for person in people}
    assert Notification.objects.earliest("pk").attempts > 2
