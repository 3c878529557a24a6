"""The demo is told through the services: whole, balanced, once, and without a flood of mails."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from io import StringIO
from itertools import pairwise
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django_q.models import OrmQ

from core import clock
from core.models import User
from marketplace.enums import (
    Approval,
    IssueKind,
    NegotiationStatus,
    OfferAnswer,
    PaymentOutcome,
    RefundStatus,
    Status,
)
from marketplace.management.demo import gateway, names, stories, telling
from marketplace.management.demo.stories import STORIES
from marketplace.models import (
    Issue,
    LedgerEntry,
    LedgerLine,
    Notification,
    Offer,
    Payment,
    PriceNegotiation,
    Rating,
    Refund,
    ServicemanProfile,
    ServiceRequest,
)
from marketplace.services import ledger

CLIENTS = 6
OFFERING = ("assign", "decline", "lapse", "withdraw", "reassign")
"""Acts after which somebody has so long to answer."""


def tell(*options: str, requests: int) -> str:
    said = StringIO()
    call_command("seed_demo", *options, clients=CLIENTS, requests=requests, stdout=said)
    return said.getvalue()


@pytest.fixture(autouse=True)
def a_sandbox_of_its_own(settings, tmp_path) -> None:
    settings.SANDBOX_STATE = str(tmp_path / "paystack.sqlite3")


@pytest.mark.trust
def test_every_story_can_be_told(db: None) -> None:
    """One telling for all of these checks: it takes seconds."""
    tell(requests=len(STORIES))
    everything_that_can_happen_has_happened()
    the_books_balance()
    ids_follow_time_and_nothing_is_to_come()
    only_the_newest_mails_wait()
    the_sandbox_knows_what_may_still_be_refunded()


def everything_that_can_happen_has_happened() -> None:
    found = Counter(ServiceRequest.objects.values_list("status", flat=True))
    assert set(found) == set(Status.values)
    assert found.total() == len(STORIES)
    assert set(Offer.objects.exclude(answer=None).values_list("answer", flat=True)) == set(OfferAnswer.values)
    assert set(PriceNegotiation.objects.values_list("status", flat=True)) == set(NegotiationStatus.values)
    outcomes = {PaymentOutcome.APPLIED, PaymentOutcome.LATE, PaymentOutcome.DUPLICATE, PaymentOutcome.MISMATCH}
    assert outcomes <= set(Payment.objects.values_list("outcome", flat=True))
    refunds = set(Refund.objects.values_list("status", flat=True))
    assert {"DUE", "REVIEW", "APPROVED", "PROCESSED", "NEEDS_ATTENTION", "WAIVED"} <= refunds
    assert set(Issue.objects.values_list("kind", flat=True)) == set(IssueKind.values)
    assert Issue.objects.filter(resolved_at=None).exists()
    assert Issue.objects.exclude(resolved_at=None).exists()
    assert set(ServicemanProfile.objects.values_list("approval", flat=True)) == set(Approval.values)
    assert Rating.objects.exclude(review="").exclude(reply="").exists()
    assert ServiceRequest.objects.overdue().count() > 5
    assert ServiceRequest.objects.filter(is_emergency=True).exists()
    assert ServiceRequest.objects.filter(is_deleted=True).exists()


def the_books_balance() -> None:
    assert LedgerEntry.objects.exists()
    assert sum(ledger.balances().values()) == 0
    sums = Counter[int]()
    for entry, kobo in LedgerLine.objects.values_list("entry", "amount_kobo"):
        sums[entry] += kobo
    assert not any(sums.values())


def ids_follow_time_and_nothing_is_to_come() -> None:
    booked = list(ServiceRequest.objects.order_by("pk").values_list("created_at", flat=True))
    assert booked == sorted(booked)
    assert booked[-1] < clock.now()
    assert booked[0] > clock.now() - timedelta(days=stories.HISTORY_DAYS + 2)
    assert not Notification.objects.filter(created_at__gt=clock.now()).exists()


def only_the_newest_mails_wait() -> None:
    old = Notification.objects.filter(created_at__lt=clock.now() - timedelta(hours=2))
    assert old.count() > 500
    assert not old.exclude(sent_to_email=True).exists()
    assert Notification.objects.filter(sent_to_email=False).count() < 60
    assert not OrmQ.objects.exists()
    assert Notification.objects.unread().exists()


def the_sandbox_knows_what_may_still_be_refunded() -> None:
    due = Refund.objects.filter(status=RefundStatus.DUE, payment__outcome=PaymentOutcome.APPLIED)[0]
    assert due.payment.paystack_access_code
    paystack = gateway.Client(headers={"authorization": "Bearer sk_test_sandbox"})
    said = paystack.get(f"/sandbox/paystack/transaction/verify/{due.payment.paystack_reference}").json()
    assert (said["data"]["status"], said["data"]["amount"]) == ("success", int(due.payment.amount * 100))


def test_a_small_demo_has_every_status_and_a_second_run_adds_nothing(db: None) -> None:
    said = tell(requests=len(Status))
    assert set(ServiceRequest.objects.values_list("status", flat=True)) == set(Status.values)
    assert sum(ledger.balances().values()) == 0
    password = the_password_in(said)
    for line in ("boss@demo.example.com", "dispatcher@", "pricing@", "finance@", "viewer@", " client", " serviceman"):
        assert line in said
    people = list(User.objects.all())
    assert all(person.check_password(password) and person.email.endswith("example.com") for person in people)

    models = (User, ServiceRequest, Payment, Notification, LedgerEntry)
    before = [model.objects.count() for model in models]
    assert "nothing was added" in tell(requests=40)
    assert [model.objects.count() for model in models] == before
    assert [person.password for person in User.objects.all()] == [person.password for person in people]

    anew = the_password_in(tell("--reset-passwords", requests=40))
    assert anew != password
    for was, person in zip(people, User.objects.all(), strict=True):
        assert person.check_password(anew)
        assert person.token_version == was.token_version + 1
    assert [model.objects.count() for model in models] == before


def the_password_in(said: str) -> str:
    found = re.search(r"account of the demo: (\S+)", said)
    assert found, said
    return found[1]


def test_it_refuses_a_database_with_data_of_its_own(ada: User) -> None:
    with pytest.raises(CommandError, match="data of its own"):
        tell(requests=3)
    assert list(User.objects.all()) == [ada]


def test_an_admin_alone_is_no_data(boss: User) -> None:
    assert not telling.is_in_use()


def test_a_failure_leaves_nothing_behind(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr("marketplace.management.demo.acts.Job.assign", fail)
    with pytest.raises(RuntimeError, match="disk full") as caught:
        tell(requests=4)
    assert "assign of request" in caught.value.__notes__[0]
    assert not User.objects.exists()
    assert not ServiceRequest.objects.exists()


def test_a_seed_tells_the_same_story_again() -> None:
    now = clock.now()
    for seed in (1, 2):
        first, second = (
            [story.beats(Random(seed), now=now) for story in stories.chosen(Random(seed), 90)] for _ in range(2)
        )
        assert first == second
    assert names.names(Random(1), 50) == names.names(Random(1), 50)
    assert names.names(Random(1), 50) != names.names(Random(2), 50)


@pytest.mark.parametrize("hour", range(24))
def test_whatever_the_hour_nobody_answers_an_offer_too_late(hour: int) -> None:
    now = clock.now().replace(hour=hour)
    for seed in range(20):
        rng = Random(seed * 100 + hour)
        for story in STORIES:
            beats = story.beats(rng, now=now)
            moments = [beat.at for beat in beats]
            assert moments == sorted(moments)
            assert moments[-1] < now
            for before, after in pairwise(beats):
                if before.act in OFFERING and after.act in ("accept", "decline"):
                    limit = timedelta(minutes=30) if story.urgent else timedelta(hours=12)
                    assert after.at - before.at < limit, story
                if after.act == "lapse":
                    assert after.at - before.at > timedelta(hours=12)


def test_names_are_different_and_fit_each_other() -> None:
    made = names.names(Random(3), 300)
    assert len(set(made)) == 300
    assert len({name.first for name in made[:60]}) == 60
    groups = [(set(firsts.split()), set(lasts.split())) for firsts, lasts in names.FIRST_AND_LAST]
    for name in made:
        assert any(name.first in firsts and name.last in lasts for firsts, lasts in groups)
