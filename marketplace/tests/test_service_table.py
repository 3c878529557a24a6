"""Every service of the path, called in every status by everybody: it does what the table says, or refuses in kind.

The state comes before the right (409 before 403), and what a person may not know of is not there (404).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction

from core import clock
from core.errors import Conflict, DomainError, Forbidden, Missing
from marketplace.enums import Status
from marketplace.models import Consultation, Issue, PriceNegotiation, ServiceRequest
from marketplace.services import assignment, issues, negotiations, pricing, ratings, requests, work
from marketplace.services.workflow import available_actions
from marketplace.tests.test_workflow_table import NUMBERS, TABLE, Facts, allowed, cast, codename_of

__all__ = ["cast"]  # a fixture

pytestmark = pytest.mark.django_db

STAGES = [*NUMBERS, "2 accepted"]
CALLERS = (
    "owner",
    "other client",
    "assigned",
    "backup",
    "other serviceman",
    "admin with",
    "admin without",
    "superuser",
)

Call = Callable[[ServiceRequest, Any, dict[str, Any]], object]
SERVICES: dict[str, tuple[str, Call]] = {
    "assign": ("assign", lambda r, by, x: assignment.assign_serviceman(r.pk, serviceman_id=x["sani"], by=by)),
    "reassign": (
        "reassign",
        lambda r, by, x: assignment.reassign_serviceman(
            r.pk, serviceman_id=x["sani"], replaces=r.serviceman_id, reason="Ill.", by=by
        ),
    ),
    "accept": ("accept", lambda r, by, x: assignment.accept_job(r.pk, by=by)),
    "decline": ("decline", lambda r, by, x: assignment.decline_job(r.pk, reason="Far.", by=by)),
    "withdraw": ("withdraw", lambda r, by, x: assignment.withdraw_from_job(r.pk, reason="Ill.", by=by)),
    "estimate": ("submit_estimate", lambda r, by, x: work.submit_estimate(r.pk, amount=Decimal(9), by=by)),
    "final cost": ("set_final_cost", lambda r, by, x: pricing.set_final_cost(r.pk, markup=Decimal(5), by=by)),
    "approve": (
        "approve_price",
        lambda r, by, x: pricing.approve_price(r.pk, price_version=r.price_version, by=by),
    ),
    "start": ("start_work", lambda r, by, x: work.start_work(r.pk, by=by)),
    "complete": ("mark_work_completed", lambda r, by, x: work.mark_work_completed(r.pk, by=by)),
    "verify": ("verify_completion", lambda r, by, x: work.verify_completion(r.pk, by=by)),
    "return": ("return_to_work", lambda r, by, x: work.return_to_work(r.pk, reason="Wet.", by=by)),
    "cancel": ("cancel", lambda r, by, x: requests.cancel(r.pk, reason="No.", by=by)),
    "reschedule": (
        "reschedule",
        lambda r, by, x: requests.reschedule(r.pk, booking_date=clock.today(), reason="Now.", by=by),
    ),
    "emergency": ("flag_emergency", lambda r, by, x: requests.flag_emergency(r.pk, is_emergency=True, by=by)),
    "soft delete": ("soft_delete", lambda r, by, x: requests.soft_delete(r.pk, by=by)),
    "raise issue": ("raise_issue", lambda r, by, x: issues.raise_issue(r.pk, kind="OTHER", message="?", by=by)),
    "resolve issue": (
        "resolve_issue",
        lambda r, by, x: issues.resolve_issue(r.pk, x["issue"], resolution="Talked.", by=by),
    ),
    "rate": ("rate", lambda r, by, x: ratings.rate(r.pk, rating=5, by=by)),
    "propose": ("propose_price", lambda r, by, x: negotiations.propose_price(r.pk, amount=Decimal(7), by=by)),
    "counter": (
        "counter",
        lambda r, by, x: negotiations.counter_proposal(x["proposal"], amount=Decimal(7), by=by),
    ),
    "accept proposal": ("accept_proposal", lambda r, by, x: negotiations.accept_proposal(x["proposal"], by=by)),
    "reject proposal": ("reject_proposal", lambda r, by, x: negotiations.reject_proposal(x["proposal"], by=by)),
    "withdraw proposal": (
        "withdraw_proposal",
        lambda r, by, x: negotiations.withdraw_proposal(x["proposal"], by=by),
    ),
    "consult": (
        "consult",
        lambda r, by, x: negotiations.consult_serviceman(x["proposal"], message="Less?", by=by),
    ),
    "answer": (
        "answer",
        lambda r, by, x: negotiations.answer_consultation(x["proposal"], message="No.", by=by),
    ),
}
OF_A_PROPOSAL = ("counter", "accept proposal", "reject proposal", "withdraw proposal", "consult")
ON_BEHALF: dict[str, Call] = {
    "accept": lambda r, by, x: assignment.accept_job(r.pk, by=by, on_behalf=True, reason="By phone."),
    "decline": lambda r, by, x: assignment.decline_job(r.pk, by=by, on_behalf=True, reason="By phone."),
    "withdraw": lambda r, by, x: assignment.withdraw_from_job(r.pk, by=by, on_behalf=True, reason="By phone."),
    "estimate": lambda r, by, x: work.submit_estimate(
        r.pk, amount=Decimal(9), by=by, on_behalf=True, reason="By phone."
    ),
    "approve": lambda r, by, x: pricing.approve_price(
        r.pk, price_version=r.price_version, by=by, on_behalf=True, reason="By phone."
    ),
    "start": lambda r, by, x: work.start_work(r.pk, by=by, on_behalf=True, reason="By phone."),
    "complete": lambda r, by, x: work.mark_work_completed(r.pk, by=by, on_behalf=True, reason="By phone."),
}
SYSTEM: dict[str, tuple[str, timedelta, Call]] = {
    "lapse": ("lapse", timedelta(hours=12, minutes=1), lambda r, by, x: assignment.lapse_offer(r.pk)),
    "cancel": ("cancel", timedelta(days=14), lambda r, by, x: requests.cancel(r.pk, reason="Silence.", by=None)),
}


@contextmanager
def undone() -> Iterator[None]:
    """Whatever the block wrote is forgotten."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def everybody(cast) -> Callable[[str], dict[str, Any]]:
    """The actors of the table, admins seeing what any of them may see."""

    def everybody(codename: str) -> dict[str, Any]:
        people = cast(codename)
        views = Permission.objects.filter(content_type__app_label="marketplace", codename__startswith="view_")
        for admin in ("admin with", "admin without"):
            people[admin].user_permissions.add(*views)
        return people

    return everybody


