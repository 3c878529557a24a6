"""What an e-mail shows besides its words: one line a type, and for each fact who may read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils.text import Truncator

from core.models import User
from marketplace.analytics import Span
from marketplace.enums import NotificationType as T
from marketplace.enums import RefundStatus
from marketplace.models import Notification, Refund, ServiceRequest
from marketplace.money import naira_text
from marketplace.notices.occasions import day_text, moment_text
from marketplace.notices.report import report

Row = tuple[str, str]
GOING_BACK = (
    RefundStatus.DUE,
    RefundStatus.APPROVED,
    RefundStatus.SENT,
    RefundStatus.PROCESSING,
    RefundStatus.PROCESSED,
    RefundStatus.FAILED,
    RefundStatus.NEEDS_ATTENTION,
)
"""Refunds a client is owed, however far they have come."""


@dataclass
class Letter:
    """A notice with everything it may show to its reader. `records` are what its facts name, by kind."""

    notification: Notification
    reader: User
    request: ServiceRequest | None = None
    records: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    token: str = ""

    @property
    def type(self) -> T:
        """What kind of notice it is."""
        return T(self.notification.notification_type)

    @property
    def facts(self) -> dict[str, Any]:
        """Ids and amounts, as they were."""
        return self.notification.facts

    @property
    def amount(self) -> str:
        """The figure it is about, as people read it, or nothing."""
        amount = self.facts.get("amount")
        return naira_text(Decimal(amount)) if amount else ""

    @property
    def has_accepted(self) -> bool:
        """Whether the reader is the serviceman who has taken the job."""
        request = self.request
        return bool(request and request.serviceman_id == self.reader.pk and request.accepted_at)


@dataclass(frozen=True)
class Look:
    """What a type shows: rows by name, what its figure, its deadline and the quoted words are called, how it looks."""

    rows: str = "job date"
    amount: str = ""
    due: str = ""
    due_for_all: bool = False
    """Whether the deadline is shown to whoever reads it, not only to the side that must act."""
    words: str = "Reason"
    tone: str = "calm"


LOOKS: Mapping[T, Look] = {
    T.EMAIL_VERIFICATION: Look(rows=""),
    T.WELCOME: Look(rows=""),
    T.PASSWORD_RESET: Look(rows=""),
    T.PASSWORD_CHANGED: Look(rows="when"),
    T.SERVICEMAN_APPLICATION: Look(rows="applicant"),
    T.SERVICEMAN_APPROVED: Look(rows="own_trade", words="Note from our office"),
    T.SERVICEMAN_REJECTED: Look(rows=""),
    T.SERVICEMAN_SUSPENDED: Look(rows="", tone="urgent"),
    T.SERVICEMAN_REINSTATED: Look(rows="own_trade"),
    T.BOOKING_CONFIRMED: Look(rows="job date address", amount="Booking fee, paid"),
    T.PAYMENT_RECEIVED: Look(rows="job date client reference", amount="Booking fee", due="Assign by"),
    T.EMERGENCY_ALERT: Look(rows="job date description", tone="urgent"),
    T.SERVICEMAN_ASSIGNED: Look(rows="job date description", due="Answer by", words="Note from our office"),
    T.BACKUP_OPPORTUNITY: Look(rows="job date description", words="Note from our office"),
    T.OFFER_WITHDRAWN: Look(),
    T.OFFER_LAPSED: Look(),
    T.SERVICEMAN_ACCEPTED: Look(rows="job date serviceman"),
    T.SERVICEMAN_DECLINED: Look(rows="job date lost client"),
    T.SERVICEMAN_CHANGED: Look(),
    T.COST_ESTIMATE_READY: Look(rows="job serviceman days notes", amount="Estimate", due="Set the price by"),
    T.FINAL_COST_SET: Look(rows="job serviceman days", amount="Price of the work", due="Answer by", words="Our note"),
    T.NEGOTIATION_MESSAGE: Look(rows="job price", amount="Proposed price", due="Answer by", words="Message"),
    T.SERVICEMAN_CONSULTED: Look(rows="job", amount="Your estimate", words="Our question"),
    T.SERVICEMAN_ANSWERED: Look(rows="job serviceman estimate minimum", amount="Proposed price", words="The answer"),
    T.PRICE_APPROVED: Look(rows="job client estimate", amount="Approved price", due="To be paid by", due_for_all=True),
    T.PAYMENT_CONFIRMED: Look(rows="job date client address reference", amount="Paid"),
    T.PAYMENT_RECEIPT: Look(rows="job paid_for paid_at reference", amount="Paid"),
    T.WORK_STARTED: Look(rows="job serviceman"),
    T.JOB_COMPLETED: Look(rows="job client serviceman completion", due="Check by"),
    T.JOB_CONFIRMED: Look(rows="job serviceman", amount="You have earned", words="Message"),
    T.WORK_RETURNED: Look(rows="job address", due="Finish by", words="What is missing"),
    T.REQUEST_CANCELLED: Look(rows="job date going_back"),
    T.RESCHEDULED: Look(rows="job moved address"),
    T.ISSUE_RAISED: Look(rows="job problem client serviceman", words="What was said", tone="urgent"),
    T.ISSUE_RESOLVED: Look(rows="job problem", words="What was done"),
    T.RATING_RECEIVED: Look(rows="job stars", words="Review"),
    T.ACTION_REMINDER: Look(amount="Price", due="Due"),
    T.ACTION_OVERDUE: Look(rows="job date client serviceman", due="Was due", due_for_all=True, tone="urgent"),
    T.INSPECTION_OVERDUE: Look(rows="job date serviceman address", due="Was due", due_for_all=True, tone="urgent"),
    T.MONEY_AT_RISK: Look(rows="job client received reference", amount="At risk", tone="urgent"),
    T.REFUND_SENT: Look(rows="job reference", amount="Refunded"),
    T.PAYOUT_SENT: Look(rows="account payout", amount="Sent to you"),
    T.BANK_ACCOUNT_CHANGED: Look(rows="account when"),
    T.REVENUE_REPORT: Look(rows="report", amount="Collected"),
    T.ANNOUNCEMENT: Look(rows=""),
}
"""Every type; rows that a reader may not see, or that have nothing to show, are left out."""

FOR_SERVICEMAN = {T.PAYMENT_CONFIRMED: "You earn"}
"""What a figure is called for him, where it is another one."""


def rows_of(letter: Letter) -> list[Row]:
    """The facts its reader may see, in order, each with its label."""
    look = LOOKS[letter.type]
    found = [row for name in look.rows.split() for row in ROWS[name](letter)]
    return found + _due(letter, look)


def amount_label(letter: Letter) -> str:
    """What the figure is."""
    if letter.reader.is_serviceman and letter.type in FOR_SERVICEMAN:
        return FOR_SERVICEMAN[letter.type]
    if letter.type == T.REQUEST_CANCELLED:
        return "Booking fee, not paid"
    if letter.facts.get("event") == "accept_proposal":
        return "Agreed price"
    return LOOKS[letter.type].amount


# --- Rows


def _due(letter: Letter, look: Look) -> list[Row]:
    due, facts = letter.facts.get("due_at"), letter.facts
    if not (look.due and due and (look.due_for_all or facts.get("waiting_on") == letter.reader.user_type)):
        return []
    # An admin's yes to the client's own proposal leaves nothing to answer.
    label = "Pay by" if facts.get("event") == "accept_proposal" else look.due
    return [(label, moment_text(datetime.fromisoformat(due)))]


def _one(label: str, value: object) -> list[Row]:
    return [(label, str(value))] if value not in (None, "") else []


def _of_request(label: str, value: Callable[[ServiceRequest], object]) -> Callable[[Letter], list[Row]]:
    return lambda letter: _one(label, value(letter.request)) if letter.request else []


def _of_record(kind: str, label: str, value: Callable[[Any], object]) -> Callable[[Letter], list[Row]]:
    return lambda letter: _one(label, value(record)) if (record := letter.records.get(kind)) else []


def _for_admins(rows: Callable[[Letter], list[Row]]) -> Callable[[Letter], list[Row]]:
    return lambda letter: rows(letter) if letter.reader.is_admin else []


def _not_for_servicemen(rows: Callable[[Letter], list[Row]]) -> Callable[[Letter], list[Row]]:
    return lambda letter: [] if letter.reader.is_serviceman else rows(letter)


def _address(letter: Letter) -> list[Row]:
    """The door is the client's, the office's, and that of the serviceman once he has accepted."""
    if letter.request and (not letter.reader.is_serviceman or letter.has_accepted):
        return _one("Address", letter.request.client_address)
    return []


def _serviceman(letter: Letter) -> list[Row]:
    request = letter.request
    if letter.reader.is_serviceman or request is None or request.serviceman is None:
        return []
    if letter.reader.is_client and request.accepted_at is None:
        return []
    profile = getattr(request.serviceman, "serviceman_profile", None)
    stars = f" (rated {profile.rating:.1f} of 5)" if profile and profile.rating else ""
    return [("Serviceman", f"{request.serviceman.name}{stars}")]


def _going_back(letter: Letter) -> list[Row]:
    """What a cancelled request returns: decided in the same step, so it is there when the mail is written."""
    if letter.request is None or letter.reader.is_serviceman:
        return []
    back = letter.records.get("going_back")
    if back is None:
        refunds = Refund.objects.filter(payment__service_request=letter.request, status__in=GOING_BACK)
        back = refunds.aggregate(total=Sum("amount"))["total"]
    return _one(
        "Goes back to the client" if letter.reader.is_admin else "Goes back to you", naira_text(back) if back else ""
    )


def _price(letter: Letter) -> list[Row]:
    """The price in force beside a proposed one."""
    now = _naira(letter.request.final_cost) if letter.request and not letter.reader.is_serviceman else ""
    return _one("Price now", now if now != letter.amount else "")


def _moved(letter: Letter) -> list[Row]:
    was = letter.facts.get("was")
    before = _one("Was on", day_text(date.fromisoformat(was)) if was else "")
    return before + (_one("Now on", day_text(letter.request.booking_date)) if letter.request else [])


def _report(letter: Letter) -> list[Row]:
    figures, facts = letter.records.get("report"), letter.facts
    if figures is None and {"start", "end"} <= facts.keys():
        days = Span(date.fromisoformat(facts["start"]), date.fromisoformat(facts["end"]))
        figures = report(days, period=facts.get("period", "day"))
    return figures.rows() if figures else []


def _naira(amount: Decimal | None) -> str:
    return "" if amount is None else naira_text(amount)


ROWS: Mapping[str, Callable[[Letter], list[Row]]] = {
    "job": _of_request("Job", lambda r: f"{r.category.name}, {r.code}"),
    "date": _of_request("Date", lambda r: day_text(r.booking_date)),
    "moved": _moved,
    "address": _address,
    "description": _of_request("What to do", lambda r: Truncator(r.service_description).chars(300)),
    "client": _for_admins(_of_request("Client", lambda r: r.client.name)),
    "serviceman": _serviceman,
    "lost": _for_admins(_of_record("lost", "Serviceman", lambda user: user.name)),
    "days": _of_request(
        "Takes about", lambda r: r.estimated_days and f"{r.estimated_days} day{'s'[: r.estimated_days > 1]}"
    ),
    "notes": _for_admins(_of_request("Findings", lambda r: Truncator(r.estimate_notes).chars(300))),
    "completion": _for_admins(_of_request("Notes", lambda r: Truncator(r.completion_notes).chars(300))),
    "price": _price,
    "estimate": _for_admins(_of_request("Estimate", lambda r: _naira(r.serviceman_estimated_cost))),
    "minimum": _for_admins(_of_record("consultation", "The least they would take", lambda c: _naira(c.minimum_amount))),
    "problem": _of_record("issue", "Problem", lambda issue: issue.get_kind_display()),
    "stars": _of_record("rating", "Rating", lambda r: f"{'★' * r.rating}{'☆' * (5 - r.rating)} {r.rating} of 5"),
    "reference": _not_for_servicemen(_of_record("payment", "Reference", lambda payment: payment.paystack_reference)),
    "paid_for": _of_record("payment", "For", lambda payment: payment.get_payment_type_display()),
    "paid_at": _of_record("payment", "Paid on", lambda payment: payment.paid_at and moment_text(payment.paid_at)),
    "received": _of_record(
        "payment", "What arrived", lambda p: p.received_kobo is not None and _naira(Decimal(p.received_kobo) / 100)
    ),
    "going_back": _going_back,
    "account": _of_record("bank_account", "Account", lambda account: f"{account}, {account.account_name}"),
    "payout": _of_record("payout", "Reference", lambda payout: payout.reference),
    "applicant": _of_record("profile", "Name", lambda profile: profile.user.name),
    "own_trade": _of_record("profile", "Trade", lambda profile: profile.category or ""),
    "when": lambda letter: _one("When", moment_text(letter.notification.created_at)),
    "report": _report,
}
