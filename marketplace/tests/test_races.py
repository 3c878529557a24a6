"""Many callers at once: one wins, the rest hear 409, nobody a 500. Each race with its control, the lock taken away.

On SQLite `select_for_update` is a no-op: there BEGIN IMMEDIATE, a setting, lets one writer in at a time. So the races
run on both engines, and the controls, which take the row lock away, on PostgreSQL alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from threading import Barrier, BrokenBarrierError
from time import sleep
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model

from core import clock
from core.errors import Conflict
from core.tests.race import at_once
from marketplace import notices
from marketplace.models import Price, ServicemanProfile, ServiceRequest
from marketplace.services import assignment, standing, workflow
from marketplace.services.assignment import (
    accept_job,
    assign_serviceman,
    decline_job,
    lapse_offer,
    reassign_serviceman,
)
from marketplace.services.negotiations import accept_proposal, counter_proposal
from marketplace.services.pricing import approve_price, set_final_cost
from marketplace.services.standing import suspend_serviceman
from marketplace.tests.trail import fresh, offers, trail

pytestmark = pytest.mark.django_db(transaction=True)

CALLERS = 50
rounds = pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.trust)])
needs_row_locks = pytest.mark.skipif(
    connection.vendor != "postgresql",
    reason="SQLite has no row lock to take away: a write transaction is alone as it is",
)


@dataclass
class Tally:
    """How a race ended: how many won, and with what the others lost."""

    won: int
    lost: list[str]
    faults: list[str]

    @property
    def is_fair(self) -> bool:
        return self.won == 1 and not self.faults


def race(work: Callable[[int], object], times: int = CALLERS) -> Tally:
    """All at once. Whoever is refused with anything but a Conflict is a fault."""

    def attempt(number: int) -> Exception | None:
        try:
            work(number)
        except Exception as problem:  # noqa: BLE001  (what it was is the finding)
            return problem
        return None

    ends = at_once(attempt, times)
    problems = [end for end in ends if end is not None]
    return Tally(
        won=ends.count(None),
        lost=sorted({p.code for p in problems if type(p) is Conflict}),
        faults=[repr(p) for p in problems if type(p) is not Conflict],
    )


@contextmanager
def no_lock(monkeypatch: pytest.MonkeyPatch, times: int = CALLERS, *, apart: float = 0) -> Iterator[None]:
    """Nobody locks the request, and everybody has read it and its proposals before anybody writes.

    `apart`: seconds by which the writers then follow one another.
    """
    gate = Barrier(times)

    def take(request_id: int, *, by: Any) -> ServiceRequest:
        request = ServiceRequest.objects.visible_to(by).prefetch_related("negotiations").get(pk=request_id)
        try:
            place = gate.wait(timeout=20)
        except BrokenBarrierError:
            raise AssertionError("Not all callers came as far as this.") from None
        sleep(place * apart)
        return request

    with monkeypatch.context() as patch:
        patch.setattr(workflow, "take", take)
        yield


# --- One request, fifty admins who assign it


@pytest.fixture
def assigning(request_in, make_serviceman, boss) -> tuple[Callable[[], ServiceRequest], Callable[..., Any]]:
    men = [make_serviceman(f"man-{number}") for number in range(5)]

    def assign(request: ServiceRequest) -> Callable[[int], object]:
        return lambda n: assign_serviceman(request.pk, serviceman_id=men[n % len(men)].pk, by=boss)

    return lambda: request_in("PENDING_ADMIN_ASSIGNMENT"), assign


@rounds
def test_of_fifty_admins_one_assigns(rounds, assigning):
    make, assign = assigning
    for _ in range(rounds):
        request = make()
        tally = race(assign(request))
        assert (tally.won, tally.lost, tally.faults) == (1, ["already_assigned"], [])
        assert [row[0] for row in trail(request)] == ["assign"]
        assert [(man, answer) for man, _, answer in offers(request)] == [(fresh(request).serviceman, None)]


@needs_row_locks
def test_control_without_the_lock_many_assign(assigning, monkeypatch):
    make, assign = assigning
    with no_lock(monkeypatch), monkeypatch.context() as patch:
        assert race(assign(make())).is_fair  # the second net: the status stands in the UPDATE
        patch.setattr(ServiceRequest, "_do_update", Model._do_update)
        assert not race(assign(make())).is_fair  # the third: one live offer, so the others get a 500
        patch.setattr("marketplace.models.offers.OfferQuerySet.send", lambda *_, **__: {})
        request = make()
        tally = race(assign(request))
    assert tally.won > 1
    assert len(trail(request)) == tally.won


# --- One offer, accepted fifty times


@rounds
def test_of_fifty_yeses_one_counts(rounds, request_in, tunde):
    for _ in range(rounds):
        request = request_in("ASSIGNED_TO_SERVICEMAN")
        tally = race(lambda _, request=request: accept_job(request.pk, by=tunde))
        assert (tally.won, tally.lost, tally.faults) == (1, ["already_answered"], [])
        assert [row[0] for row in trail(request)] == ["accept"]


@needs_row_locks
def test_control_without_the_lock_many_yeses_count(request_in, tunde, monkeypatch):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    with no_lock(monkeypatch):
        tally = race(lambda _: accept_job(request.pk, by=tunde))
    assert tally.won > 1
    assert len(trail(request)) == tally.won


# --- The same, through the endpoints


def answers(callers: list[Any], path: str, bodies: list[dict[str, Any]]) -> Counter[int]:
    """How fifty calls at the same moment were answered."""
    return Counter(
        at_once(lambda n: callers[n % len(callers)].post(path, bodies[n % len(bodies)]).status_code, CALLERS)
    )


@pytest.mark.trust
def test_of_fifty_who_assign_over_http_one_hears_200_and_the_others_409(request_in, make_serviceman, boss, as_):
    men = [make_serviceman(f"man-{number}") for number in range(5)]
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    bodies = [{"service_request_id": request.pk, "serviceman_id": man.pk} for man in men]
    callers = [as_(boss, raise_request_exception=False) for _ in range(CALLERS)]
    assert answers(callers, "/api/admin/assign-serviceman/", bodies) == {200: 1, 409: CALLERS - 1}
    assert [row[0] for row in trail(request)] == ["assign"]


@pytest.mark.trust
def test_of_fifty_yeses_over_http_one_hears_200_and_the_others_409(request_in, tunde, as_):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    callers = [as_(tunde, raise_request_exception=False) for _ in range(CALLERS)]
    assert answers(callers, f"/api/service-requests/{request.pk}/accept/", [{}]) == {200: 1, 409: CALLERS - 1}
    assert [row[0] for row in trail(request)] == ["accept"]


# --- A yes at the last moment against the offer's lapse


def _last_moment(request: ServiceRequest, tunde: Any) -> Callable[[int], object]:
    """Half say yes at the very moment it is due, half let it lapse a second later."""

    def act(number: int) -> None:
        with clock.at(request.due_at + timedelta(seconds=number % 2)):
            if number % 2:
                lapse_offer(request.pk)
            else:
                accept_job(request.pk, by=tunde)

    return act


@rounds
def test_an_offer_is_accepted_or_lapses_and_never_both(rounds, request_in, tunde, bola):
    for _ in range(rounds):
        before = request_in("ASSIGNED_TO_SERVICEMAN")
        tally = race(_last_moment(before, tunde))
        request = fresh(before)
        assert (tally.won, tally.faults) == (1, [])
        [(step, *_)] = trail(request)
        if step == "accept":
            assert (request.serviceman, request.accepted_at) == (tunde, before.due_at)
            assert offers(request) == [(tunde, "PRIMARY", "ACCEPTED"), (bola, "BACKUP", None)]
        else:
            assert (request.serviceman, request.accepted_at) == (bola, None)
            assert offers(request) == [(tunde, "PRIMARY", "LAPSED"), (bola, "PRIMARY", None)]


@needs_row_locks
def test_control_without_the_lock_it_is_accepted_and_lapses(request_in, tunde, monkeypatch):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    with no_lock(monkeypatch):
        tally = race(_last_moment(request, tunde))
    assert tally.won > 1
    assert len(trail(request)) == tally.won


# --- One price, set by two admins who saw the same


@rounds
@pytest.mark.parametrize("status", ["SERVICEMAN_INSPECTED", "AWAITING_CLIENT_APPROVAL"])
def test_of_many_prices_for_one_version_one_is_set(rounds, status, request_in, boss):
    for _ in range(rounds):
        before = request_in(status)
        version = before.price_version
        tally = race(
            lambda n, pk=before.pk, version=version: set_final_cost(
                pk, amount=Decimal(30_000 + n), price_version=version, by=boss
            )
        )
        request = fresh(before)
        assert (tally.won, tally.lost, tally.faults) == (1, ["price_changed"], [])
        assert request.price_version == version + 1
        assert Price.objects.get(request=request, version=version + 1).final == request.final_cost
        assert [row[0] for row in trail(request)] == ["set_final_cost"]


@needs_row_locks
def test_control_without_the_lock_many_prices_are_set_for_one_version(request_in, boss, monkeypatch):
    request = request_in("AWAITING_CLIENT_APPROVAL")

    def reprice(number: int) -> None:
        set_final_cost(request.pk, amount=Decimal(30_000 + number), price_version=1, by=boss)

    with no_lock(monkeypatch), monkeypatch.context() as patch:
        assert not race(reprice).is_fair  # one price a version: the others are 500s
        patch.setattr("marketplace.services.pricing.record_price", lambda *_, **__: None)
        request = request_in("AWAITING_CLIENT_APPROVAL")
        tally = race(reprice)
    assert tally.won > 1
    assert len(trail(request)) == tally.won


# --- The client says yes while an admin sets another price

POSSIBLE = (["approve_price"], ["approve_price", "set_final_cost"], ["set_final_cost"])
"""A yes, then perhaps another price, which wants a yes of its own; or another price, and no yes at all."""


@rounds
def test_the_client_never_agrees_to_a_price_he_was_not_shown(rounds, request_in, ada, boss):
    for _ in range(rounds):
        before = request_in("AWAITING_CLIENT_APPROVAL")

        def act(number: int, pk: int = before.pk) -> None:
            if number % 2:
                set_final_cost(pk, amount=Decimal(90_000), price_version=1, by=boss)
            else:
                approve_price(pk, price_version=1, by=ada)

        tally = race(act, 10)
        request = fresh(before)
        agreed = Price.objects.filter(request=request).exclude(agreed_at=None).values_list("version", flat=True)
        assert not tally.faults
        assert list(agreed) in ([], [1])
        assert [row[0] for row in trail(request)] in POSSIBLE
        assert request.status == ("AWAITING_PAYMENT" if request.price_version == 1 else "AWAITING_CLIENT_APPROVAL")


@needs_row_locks
def test_control_without_the_lock_he_agrees_to_a_price_that_was_not_shown(request_in, ada, boss, monkeypatch):
    request = request_in("AWAITING_CLIENT_APPROVAL")

    def act(number: int) -> None:
        if number % 2:
            set_final_cost(request.pk, amount=Decimal(90_000), price_version=1, by=boss)
        else:
            approve_price(request.pk, price_version=1, by=ada)

    with no_lock(monkeypatch, 10), monkeypatch.context() as patch:
        patch.setattr(ServiceRequest, "_do_update", Model._do_update)
        race(act, 10)
    assert [row[0] for row in trail(request)] not in POSSIBLE
    assert {row[0] for row in trail(request)} == {"approve_price", "set_final_cost"}


# --- One proposal, answered by many


def _answers(proposal_id: int, boss: Any) -> Callable[[int], object]:
    """Half say yes, half name another price."""

    def act(number: int) -> None:
        if number % 2:
            counter_proposal(proposal_id, amount=Decimal(20_000), by=boss)
        else:
            accept_proposal(proposal_id, by=boss)

    return act


@rounds
def test_a_proposal_is_answered_once(rounds, request_in, boss):
    for _ in range(rounds):
        request = request_in("NEGOTIATING")
        proposal = request.open_proposal
        tally = race(_answers(proposal.pk, boss), 20)
        assert (tally.won, tally.lost, tally.faults) == (1, ["already_answered"], [])
        proposal.refresh_from_db()
        assert proposal.status in ("COUNTERED", "ACCEPTED")
        assert (fresh(request).open_proposal is None) == (proposal.status == "ACCEPTED")


@needs_row_locks
def test_control_without_the_lock_a_proposal_is_answered_many_times(request_in, boss, monkeypatch):
    def accepting() -> tuple[ServiceRequest, Callable[[int], object]]:
        request = request_in("NEGOTIATING")
        proposal = request.open_proposal.pk
        return request, lambda _: accept_proposal(proposal, by=boss)

    with no_lock(monkeypatch, 20), monkeypatch.context() as patch:
        assert race(accepting()[1], 20).is_fair  # the second net: the status stands in the UPDATE
        countered = request_in("NEGOTIATING").open_proposal.pk
        counters = race(lambda _: counter_proposal(countered, amount=Decimal(20_000), by=boss), 20)
        assert not counters.is_fair  # the third: one open proposal, so the others get a 500
        patch.setattr(ServiceRequest, "_do_update", Model._do_update)
        patch.setattr("marketplace.services.negotiations.record_price", lambda *_, **__: None)
        request, accept = accepting()
        tally = race(accept, 20)
    assert tally.won > 1
    assert [row[0] for row in trail(request)].count("accept_proposal") == tally.won


# --- A job taken away, answered and given to another at the same moment


def _three_at_once(request: ServiceRequest, tunde: Any, sani: Any, boss: Any) -> Callable[[int], object]:
    """He says yes, he says no, and an admin gives it to somebody else."""
    acts = [
        lambda: accept_job(request.pk, by=tunde),
        lambda: decline_job(request.pk, reason="Far.", by=tunde),
        lambda: reassign_serviceman(request.pk, serviceman_id=sani.pk, replaces=tunde.pk, reason="Ill.", by=boss),
    ]
    return lambda number: acts[number % 3]()


ONE_AFTER_THE_OTHER = (["accept"], ["accept", "reassign"], ["decline"], ["reassign"])
"""Only a reassignment can follow a yes; nothing of his can follow his own no or the loss of the job."""


@rounds
def test_a_job_has_one_man_whoever_acts_at_once(rounds, request_in, tunde, bola, boss, make_serviceman):
    sani = make_serviceman("sani")
    for _ in range(rounds):
        request = request_in("ASSIGNED_TO_SERVICEMAN")
        tally = race(_three_at_once(request, tunde, sani, boss), 30)
        assert not tally.faults
        steps = [row[0] for row in trail(request)]
        assert steps in ONE_AFTER_THE_OTHER
        assert tally.won == len(steps)
        live = [man for man, rank, answer in offers(request) if rank == "PRIMARY" and answer in (None, "ACCEPTED")]
        assert live == [fresh(request).serviceman]


@needs_row_locks
def test_control_without_the_lock_he_says_yes_and_no_to_a_job_that_another_has(
    request_in, tunde, bola, boss, make_serviceman, monkeypatch
):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    with no_lock(monkeypatch, 30):
        tally = race(_three_at_once(request, tunde, make_serviceman("sani"), boss), 30)
    steps = [row[0] for row in trail(request)]
    assert tally.won > 1
    assert steps not in ONE_AFTER_THE_OTHER


def _offers_and_a_suspension(sani: Any, waiting: list[int], boss: Any) -> Callable[[int], object]:
    """One suspends him, the others offer him a job each."""

    def act(number: int) -> None:
        if number == 0:
            suspend_serviceman(sani.pk, reason="Complaints.", by=boss)
        else:
            assign_serviceman(waiting[number - 1], serviceman_id=sani.pk, by=boss)

    return act


@rounds
def test_a_suspended_man_is_left_with_no_open_offer(rounds, request_in, tunde, boss, make_serviceman):
    for number in range(rounds):
        sani = make_serviceman(f"sani-{number}")
        waiting = [request_in("PENDING_ADMIN_ASSIGNMENT").pk for _ in range(9)]
        held = request_in("ASSIGNED_TO_SERVICEMAN", serviceman=sani)
        tally = race(_offers_and_a_suspension(sani, waiting, boss), 10)
        assert not tally.faults
        if "try_again" in tally.lost:
            suspend_serviceman(sani.pk, reason="Complaints.", by=boss)
        assert ServicemanProfile.objects.get(user=sani).approval == "SUSPENDED"
        assert not sani.offers.filter(answer=None).exists()
        assert fresh(held).serviceman != sani


@needs_row_locks
def test_control_without_the_lock_on_his_profile_he_is_left_with_offers(request_in, boss, make_serviceman, monkeypatch):
    sani = make_serviceman("sani")
    waiting = [request_in("PENDING_ADMIN_ASSIGNMENT").pk for _ in range(9)]
    gate = Barrier(10)
    eligible, announce = assignment._eligible, notices.announce

    def eligible_then_wait(request: ServiceRequest, user_id: int) -> Any:
        profile = eligible(request, user_id)
        gate.wait(timeout=20)
        return profile

    def wait_then_announce(event: str, *about: Any, **facts: Any) -> Any:
        if event == "SERVICEMAN_SUSPENDED":
            gate.wait(timeout=20)
        return announce(event, *about, **facts)

    # Nobody locks his profile: all have found him approved, and the suspension no offers, before anybody commits.
    with monkeypatch.context() as patch:
        patch.setattr(type(ServicemanProfile.objects.all()), "select_for_update", lambda self, *_, **__: self)
        patch.setattr(assignment, "_eligible", eligible_then_wait)
        patch.setattr(notices, "announce", wait_then_announce)
        tally = race(_offers_and_a_suspension(sani, waiting, boss), 10)
    assert (tally.won, tally.faults) == (10, [])
    assert ServicemanProfile.objects.get(user=sani).approval == "SUSPENDED"
    assert sani.offers.filter(answer=None).count() == 9


# --- A suspension whose backup is being chosen for another job, with the suspended man himself


@pytest.fixture
def crossing(request_in, make_serviceman, boss, monkeypatch) -> Callable[[], tuple[ServiceRequest, list[Any]]]:
    """Both have locked their first profile before either goes for the second, if the locks let them come so far."""

    def crossing() -> tuple[ServiceRequest, list[Any]]:
        low, high = make_serviceman("low"), make_serviceman("high")
        held = request_in("ASSIGNED_TO_SERVICEMAN", serviceman=high, backup_serviceman=low)
        waiting = request_in("PENDING_ADMIN_ASSIGNMENT")
        gate = Barrier(2, timeout=2)

        def meeting(lock: Callable[..., Any]) -> Callable[..., Any]:
            def meet(*args: Any, **named: Any) -> Any:
                locked = lock(*args, **named)
                with suppress(BrokenBarrierError):
                    gate.wait()
                return locked

            return meet

        def act(number: int) -> str:
            try:
                if number:
                    assign_serviceman(waiting.pk, serviceman_id=high.pk, backup_id=low.pk, by=boss)
                else:
                    suspend_serviceman(high.pk, reason="Complaints.", by=boss)
            except Exception as problem:  # noqa: BLE001  (what it was is the finding)
                return getattr(problem, "code", "") or repr(problem)
            return "done"

        with monkeypatch.context() as patch:
            patch.setattr(standing, "_judge", meeting(standing._judge))
            patch.setattr(assignment, "_eligible", meeting(assignment._eligible))
            return held, at_once(act, 2)

    return crossing


ONE_BEFORE_THE_OTHER = (["done", "serviceman_not_eligible"], ["try_again", "done"])


@needs_row_locks
def test_a_suspension_and_an_assignment_lock_the_same_men_in_the_same_order(crossing):
    held, ends = crossing()
    assert ends in ONE_BEFORE_THE_OTHER
    assert (fresh(held).serviceman.first_name == "Low") == (ends[0] == "done")


@needs_row_locks
def test_control_locking_them_one_by_one_ends_in_each_others_way(crossing, monkeypatch):
    monkeypatch.setattr(standing, "_lock_profiles", lambda *_: None)
    _, ends = crossing()
    assert ends not in ONE_BEFORE_THE_OTHER
    assert "deadlock detected" in "".join(ends)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="Of SQLite alone")
def test_sqlite_lets_one_writer_in_at_a_time(request_in):
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
