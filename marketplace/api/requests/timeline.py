"""What happened to a request, from its history, in words for each reader.

A reader is told what concerns him and no more: what the client pays stays between client and admins, what the
serviceman asks between him and admins, and nobody but admins reads why somebody else gave a job back.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from core.api import PROBLEMS, Answer, Id, Moment, Page, PageOf, PageQuery, Query, Router, paginate
from core.errors import Missing
from core.models import User
from marketplace.api.requests.finding import find, party
from marketplace.api.schemas.common import Call, example
from marketplace.api.schemas.seen import Audience, audience_of
from marketplace.enums import Side
from marketplace.models import ServiceRequest
from marketplace.money import naira_text

router = Router(tags=["Service requests"])


class TimelineEntry(Answer):
    """One step: when, which, by whom (null where the reader is not told), and in words."""

    at: Moment
    event: str
    actor_role: Side
    actor_name: str | None
    text: str

    model_config = example(
        at="2026-11-22T12:00:00+01:00",
        event="accept",
        actor_role="SERVICEMAN",
        actor_name="Tunde Bello",
        text="Accepted the job.",
    )


@dataclass(frozen=True)
class Told:
    """The words of one step for each audience; None where it is none of their business."""

    admin: str
    client: str | None
    serviceman: str | None
    backup: str | None = None

    def to(self, audience: Audience) -> str | None:
        """What this audience reads."""
        return {
            Audience.ADMIN: self.admin,
            Audience.CLIENT: self.client,
            Audience.SERVICEMAN: self.serviceman,
            Audience.BACKUP: self.backup,
        }[audience]


def _everybody(text: str) -> Told:
    return Told(text, text, text, text)


PASSED_ON = "The job has passed on to you."
LOOKING_ON = "We are looking for another serviceman."
IN_LINE = "You are next in line."
HAGGLING = "The price is being negotiated."

TOLD: dict[str, Told] = {
    "book": Told("Booked for {day}{why}.", "Booked for {day}.", None),
    "confirm_booking_fee": Told("The booking fee of {fee} is paid.", "The booking fee of {fee} is paid.", None),
    "expire": Told("Cancelled{why}.", "Cancelled{why}.", None),
    "assign": Told(
        "Offered to {man}{backup}{why}.", "Offered to {man}.", "Offered to you{why}.", "You are next in line."
    ),
    "reassign": Told(
        "Taken back and offered to {man}{backup}{why}.", "Offered to {man} instead.", "Offered to you.", IN_LINE
    ),
    "accept": Told("Accepted the job{why}.", "Accepted the job.", "Accepted the job.", "Accepted the job."),
    "drop_backup": Told("Nobody is next in line any more{why}.", None, None),
    "decline": Told("Declined the job{why}.", LOOKING_ON, PASSED_ON),
    "lapse": Told("The offer lapsed{why}.", LOOKING_ON, PASSED_ON),
    "withdraw": Told("Gave the job back{why}.", LOOKING_ON, PASSED_ON),
    "submit_estimate": Told(
        "Estimated {estimate}{why}.", "Inspected the job.", "Estimated {estimate}.", "Inspected the job."
    ),
    "set_final_cost": Told("Set the price: {price}{why}.", "The price is {price}.", "The price was set."),
    "propose_price": Told("Proposed another price{why}.", "Proposed another price{why}.", HAGGLING),
    "counter": Told("Made a counter-proposal{why}.", "Made a counter-proposal{why}.", HAGGLING),
    "reject_proposal": Told("Rejected the proposal{why}.", "Rejected the proposal{why}.", HAGGLING),
    "withdraw_proposal": Told("Withdrew the proposal{why}.", "Withdrew the proposal{why}.", HAGGLING),
    "accept_proposal": Told(
        "Accepted the proposal: {price}{why}.", "Accepted the proposal: {price}{why}.", "A price was agreed on."
    ),
    "consult": Told("Asked the serviceman{why}.", None, "Asked you about the price{why}."),
    "answer": Told("Answered the question{why}.", None, "Answered the question{why}."),
    "approve_price": Told("Approved {price}{why}.", "Approved the price: {price}.", "The price was approved."),
    "confirm_final_payment": Told("{price} is paid.", "{price} is paid.", "The work is paid for."),
    "start_work": Told("Started work{why}.", "Started work.", "Started work."),
    "mark_work_completed": Told("Completed the work{why}.", "Completed the work.", "Completed the work."),
    "verify_completion": _everybody("The work was checked and confirmed{why}."),
    "return_to_work": Told("Returned to work{why}.", "More work is needed.", "Returned to work{why}."),
    "rate": Told("Rated the job.", "Rated the job.", "Rated the job."),
    "cancel": _everybody("Cancelled{why}."),
    "reschedule": _everybody("Moved to {day}{why}."),
    "flag_emergency": _everybody("{emergency}."),
    "raise_issue": Told("Raised an issue{why}.", "Raised an issue{issue}.", "Raised an issue{issue}."),
    "resolve_issue": Told("Resolved an issue{why}.", "Resolved an issue.", "Resolved an issue."),
    "soft_delete": Told("Deleted{why}.", None, None),
}
"""Step -> words. {why} is what the actor wrote."""


@router.get(
    "/{request_id}/timeline/",
    auth=party,
    response={200: Page[TimelineEntry], **PROBLEMS},
    summary="Read a request's timeline",
)
def read_timeline(request: Call, request_id: Id, query: Query[PageQuery]) -> PageOf:
    """What happened, oldest first, as the reader may see it. A serviceman reads of the time he had part in it."""
    reader = request.auth
    about = find(request_id, reader)
    if not about.is_held_by(reader):
        raise Missing("There is no such service request.")
    rows = ServiceRequest.history.filter(_concerns(about, reader), id=about.pk).select_related(
        "history_user", "on_behalf_of", "serviceman", "backup_serviceman"
    )
    return paginate(
        request,
        rows,
        ordering="pk",
        limit=query.limit,
        cursor=query.cursor,
        to_item=lambda row: _entry(row, reader),
    )


def _concerns(about: ServiceRequest, reader: User) -> Q:
    """The rows that tell `reader` something."""
    if reader.is_serviceman:
        had_it = Q(serviceman=reader, step__in=_steps_for(Audience.SERVICEMAN))
        return had_it | Q(backup_serviceman=reader, step__in=_steps_for(Audience.BACKUP))
    return Q(step__in=_steps_for(audience_of(about, reader)))


_ENDED_TWICE = re.compile(r"(?<=[?!…])\.$")
"""The full stop after somebody's own words, when these end a sentence themselves."""


