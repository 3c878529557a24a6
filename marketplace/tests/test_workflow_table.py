"""The table of the workflow, transcribed by hand, held against every step x status x person x state of the model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django_fsm import TransitionNotAllowed, can_proceed, has_transition_perm

from core import clock
from core.errors import Conflict, Forbidden
from marketplace.enums import Approval, NegotiationStatus, Side, Status
from marketplace.models import Issue, PriceNegotiation, Rating, ServiceRequest
from marketplace.services.workflow import refusal

S = Status
NUMBERS = {
    "0": S.AWAITING_BOOKING_FEE,
    "1": S.PENDING_ADMIN_ASSIGNMENT,
    "2": S.ASSIGNED_TO_SERVICEMAN,
    "3": S.SERVICEMAN_INSPECTED,
    "4": S.AWAITING_CLIENT_APPROVAL,
    "5a": S.NEGOTIATING,
    "5b": S.AWAITING_PAYMENT,
    "6": S.PAYMENT_CONFIRMED,
    "7": S.IN_PROGRESS,
    "8": S.WORK_COMPLETED,
    "9": S.COMPLETED,
    "10": S.CANCELLED,
}
CODENAMES = [
    "assign",
    "verify",
    "price",
    "cancel",
    "approve_servicemen",
    "settle",
    "refund",
    "pay_out",
    "export",
    "announce",
    "manage_catalog",
    "manage_settings",
]


@dataclass(frozen=True)
class Row:
    """One line of the table. `by`: C the owner, S the assigned, A:codename, system, other side, author; `|` separates.

    `unless` names the facts that refuse it; an empty `to` keeps the status.
    """

    source: str
    to: str
    by: str | dict[str, str]
    unless: str = ""
    on_behalf_of: str = ""

    @property
    def sources(self) -> list[str]:
        return self.source.split()

    def may(self, number: str) -> list[str]:
        """Who may take it from a status."""
        if isinstance(self.by, str):
            return self.by.split("|")
        return [who for numbers, by in self.by.items() if number in numbers.split() for who in by.split("|")]


TABLE = {
    "confirm_booking_fee": Row("0", "1", "system"),
    "expire": Row("0", "10", "system"),
    "assign": Row("1", "2", "A:assign"),
    "reassign": Row("2 3 4 5a 5b 6 7", "2", "A:assign"),
    "accept": Row("2", "2 6", "S", unless="accepted|lapsed", on_behalf_of="serviceman"),
    "decline": Row("2", "2 1", "S", unless="accepted", on_behalf_of="serviceman"),
    "lapse": Row("2", "2 1", "system", unless="accepted|not lapsed"),
    "withdraw": Row("2 3 4 5a 5b 6", "2 1", "S", unless="not accepted", on_behalf_of="serviceman"),
    "submit_estimate": Row("2 3", "3", "S", unless="not accepted", on_behalf_of="serviceman"),
    "set_final_cost": Row("3 4 5a 5b", "4", "A:price"),
    "propose_price": Row("4 5b", "5a", "C|A:price"),
    "counter": Row("5a", "5a", "other side", unless="no proposal"),
    "reject_proposal": Row("5a", "4", "other side", unless="no proposal"),
    "withdraw_proposal": Row("5a", "4", "author", unless="no proposal"),
    "accept_proposal": Row("5a", "4", "other side", unless="no proposal"),
    "approve_price": Row("4", "5b", "C", on_behalf_of="client"),
    "confirm_final_payment": Row("5b", "6", "system"),
    "start_work": Row("6", "7", "S", on_behalf_of="serviceman"),
    "mark_work_completed": Row("7", "8", "S", on_behalf_of="serviceman"),
    "verify_completion": Row("8", "9", "A:verify", unless="issue"),
    "return_to_work": Row("8", "7", "A:verify"),
    "cancel": Row("0 1 2 3 4 5a 5b 6 7 8", "10", {"0 1 2 3 6 7 8": "C|A:cancel", "4 5a 5b": "C|A:cancel|system"}),
    "reschedule": Row("0 1 2 3 4 5a 5b 6", "", {"0 1 2": "C|A:assign", "3 4 5a 5b 6": "A:assign"}),
    "flag_emergency": Row("0 1 2 3 4 5a 5b 6 7 8", "", "A:assign"),
    "drop_backup": Row("2 3 4 5a 5b 6 7 8", "", "A:approve_servicemen"),
    "consult": Row("5a", "", "A:price", unless="no proposal"),
    "answer": Row("5a", "", "S", unless="no proposal"),
    "soft_delete": Row("0 9 10", "", "C|A:cancel"),  # from 0 it also cancels, see TARGETS
    "raise_issue": Row("1 2 3 4 5a 5b 6 7 8", "", "C|S|A:verify"),
    "resolve_issue": Row("1 2 3 4 5a 5b 6 7 8", "", "A:verify"),
    "rate": Row("9", "", "C", unless="rated"),
}

ACTORS = (
    *("system", "owner", "other client", "assigned", "backup", "other serviceman"),
    *("admin with", "admin without", "superuser"),
)


@dataclass(frozen=True)
class Facts:
    """What a request's state may be besides its status."""

    accepted: bool = False
    late: bool = False
    issue: bool = False
    proposal: str = ""  # whose it is: C or A
    rated: bool = False

    def hold(self, fact: str) -> bool:
        return {
            "accepted": self.accepted,
            "not accepted": not self.accepted,
            "lapsed": self.late and not self.accepted,
            "not lapsed": not self.late,
            "issue": self.issue,
            "no proposal": not self.proposal,
            "rated": self.rated,
        }[fact]


