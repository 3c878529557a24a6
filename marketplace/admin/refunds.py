"""Money that goes back: approving, waiving and sending refunds."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, RangeNumericFilter
from unfold.enums import ActionVariant

from core.console import ExportAdmin, HistoryAdmin
from core.dialogs import DialogForm, carry_out, dialog, line, naira, words
from core.filters import DaysFilter
from core.models import User
from marketplace import exports
from marketplace.admin.labels import ago, beginning, column, link_to, money, person, state
from marketplace.admin.lists import IndexedSearch, keys, payments_called, people_called
from marketplace.admin.manual import NoteForm
from marketplace.admin.queues import BY_KEY
from marketplace.admin.steps import ReasonForm
from marketplace.enums import Channel, PaymentOutcome, RefundStatus
from marketplace.models import Refund
from marketplace.services import refunds
from marketplace.services.approvals import needs_another

R = RefundStatus


class DecideFilter(DropdownFilter):
    """What waits for finance."""

    title = "queue"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One."""
        return [("to_decide", "To decide")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Refund]) -> QuerySet[Refund]:
        """The same rows as the card counts."""
        return queryset & BY_KEY["to_decide"].rows() if self.value() else queryset


class ApproveForm(DialogForm):
    """Let it go, perhaps smaller."""

    amount = naira("Amount", required=False, min_value=Decimal("0.01"))
    note_text = words("Note", required=False, rows=2, help_text="Needed when the amount is made smaller.")
    names: ClassVar = {"note": "note_text"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"amount": kwargs["record"].amount}
        super().__init__(*args, **kwargs)
        if self.record.status != R.REVIEW:
            del self.fields["amount"]
            self.fields["note_text"].help_text = ""
            self.note = f"{money(self.record.amount)} goes back to the client."

    @property
    def chosen(self) -> dict[str, Any]:
        """As the service names it."""
        filled = super().chosen
        return {"note": filled.pop("note_text"), **filled}


class SendForm(DialogForm):
    """Nothing to fill in."""

    note = "Paystack is told to send the money back. If its answer to an earlier try was lost, that is looked up first."


class AccountForm(DialogForm):
    """Where the money should go."""

    note = "Paystack could not return the money the way it came, and needs the client's bank account."
    account_number = line("Account number", longest=10)
    bank_id = line("Bank id", longest=20, help_text="Paystack's id of the bank.")


def _in(*statuses: str, through_paystack: bool = False) -> Callable[[Any, HttpRequest, Refund], str]:
    def why_not(_: Any, request: HttpRequest, refund: Refund) -> str:
        if refund.status not in statuses:
            return f"This refund is {refund.get_status_display().lower()}."
        if through_paystack and refund.channel != Channel.PAYSTACK:
            return "This refund is made by hand."
        return ""

    return why_not


def _by_hand(_: Any, request: HttpRequest, refund: Refund) -> str:
    if refund.status == R.APPROVED and refund.sending_at is not None:
        return "Paystack may still send it."
    if refund.status not in (R.APPROVED, R.NEEDS_ATTENTION):
        return f"This refund is {refund.get_status_display().lower()}."
    if isinstance(request.user, User) and needs_another(refund.approved_by_id, by=request.user, codename="refund"):
        return "You approved it: somebody else pays it back by hand."
    return ""


def _decidable(model_admin: Any, request: HttpRequest, refund: Refund) -> str:
    if why_not := _in(R.DUE, R.REVIEW, R.FAILED)(model_admin, request, refund):
        return why_not
    if isinstance(request.user, User) and needs_another(refund.requested_by_id, by=request.user, codename="refund"):
        return "You asked for it: somebody else must approve it."
    return ""


def _waivable(_: Any, request: HttpRequest, refund: Refund) -> str:
    if refund.status not in (R.DUE, R.REVIEW):
        return f"This refund is {refund.get_status_display().lower()}."
    if refund.payment.outcome in (PaymentOutcome.LATE, PaymentOutcome.DUPLICATE):
        return "This money was never ours to keep."
    return ""


