"""Two people at the same moment: every pair of commands that are open to somebody in a state, really parallel.

What comes out is what one of the two orders gives, one after the other. Who comes too late hears 409, never a fault.
The orders are tried first, on one request and rolled back; then each pair runs in two threads on a request of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations_with_replacement
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Model

from core import clock
from core.errors import DomainError
from core.tests.race import at_once
from marketplace.enums import OPEN
from marketplace.models import (
    Issue,
    LedgerLine,
    Notification,
    Offer,
    Payment,
    Price,
    PriceNegotiation,
    Refund,
    ServicemanProfile,
    ServiceRequest,
)
from marketplace.money import to_kobo
from marketplace.services import assignment, payments, standing
from marketplace.services.payments.checkout import new_payment
from marketplace.tests.bank import Bank
from marketplace.tests.gateway import proof
from marketplace.tests.test_races import needs_row_locks, no_lock
from marketplace.tests.test_service_table import ON_BEHALF, SERVICES

pytestmark = pytest.mark.django_db(transaction=True)

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
LATE = timedelta(days=15)

Outcome = tuple[str, str] | None
"""How a command was refused (kind, code), or None."""


@dataclass(frozen=True)
class Move:
    """A command of somebody, at its moment: `act(request, ids)`, `ids` being of the rows that it is about."""

    name: str
    by: str
    act: Callable[[ServiceRequest, dict[str, Any], dict[str, Any]], object]
    after: timedelta = timedelta()

    def take(self, request: ServiceRequest, ids: dict[str, Any], people: dict[str, Any]) -> Outcome:
        with clock.at(START + self.after):
            try:
                self.act(request, ids, people)
            except DomainError as refusal:
                return type(refusal).__name__, refusal.code
        return None


def _moves() -> dict[str, Move]:
    by_whom = {
        "owner": "approve soft_delete rate propose counter accept_proposal reject_proposal withdraw_proposal cancel "
        "reschedule raise_issue",
        "assigned": "accept decline withdraw estimate start complete answer raise_issue",
        "admin": "assign reassign final_cost verify return emergency raise_issue resolve_issue consult "
        "accept_proposal reject_proposal withdraw_proposal counter cancel propose reschedule",
    }
    moves = []
    for by, names in by_whom.items():
        for name in (name.replace("_", " ") for name in names.split()):
            call = SERVICES[name][1]
            moves.append(Move(name, by, lambda r, ids, people, call=call, by=by: call(r, people[by], ids)))
    moves += [
        Move(f"{name} by phone", "admin", lambda r, ids, people, call=ON_BEHALF[name]: call(r, people["admin"], ids))
        for name in ON_BEHALF
        if name != "approve"  # never by the admin who set the price, and here it is he
    ]
    moves += [
        Move("suspend", "admin", lambda r, ids, p: standing.suspend_serviceman(p["man"].pk, reason="?", by=p["admin"])),
        Move("lapse", "system", lambda r, ids, p: assignment.lapse_offer(r.pk), timedelta(hours=12, seconds=1)),
        Move("give up", "system", lambda r, ids, p: SERVICES["cancel"][1](r, None, ids), LATE),
        Move("expire", "system", lambda r, ids, p: payments.expire(r.pk), timedelta(hours=25)),
        Move("money", "system", lambda r, ids, p: payments.apply(*ids["paid"])),
        Move("money again", "system", lambda r, ids, p: payments.apply(*ids["paid again"])),
        Move("settle", "system", lambda r, ids, p: _ask_and_settle(*ids["paid"], ids["bank"])),
        Move("checkout", "owner", lambda r, ids, p: payments.initialize(r.pk, payment_type=ids["due"], by=p["owner"])),
    ]
    return {f"{move.name} ({move.by})": move for move in moves}


def _ask_and_settle(reference: str, paid: Any, bank: Bank) -> None:
    """As after a webhook: Paystack says that it was paid, and to whoever asks later that the checkout was left."""
    left = bank.charges[reference]
    try:
        bank.charges[reference] = paid
        payments.settle(reference)
    finally:
        bank.charges[reference] = replace(paid, status="abandoned") if left is paid else left


MOVES = _moves()
HAGGLING = frozenset(
    f"{name} ({by})"
    for name in ("counter", "accept proposal", "reject proposal", "withdraw proposal", "consult", "answer")
    for by in ("owner", "assigned", "admin")
)
STAGES: dict[str, frozenset[str]] = dict.fromkeys(
    [*(str(status) for status in OPEN), "ASSIGNED_TO_SERVICEMAN accepted", "COMPLETED"], frozenset(MOVES)
) | {
    "NEGOTIATING, the admin proposed": HAGGLING,
    "AWAITING_BOOKING_FEE, no checkout": frozenset({"checkout (owner)"}),
    "AWAITING_PAYMENT, no checkout": frozenset({"checkout (owner)"}),
}
"""States, and of which moves one at least is in each pair: a state that differs from another in one fact alone is
raced for what that fact concerns."""
TWINS = {
    "raise issue (owner)": "raise issue (admin)",
    "raise issue (assigned)": "raise issue (admin)",
    "decline by phone (admin)": "decline (assigned)",
    "estimate by phone (admin)": "estimate (assigned)",
    "start by phone (admin)": "start (assigned)",
    "complete by phone (admin)": "complete (assigned)",
    "settle (system)": "money (system)",
}
"""What another does already, but for who does it or how he hears of it: raced with that, with its other twins, with
itself, and with what takes the request away meanwhile."""
TAKES_AWAY = frozenset({"cancel (owner)", "reassign (admin)", "final cost (admin)"})
IN_PARTS = frozenset({"checkout (owner)", "settle (system)"})
"""Commands that ask Paystack between two transactions: whoever comes in between may have them hear 409 at the end, and
leaves what he would have left after them."""


def raced(name: str, first: str, second: str) -> bool:
    """Whether a pair is among those of a state: all, but for the two rules above."""
    if not {first, second} & STAGES[name]:
        return False
    families = {TWINS.get(move, move) for move in (first, second)}
    return not {first, second} & set(TWINS) or len(families) == 1 or bool({first, second} & TAKES_AWAY)


LOSERS_MAY_HEAR = {
    "soft delete (owner)": "Missing",  # gone, also for himself
    "reschedule (owner)": "Forbidden",  # once the job is inspected an admin moves it
    "give up (system)": "Forbidden",  # a job without a price is not the clock's to end; nobody hears it
}
"""What else than a Conflict the second one hears, after or of such a command."""


@pytest.fixture
def stage(
    request_in: Any, make_serviceman: Any, ada: Any, tunde: Any, bola: Any, boss: Any, make_person: Any
) -> Iterator[Callable[[str], tuple[ServiceRequest, dict[str, Any], dict[str, Any]]]]:
    """`stage(name)`: a request at that stage with a man of its own, the ids of its rows, and who plays."""
    second = type(boss).objects.create_superuser(None, "second@example.com", "x" * 12, first_name="Second")
    sani = make_serviceman("sani")
    count = iter(range(10**6))
    bank = Bank()

    def stage(name: str) -> tuple[ServiceRequest, dict[str, Any], dict[str, Any]]:
        with clock.at(START):
            man = make_serviceman(f"man-{next(count)}")
            accepted = True if name.endswith("accepted") else None
            men = {} if name.startswith(OPEN[:2]) else {"serviceman": man, "backup_serviceman": bola}
            ours = {"waiting_on": "CLIENT"} if name.endswith("the admin proposed") else {}
            request = request_in(name.split(maxsplit=1)[0].rstrip(","), accepted=accepted, **men, **ours)
            ids: dict[str, Any] = {"sani": sani.pk, "issue": 0, "proposal": 0, "bank": bank}
            if request.status in OPEN[1:] and request.status != "WORK_COMPLETED":
                row = Issue.objects.create(
                    request=request, kind="SAFETY", message="!", raised_by=ada, raised_by_role="CLIENT"
                )
                ids["issue"] = row.pk
            proposal = request.open_proposal
            if proposal:
                ids["proposal"] = proposal.pk
                proposal.consultations.create(serviceman=man, asked_by=boss, question="Less?")
            kind = {"AWAITING_BOOKING_FEE": "INITIAL_BOOKING", "AWAITING_PAYMENT": "FINAL_PAYMENT"}.get(request.status)
            ids["due"] = kind
            if kind and not name.endswith("no checkout"):
                # A checkout that was left, and the one after it: both are paid.
                for key in ("paid again", "paid"):
                    Payment.objects.supersede(request.pk)
                    payment = new_payment(request, kind)
                    ids[key] = (payment.paystack_reference, proof(payment))
                    bank.initialize(reference=payment.paystack_reference, amount_kobo=to_kobo(payment.amount))
                Payment.objects.filter(service_request=request).update(gateway_status="abandoned")
            people = {"owner": ada, "assigned": man, "man": man, "admin": boss, "second admin": second}
            return ServiceRequest.objects.with_parties().get(pk=request.pk), ids, people

    with bank.holding():
        yield stage


PEOPLE = ("on_behalf_of", "history_user", "serviceman", "user")


def _part(names: dict[int, str], field: str, value: Any) -> Any:
    return names.get(value, value) if field in PEOPLE else value


def picture(request: ServiceRequest, people: dict[str, Any]) -> dict[str, Any]:
    """Everything about a request, whichever one it is: no ids, the man by his part."""
    names = {people["man"].pk: "man"}
    now = ServiceRequest.objects.filter(pk=request.pk).values().get()
    for own in ("id", "code"):
        del now[own]
    columns = {key: names.get(value, value) if key.endswith("serviceman_id") else value for key, value in now.items()}

    def rows(queryset: Any, *fields: str, ordered: bool = False) -> list[Any]:
        shown = queryset.order_by("pk").values_list(*fields)
        found = [tuple(_part(names, field, value) for field, value in zip(fields, row, strict=True)) for row in shown]
        return found if ordered else sorted(found, key=repr)

    mine = {"request": request}
    owned = {"service_request": request}
    return {
        "columns": columns,
        "trail": rows(request.history.exclude(step=""), "step", *PEOPLE[:2], "history_change_reason", "status"),
        "offers": rows(Offer.objects.filter(**mine), "serviceman", "rank", "answer", "respond_by", "answered_at"),
        "issues": rows(Issue.objects.filter(**mine), "kind", "resolved_at", "raised_by_role"),
        "prices": rows(Price.objects.filter(**mine), "version", "final", "agreed_at"),
        "payments": rows(Payment.objects.filter(**owned), "payment_type", "status", "outcome", "amount"),
        "refunds": rows(Refund.objects.filter(payment__service_request=request), "amount", "status", "reason"),
        "books": rows(LedgerLine.objects.filter(entry__request=request), "entry__kind", "account", "amount_kobo"),
        "proposals": rows(PriceNegotiation.objects.filter(**owned), "proposed_amount", "status", ordered=True),
        "questions": rows(
            PriceNegotiation.objects.filter(**owned), "consultations__answer", "consultations__closed_at"
        ),
        "notices": rows(
            Notification.objects.filter(**owned), "user__user_type", "user", "notification_type", "created_at"
        ),
        "man": ServicemanProfile.objects.filter(user=people["man"]).values_list("approval", "total_jobs_completed")[0],
    }


@contextmanager
def undone() -> Iterator[None]:
    """Whatever the block wrote is forgotten."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class Second:
    """The people of the one who acts second: another admin, where both are."""

    @staticmethod
    def of(people: dict[str, Any]) -> dict[str, Any]:
        return people | {"admin": people["second admin"]}