EVERY_STATE = [
    Facts(*state) for state in product((False, True), (False, True), (False, True), ("", "C", "A"), (False, True))
]


def allowed(row: Row, number: str, actor: str, facts: Facts) -> type[Conflict | Forbidden] | None:
    """What the table says of one cell: None, or how it is refused. The state comes before the right."""
    if number not in row.sources or any(facts.hold(fact) for fact in row.unless.split("|") if fact):
        return Conflict
    return None if any(_is(actor, who, number, facts) for who in row.may(number)) else Forbidden


def _is(actor: str, who: str, number: str, facts: Facts) -> bool:
    if who in ("other side", "author"):
        proposer_is_client = facts.proposal == "C"
        who = "C" if proposer_is_client == (who == "author") else "A:price"
    return {
        "system": actor == "system",
        "C": actor == "owner",
        "S": actor == "assigned" and number not in ("0", "1"),
    }.get(who, actor in ("admin with", "superuser"))


def codename_of(row: Row) -> str:
    """The one codename a row asks of admins; a row without admins asks none."""
    by = row.by if isinstance(row.by, str) else "|".join(row.by.values())
    named = {who.removeprefix("A:") for who in by.split("|") if who.startswith("A:")}
    named |= {"price"} if "other side" in by or "author" in by else set()
    assert len(named) <= 1
    return named.pop() if named else ""


@pytest.fixture
def cast(ada: Any, eve: Any, tunde: Any, bola: Any, boss: Any, make_serviceman: Any, make_admin: Any) -> Any:
    """`cast(codename)`: who plays each actor. "admin with" holds that codename alone, "admin without" all others."""

    def admin(name: str, codenames: list[str]) -> Any:
        person = make_admin(name=name)
        person.user_permissions.set(
            Permission.objects.filter(content_type__app_label="marketplace", codename__in=codenames)
        )
        return person

    def cast(codename: str) -> dict[str, Any]:
        return {
            "system": None,
            "owner": ada,
            "other client": eve,
            "assigned": tunde,
            "backup": bola,
            "other serviceman": make_serviceman("sani"),
            "admin with": admin("with", [codename] if codename else CODENAMES),
            "admin without": admin("without", [c for c in CODENAMES if c != codename] if codename else []),
            "superuser": boss,
        }

    return cast


