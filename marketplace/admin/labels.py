"""How the console shows things: colours of states, people, amounts, ages and deadlines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from textwrap import shorten
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from core import clock
from marketplace.enums import (
    Approval,
    DisputeStatus,
    NegotiationStatus,
    OfferAnswer,
    PaymentOutcome,
    PaymentStatus,
    PayoutStatus,
    RefundStatus,
    Status,
    WebhookOutcome,
)
from marketplace.money import from_kobo, naira_text

TONES: dict[Any, dict[str, str]] = {
    Status: {
        Status.AWAITING_BOOKING_FEE: "quiet",
        Status.PENDING_ADMIN_ASSIGNMENT: "warning",
        Status.ASSIGNED_TO_SERVICEMAN: "info",
        Status.SERVICEMAN_INSPECTED: "warning",
        Status.AWAITING_CLIENT_APPROVAL: "info",
        Status.NEGOTIATING: "primary",
        Status.AWAITING_PAYMENT: "info",
        Status.PAYMENT_CONFIRMED: "primary",
        Status.IN_PROGRESS: "primary",
        Status.WORK_COMPLETED: "warning",
        Status.COMPLETED: "success",
        Status.CANCELLED: "quiet",
    },
    Approval: {
        Approval.PENDING: "warning",
        Approval.APPROVED: "success",
        Approval.REJECTED: "quiet",
        Approval.SUSPENDED: "danger",
    },
    PaymentStatus: {
        PaymentStatus.PENDING: "info",
        PaymentStatus.SUCCESSFUL: "success",
        PaymentStatus.FAILED: "danger",
    },
    PaymentOutcome: {
        PaymentOutcome.APPLIED: "success",
        PaymentOutcome.LATE: "warning",
        PaymentOutcome.DUPLICATE: "warning",
        PaymentOutcome.MISMATCH: "danger",
        PaymentOutcome.SUPERSEDED: "quiet",
    },
    RefundStatus: {
        RefundStatus.DUE: "warning",
        RefundStatus.REVIEW: "warning",
        RefundStatus.APPROVED: "primary",
        RefundStatus.SENT: "info",
        RefundStatus.PROCESSING: "info",
        RefundStatus.PROCESSED: "success",
        RefundStatus.FAILED: "danger",
        RefundStatus.NEEDS_ATTENTION: "danger",
        RefundStatus.WAIVED: "quiet",
    },
    PayoutStatus: {
        PayoutStatus.PREPARED: "warning",
        PayoutStatus.APPROVED: "primary",
        PayoutStatus.SENT: "info",
        PayoutStatus.PAID: "success",
        PayoutStatus.FAILED: "danger",
        PayoutStatus.REVERSED: "danger",
    },
    OfferAnswer: {
        OfferAnswer.ACCEPTED: "success",
        OfferAnswer.DECLINED: "danger",
        OfferAnswer.LAPSED: "warning",
        OfferAnswer.WITHDRAWN: "danger",
        OfferAnswer.TAKEN_BACK: "quiet",
        OfferAnswer.CLOSED: "quiet",
    },
    NegotiationStatus: {
        NegotiationStatus.PENDING: "warning",
        NegotiationStatus.ACCEPTED: "success",
        NegotiationStatus.REJECTED: "danger",
        NegotiationStatus.COUNTERED: "info",
        NegotiationStatus.WITHDRAWN: "quiet",
    },
    WebhookOutcome: {
        WebhookOutcome.RECEIVED: "info",
        WebhookOutcome.APPLIED: "success",
        WebhookOutcome.IGNORED: "quiet",
        WebhookOutcome.NOT_UNDERSTOOD: "danger",
        WebhookOutcome.RETRY: "warning",
    },
    DisputeStatus: {DisputeStatus.OPEN: "danger", DisputeStatus.RESOLVED: "success"},
}
"""What each state looks like: warning is ours to deal with, danger went wrong, quiet is over."""

NOTHING = "-"


def badge(text: str, tone: str = "quiet") -> SafeString:
    """A label in colour."""
    return format_html('<span class="c-badge c-{}">{}</span>', tone, text)


def state(value: Any, kind: Any) -> SafeString:
    """A state of one of our closed lists in its colour; a dash for none."""
    return badge(kind(value).label, TONES[kind].get(value, "quiet")) if value else format_html("{}", NOTHING)


def money(amount: Any) -> str:
    """₦22,500.00, or a dash."""
    return NOTHING if amount in (None, "") else naira_text(amount)


def kobo(amount: Any) -> str:
    """Integer kobo as ₦22,500.00, or a dash."""
    return NOTHING if amount in (None, "") else naira_text(from_kobo(amount))


def many(count: int, thing: str) -> str:
    """1 payment, 1,200 payments."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def stars(number: int) -> str:
    """★★★★☆, as text: it can be read where no colour is."""
    return "★" * number + "☆" * (5 - number)


