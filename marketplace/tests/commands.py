"""Every command on a request as random lives give it: from which statuses, by whom usually, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from core import clock
from core.models import User
from marketplace.enums import IssueKind
from marketplace.models import Issue, PriceNegotiation, ServiceRequest
from marketplace.services import assignment, issues, negotiations, pricing, ratings, requests, work
from marketplace.tests.test_workflow_table import NUMBERS, TABLE

Draw = Callable[[st.SearchStrategy[Any]], Any]
AMOUNTS = st.sampled_from([Decimal(a) for a in ("20000.00", "0.01", "1234.56", "18000.00", "0", "99999999.99")])
MARKUPS = st.sampled_from([Decimal(m) for m in ("10", "0", "12.5", "100", "100.01", "-1")])
DAYS = st.sampled_from([7, 0, 1, 2, 30, -1, 400])


@dataclass(frozen=True)
class Cast:
    """Who plays; users keep their permissions in mind, so they are fetched once."""

    ada: User
    eve: User
    tunde: User
    bola: User
    sani: User
    boss: User
    dispatcher: User
    pricing: User
    finance: User
    viewer: User

    @property
    def everybody(self) -> list[User]:
        return list(vars(self).values())

    @property
    def servicemen(self) -> list[User]:
        return [self.tunde, self.bola, self.sani]

    def of(self, user_id: int | None) -> User | None:
        return next((user for user in self.everybody if user.pk == user_id), None)


@dataclass(frozen=True)
class Command:
    """`do(request, by, draw, cast)` calls the service; `usual(request, cast)` is who may."""

    step: str
    do: Callable[[ServiceRequest, User, Draw, Cast], object]
    usual: Callable[[ServiceRequest, Cast], User | None]
    on_behalf_of: str = ""
    row: str = ""

    def is_open(self, request: ServiceRequest) -> bool:
        """The table of the workflow has it in this status."""
        return any(request.status == NUMBERS[number] for number in TABLE[self.row or self.step].sources)

    def leaves(self, request: ServiceRequest, by: User) -> list[tuple[int, str, int | None, int | None]]:
        """The history rows of a request that it leaves: step, actor, on whose behalf."""
        behalf = getattr(request, f"{self.on_behalf_of}_id") if self.on_behalf_of else None
        rows = [(request.pk, self.step, by.pk, behalf)]
        # Both have said yes: the client's approval follows.
        return (
            [*rows, (request.pk, "approve_price", request.client_id, None)] if self.step == "accept_proposal" else rows
        )


def _proposal(r: ServiceRequest) -> int:
    last = PriceNegotiation.objects.filter(service_request=r).order_by("pk").last()
    return last.pk if last else 0


def _issue(r: ServiceRequest) -> int:
    row = Issue.objects.filter(request=r).order_by("-resolved_at", "pk").first()
    return row.pk if row else 0


def _men(draw: Draw, cast: Cast) -> dict[str, Any]:
    man = draw(st.sampled_from(cast.servicemen))
    backup = draw(st.sampled_from([None, *cast.servicemen]))
    return {"serviceman_id": man.pk, "backup_id": backup.pk if backup and backup != man else None}


def _client(r: ServiceRequest, cast: Cast) -> User | None:
    return cast.of(r.client_id)


def _his(r: ServiceRequest, cast: Cast) -> User | None:
    return cast.of(r.serviceman_id)


def _answers(r: ServiceRequest, cast: Cast) -> User | None:
    return cast.pricing if r.waiting_on == "ADMIN" else _client(r, cast)


def _proposes(r: ServiceRequest, cast: Cast) -> User | None:
    return _client(r, cast) if r.waiting_on == "ADMIN" else cast.pricing


def _by_phone(step: str, service: Callable[..., object], side: str = "serviceman", **given: Any) -> Command:
    return Command(
        step,
        lambda r, by, d, c: service(r.pk, by=by, on_behalf=True, reason="By phone.", **given),
        lambda r, c: c.dispatcher,
        on_behalf_of=side,
    )


COMMANDS: dict[str, Command] = {
    "assign": Command(
        "assign",
        lambda r, by, d, c: assignment.assign_serviceman(r.pk, by=by, **_men(d, c)),
        lambda r, c: c.dispatcher,
    ),
    "accept": Command("accept", lambda r, by, d, c: assignment.accept_job(r.pk, by=by), _his),
    "estimate": Command(
        "submit_estimate", lambda r, by, d, c: work.submit_estimate(r.pk, amount=d(AMOUNTS), by=by), _his
    ),
    "price by markup": Command(
        "set_final_cost",
        lambda r, by, d, c: pricing.set_final_cost(r.pk, markup=d(MARKUPS), by=by),
        lambda r, c: c.pricing,
    ),
    "approve": Command(
        "approve_price",
        lambda r, by, d, c: pricing.approve_price(
            r.pk, price_version=r.price_version - d(st.sampled_from([0, 0, 0, 1])), by=by
        ),
        _client,
    ),
    "start": Command("start_work", lambda r, by, d, c: work.start_work(r.pk, by=by), _his),
    "complete": Command("mark_work_completed", lambda r, by, d, c: work.mark_work_completed(r.pk, by=by), _his),
    "verify": Command(
        "verify_completion", lambda r, by, d, c: work.verify_completion(r.pk, by=by), lambda r, c: c.dispatcher
    ),
    "rate": Command(
        "rate", lambda r, by, d, c: ratings.rate(r.pk, rating=d(st.sampled_from([5, 1, 0, 6])), by=by), _client
    ),
    # From here on: what turns aside from the straight way.
    "reassign": Command(
        "reassign",
        lambda r, by, d, c: assignment.reassign_serviceman(
            r.pk, replaces=r.serviceman_id or 0, reason=d(st.sampled_from(["Ill.", " "])), by=by, **_men(d, c)
        ),
        lambda r, c: c.dispatcher,
    ),
    "decline": Command("decline", lambda r, by, d, c: assignment.decline_job(r.pk, reason="Far.", by=by), _his),
    "withdraw": Command("withdraw", lambda r, by, d, c: assignment.withdraw_from_job(r.pk, reason="Ill.", by=by), _his),
    "price as amount": Command(
        "set_final_cost",
        lambda r, by, d, c: pricing.set_final_cost(
            r.pk,
            amount=d(AMOUNTS),
            price_version=d(st.sampled_from([None, r.price_version, 99])),
            reason=d(st.sampled_from(["", "Agreed."])),
            by=by,
        ),
        lambda r, c: c.pricing,
    ),
    "propose": Command(
        "propose_price", lambda r, by, d, c: negotiations.propose_price(r.pk, amount=d(AMOUNTS), by=by), _client
    ),
    "propose for us": Command(
        "propose_price",
        lambda r, by, d, c: negotiations.propose_price(r.pk, amount=d(AMOUNTS), by=by),
        lambda r, c: c.pricing,
    ),
    "counter": Command(
        "counter", lambda r, by, d, c: negotiations.counter_proposal(_proposal(r), amount=d(AMOUNTS), by=by), _answers
    ),
    "accept proposal": Command(
        "accept_proposal", lambda r, by, d, c: negotiations.accept_proposal(_proposal(r), by=by), _answers
    ),
    "reject proposal": Command(
        "reject_proposal", lambda r, by, d, c: negotiations.reject_proposal(_proposal(r), by=by), _answers
    ),
    "withdraw proposal": Command(
        "withdraw_proposal", lambda r, by, d, c: negotiations.withdraw_proposal(_proposal(r), by=by), _proposes
    ),
    "consult": Command(
        "consult",
        lambda r, by, d, c: negotiations.consult_serviceman(_proposal(r), message="Less?", by=by),
        lambda r, c: c.pricing,
    ),
    "answer": Command(
        "answer",
        lambda r, by, d, c: negotiations.answer_consultation(
            _proposal(r), message="No.", minimum_amount=d(st.sampled_from([None, Decimal(9), Decimal(0)])), by=by
        ),
        _his,
    ),
    "return": Command(
        "return_to_work", lambda r, by, d, c: work.return_to_work(r.pk, reason="Wet.", by=by), lambda r, c: c.dispatcher
    ),
    "cancel": Command("cancel", lambda r, by, d, c: requests.cancel(r.pk, reason="No.", by=by), _client),
    "cancel for us": Command(
        "cancel", lambda r, by, d, c: requests.cancel(r.pk, reason="No.", by=by), lambda r, c: c.pricing
    ),
    "reschedule": Command(
        "reschedule",
        lambda r, by, d, c: requests.reschedule(
            r.pk, booking_date=clock.today() + timedelta(days=d(DAYS)), reason="Rain.", by=by
        ),
        lambda r, c: c.dispatcher,
    ),
    "emergency": Command(
        "flag_emergency",
        lambda r, by, d, c: requests.flag_emergency(r.pk, is_emergency=d(st.booleans()), by=by),
        lambda r, c: c.dispatcher,
    ),
    "raise issue": Command(
        "raise_issue",
        lambda r, by, d, c: issues.raise_issue(r.pk, kind=d(st.sampled_from(IssueKind.values)), message="?", by=by),
        _client,
    ),
    "resolve issue": Command(
        "resolve_issue",
        lambda r, by, d, c: issues.resolve_issue(r.pk, _issue(r), resolution="Talked.", by=by),
        lambda r, c: c.dispatcher,
    ),
    "soft delete": Command("soft_delete", lambda r, by, d, c: requests.soft_delete(r.pk, by=by), _client),
    "accept by phone": _by_phone("accept", assignment.accept_job),
    "decline by phone": _by_phone("decline", assignment.decline_job),
    "withdraw by phone": _by_phone("withdraw", assignment.withdraw_from_job),
    "estimate by phone": _by_phone("submit_estimate", work.submit_estimate, amount=Decimal(15_000)),
    "approve by phone": Command(
        "approve_price",
        lambda r, by, d, c: pricing.approve_price(
            r.pk, price_version=r.price_version, by=by, on_behalf=True, reason="By phone."
        ),
        lambda r, c: c.dispatcher,
        on_behalf_of="client",
    ),
    "start by phone": _by_phone("start_work", work.start_work),
    "complete by phone": _by_phone("mark_work_completed", work.mark_work_completed),
}
STRAIGHT_ON = tuple(COMMANDS)[: tuple(COMMANDS).index("reassign")]
"""What brings a request nearer to its end."""
