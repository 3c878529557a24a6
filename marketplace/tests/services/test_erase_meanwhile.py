"""Who books for, or offers a job to, somebody whose erasure has begun waits for its end, and is then refused."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import sleep
from typing import Any

import pytest
from django.db import connections, transaction

from core import clock
from core.errors import DomainError
from marketplace.models import ServiceRequest
from marketplace.services.assignment import assign_serviceman
from marketplace.services.privacy import erase
from marketplace.services.requests import book
from marketplace.tests.test_races import needs_row_locks

pytestmark = [needs_row_locks, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def while_erasing() -> Callable[..., Any]:
    """`while_erasing(person, act)`: how `act` ends that began after the erasure and before its commit."""

    def run(person: Any, act: Callable[[], object]) -> object:
        def attempt() -> object:
            try:
                return act()
            except DomainError as refusal:
                return refusal
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                erase(user=person, by=person)
                other = pool.submit(attempt)
                sleep(0.5)
                assert not other.done(), other.result()
            return other.result(timeout=20)

    return run


def test_a_booking_is_refused(while_erasing, ada, plumbing):
    def act() -> object:
        day = clock.today() + timedelta(days=5)
        words = {"client_address": "12 Allen Avenue", "service_description": "The tap drips."}
        return book(category_id=plumbing.pk, booking_date=day, by=ada, **words)

    ended = while_erasing(ada, act)
    assert isinstance(ended, DomainError), ended
    assert ended.code == "account_closed"
    assert not ServiceRequest.objects.exists()


def test_an_offer_is_refused(while_erasing, make_serviceman, boss, request_in):
    sani = make_serviceman("sani")
    waiting = request_in("PENDING_ADMIN_ASSIGNMENT")
    ended = while_erasing(sani, lambda: assign_serviceman(waiting.pk, serviceman_id=sani.pk, by=boss))
    assert isinstance(ended, DomainError), ended
    assert ServiceRequest.objects.get(pk=waiting.pk).serviceman is None