def open_moves(stage: Any, name: str) -> list[str]:
    """The commands that succeed in a state when nobody else does anything."""
    request, ids, people = stage(name)
    found = []
    for move in MOVES:
        if move.startswith(("money", "settle")) and "paid" not in ids:
            continue
        # Another checkout after one that was left asks Paystack first: as many parts as there are charges.
        if move.startswith("checkout") and ("paid" in ids or not ids["due"]):
            continue
        with undone():
            if MOVES[move].take(request, ids, people) is None:
                found.append(move)
    return found


Ends = list[tuple[tuple[Outcome, Outcome], dict[str, Any]]]


def in_order(stage: Any, name: str, pairs: list[tuple[str, str]]) -> dict[tuple[str, str], Ends]:
    """What the two orders of each pair give: how each was answered, and the picture afterwards."""
    request, ids, people = stage(name)
    ends: dict[tuple[str, str], Ends] = {pair: [] for pair in pairs}
    turns = {(pair[turn], turn) for pair in pairs for turn in (0, 1)}
    for begins, turn in sorted(turns):
        with undone():
            said = MOVES[begins].take(request, ids, Second.of(people) if turn else people)
            for pair in (pair for pair in pairs if pair[turn] == begins):
                with undone():
                    then = MOVES[pair[1 - turn]].take(request, ids, people if turn else Second.of(people))
                    ends[pair].append(((then, said) if turn else (said, then), picture(request, people)))
    return ends


