"""Money that came in: payments, chargebacks, receipts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, RangeNumericFilter
from unfold.enums import ActionVariant

from core.console import ConsoleAdmin, ExportAdmin, HistoryAdmin
from core.dialogs import DialogForm, carry_out, dialog
from core.errors import Conflict
from core.filters import DaysFilter
from core.models import User
from marketplace import exports
from marketplace.admin.labels import NOTHING, column, due, kobo, link_to, money, person, state
from marketplace.admin.lists import IndexedSearch, payments_called, people_called
from marketplace.admin.manual import DecideDialogs, NoteForm
from marketplace.admin.queues import BY_KEY
from marketplace.admin.risk import wrong_payments
from marketplace.enums import Channel, DisputeStatus, PaymentOutcome, PaymentStatus
from marketplace.models import Dispute, Payment, Receipt
from marketplace.services import payments


class PaymentQueueFilter(DropdownFilter):
    """Wrong money that has not gone back, and money by hand that waits for approval."""

    title = "queue"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Two."""
        return [("to_approve", "To approve"), ("wrong", "Late, twice or wrong")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Payment]) -> QuerySet[Payment]:
        """The same rows as the cards count."""
        rows = {"to_approve": BY_KEY["to_approve"].rows, "wrong": wrong_payments}.get(self.value() or "")
        return queryset & rows() if rows else queryset


class CheckForm(DialogForm):
    """Nothing to fill in."""

    note = (
        "Paystack is asked what became of this payment, and its answer is applied: the request moves on if it was paid."
    )


def _open_at_paystack(_: Any, request: HttpRequest, payment: Payment) -> str:
    if payment.channel != Channel.PAYSTACK:
        return "This payment was made by hand."
    if payment.status == PaymentStatus.SUCCESSFUL:
        return "This payment is proven already."
    return ""


@admin.register(Payment)
class PaymentAdmin(IndexedSearch, DecideDialogs, HistoryAdmin, ExportAdmin):
    """Every attempt to pay. Proven money is kept whatever became of it."""

    resource_classes = (exports.Payments,)
    list_display = ("paystack_reference", "request_", "type_", "amount_", "status_", "outcome_", "when")
    list_select_related = ("service_request",)
    list_filter = (
        PaymentQueueFilter,
        ("status", ChoicesDropdownFilter),
        ("outcome", ChoicesDropdownFilter),
        ("payment_type", ChoicesDropdownFilter),
        ("channel", ChoicesDropdownFilter),
        ("amount", RangeNumericFilter),
        ("paid_at", DaysFilter),
    )
    search_fields = ("paystack_reference", "service_request__code", "service_request__client__email")
    search_help_text = "Reference, request, or the client's name, phone or e-mail"
    ordering = ("-id",)
    sortable_by = ("paystack_reference", "when")
    actions_detail = ("approve", "reject", "settle", "refund", "set_aside")
    fieldsets = (
        (None, {"fields": ("request_", "client", "type_", "amount_", "status_", "outcome_", "price_version")}),
        (
            "Paystack",
            {
                "fields": (
                    "paystack_reference", "received", "fees", "gateway_status", "gateway_message", "paid_at",
                    "created_at", "checked_at", "checks", "next_check_at", "metadata",
                )
            },
        ),
        ("By hand", {"fields": ("channel", "evidence", "recorded", "approved")}),
    )  # fmt: skip
    readonly_fields = (
        "request_",
        "client",
        "type_",
        "amount_",
        "status_",
        "outcome_",
        "received",
        "fees",
        "recorded",
        "approved",
    )

    request_ = column("Request", lambda p: link_to(p.service_request))
    client = column("Client", lambda p: person(p.service_request.client))
    type_ = column("For", lambda p: p.get_payment_type_display())
    amount_ = column("Amount", lambda p: money(p.amount))
    status_ = column("Status", lambda p: state(p.status, PaymentStatus))
    outcome_ = column("Outcome", lambda p: state(p.outcome, PaymentOutcome))
    received = column("Arrived", lambda p: kobo(p.received_kobo))
    fees = column("Paystack's fee", lambda p: kobo(p.fees_kobo))
    recorded = column("Recorded by", lambda p: person(p.recorded_by))
    approved = column("Approved by", lambda p: person(p.approved_by))
    when = column("Paid", lambda p: p.paid_at or NOTHING, "paid_at")

    def matching(self, term: str) -> QuerySet[Any]:
        """By reference, request or client."""
        return payments_called(term, people_called(term))

    @dialog(
        "Check with Paystack",
        may="marketplace.settle",
        form=CheckForm,
        icon="sync",
        variant=ActionVariant.PRIMARY,
        why_not=_open_at_paystack,
    )
    def settle(self, request: HttpRequest, form: CheckForm, object_id: str) -> HttpResponse:
        """Ask, and apply the answer."""
        payment: Payment = self.record(request, object_id)

        def ask(_: int, *, by: User) -> None:
            settled = payments.settle(payment.paystack_reference)
            if settled.status == PaymentStatus.PENDING:
                said = settled.gateway_status or "nothing"
                raise Conflict(f"Not paid so far. Paystack says: {said}.", code="not_paid")

        return carry_out(self, request, object_id, ask, done="Paystack's answer is applied.")