@pytest.fixture
def at_stage(request_in, boss) -> Callable[..., tuple[ServiceRequest, dict[str, Any]]]:
    """A request at a stage with an issue, a proposal (the client's) and a question: open only where they can be."""

    def at_stage(stage: str, people: dict[str, Any], *, issue: bool) -> tuple[ServiceRequest, dict[str, Any]]:
        request = request_in(NUMBERS[stage.split(maxsplit=1)[0]], accepted=True if "accepted" in stage else None)
        closed = {} if issue else {"resolved_at": clock.now()}
        raised = {"raised_by": boss, "raised_by_role": "ADMIN"}
        row = Issue.objects.create(request=request, kind="SAFETY", message="!", **raised, **closed)
        proposal = request.open_proposal
        proposal_closed = proposal is None
        if proposal is None:
            proposal = PriceNegotiation.objects.create(
                service_request=request, proposed_by=request.client, proposed_amount=5, status="REJECTED"
            )
        Consultation.objects.create(
            negotiation=proposal,
            serviceman=people["assigned"],
            question="Less?",
            closed_at=clock.now() if proposal_closed else None,
        )
        return request, {"issue": row.pk, "proposal": proposal.pk, "sani": people["other serviceman"].pk}

    return at_stage


def facts_of(stage: str, *, late: bool = False) -> Facts:
    number = stage.split(maxsplit=1)[0]
    accepted = "accepted" in stage or number not in ("0", "1", "2", "10")
    return Facts(accepted=accepted, late=late, proposal="C" if number == "5a" else "")


def expected(service: str, stage: str, caller: str) -> type[DomainError] | None:
    number = stage.split(maxsplit=1)[0]
    unoffered = number in ("0", "1", "10")
    if caller in ("other client", "other serviceman") or (caller in ("assigned", "backup") and unoffered):
        return Missing
    if service in OF_A_PROPOSAL and caller in ("assigned", "backup"):
        return Missing
    if service == "answer" and caller != "assigned":
        return Missing
    return allowed(TABLE[SERVICES[service][0]], number, caller, facts_of(stage))


def outcome(call: Call, request: ServiceRequest, by: Any, ids: dict[str, Any]) -> type[DomainError] | None:
    """How a call was refused, or None; whatever it wrote is undone, and a refusal must not even try to write."""
    writes: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            writes.append(sql)
        return execute(sql, params, many, context)

    with undone(), connection.execute_wrapper(watch):
        try:
            call(request, by, ids)
        except DomainError as refusal:
            assert not writes
            return type(refusal)
    assert writes
    return None


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_does_it_or_refuses_in_kind(service, everybody, at_stage):
    step, call = SERVICES[service]
    people = everybody(codename_of(TABLE[step]))
    wrong, cells = [], 0
    for stage in STAGES:
        with undone():
            request, ids = at_stage(stage, people, issue=service == "resolve issue")
            for caller in CALLERS:
                cells += 1
                came = outcome(call, request, people[caller], ids)
                if came is not expected(service, stage, caller):
                    wrong.append((stage, caller, came, expected(service, stage, caller)))
    assert not wrong, wrong
    assert cells == 13 * 8


