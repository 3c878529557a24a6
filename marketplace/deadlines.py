"""Who must act next, and until when. Pure: given a request's state and the terms in force, nothing else."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from core.clock import LAGOS
from marketplace.enums import Side, Status

S = Status

WHO_ACTS: dict[Status, Side] = {
    S.AWAITING_BOOKING_FEE: Side.CLIENT,
    S.PENDING_ADMIN_ASSIGNMENT: Side.ADMIN,
    S.ASSIGNED_TO_SERVICEMAN: Side.SERVICEMAN,
    S.SERVICEMAN_INSPECTED: Side.ADMIN,
    S.AWAITING_CLIENT_APPROVAL: Side.CLIENT,
    S.AWAITING_PAYMENT: Side.CLIENT,
    S.PAYMENT_CONFIRMED: Side.SERVICEMAN,
    S.IN_PROGRESS: Side.SERVICEMAN,
    S.WORK_COMPLETED: Side.ADMIN,
    S.COMPLETED: Side.NOBODY,
    S.CANCELLED: Side.NOBODY,
}
"""NEGOTIATING is missing on purpose: there it is whoever must answer the open proposal."""


LATEST_BOOKING_DAYS = 365
"""How far ahead a visit can be booked, in days."""
GIVEN_UP = (S.AWAITING_CLIENT_APPROVAL, S.NEGOTIATING, S.AWAITING_PAYMENT)
"""Where the system cancels in the end: a price that nobody answers or pays."""


@dataclass(frozen=True)
class Terms:
    """How long each side may take, in hours. The defaults are the product's; an admin edits them in the console."""

    pay_booking_fee: int = 24
    assign: int = 4
    assign_emergency_minutes: int = 30
    respond: int = 12
    respond_emergency_minutes: int = 30
    inspect: int = 24
    price: int = 12
    approve: int = 72
    negotiate: int = 24
    pay: int = 72
    start_at_least: int = 24
    work_days: int = 7
    verify: int = 24
    give_up_days: int = 14
    emergency_before_days: int = 2


def who_must_act(status: str, *, issue_open: bool = False, answer_from: Side | None = None) -> Side:
    """The side to wait for. An open issue always waits on an admin; `answer_from` is who must answer a proposal."""
    status = Status(status)
    if issue_open and WHO_ACTS.get(status) != Side.NOBODY:
        return Side.ADMIN
    return WHO_ACTS.get(status) or answer_from or Side.ADMIN


def due_at(
    status: str, *, since: datetime, accepted: bool, is_emergency: bool, booking_date: date, terms: Terms
) -> datetime | None:
    """Until when the side that must act may take, counted from `since`. None once the request is closed."""
    assign = timedelta(minutes=terms.assign_emergency_minutes) if is_emergency else timedelta(hours=terms.assign)
    respond = timedelta(minutes=terms.respond_emergency_minutes) if is_emergency else timedelta(hours=terms.respond)
    allowed: dict[Status, timedelta] = {
        S.AWAITING_BOOKING_FEE: timedelta(hours=terms.pay_booking_fee),
        S.PENDING_ADMIN_ASSIGNMENT: assign,
        S.ASSIGNED_TO_SERVICEMAN: timedelta(hours=terms.inspect) if accepted else respond,
        S.SERVICEMAN_INSPECTED: timedelta(hours=terms.price),
        S.AWAITING_CLIENT_APPROVAL: timedelta(hours=terms.approve),
        S.NEGOTIATING: timedelta(hours=terms.negotiate),
        S.AWAITING_PAYMENT: timedelta(hours=terms.pay),
        S.PAYMENT_CONFIRMED: timedelta(hours=terms.start_at_least),
        S.IN_PROGRESS: timedelta(days=terms.work_days),
        S.WORK_COMPLETED: timedelta(hours=terms.verify),
    }
    if Status(status) not in allowed:
        return None
    due = since + allowed[Status(status)]
    if status == S.PAYMENT_CONFIRMED:
        return max(due, end_of_day(booking_date))
    return due


def give_up_at(status: str, *, since: datetime, terms: Terms) -> datetime | None:
    """When the system ends a request whose price nobody has answered or paid since; None where it never does."""
    return since + timedelta(days=terms.give_up_days) if Status(status) in GIVEN_UP else None


def end_of_day(day: date) -> datetime:
    """The last second of a date in Lagos."""
    return datetime.combine(day, time(23, 59, 59), tzinfo=LAGOS)


def is_emergency_date(booking_date: date, *, today: date, terms: Terms) -> bool:
    """Whether a booking is so near that it is an emergency: before today + 2 days."""
    return booking_date < today + timedelta(days=terms.emergency_before_days)