def link_to(record: Any, text: str = "") -> SafeString:
    """A link to a record's page in the console; its text alone when it has none."""
    if not record:
        return format_html("{}", NOTHING)
    try:
        url = reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])
    except NoReverseMatch:
        return format_html("{}", text or record)
    return format_html('<a class="c-link" href="{}">{}</a>', url, text or record)


def person(user: Any) -> SafeString:
    """A person's name, linked to the account."""
    return link_to(user, user.name if user else "")


def span(seconds: float) -> str:
    """A length of time in its two largest units: 3 d 4 h, 5 min."""
    minutes = int(abs(seconds) // 60)
    days, hours, minutes = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days:
        return f"{days} d {hours} h" if hours and days < 10 else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"
    return f"{minutes} min" if minutes else "a moment"


def at(moment: datetime | None) -> str:
    """A moment in Lagos: 22 Nov 2026, 10:06."""
    return f"{moment.astimezone(clock.LAGOS):%-d %b %Y, %H:%M}" if moment else NOTHING


def age(moment: datetime | None) -> str:
    """How long something has been so: 3 d 4 h."""
    return NOTHING if not moment else span((clock.now() - moment).total_seconds())


def ago(moment: datetime | None, after: str = "") -> SafeString:
    """The same, in one piece, with the moment itself for whoever points at it; `after` follows, as in 3 d ago."""
    if not moment:
        return format_html("{}", NOTHING)
    return format_html(
        '<time class="c-nowrap" datetime="{}" title="{}">{}{}</time>',
        moment.isoformat(),
        at(moment),
        age(moment),
        after,
    )


def due(moment: datetime | None) -> SafeString:
    """A deadline: how long is left, or in red by how much it is overdue."""
    if not moment:
        return format_html("{}", NOTHING)
    left = (moment - clock.now()).total_seconds()
    if left < 0:
        return format_html('<span class="c-overdue" title="{}">{} overdue</span>', at(moment), span(left))
    return format_html('<span title="{}">in {}</span>', at(moment), span(left))


# --- Columns of lists and lines of pages


def column(title: str, shown: Callable[[Any], Any], ordering: str | None = None) -> Any:
    """A column of a list, or a line of a page: its title, and what it shows of a row."""

    @display(description=title, ordering=ordering)
    def method(_: Any, record: Any) -> Any:
        return shown(record)

    return method


def two(first: Any, second: Any) -> SafeString:
    """Two lines in one cell, the second in small."""
    return format_html('<span class="c-two"><b>{}</b><small>{}</small></span>', first, second)


def unbroken(text: Any) -> SafeString:
    """Text that stays on one line of a list."""
    return format_html('<span class="c-nowrap">{}</span>', text)


def beginning(text: str, longest: int = 90) -> SafeString | str:
    """The beginning of a long text, cut between words, in a column wide enough to read it."""
    return format_html('<span class="c-long">{}</span>', shorten(text, longest, placeholder=" …")) if text else NOTHING
