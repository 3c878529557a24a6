"""Everything that happened to a request, in order: steps, payments, refunds, events, messages and notes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from core.models import User
from marketplace.admin.labels import NOTHING, money
from marketplace.enums import PaymentOutcome, PaymentStatus, RefundStatus, Status
from marketplace.models import Note, Notification, Payment, ServiceRequest, WebhookEvent
from marketplace.money import naira_text

STEPS: dict[str, tuple[str, str, str]] = {
    "book": ("Booked", "add_circle", "primary"),
    "confirm_booking_fee": ("Booking fee confirmed", "paid", "success"),
    "expire": ("Expired: the booking fee was not paid", "timer_off", "quiet"),
    "assign": ("Offered to a serviceman", "person_add", "primary"),
    "reassign": ("Taken back and offered to another serviceman", "swap_horiz", "warning"),
    "drop_backup": ("Backup suspended", "person_remove", "warning"),
    "accept": ("Accepted by the serviceman", "check", "success"),
    "decline": ("Declined by the serviceman", "close", "danger"),
    "lapse": ("Not answered in time", "hourglass_disabled", "warning"),
    "withdraw": ("Given back by the serviceman", "logout", "danger"),
    "submit_estimate": ("Estimate submitted", "request_quote", "primary"),
    "set_final_cost": ("Final cost set", "sell", "primary"),
    "propose_price": ("Another price proposed", "forum", "primary"),
    "counter": ("Counter-proposal", "reply", "primary"),
    "reject_proposal": ("Proposal rejected", "close", "warning"),
    "withdraw_proposal": ("Proposal taken back", "undo", "quiet"),
    "accept_proposal": ("Proposal accepted", "handshake", "success"),
    "consult": ("Serviceman asked about the price", "contact_support", "primary"),
    "answer": ("Serviceman answered", "chat", "primary"),
    "approve_price": ("Price approved by the client", "thumb_up", "success"),
    "confirm_final_payment": ("Final payment confirmed", "paid", "success"),
    "start_work": ("Work started", "play_arrow", "primary"),
    "mark_work_completed": ("Work marked complete", "task_alt", "primary"),
    "verify_completion": ("Completion verified", "verified", "success"),
    "return_to_work": ("Returned to work", "replay", "warning"),
    "rate": ("Rated by the client", "star", "success"),
    "cancel": ("Cancelled", "block", "danger"),
    "reschedule": ("Rescheduled", "event", "primary"),
    "flag_emergency": ("Emergency changed", "e911_emergency", "warning"),
    "raise_issue": ("Issue raised", "report", "danger"),
    "resolve_issue": ("Issue resolved", "handshake", "success"),
    "soft_delete": ("Deleted", "delete", "quiet"),
}
"""A step's title, symbol and colour."""

SHOWN_CHANGES = {
    "status": "Status",
    "serviceman_id": "Serviceman",
    "backup_serviceman_id": "Backup",
    "booking_date": "Date",
    "is_emergency": "Emergency",
    "serviceman_estimated_cost": "Estimate",
    "admin_markup_percentage": "Markup",
    "final_cost": "Final cost",
}
"""Columns whose change is told, old and new."""


@dataclass(frozen=True)
class Happening:
    """One line of the timeline."""

    at: datetime
    title: str
    icon: str
    tone: str = "quiet"
    actor: str = ""
    for_whom: str = ""
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    words: str = ""
    kind: str = "step"


def timeline(
    record: ServiceRequest, *, notifications: Iterable[Notification], notes: Iterable[Note], viewer: User
) -> list[Happening]:
    """Newest first; what the viewer has no right to see is left out."""
    happenings = [*_steps(record), *(_note(note) for note in notes)]
    if viewer.has_perm("marketplace.view_payment"):
        happenings += _payments(record.payments.all())
    if viewer.has_perm("marketplace.view_webhookevent"):
        references = [payment.paystack_reference for payment in record.payments.all()]
        happenings += map(_event, WebhookEvent.objects.filter(reference__in=references).defer("body"))
    happenings += _messages(notifications)
    # Steps of one moment are read in the order they were taken, so the sort must not disturb them.
    return sorted(happenings, key=lambda happening: happening.at)[::-1]