@pytest.mark.parametrize("service", ON_BEHALF)
def test_only_an_admin_who_may_assign_acts_for_another(service, everybody, at_stage):
    row = TABLE[SERVICES[service][0]]
    people = everybody("assign")
    wrong = []
    for stage in STAGES:
        with undone():
            request, ids = at_stage(stage, people, issue=False)
            for caller in CALLERS:
                seen = expected("cancel", stage, caller) is not Missing
                state = allowed(row, stage.split()[0], "nobody", facts_of(stage))
                right = state if state is Conflict or caller not in ("admin with", "superuser") else None
                # The superuser of the fixtures is the admin who set the price.
                if (service, caller, right) == ("approve", "superuser", None):
                    right = Forbidden
                came = outcome(ON_BEHALF[service], request, people[caller], ids)
                if came is not (right if seen else Missing):
                    wrong.append((stage, caller, came, right))
    assert not wrong, wrong


@pytest.mark.parametrize("service", SYSTEM)
def test_the_system_does_only_what_is_its_own_and_only_in_time(service, everybody, at_stage):
    step, patience, call = SYSTEM[service]
    people = everybody("")
    wrong = []
    for stage in STAGES:
        with undone():
            request, ids = at_stage(stage, people, issue=False)
            assert outcome(call, request, None, ids) in (Conflict, Forbidden)
            with clock.at(patience):
                came = outcome(call, request, None, ids)
            right = allowed(TABLE[step], stage.split()[0], "system", facts_of(stage, late=True))
            if came is not right:
                wrong.append((stage, came, right))
    assert not wrong, wrong


ACTIONS = {
    "accept": ["accept"],
    "decline": ["decline"],
    "withdraw": ["withdraw"],
    "estimate": ["estimate"],
    "approve": ["approve"],
    "start": ["start"],
    "complete": ["complete"],
    "verify-completion": ["verify"],
    "return-to-work": ["return"],
    "cancel": ["cancel"],
    "reschedule": ["reschedule"],
    "negotiate": ["propose"],
    "respond": ["counter", "withdraw proposal"],
    "check-with-serviceman": ["consult"],
    "serviceman-answer": ["answer"],
    "assign-serviceman": ["assign", "reassign"],
    "update-final-cost": ["final cost"],
    "emergency": ["emergency"],
    "issues": ["raise issue"],
    "resolve": ["resolve issue"],
    "rate": ["rate"],
}


@pytest.mark.parametrize("codename", ["assign", "price", "verify", "cancel"])
def test_what_a_caller_is_told_he_may_do_is_what_the_services_let_him_do(codename, everybody, at_stage):
    people = everybody(codename)
    for stage in STAGES:
        with undone():
            request, _ = at_stage(stage, people, issue=True)
            for caller in ("owner", "assigned", "backup", "admin with", "superuser"):
                number = stage.split()[0]
                may = {
                    action
                    for action, services in ACTIONS.items()
                    if any(_open(service, stage, caller, codename) for service in services)
                } - ({"verify-completion"})
                if caller == "owner":
                    may |= {"pay-booking-fee"} if number == "0" else {"pay"} if number == "5b" else set()
                told = available_actions(ServiceRequest.objects.with_parties().get(pk=request.pk), people[caller])
                assert set(told) == may, (stage, caller, set(told) ^ may)
                assert len(told) == len(set(told))


def test_telling_what_he_may_do_costs_no_statement(at_stage, everybody, django_assert_num_queries):
    people = everybody("assign")
    for stage in STAGES:
        with undone():
            request, _ = at_stage(stage, people, issue=True)
            shown = ServiceRequest.objects.with_parties().get(pk=request.pk)
            for caller in ("owner", "assigned", "admin with", "superuser"):
                people[caller].has_perm("warm.up")
                with django_assert_num_queries(0):
                    available_actions(shown, people[caller])


def _open(service: str, stage: str, caller: str, codename: str) -> bool:
    """Whether the table lets him, an admin holding nothing but `codename`."""
    row = TABLE[SERVICES[service][0]]
    if caller == "admin with" and codename_of(row) != codename:
        return False
    return allowed(row, stage.split(maxsplit=1)[0], caller, facts_of(stage)) is None


def test_a_closed_status_offers_nothing_but_the_rating(at_stage, everybody):
    people = everybody("")
    for status in ("9", "10"):
        with undone(), nullcontext():
            request, _ = at_stage(status, people, issue=False)
            for person in (people["owner"], people["assigned"], people["superuser"]):
                told = available_actions(request, person)
                assert told == (["rate"] if (status, person) == ("9", people["owner"]) else [])
    assert NUMBERS["9"] == Status.COMPLETED