@admin.register(Refund)
class RefundAdmin(IndexedSearch, HistoryAdmin, ExportAdmin):
    """Money owed back, from due to arrived."""

    resource_classes = (exports.Refunds,)
    list_display = ("what", "request_", "payment_", "amount_", "status_", "reason_start", "age")
    list_select_related = ("payment__service_request",)
    list_filter = (
        DecideFilter,
        ("status", ChoicesDropdownFilter),
        ("amount", RangeNumericFilter),
        ("created_at", DaysFilter),
    )
    search_fields = ("payment__paystack_reference", "payment__service_request__code", "paystack_refund_id")
    search_help_text = "Payment, request, or the client's name, phone or e-mail"
    ordering = ("-id",)
    actions_detail = ("approve", "send", "follow", "provide_account", "pay_by_hand", "waive")
    fieldsets = (
        (None, {"fields": ("request_", "client", "payment_", "amount_", "status_", "reason", "note")}),
        ("Decision", {"fields": ("requested", "approved", "approved_at")}),
        (
            "The way back",
            {"fields": ("channel", "sending_at", "sent_at", "processed_at", "paystack_refund_id", "last_error")},
        ),
    )
    readonly_fields = ("request_", "client", "payment_", "amount_", "status_", "requested", "approved")

    what = column("Refund", lambda r: f"No. {r.pk}", "id")
    request_ = column("Request", lambda r: link_to(r.payment.service_request))
    client = column("Client", lambda r: person(r.payment.service_request.client))
    payment_ = column("Payment", lambda r: link_to(r.payment))
    amount_ = column("Amount", lambda r: money(r.amount), "amount")
    status_ = column("Status", lambda r: state(r.status, RefundStatus), "status")
    requested = column("Owed by", lambda r: person(r.requested_by))
    approved = column("Approved by", lambda r: person(r.approved_by))
    reason_start = column("Reason", lambda r: beginning(r.reason))
    age = column("Age", lambda r: ago(r.created_at), "created_at")

    def matching(self, term: str) -> QuerySet[Any]:
        """By payment, request or client, and by Paystack's own number."""
        by_payment = keys(Refund, payment__in=payments_called(term, people_called(term)))
        return by_payment.union(keys(Refund, paystack_refund_id=term))

    @dialog(
        "Approve",
        may="marketplace.refund",
        form=ApproveForm,
        icon="check",
        variant=ActionVariant.PRIMARY,
        why_not=_decidable,
    )
    def approve(self, request: HttpRequest, form: ApproveForm, object_id: str) -> HttpResponse:
        """Let it go."""
        return carry_out(self, request, object_id, refunds.approve, done="Approved: it can be sent now.", **form.chosen)

    @dialog(
        "Send",
        may="marketplace.refund",
        form=SendForm,
        icon="outbound",
        variant=ActionVariant.PRIMARY,
        why_not=_in(R.APPROVED, through_paystack=True),
    )
    def send(self, request: HttpRequest, form: SendForm, object_id: str) -> HttpResponse:
        """Through Paystack."""
        return carry_out(self, request, object_id, refunds.send, done="Sent through Paystack.")

    @dialog(
        "Check with Paystack",
        may="marketplace.refund",
        icon="sync",
        why_not=_in(R.SENT, R.PROCESSING, R.NEEDS_ATTENTION, through_paystack=True),
    )
    def follow(self, request: HttpRequest, form: DialogForm, object_id: str) -> HttpResponse:
        """What became of it?"""

        def settle(refund_id: int, *, by: User) -> None:
            refunds.settle(refund_id)

        return carry_out(self, request, object_id, settle, done="Paystack's answer is recorded.")

    @dialog(
        "Give the client's account",
        may="marketplace.refund",
        form=AccountForm,
        icon="account_balance",
        why_not=_in(R.NEEDS_ATTENTION, through_paystack=True),
    )
    def provide_account(self, request: HttpRequest, form: AccountForm, object_id: str) -> HttpResponse:
        """Where the money should go."""
        done = "Paystack has the account and tries again."
        return carry_out(self, request, object_id, refunds.provide_account, done=done, **form.chosen)

    @dialog(
        "Paid back by hand",
        may="marketplace.refund",
        form=NoteForm,
        icon="handshake",
        why_not=_by_hand,
    )
    def pay_by_hand(self, request: HttpRequest, form: NoteForm, object_id: str) -> HttpResponse:
        """By transfer or in cash."""
        done = "Recorded: the money has gone back."
        return carry_out(self, request, object_id, refunds.pay_back_by_hand, done=done, **form.chosen)

    @dialog(
        "Waive",
        may="marketplace.refund",
        form=ReasonForm,
        icon="money_off",
        variant=ActionVariant.DANGER,
        why_not=_waivable,
    )
    def waive(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """The money stays."""
        return carry_out(self, request, object_id, refunds.waive, done="Waived: the money stays.", **form.chosen)