def _steps(record: ServiceRequest) -> Iterator[Happening]:
    rows = list(record.history.select_related("history_user", "on_behalf_of").order_by("history_date", "history_id"))
    ids = {getattr(row, name) for row in rows for name in ("serviceman_id", "backup_serviceman_id")} - {None}
    known = {user.pk: user for user in (record.serviceman, record.backup_serviceman) if user}
    people = {pk: user.name for pk, user in known.items()}
    if missing := ids - set(known):
        people |= {user.pk: user.name for user in User.objects.filter(pk__in=missing)}
    before: Any = None
    for row in rows:
        title, icon, tone = STEPS.get(row.step, ("Changed", "edit", "quiet"))
        yield Happening(
            at=row.history_date,
            title=title,
            icon=icon,
            tone=tone,
            actor=row.history_user.name if row.history_user else "System",
            for_whom=row.on_behalf_of.name if row.on_behalf_of else "",
            changes=_changes(before, row, people),
            words=row.history_change_reason or "",
        )
        before = row


def _changes(before: Any, row: Any, people: dict[int, str]) -> list[tuple[str, str, str]]:
    if before is None:
        return []
    return [
        (label, _shown(name, getattr(before, name), people), _shown(name, getattr(row, name), people))
        for name, label in SHOWN_CHANGES.items()
        if getattr(before, name) != getattr(row, name)
    ]


def _shown(name: str, value: Any, people: dict[int, str]) -> str:
    if value is None:
        return NOTHING
    if name.endswith("serviceman_id"):
        return people.get(value, "?")
    how: dict[str, Callable[[], str]] = {
        "status": lambda: Status(value).label,
        "serviceman_estimated_cost": lambda: naira_text(value),
        "final_cost": lambda: naira_text(value),
        "admin_markup_percentage": lambda: f"{value} %",
        "booking_date": lambda: f"{value:%-d %b %Y}",
        "is_emergency": lambda: "Yes" if value else "No",
    }
    return how[name]()


def _payments(payments: Iterable[Payment]) -> Iterator[Happening]:
    for payment in payments:
        what = f"{payment.get_payment_type_display()} of {money(payment.amount)}"
        yield Happening(payment.created_at, f"Checkout opened: {what}", "shopping_cart", kind="money")
        if payment.paid_at:
            good = payment.outcome == PaymentOutcome.APPLIED
            outcome = payment.get_outcome_display() if payment.outcome else ""
            yield Happening(
                payment.paid_at,
                f"Paid: {what}" + ("" if good else f" ({outcome.lower()})"),
                "credit_card",
                "success" if good else "warning",
                words=payment.paystack_reference,
                kind="money",
            )
        elif payment.status == PaymentStatus.FAILED:
            yield Happening(
                payment.checked_at or payment.updated_at,
                f"Failed: {what}",
                "credit_card_off",
                "danger",
                words=payment.gateway_message,
                kind="money",
            )
        for refund in payment.refunds.all():
            back = f"{money(refund.amount)} of the {payment.get_payment_type_display().lower()}"
            yield Happening(
                refund.created_at, f"Refund due: {back}", "undo", "warning", words=refund.reason, kind="money"
            )
            if refund.sent_at:
                yield Happening(refund.sent_at, f"Refund sent: {back}", "outbound", "primary", kind="money")
            if refund.processed_at:
                yield Happening(refund.processed_at, f"Refund arrived: {back}", "done_all", "success", kind="money")
            elif refund.status in (RefundStatus.FAILED, RefundStatus.NEEDS_ATTENTION, RefundStatus.WAIVED):
                words = refund.last_error or refund.note
                title = f"Refund {refund.get_status_display().lower()}: {back}"
                yield Happening(refund.updated_at, title, "error", "danger", words=words, kind="money")


def _event(event: WebhookEvent) -> Happening:
    return Happening(
        event.received_at,
        f"Paystack reported {event.event or 'something'}",
        "webhook",
        words=f"{event.get_outcome_display()}. {event.detail}".strip(),
        kind="event",
    )


def _messages(notifications: Iterable[Notification]) -> Iterator[Happening]:
    ordered = sorted(notifications, key=lambda n: (n.created_at, n.notification_type))
    for (at, kind), group in groupby(ordered, key=lambda n: (n.created_at, n.get_notification_type_display())):
        told = [notification.user.name for notification in group]
        names = ", ".join(told[:3]) + (f" and {len(told) - 3} more" if len(told) > 3 else "")
        yield Happening(at, f"{kind}: told {names}", "mail", kind="message")


def _note(note: Note) -> Happening:
    author = note.author.name if note.author else ""
    return Happening(note.created_at, "Note", "sticky_note_2", "note", actor=author, words=note.text, kind="note")