def _steps_for(audience: Audience) -> list[str]:
    return [step for step, told in TOLD.items() if told.to(audience) is not None]


def _entry(row: Any, reader: User) -> dict[str, Any]:
    words = TOLD[row.step].to(audience_of(row, reader)) or ""
    return {
        "at": row.history_date,
        "event": row.step,
        "actor_role": row.history_user.user_type if row.history_user else Side.SYSTEM,
        "actor_name": _actor_name(row, reader),
        "text": _ENDED_TWICE.sub("", words.format_map(_Facts(row, reader))),
    }


def _actor_name(row: Any, reader: User) -> str | None:
    """Admins read every name; others their own and the other party's, never an admin's or another serviceman's."""
    actor: User | None = row.history_user
    if actor is None:
        return None
    if reader.is_admin:
        return f"{actor.name} for {row.on_behalf_of.name}" if row.on_behalf_of else actor.name
    hidden = actor.is_admin or (actor.is_serviceman and reader.is_serviceman and actor.pk != reader.pk)
    return None if hidden else actor.name


class _Facts(dict[str, str]):
    """What the words may name, looked up as they are used."""

    def __init__(self, row: Any, reader: User) -> None:
        super().__init__()
        self.row, self.reader = row, reader

    def __missing__(self, name: str) -> str:
        return FACTS[name](self.row, self.reader)


def _why(row: Any, reader: User) -> str:
    reason = (row.history_change_reason or "").strip().rstrip(".")
    return f": {reason}" if reason else ""


def _issue(row: Any, reader: User) -> str:
    """The words of an issue, for whoever may read it: see `schemas.requests`."""
    actor: User | None = row.history_user
    if actor is None or actor.is_admin:
        return ""
    return _why(row, reader) if actor.pk == reader.pk or reader.is_client or row.accepted_at else ""


FACTS: dict[str, Callable[[Any, User], str]] = {
    "why": _why,
    "issue": _issue,
    "day": lambda row, _: f"{row.booking_date:%d %B %Y}",
    "fee": lambda row, _: naira_text(row.initial_booking_fee),
    "estimate": lambda row, _: naira_text(row.serviceman_estimated_cost),
    "price": lambda row, _: naira_text(row.final_cost),
    "man": lambda row, _: row.serviceman.name,
    "backup": lambda row, _: f", with {row.backup_serviceman.name} next in line" if row.backup_serviceman else "",
    "emergency": lambda row, _: "Marked as an emergency" if row.is_emergency else "No longer an emergency",
}