def request_at(number: str, facts: Facts, people: dict[str, Any]) -> ServiceRequest:
    """A request in that state, in memory alone: its related rows stand where prefetched ones would."""
    held = number not in ("0", "1")
    request = ServiceRequest(
        pk=1,
        status=NUMBERS[number],
        client=people["owner"],
        serviceman=people["assigned"] if held else None,
        backup_serviceman=people["backup"] if held else None,
        booking_date=clock.today(),
        accepted_at=clock.now() if facts.accepted else None,
        due_at=clock.now() + (-1 if facts.late else 1) * timedelta(hours=1),
        serviceman_estimated_cost=Decimal(20_000),
        final_cost=Decimal(22_000),
        price_version=1,
    )
    proposer = people["owner"] if facts.proposal == "C" else people["superuser"]
    proposal = PriceNegotiation(proposed_by=proposer, proposed_amount=Decimal(1), status=NegotiationStatus.PENDING)
    request._prefetched_objects_cache = {
        "issues": [Issue(kind="OTHER"), Issue(kind="SAFETY", resolved_at=clock.now())][: 2 if facts.issue else 0]
        or [Issue(kind="SAFETY", resolved_at=clock.now())],
        "negotiations": [proposal] if facts.proposal else [PriceNegotiation(status=NegotiationStatus.REJECTED)],
    }
    request._state.fields_cache["rating"] = Rating(rating=5) if facts.rated else None
    return request


def test_the_table_names_every_step_of_the_model_and_no_other():
    steps = {name for name in dir(ServiceRequest) if hasattr(getattr(ServiceRequest, name, None), "_django_fsm")}
    assert steps == set(TABLE)
    assert len(NUMBERS) == len(Status) == 12


@pytest.mark.parametrize("name", TABLE)
def test_a_step_is_open_in_the_cells_of_the_table_and_in_no_other(name, cast):
    row, step = TABLE[name], getattr(ServiceRequest, name)
    people = cast(codename_of(row))
    wrong, cells = [], 0
    for number, facts in product(NUMBERS, EVERY_STATE):
        request = request_at(number, facts, people)
        for actor in ACTORS:
            cells += 1
            refused = refusal(request, step, people[actor])
            if (type(refused) if refused else None) is not allowed(row, number, actor, facts):
                wrong.append((number, actor, facts, refused))
    assert not wrong, f"{len(wrong)} of {cells} cells, first: {wrong[:3]}"
    assert cells == 12 * 48 * 9


@pytest.mark.parametrize("name", TABLE)
def test_the_steps_themselves_refuse_what_their_table_refuses(name, cast):
    row = TABLE[name]
    people = cast(codename_of(row))
    for number, facts in product(NUMBERS, EVERY_STATE):
        request = request_at(number, facts, people)
        told = allowed(row, number, "nobody at all", facts)
        bound = getattr(request, name)
        assert can_proceed(bound) == (told is not Conflict), (number, facts)
        assert not has_transition_perm(bound, people["other client"])
        if told is Conflict:
            with pytest.raises(TransitionNotAllowed):
                bound(**ARGUMENTS.get(name, [({}, "")])[0][0])
            assert request.status == NUMBERS[number]


ARGUMENTS: dict[str, list[tuple[dict[str, Any], str]]] = {
    "accept": [({"final_paid": False}, "2"), ({"final_paid": True}, "6")],
    "decline": [({"promoted": "backup"}, "2"), ({"promoted": None}, "1")],
    "lapse": [({"promoted": "backup"}, "2"), ({"promoted": None}, "1")],
    "withdraw": [({"promoted": who, "default_markup": Decimal(10)}, to) for who, to in (("backup", "2"), (None, "1"))],
    "assign": [({"serviceman": "other serviceman"}, "2")],
    "reassign": [({"serviceman": "other serviceman", "default_markup": Decimal(10)}, "2")],
    "submit_estimate": [({"amount": Decimal(5)}, "3")],
    "set_final_cost": [({"final_cost": Decimal(5), "markup": None}, "4")],
    "accept_proposal": [({"final_cost": Decimal(5)}, "4")],
    "cancel": [({"side": Side.CLIENT, "because": "No."}, "10")],
    "reschedule": [({"booking_date": clock.today(), "is_near": True}, "")],
    "flag_emergency": [({"is_emergency": True}, "")],
}
"""What a step is called with, and where it then leads; all others take nothing and lead to the row's `to`."""