def _is_open(_: Any, request: HttpRequest, dispute: Dispute) -> str:
    return "" if dispute.status == DisputeStatus.OPEN else "This dispute is resolved."


@admin.register(Dispute)
class DisputeAdmin(ConsoleAdmin):
    """Chargebacks, as Paystack reported them."""

    list_display = ("paystack_id", "payment_", "amount", "status_", "answer_by", "created_at")
    list_select_related = ("payment",)
    list_filter = (("status", ChoicesDropdownFilter),)
    search_fields = ("paystack_id", "payment__paystack_reference")
    ordering = ("-id",)
    actions_detail = ("ask_paystack", "write_down")
    fields = (
        "paystack_id", "payment_", "amount", "status_", "reason", "resolution", "answer_by", "unexplained", "refund_",
        "note", "created_at",
    )  # fmt: skip
    readonly_fields = ("payment_", "amount", "status_", "answer_by", "unexplained", "refund_")

    payment_ = column("Payment", lambda d: link_to(d.payment))
    amount = column("Amount", lambda d: kobo(d.amount_kobo), "amount_kobo")
    status_ = column("Status", lambda d: state(d.status, DisputeStatus), "status")
    answer_by = column("Evidence", lambda d: due(d.due_at) if d.status == DisputeStatus.OPEN else NOTHING, "due_at")
    unexplained = column("Taken beyond what was left", lambda d: kobo(d.unexplained_kobo or None))
    refund_ = column("Booked as", lambda d: link_to(d.refund, f"Refund no. {d.refund_id}"))

    @dialog(
        "Check with Paystack", may="marketplace.settle", icon="sync", variant=ActionVariant.PRIMARY, why_not=_is_open
    )
    def ask_paystack(self, request: HttpRequest, form: DialogForm, object_id: str) -> HttpResponse:
        """How does it stand?"""
        dispute: Dispute = self.record(request, object_id)

        def ask(_: int, *, by: User) -> None:
            payments.record_dispute(dispute.paystack_id)

        return carry_out(self, request, object_id, ask, done="Paystack's answer is recorded.")

    @dialog("Write down what was done", may="marketplace.settle", form=NoteForm, icon="edit_note")
    def write_down(self, request: HttpRequest, form: NoteForm, object_id: str) -> HttpResponse:
        """For colleagues, and to take a loss off the list."""
        return carry_out(self, request, object_id, payments.note_on_dispute, done="Written down.", **form.chosen)


@admin.register(Receipt)
class ReceiptAdmin(ConsoleAdmin):
    """Numbered receipts."""

    list_display = ("__str__", "payment_", "amount", "issued_at")
    list_select_related = ("payment",)
    search_fields = ("=number", "payment__paystack_reference")
    fields = ("__str__", "payment_", "amount", "vat_percentage", "issued_at")
    readonly_fields = ("__str__", "payment_", "amount")

    payment_ = column("Payment", lambda r: link_to(r.payment))
    amount = column("Amount", lambda r: money(r.payment.amount))
