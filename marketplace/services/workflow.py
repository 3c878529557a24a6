"""The only way a request moves: `locked` checks state and right, `advance` takes the step.

Order of refusals: not there or not yours to see (404), the state does not allow it (409), not yours to do (403).
State comes before right, since a step's permission is also False from a wrong state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django_fsm import ConcurrentTransition, TransitionNotAllowed

from core import clock
from core.errors import Conflict, DomainError, Forbidden, Invalid, Missing
from core.models import User
from marketplace import deadlines, notices
from marketplace.enums import CLOSED, OfferAnswer, Status
from marketplace.models import BusinessSettings, Issue, Offer, ServiceRequest
from marketplace.models.requests import new_code
from marketplace.money import LARGEST

Step = Callable[..., Any]
CODE_TRIES = 5

LATE_CODES = {
    "assign": ("already_assigned", "This request is assigned already: say whom it is taken from to reassign it."),
    "accept": ("already_answered", "This offer was answered already."),
    "decline": ("already_answered", "This offer was answered already."),
    "accept_proposal": ("already_answered", "This proposal was answered already."),
    "counter": ("already_answered", "This proposal was answered already."),
    "reject_proposal": ("already_answered", "This proposal was answered already."),
    "withdraw_proposal": ("already_answered", "This proposal was answered already."),
}
"""What to say when somebody else was first; otherwise the status is named."""

ACTIONS: dict[str, tuple[str, ...]] = {
    "accept": ("accept",),
    "decline": ("decline",),
    "withdraw": ("withdraw",),
    "estimate": ("submit_estimate",),
    "approve": ("approve_price",),
    "start": ("start_work",),
    "complete": ("mark_work_completed",),
    "verify-completion": ("verify_completion",),
    "return-to-work": ("return_to_work",),
    "cancel": ("cancel",),
    "reschedule": ("reschedule",),
    "negotiate": ("propose_price",),
    "respond": ("counter", "withdraw_proposal"),
    "check-with-serviceman": ("consult",),
    "serviceman-answer": ("answer",),
    "assign-serviceman": ("assign", "reassign"),
    "update-final-cost": ("set_final_cost",),
    "emergency": ("flag_emergency",),
    "issues": ("raise_issue",),
    "resolve": ("resolve_issue",),
    "rate": ("rate",),
}
"""What a caller may do, by the API's names, and the steps behind each."""


def refusal(request: ServiceRequest, step: Step, user: User | None) -> DomainError | None:
    """Why `user` (None: the system) may not take a step on a request now, or None when he may."""
    name = _name(step)
    move = _transition(step, request.status)
    if move is None:
        code, detail = LATE_CODES.get(name, ("wrong_status", ""))
        # "Too late" is only true from a later status that is still open; else the status says why.
        if not detail or request.status in CLOSED or Status.values.index(request.status) < _first_source(step):
            code, detail = "wrong_status", f"This cannot be done while the request is: {request.get_status_display()}."
        return Conflict(detail, code=code)
    for condition in move.conditions:
        if not condition(request):
            return Conflict(condition.detail, code=condition.code)
    if not move.has_perm(request, user):
        return Forbidden("This is not yours to do.")
    return None


@contextmanager
def locked(
    request_id: int,
    *,
    by: User | None,
    step: Step,
    on_behalf_of: str | None = None,
    state: Callable[[ServiceRequest], object] | None = None,
) -> Iterator[ServiceRequest]:
    """The request, locked until the block ends, once `by` may take `step` on it.

    `on_behalf_of` is "client" or "serviceman" when an admin who may assign acts for that person. `state` is what else
    must hold before anybody's right is looked at; it raises Missing or Conflict. Raises Missing, Conflict, Forbidden.
    """
    with transaction.atomic():
        request = take(request_id, by=by)
        actor = getattr(request, on_behalf_of) if on_behalf_of else by
        refused = refusal(request, step, actor)
        if on_behalf_of and not isinstance(refused, Conflict):
            refused = _refused_to_stand_in(step, request.status, by=by, on_behalf_of=on_behalf_of) or refused
        if state is not None:
            # Before the bare status: "this proposal was answered already" says more than "not while awaiting approval".
            state(request)
        if refused:
            raise refused
        yield request


def _refused_to_stand_in(step: Step, status: str, *, by: User | None, on_behalf_of: str) -> Forbidden | None:
    """Why `by` may not take a step for the client or the serviceman, or None when he may."""
    if by is None or not by.is_admin or not by.has_perm("marketplace.assign"):
        return Forbidden("Only an admin who may assign can act for somebody else.")
    if _transition(step, status).custom.get("on_behalf_of") != on_behalf_of:
        return Forbidden("This step cannot be taken for somebody else.")
    return None


def take(request_id: int, *, by: User | None) -> ServiceRequest:
    """Lock a request that `by` may know of; the caller is in a transaction. Raises Missing, Conflict."""
    request = ServiceRequest.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=request_id).first()
    if request is None:
        raise Missing("There is no such service request.")
    if by is not None and not request.is_held_by(by):
        raise Conflict("This offer is no longer yours.", code="offer_withdrawn")
    return request