@pytest.mark.parametrize("name", TABLE)
def test_a_step_leads_where_the_table_says_and_asks_the_database_nothing(name, cast, django_assert_num_queries):
    row = TABLE[name]
    people = cast(codename_of(row))
    for number, facts in product(row.sources, EVERY_STATE):
        if any(facts.hold(fact) for fact in row.unless.split("|") if fact):
            continue
        reached = set()
        for given, to in ARGUMENTS.get(name, [({}, row.to)]):
            request = request_at(number, facts, people)
            with django_assert_num_queries(0):
                getattr(request, name)(
                    **{
                        key: people.get(value, value) if isinstance(value, str) else value
                        for key, value in given.items()
                    }
                )
            expected = to or ("10" if (name, number) == ("soft_delete", "0") else number)
            assert request.status == NUMBERS[expected], (number, facts)
            reached.add(expected)
        if row.to:
            assert reached == set(row.to.split())


def test_nobody_writes_the_status_by_hand(cast):
    request = request_at("0", Facts(), cast(""))
    with pytest.raises(AttributeError):
        request.status = Status.COMPLETED


def test_an_offer_of_a_suspended_man_lapses_at_once_unless_he_has_accepted(cast):
    people = cast("")
    people["assigned"].serviceman_profile.approval = Approval.SUSPENDED
    for accepted, lapses in ((False, True), (True, False)):
        assert can_proceed(request_at("2", Facts(accepted=accepted), people).lapse) == lapses


def test_what_is_deleted_cannot_be_deleted_again(cast):
    people = cast("")
    for number in ("9", "10"):
        request = request_at(number, Facts(), people)
        request.is_deleted = True
        assert refusal(request, ServiceRequest.soft_delete, people["superuser"]).code == "already_deleted"


@pytest.mark.parametrize(("late", "open_to"), [(timedelta(), "accept"), (timedelta(microseconds=1), "lapse")])
def test_an_offer_can_be_taken_until_the_very_moment_and_lapses_after_it(late, open_to, cast):
    people = cast("")
    request = request_at("2", Facts(), people)
    with clock.at(request.due_at + late):
        assert [name for name in ("accept", "lapse") if can_proceed(getattr(request, name))] == [open_to]


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if codename_of(row)])
def test_a_codename_is_worth_nothing_to_a_client_a_serviceman_or_an_inactive_admin(name, cast, eve, make_admin):
    row = TABLE[name]
    people = cast(codename_of(row))
    permissions = Permission.objects.filter(content_type__app_label="marketplace", codename__in=CODENAMES)
    gone = make_admin(name="gone", is_active=False)
    strangers = [eve, people["other serviceman"], gone]
    for person in strangers:
        person.user_permissions.set(permissions)
    for number, facts, person in product(row.sources, EVERY_STATE, strangers):
        assert isinstance(
            refusal(request_at(number, facts, people), getattr(ServiceRequest, name), person), Conflict | Forbidden
        )


def test_an_admin_acts_on_behalf_of_others_only_in_the_steps_that_say_so():
    told = {
        name: {
            move.custom["on_behalf_of"] or "" for move in getattr(ServiceRequest, name)._django_fsm.transitions.values()
        }
        for name in TABLE
    }
    assert told == {name: {row.on_behalf_of} for name, row in TABLE.items()}
