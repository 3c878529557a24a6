"""Everything that happened to a request, in order: steps, proposals, money, events, messages, mails, pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from core import clock
from core.models import User
from marketplace.admin.labels import NOTHING, money, stars
from marketplace.enums import Channel, PaymentOutcome, PaymentStatus, RefundStatus, Status
from marketplace.models import (
    Attachment,
    Dispute,
    Note,
    Notification,
    Payment,
    PriceNegotiation,
    Refund,
    ServiceRequest,
    WebhookEvent,
)
from marketplace.money import from_kobo, naira_text

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
    record: ServiceRequest,
    *,
    notifications: Iterable[Notification],
    notes: Iterable[Note],
    attachments: Iterable[Attachment],
    viewer: User,
) -> list[Happening]:
    """Newest first; what the viewer has no right to see is left out."""
    may = viewer.has_perm
    happenings = [*_steps(record, viewer), *map(_note, notes), *map(_picture, attachments)]
    if may("marketplace.view_payment"):
        payments = list(record.payments.all())
        happenings += (each for payment in payments for each in _payment(payment))
        if may("marketplace.view_refund"):
            happenings += (each for p in payments for refund in p.refunds.all() for each in _refund(refund, p))
        if may("marketplace.view_dispute"):
            happenings += (_dispute(dispute) for payment in payments for dispute in payment.disputes.all())
    if may("marketplace.view_webhookevent"):
        references = [payment.paystack_reference for payment in record.payments.all()]
        happenings += map(_event, WebhookEvent.objects.filter(reference__in=references).defer("body"))
    happenings += [*_messages(notifications), *_mails(notifications)]
    # Steps of one moment are read in the order they were taken, so the sort must not disturb them.
    return sorted(happenings, key=lambda happening: happening.at)[::-1]


def _steps(record: ServiceRequest, viewer: User) -> Iterator[Happening]:
    rows = list(record.history.select_related("history_user", "on_behalf_of").order_by("history_date", "history_id"))
    ids = {getattr(row, name) for row in rows for name in ("serviceman_id", "backup_serviceman_id")} - {None}
    known = {user.pk: user for user in (record.serviceman, record.backup_serviceman) if user}
    people = {pk: user.name for pk, user in known.items()}
    if missing := ids - set(known):
        people |= {user.pk: user.name for user in User.objects.filter(pk__in=missing)}
    proposed: Iterator[PriceNegotiation] = iter(())
    if viewer.has_perm("marketplace.view_pricenegotiation"):
        proposed = iter(sorted(record.negotiations.all(), key=lambda proposal: proposal.pk))
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
            changes=_changes(before, row, people) + _proposal(row.step, proposed),
            words=_words_of(row, record),
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


def _proposal(step: str, proposed: Iterator[PriceNegotiation]) -> list[tuple[str, str, str]]:
    """The amount of the proposal that a step made: each such step makes one."""
    proposal = next(proposed, None) if step in ("propose_price", "counter") else None
    return [("Proposal", NOTHING, naira_text(proposal.proposed_amount))] if proposal else []


def _words_of(row: Any, record: ServiceRequest) -> str:
    """Why it was done; of a rating, what the client said."""
    rating = getattr(record, "rating", None)
    if row.step == "rate" and rating:
        return f"{stars(rating.rating)} {rating.review}".strip()
    return row.history_change_reason or ""


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


def _payment(payment: Payment) -> Iterator[Happening]:
    what = f"{payment.get_payment_type_display()} of {money(payment.amount)}"
    opened = "Recorded by hand" if payment.channel == Channel.MANUAL else "Checkout opened"
    icon = "edit_note" if payment.channel == Channel.MANUAL else "shopping_cart"
    by = payment.recorded_by.name if payment.recorded_by else ""
    yield Happening(payment.created_at, f"{opened}: {what}", icon, actor=by, words=payment.evidence, kind="money")
    if payment.paid_at:
        good = payment.outcome == PaymentOutcome.APPLIED
        outcome = payment.get_outcome_display() if payment.outcome else ""
        yield Happening(
            payment.paid_at,
            f"Paid: {what}" + ("" if good else f" ({outcome.lower()})"),
            "credit_card",
            "success" if good else "warning",
            actor=f"approval of {payment.approved_by.name}" if payment.approved_by else "",
            words=payment.paystack_reference,
            kind="money",
        )
    elif payment.status == PaymentStatus.FAILED:
        at = payment.checked_at or payment.updated_at
        yield Happening(at, f"Failed: {what}", "credit_card_off", "danger", words=payment.gateway_message, kind="money")


def _refund(refund: Refund, payment: Payment) -> Iterator[Happening]:
    back = f"{money(refund.amount)} of the {payment.get_payment_type_display().lower()}"
    asked, approved = (user.name if user else "" for user in (refund.requested_by, refund.approved_by))
    yield Happening(
        refund.created_at, f"Refund due: {back}", "undo", "warning", actor=asked, words=refund.reason, kind="money"
    )
    if refund.approved_at:
        yield Happening(
            refund.approved_at, f"Refund approved: {back}", "approval", "primary", actor=approved, kind="money"
        )
    if refund.sent_at:
        yield Happening(refund.sent_at, f"Refund sent: {back}", "outbound", "primary", kind="money")
    if refund.processed_at:
        yield Happening(refund.processed_at, f"Refund arrived: {back}", "done_all", "success", kind="money")
    elif refund.status in (RefundStatus.FAILED, RefundStatus.NEEDS_ATTENTION, RefundStatus.WAIVED):
        title = f"Refund {refund.get_status_display().lower()}: {back}"
        words = refund.last_error or refund.note
        yield Happening(refund.updated_at, title, "error", "danger", words=words, kind="money")


def _dispute(dispute: Dispute) -> Happening:
    wanted = naira_text(from_kobo(dispute.amount_kobo))
    state = " ".join(filter(None, (dispute.get_status_display(), dispute.resolution)))
    words = f"{state}. {dispute.reason}".strip()
    return Happening(
        dispute.created_at, f"Disputed by the bank: {wanted}", "gavel", "danger", words=words, kind="money"
    )


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
        yield Happening(at, f"{kind}: told {_names(group)}", "notifications", kind="message")


def _mails(notifications: Iterable[Notification]) -> Iterator[Happening]:
    """Mails that left, each lot of one kind once; those that did not leave, and why, one by one and always in sight."""
    ordered = sorted((n for n in notifications if n.email_sent_at), key=_lot)
    for (at, kind), group in groupby(ordered, key=_lot):
        yield Happening(at, f"{kind}: e-mail sent to {_names(group)}", "outgoing_mail", kind="mail")
    for notification in notifications:
        if notification.sent_to_email or not notification.attempts:
            continue
        given_up = notification.parked_at is not None
        tries = f"{notification.attempts} {'try' if notification.attempts == 1 else 'tries'}"
        state = f"given up after {tries}" if given_up else f"failed, {tries} so far"
        yield Happening(
            notification.parked_at or min(notification.next_try_at, clock.now()),
            f"{notification.get_notification_type_display()}: e-mail to {notification.user.name} {state}",
            "unsubscribe",
            "danger" if given_up else "warning",
            words=notification.last_error,
            kind="trouble",
        )


def _lot(notification: Notification) -> tuple[Any, str]:
    """Mails of one minute about one thing are told together."""
    at = notification.email_sent_at
    return at and at.replace(second=0, microsecond=0), notification.get_notification_type_display()


def _names(notifications: Iterable[Notification]) -> str:
    told = [notification.user.name for notification in notifications]
    return ", ".join(told[:3]) + (f" and {len(told) - 3} more" if len(told) > 3 else "")


def _picture(attachment: Attachment) -> Happening:
    by = attachment.uploaded_by.name if attachment.uploaded_by else ""
    what = attachment.get_kind_display().lower()
    return Happening(attachment.created_at, f"Picture added: {what}", "photo_camera", actor=by, kind="picture")


def _note(note: Note) -> Happening:
    author = note.author.name if note.author else ""
    return Happening(note.created_at, "Note", "sticky_note_2", "note", actor=author, words=note.text, kind="note")
