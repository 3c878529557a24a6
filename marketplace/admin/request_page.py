"""What the page of a request shows: header, buttons, tabs. A fixed number of statements whatever the request holds."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest

from core.models import User
from marketplace.admin.timeline import timeline
from marketplace.enums import Side, Status
from marketplace.models import (
    Attachment,
    Consultation,
    Issue,
    LedgerEntry,
    Note,
    Offer,
    Payment,
    Price,
    PriceNegotiation,
    Refund,
    ServiceRequest,
)
from marketplace.models.sheets import price_sheet

S = Status
NEXT: dict[str, str] = {
    S.AWAITING_BOOKING_FEE: "Pay the booking fee",
    S.PENDING_ADMIN_ASSIGNMENT: "Assign a serviceman",
    S.ASSIGNED_TO_SERVICEMAN: "Answer the offer",
    S.SERVICEMAN_INSPECTED: "Set the final cost",
    S.AWAITING_CLIENT_APPROVAL: "Approve the price, or propose another",
    S.NEGOTIATING: "Answer the proposal",
    S.AWAITING_PAYMENT: "Pay the final cost",
    S.PAYMENT_CONFIRMED: "Start the work",
    S.IN_PROGRESS: "Finish the work",
    S.WORK_COMPLETED: "Verify the completion",
}
"""What must happen next."""

LADDER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Booked", (S.AWAITING_BOOKING_FEE,)),
    ("Fee paid", (S.PENDING_ADMIN_ASSIGNMENT,)),
    ("Assigned", (S.ASSIGNED_TO_SERVICEMAN,)),
    ("Inspected", (S.SERVICEMAN_INSPECTED,)),
    ("Priced", (S.AWAITING_CLIENT_APPROVAL, S.NEGOTIATING, S.AWAITING_PAYMENT)),
    ("Paid", (S.PAYMENT_CONFIRMED,)),
    ("Working", (S.IN_PROGRESS,)),
    ("Done", (S.WORK_COMPLETED,)),
    ("Verified", (S.COMPLETED,)),
)
"""How far it has come, for the eye."""

BUTTONS = (
    "resolve_issue", "assign", "accept_proposal", "counter", "set_final_cost", "verify", "return_to_work",
)  # fmt: skip
"""What is shown as buttons when it is possible; the rest stands in the menu."""

MENU: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Request", ("reassign", "reschedule", "set_emergency", "lift_emergency", "raise_issue", "add_note")),
    ("Negotiation", ("propose_price", "reject_proposal", "withdraw_proposal", "consult")),
    ("For the serviceman", ("accept", "decline", "withdraw", "submit_estimate", "start_work", "complete_work")),
    ("For the client", ("approve_price",)),
    ("Money", ("record_payment", "compensate")),
    ("End", ("cancel", "soft_delete")),
)
ACTIONS = (*BUTTONS, *(name for _, names in MENU for name in names))


def rows_with_all() -> QuerySet[ServiceRequest]:
    """Requests with everything the page shows of them."""
    return ServiceRequest.objects.select_related(
        "client__client_profile",
        "category",
        "serviceman__serviceman_profile",
        "backup_serviceman__serviceman_profile",
        "preferred_serviceman",
        "rating",
    ).prefetch_related(
        Prefetch("offers", Offer.objects.select_related("serviceman")),
        Prefetch("prices", Price.objects.select_related("by")),
        Prefetch("issues", Issue.objects.select_related("raised_by", "resolved_by")),
        Prefetch("negotiations", PriceNegotiation.objects.select_related("proposed_by")),
        Prefetch("negotiations__consultations", Consultation.objects.select_related("serviceman", "asked_by")),
        Prefetch("payments", Payment.objects.select_related("recorded_by", "approved_by").order_by("created_at", "id")),
        Prefetch("payments__refunds", Refund.objects.select_related("requested_by", "approved_by")),
        "payments__disputes",
    )


def page(request: HttpRequest, record: ServiceRequest, actions: list[Any]) -> dict[str, Any]:
    """The template's context; `actions` are the dialogs possible now."""
    viewer = request.user
    assert isinstance(viewer, User)  # noqa: S101  (nobody else gets past the console's door)
    may_messages = viewer.has_perm("marketplace.view_notification")
    notifications = list(record.notifications.select_related("user").order_by("-id")) if may_messages else []
    attachments = list(Attachment.objects.filter(request=record).select_related("uploaded_by"))
    notes = list(Note.objects.filter(request=record).select_related("author"))
    return {
        "record": record,
        "next_step": _next_step(record),
        "ladder": _ladder(record),
        "ours": record.waiting_on == Side.ADMIN,
        **_buttons(actions),
        "money": _money(record, viewer),
        "thread": list(record.negotiations.all()) if viewer.has_perm("marketplace.view_pricenegotiation") else None,
        "offers": list(record.offers.all()),
        "notes": notes,
        "attachments": attachments,
        "notifications": notifications if may_messages else None,
        "failed": sum(not n.sent_to_email and (n.parked_at is not None or n.last_error != "") for n in notifications),
        "timeline": timeline(record, notifications=notifications, notes=notes, attachments=attachments, viewer=viewer),
    }


def _next_step(record: ServiceRequest) -> dict[str, str] | None:
    if not record.is_open:
        return None
    what = NEXT[record.status]
    if record.has_open_issue:
        what = "Resolve the open issue"
    elif record.status == S.ASSIGNED_TO_SERVICEMAN and record.accepted_at:
        what = "Inspect, and submit an estimate"
    person = {Side.CLIENT: record.client, Side.SERVICEMAN: record.serviceman}.get(Side(record.waiting_on))
    who = person.name if person else Side(record.waiting_on).label
    return {"who": "An admin" if record.waiting_on == Side.ADMIN else who, "what": what, "side": record.waiting_on}


def _ladder(record: ServiceRequest) -> list[dict[str, Any]]:
    """The stages with what is done, current and to come; a cancelled one stops where it was."""
    here = next((i for i, (_, statuses) in enumerate(LADDER) if record.status in statuses), None)
    if here is None:  # cancelled: as far as its traces show
        marks = (True, bool(record.applied_payment("INITIAL_BOOKING")), record.accepted_at,  # type: ignore[arg-type]
                 record.inspection_completed_at, record.final_cost, record.final_is_paid)  # fmt: skip
        here = max(i for i, mark in enumerate(marks) if mark)
    done = record.status == S.COMPLETED
    return [
        {"title": title, "state": "done" if i < here or done else "current" if i == here else "todo"}
        for i, (title, _) in enumerate(LADDER)
    ]


def _buttons(actions: list[Any]) -> dict[str, Any]:
    by_name = {action.path: action for action in actions}
    return {
        "buttons": [by_name[name] for name in BUTTONS if name in by_name],
        "menu": [
            (title, [by_name[name] for name in names if name in by_name])
            for title, names in MENU
            if any(name in by_name for name in names)
        ],
    }


def _money(record: ServiceRequest, viewer: User) -> dict[str, Any]:
    money: dict[str, Any] = {
        "sheet": price_sheet(record, Side.ADMIN),
        "may_prices": viewer.has_perm("marketplace.view_price"),
        "payments": list(record.payments.all()) if viewer.has_perm("marketplace.view_payment") else None,
        "may_refunds": viewer.has_perm("marketplace.view_refund"),
    }
    if viewer.has_perm("marketplace.view_ledgerentry"):
        money["entries"] = list(LedgerEntry.objects.filter(request=record).prefetch_related("lines").order_by("id"))
    return money