def at_the_same_moment(stage: Any, name: str, first: str, second: str) -> tuple[tuple[Any, Any], dict[str, Any]]:
    """The same pair in two threads."""
    request, ids, people = stage(name)

    def act(who: int) -> Any:
        try:
            return MOVES[(first, second)[who]].take(request, ids, Second.of(people) if who else people)
        except Exception as fault:  # noqa: BLE001  (what it was is the finding)
            return repr(fault)

    answers = at_once(act, 2)
    return (answers[0], answers[1]), picture(request, people)


def faults_of(stage: Any, name: str, pairs: list[tuple[str, str]]) -> list[str]:
    """What is wrong with some pairs of commands."""
    orders = in_order(stage, name, pairs)
    return [fault for pair in pairs if (fault := _fault(stage, name, *pair, orders[pair]))]


def _came_in_between(came: tuple[Any, Any], orders: Ends, first: str, second: str) -> bool:
    """The other one acted between the two parts of a command that asks Paystack."""
    for turn, move in enumerate((first, second)):
        mine, other = came[0][turn], came[0][1 - turn]
        ends = [(None, other, came[1])] if move in IN_PARTS and mine and mine[0] == "Conflict" else []
        if any((said[turn], said[1 - turn], after) in ends for said, after in orders):
            return True
    return False


