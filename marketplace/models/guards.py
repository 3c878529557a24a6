"""Who may take a step of the workflow, and what must hold of the request besides its status."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from core import clock
from marketplace.enums import Side, Status

if TYPE_CHECKING:
    from core.models import User
    from marketplace.models.requests import ServiceRequest

S = Status

# --- Who may


class Who(Protocol):
    """Answers whether a person may take a step on a request; `user` None is the system."""

    label: str

    def __call__(self, request: ServiceRequest, user: User | None) -> bool: ...


class _Party:
    def __init__(self, label: str, test: Callable[[ServiceRequest, User | None], bool]) -> None:
        self.label, self._test = label, test

    def __call__(self, request: ServiceRequest, user: User | None) -> bool:
        return self._test(request, user)

    def __or__(self, other: Who) -> _Party:
        return _Party(f"{self.label} or {other.label}", lambda r, u: self(r, u) or other(r, u))

    def __repr__(self) -> str:
        return self.label


def admin_who(codename: str) -> _Party:
    """An admin whose groups hold `marketplace.<codename>`."""
    return _Party(
        f"admin who may {codename}", lambda r, u: bool(u and u.is_admin and u.has_perm(f"marketplace.{codename}"))
    )


the_client = _Party("client", lambda r, u: bool(u and u.pk == r.client_id))
the_serviceman = _Party("serviceman", lambda r, u: bool(u and u.pk == r.serviceman_id))
the_system = _Party("system", lambda r, u: u is None)
the_client_early = _Party(
    "client before the inspection",
    lambda r, u: bool(
        u
        and u.pk == r.client_id
        and r.status in (S.AWAITING_BOOKING_FEE, S.PENDING_ADMIN_ASSIGNMENT, S.ASSIGNED_TO_SERVICEMAN)
    ),
)
the_system_late = _Party(
    "system after 14 days",
    lambda r, u: u is None and r.status in (S.AWAITING_CLIENT_APPROVAL, S.NEGOTIATING, S.AWAITING_PAYMENT),
)
the_other_side = _Party("the side that did not propose", lambda r, u: bool(u) and _side(r, u) == r.answer_from)
the_proposer = _Party("the side that proposed", lambda r, u: bool(u) and _side(r, u) not in (None, r.answer_from))


def _side(request: ServiceRequest, user: User | None) -> Side | None:
    """Which side of a negotiation a person speaks for."""
    if the_client(request, user):
        return Side.CLIENT
    return Side.ADMIN if admin_who("price")(request, user) else None


# --- Refused when


class Condition:
    """What a step asks of the request's state besides its status, and the refusal (409) when it does not hold."""

    def __init__(self, test: Callable[[Any], bool], code: str, detail: str) -> None:
        self._test, self.code, self.detail = test, code, detail
        self.__name__ = code

    def __call__(self, request: ServiceRequest) -> bool:
        return self._test(request)


not_answered = Condition(lambda r: r.accepted_at is None, "already_answered", "This offer was answered already.")
offer_stands = Condition(
    lambda r: r.accepted_at is not None or r.due_at is None or clock.now() <= r.due_at,
    "offer_lapsed",
    "The time to answer this offer is over.",
)
offer_is_over = Condition(
    lambda r: (
        r.accepted_at is None and (r.serviceman_is_suspended or (r.due_at is not None and clock.now() > r.due_at))
    ),
    "offer_open",
    "The time to answer this offer is not over.",
)
accepted = Condition(
    lambda r: r.accepted_at is not None, "not_accepted", "The serviceman has not accepted this job yet."
)
no_open_issue = Condition(lambda r: not r.has_open_issue, "issue_open", "An issue is open: resolve it first.")
proposal_open = Condition(lambda r: r.answer_from is not None, "no_open_proposal", "There is no open proposal.")
not_deleted = Condition(lambda r: not r.is_deleted, "already_deleted", "This request is deleted already.")
not_rated = Condition(lambda r: not r.is_rated, "already_rated", "This job was rated already.")
