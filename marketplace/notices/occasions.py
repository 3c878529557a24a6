"""What happened, and the words that titles and messages take from it: codes, trades, dates and amounts, never names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from core import clock
from core.models import User
from marketplace.enums import Side, Status
from marketplace.models import ServiceRequest
from marketplace.money import naira_text

Test = Callable[["Occasion"], bool]
Figure = Callable[["Occasion"], Decimal | None]


def day_text(day: date) -> str:
    """How people say a date: Tuesday 24 November; with the year when it is not this one."""
    year = "" if day.year == clock.today().year else f" {day.year}"
    return f"{day:%A} {day.day} {day:%B}{year}"


def moment_text(moment: datetime) -> str:
    """How people say a point in time, in Lagos: Tuesday 24 November, 16:30."""
    return f"{day_text(clock.day_of(moment))}, {moment.astimezone(clock.LAGOS):%H:%M}"


@dataclass(frozen=True)
class Occasion:
    """One event: a step of the workflow or the type of a notice, the record it is about, who did it, and the facts."""

    event: str
    about: Any
    by: User | None
    facts: Mapping[str, Any]

    @cached_property
    def request(self) -> ServiceRequest | None:
        """The request it is about, found from whatever it is about."""
        about = getattr(self.about, "payment", None) or self.about
        for found in (about, getattr(about, "service_request", None), getattr(about, "request", None)):
            if isinstance(found, ServiceRequest):
                return found
        return None

    @cached_property
    def history_id(self) -> int | None:
        """The row this step has just left in the history, where its reason is kept; none when nobody gave one."""
        if self.request is None or not self.facts.get("reason"):
            return None
        return self.request.history.order_by("-history_id").values_list("history_id", flat=True).first()

    @property
    def person_id(self) -> int | None:
        """The one person it is about: an account, or whose profile, bank account or payout it is."""
        if isinstance(self.about, User):
            return self.about.pk
        return getattr(self.about, "user_id", None) or getattr(self.about, "serviceman_id", None)

    def said(self, text: str, **more: str) -> str:
        """`text` with its placeholders filled; what nobody said is left out."""
        return text.format_map(_Words(self, more))


class _Words(dict[str, str]):
    def __init__(self, occasion: Occasion, given: dict[str, str]) -> None:
        super().__init__(given)
        self.occasion = occasion

    def __missing__(self, name: str) -> str:
        phrase = PHRASES.get(name)
        return phrase(self.occasion) if phrase else str(self.occasion.facts.get(name) or "")


def _of_request(tell: Callable[[ServiceRequest], str]) -> Callable[[Occasion], str]:
    return lambda o: tell(o.request) if o.request else ""


def _was(o: Occasion) -> str:
    was = o.facts.get("was")
    return day_text(was if isinstance(was, date) else date.fromisoformat(str(was))) if was else "another day"


def _by_then(o: Occasion) -> str:
    return f" by {moment_text(o.request.due_at)}" if o.request and o.request.due_at else ""


def _span(o: Occasion) -> str:
    start, end = (date.fromisoformat(str(o.facts.get(name, clock.today()))) for name in ("start", "end"))
    return f"of {day_text(start)}" if start == end else f"from {day_text(start)} to {day_text(end)}"


def _next(o: Occasion) -> str:
    return (
        "The offer has gone to the backup." if o.facts.get("promoted") else f"Choose another serviceman{_by_then(o)}."
    )


def within_a_sentence(name: str) -> str:
    """A trade's name in the middle of a sentence: plumbing, but CCTV."""
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


PHRASES: Mapping[str, Callable[[Occasion], str]] = {
    "code": _of_request(lambda r: r.code),
    "trade": _of_request(lambda r: r.category.name),
    "work": _of_request(lambda r: within_a_sentence(r.category.name)),
    "day": _of_request(lambda r: day_text(r.booking_date)),
    "price": _of_request(lambda r: naira_text(r.final_cost) if r.final_cost is not None else "the price"),
    "status": _of_request(lambda r: r.get_status_display().lower()),
    "todo": _of_request(lambda r: TODO.get(r.status, "something must be done")),
    "was": _was,
    "by_then": _by_then,
    "next": _next,
    "span": _span,
    "by_whom": lambda o: BY_WHOM.get(str(o.facts.get("side", "")), ""),
    "why": lambda o: WHY.get(str(o.facts.get("why", "")), str(o.facts.get("why") or "Somebody must decide about it.")),
}
"""Placeholders that are more than a fact."""

TODO: Mapping[str, str] = {
    Status.AWAITING_BOOKING_FEE: "the booking fee is not paid yet",
    Status.PENDING_ADMIN_ASSIGNMENT: "a serviceman must be assigned",
    Status.ASSIGNED_TO_SERVICEMAN: "the visit and its estimate are awaited",
    Status.SERVICEMAN_INSPECTED: "the price must be set",
    Status.AWAITING_CLIENT_APPROVAL: "the price waits for an answer",
    Status.NEGOTIATING: "the proposed price waits for an answer",
    Status.AWAITING_PAYMENT: "the agreed price is not paid yet",
    Status.PAYMENT_CONFIRMED: "the work has not started yet",
    Status.IN_PROGRESS: "the work is not marked as completed yet",
    Status.WORK_COMPLETED: "the finished work must be checked",
}
BY_WHOM: Mapping[str, str] = {
    Side.CLIENT: " by the client",
    Side.ADMIN: " by our office",
    Side.SYSTEM: ", because nobody answered for too long",
}
WHY: Mapping[str, str] = {
    "LATE": "It arrived when the request no longer waited for it.",
    "DUPLICATE": "It pays for something that was paid already.",
    "DISPUTE": "The client's bank wants it back, and Paystack waits for our evidence.",
    "MISMATCH": "It is not the amount, currency or account that was asked for.",
}


# --- Figures, in NGN


def given(o: Occasion) -> Decimal | None:
    """The amount the event brought along, or that of the record it is about."""
    amount = o.facts.get("amount", getattr(o.about, "amount", None))
    return None if amount in (None, "") else Decimal(str(amount))


def booking_fee(o: Occasion) -> Decimal | None:
    """What the visit costs the client."""
    return o.request.initial_booking_fee if o.request else None


def estimate(o: Occasion) -> Decimal | None:
    """What the serviceman gets: for him and for admins only."""
    return o.request.serviceman_estimated_cost if o.request else None


def final_cost(o: Occasion) -> Decimal | None:
    """What the client pays for the work: never for the serviceman."""
    return o.request.final_cost if o.request else None


# --- Tests


def always(_: Occasion) -> bool:
    """Nothing to ask."""
    return True


def fact(name: str) -> Test:
    """The service said so."""
    return lambda o: bool(o.facts.get(name))


def unless(test: Test) -> Test:
    """The opposite."""
    return lambda o: not test(o)


def is_emergency(o: Occasion) -> bool:
    """The request is one now."""
    return bool(o.request and o.request.is_emergency)


def by_client(o: Occasion) -> bool:
    """The owner of the request did it, not an admin."""
    return bool(o.by and o.request and o.by.pk == o.request.client_id)


def waits_on(side: Side) -> Test:
    """Whom the request waits for."""
    return lambda o: bool(o.request and o.request.waiting_on == side)