def advance(
    request: ServiceRequest,
    step: Step,
    *,
    by: User | None,
    on_behalf_of: User | None = None,
    reason: str = "",
    tell: Mapping[str, Any] | None = None,
    then: Callable[[ServiceRequest], Mapping[str, Any]] | None = None,
    **facts: Any,
) -> ServiceRequest:
    """Take a step on a locked request: move, save with actor and reason in its history, announce.

    `facts` go to the step, `tell` to the notices. `then` writes rows that need the step taken, and what it returns goes
    to the notices as well. Raises Conflict when the state no longer allows it.
    """
    name = _name(step)
    before = request.status
    move = _transition(step, before)
    due_before = request.due_at
    try:
        getattr(request, name)(**facts)
        request.waiting_on = deadlines.who_must_act(
            request.status, issue_open=request.has_open_issue, answer_from=request.answer_from
        )
        # Other steps that keep the status keep the wait as well: counted anew, a rushed one would be over at once.
        if move is not None and move.target is not None:
            request.status_since = clock.now()
            _set_due(request)
        elif name in ("flag_emergency", "reschedule"):
            _set_due(request, rushed_from=due_before)
        _save(request, step=name, by=by, on_behalf_of=on_behalf_of, reason=reason)
    except (TransitionNotAllowed, ConcurrentTransition) as error:
        raise Conflict("Somebody else was first.", code="wrong_status") from error
    told = dict(tell or {})
    if request.status in CLOSED and request.status != before:
        told["raisers"] = _close(request, by=by)
    if then is not None:
        told |= then(request)
    notices.announce(name, request, by=by, reason=reason, **told)
    return request


def _close(request: ServiceRequest, *, by: User | None) -> list[int]:
    """Nothing stays open at a request that has ended; who had raised the issues that end with it."""
    Offer.objects.filter(request=request, answer=None).update(answer=OfferAnswer.CLOSED, answered_at=clock.now())
    return Issue.objects.end(request, by=by, resolution=f"The request was {request.get_status_display().lower()}.")


def give_birth(
    request: ServiceRequest, *, by: User, on_behalf_of: User | None = None, reason: str = ""
) -> ServiceRequest:
    """Save a new request: the one step that is no transition, since there is nothing to come from."""
    request.waiting_on = deadlines.who_must_act(request.status)
    _set_due(request)
    for attempt in range(CODE_TRIES):
        try:
            with transaction.atomic():
                _save(request, step="book", by=by, on_behalf_of=on_behalf_of, reason=reason)
            break
        except IntegrityError:
            # Codes are drawn by lot: at a million requests one in thirty is taken. Longer ones end any streak.
            if attempt == CODE_TRIES - 1 or not ServiceRequest.objects.filter(code=request.code).exists():
                raise
            request.code = new_code(5 if attempt < CODE_TRIES - 2 else 8)
    notices.announce("book", request, by=by, reason=reason)
    return request


def available_actions(request: ServiceRequest, user: User) -> list[str]:
    """What `user` may do with a request now, by the API's names. Uses what was prefetched."""
    names = [
        action
        for action, steps in ACTIONS.items()
        if any(_may(request, getattr(ServiceRequest, step), user) for step in steps)
    ]
    if "resolve" in names and not request.has_open_issue:
        names.remove("resolve")
    if "serviceman-answer" in names and request.open_consultation is None:
        names.remove("serviceman-answer")
    if user.pk == request.client_id:
        if request.status == Status.AWAITING_BOOKING_FEE:
            names.append("pay-booking-fee")
        if request.status == Status.AWAITING_PAYMENT:
            names.append("pay")
    return names


def _may(request: ServiceRequest, step: Step, user: User) -> bool:
    # Most steps are none of this status, and need no words for why not: lists ask this 25 times a row.
    return _transition(step, request.status) is not None and refusal(request, step, user) is None


def require_reason(reason: str, *, field: str = "reason") -> str:
    """The reason, trimmed. Raises Invalid when there is none."""
    if not (reason := reason.strip()):
        raise Invalid("Say why.", code="reason_required", field=field)
    return reason


def require_amount(amount: Decimal, *, field: str) -> None:
    """Raise Invalid unless an amount of NGN is above 0 and fits its column."""
    if not 0 < amount <= LARGEST:
        raise Invalid("The amount must be above 0 and at most 99,999,999.99.", code="out_of_range", field=field)


def _set_due(request: ServiceRequest, *, rushed_from: Any = None) -> None:
    """Fill due_at from when this wait began; an emergency set later counts from now, but never gives more time.

    When it is given up is said once, as the wait begins.
    """
    terms = BusinessSettings.current().terms
    facts: dict[str, Any] = {
        "accepted": request.accepted_at is not None,
        "is_emergency": request.is_emergency,
        "booking_date": request.booking_date,
        "terms": terms,
    }
    due = deadlines.due_at(request.status, since=request.status_since, **facts)
    if rushed_from is not None and due is not None and due < rushed_from:
        due = min(rushed_from, max(due, deadlines.due_at(request.status, since=clock.now(), **facts) or due))
    request.due_at = due
    if rushed_from is None:
        request.give_up_at = deadlines.give_up_at(request.status, since=request.status_since, terms=terms)


def _save(request: ServiceRequest, *, step: str, by: User | None, on_behalf_of: User | None, reason: str) -> None:
    """Save with its history row. The marks stick to an instance, so they are set and cleared here and nowhere else."""
    marks = {
        "_history_user": by,
        "_change_reason": reason,
        "_step": step,
        "_on_behalf_of": on_behalf_of,
    }
    for mark, value in marks.items():
        setattr(request, mark, value)
    try:
        request.save()
    finally:
        for mark in marks:
            delattr(request, mark)


def _name(step: Step) -> str:
    if not hasattr(step, "_django_fsm"):
        raise TypeError(f"{step!r} is no step of the workflow.")
    return str(step.__name__)


def _transition(step: Step, status: str) -> Any:
    """The FSM's transition for a step from a status, or None."""
    return step._django_fsm.get_transition(status)  # type: ignore[attr-defined]


def _first_source(step: Step) -> int:
    return min(Status.values.index(source) for source in step._django_fsm.transitions)  # type: ignore[attr-defined]