def _fault(stage: Any, name: str, first: str, second: str, orders: Ends) -> str:
    came = at_the_same_moment(stage, name, first, second)
    where = f"{name}: {first} | {second}"
    if came not in orders and not _came_in_between(came, orders, first, second):
        answers, after = came
        differs = [
            f"{part}: {after[part]} is not {end[part]}" for _, end in orders for part in end if after[part] != end[part]
        ]
        return f"{where}: {answers} is neither of {[said for said, _ in orders]}; {differs[:2]}"
    may = {"Conflict", LOSERS_MAY_HEAR.get(first, ""), LOSERS_MAY_HEAR.get(second, "")}
    told = [answer for answer in came[0] if answer]
    if len(told) == 2 or any(kind not in may for kind, _ in told):
        return f"{where}: told {told}"
    return ""


@pytest.mark.long
@pytest.mark.trust
@pytest.mark.parametrize("name", STAGES)
def test_every_pair_ends_as_one_order_of_the_two_would(name, stage):
    moves = open_moves(stage, name)
    pairs = [pair for pair in combinations_with_replacement(moves, 2) if raced(name, *pair)]
    faults = faults_of(stage, name, pairs)
    assert not faults, f"{len(faults)} of {len(pairs)}: {faults[:5]}"
    assert len(moves) >= (1 if name == "COMPLETED" else 6), moves
    assert STAGES[name] & set(moves)


SAMPLE = [
    ("AWAITING_BOOKING_FEE", "money (system)", "money again (system)"),
    ("AWAITING_BOOKING_FEE", "money (system)", "cancel (owner)"),
    ("AWAITING_BOOKING_FEE", "money (system)", "expire (system)"),
    ("AWAITING_BOOKING_FEE", "money (system)", "soft delete (owner)"),
    ("PENDING_ADMIN_ASSIGNMENT", "assign (admin)", "assign (admin)"),
    ("PENDING_ADMIN_ASSIGNMENT", "assign (admin)", "cancel (owner)"),
    ("ASSIGNED_TO_SERVICEMAN", "accept (assigned)", "accept by phone (admin)"),
    ("ASSIGNED_TO_SERVICEMAN", "accept (assigned)", "suspend (admin)"),
    ("ASSIGNED_TO_SERVICEMAN", "decline (assigned)", "reassign (admin)"),
    ("ASSIGNED_TO_SERVICEMAN accepted", "estimate (assigned)", "reschedule (owner)"),
    ("ASSIGNED_TO_SERVICEMAN accepted", "withdraw (assigned)", "suspend (admin)"),
    ("SERVICEMAN_INSPECTED", "final cost (admin)", "estimate (assigned)"),
    ("AWAITING_CLIENT_APPROVAL", "approve (owner)", "final cost (admin)"),
    ("AWAITING_CLIENT_APPROVAL", "approve (owner)", "propose (admin)"),
    ("AWAITING_CLIENT_APPROVAL", "propose (owner)", "propose (admin)"),
    ("NEGOTIATING", "accept proposal (admin)", "withdraw proposal (owner)"),
    ("NEGOTIATING", "counter (admin)", "counter (admin)"),
    ("NEGOTIATING", "answer (assigned)", "consult (admin)"),
    ("NEGOTIATING, the admin proposed", "accept proposal (owner)", "withdraw proposal (admin)"),
    ("NEGOTIATING, the admin proposed", "counter (owner)", "reject proposal (owner)"),
    ("AWAITING_BOOKING_FEE, no checkout", "checkout (owner)", "cancel (owner)"),
    ("AWAITING_PAYMENT, no checkout", "checkout (owner)", "checkout (owner)"),
    ("AWAITING_PAYMENT, no checkout", "checkout (owner)", "final cost (admin)"),
    ("AWAITING_PAYMENT", "settle (system)", "cancel (owner)"),
    ("AWAITING_PAYMENT", "settle (system)", "final cost (admin)"),
    ("ASSIGNED_TO_SERVICEMAN accepted", "reassign (admin)", "withdraw (assigned)"),
    ("ASSIGNED_TO_SERVICEMAN", "accept (assigned)", "decline by phone (admin)"),
    ("IN_PROGRESS", "raise issue (owner)", "raise issue (assigned)"),
    ("AWAITING_PAYMENT", "money (system)", "final cost (admin)"),
    ("AWAITING_PAYMENT", "money (system)", "cancel (owner)"),
    ("AWAITING_PAYMENT", "money (system)", "reassign (admin)"),
    ("PAYMENT_CONFIRMED", "start (assigned)", "cancel (owner)"),
    ("IN_PROGRESS", "complete (assigned)", "reassign (admin)"),
    ("WORK_COMPLETED", "verify (admin)", "return (admin)"),
    ("WORK_COMPLETED", "verify (admin)", "raise issue (admin)"),
]


def test_a_sample_of_pairs_ends_as_one_order_of_the_two_would(stage):
    faults = [fault for name, *pair in SAMPLE for fault in faults_of(stage, name, [tuple(pair)])]
    assert not faults, faults
    assert len(SAMPLE) == 35


@pytest.mark.trust
def test_every_move_is_open_somewhere(stage):
    assert {move for name in STAGES for move in open_moves(stage, name)} == set(MOVES)


@needs_row_locks
def test_control_without_the_lock_some_pairs_end_as_no_order_would(stage, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(ServiceRequest, "_do_update", Model._do_update)
        for name, first, second in (
            ("AWAITING_CLIENT_APPROVAL", "approve (owner)", "final cost (admin)"),
            ("PENDING_ADMIN_ASSIGNMENT", "assign (admin)", "cancel (owner)"),
        ):
            turns = [(first, second), (second, first)]
            orders = in_order(stage, name, turns)
            # Both have read before either writes. Who writes last decides whether it looks like an order: each in turn.
            faults = 0
            for turn in turns * 3:
                with no_lock(monkeypatch, 2, apart=0.2):
                    faults += at_the_same_moment(stage, name, *turn) not in orders[turn]
            assert faults, name
