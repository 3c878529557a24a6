"""Dialogs about money by hand: recording it on a request, approving or rejecting it, giving money back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.enums import ActionVariant

from core import clock
from core.dialogs import DialogForm, carry_out, choice, day, dialog, naira, words
from core.models import User
from marketplace.admin.labels import kobo, money
from marketplace.admin.steps import ReasonForm
from marketplace.enums import Channel, PaymentOutcome, PaymentStatus, PaymentType, Status
from marketplace.models import Payment, ServiceRequest
from marketplace.services import payments, payouts, refunds
from marketplace.services.approvals import needs_another

AT_WORK = (Status.IN_PROGRESS, Status.WORK_COMPLETED, Status.COMPLETED)


class RecordForm(DialogForm):
    """What came, when, and how that can be checked."""

    payment_type = choice("For", PaymentType.choices)
    amount = naira("Amount that came", min_value=Decimal("0.01"))
    paid_on = day("Day it came")
    evidence = words(
        "Evidence", rows=2, help_text="Reference of the transfer, teller or POS slip: what can be found at the bank."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        record: ServiceRequest = kwargs["record"]
        final = record.final_cost is not None and record.status != Status.AWAITING_BOOKING_FEE
        kind = PaymentType.FINAL_PAYMENT if final else PaymentType.INITIAL_BOOKING
        due = record.final_cost if final else record.initial_booking_fee
        kwargs["initial"] = {"payment_type": kind, "amount": due, "paid_on": clock.today()}
        super().__init__(*args, **kwargs)
        price = f", price {money(record.final_cost)}" if record.final_cost is not None else ""
        self.note = f"Fee {money(record.initial_booking_fee)}{price}. Nothing moves before it is approved."


class ApproveForm(DialogForm):
    """Look at the evidence."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        payment: Payment = self.record
        came, who = kobo(payment.received_kobo), payment.recorded_by.name if payment.recorded_by else "somebody"
        what = payment.get_payment_type_display().lower()
        self.note = f"{came} for the {what}, recorded by {who}. Evidence: {payment.evidence}"


class RefundForm(ReasonForm):
    """How much goes back, and why."""

    amount = naira("Amount", min_value=Decimal("0.01"))
    note = "Somebody else approves it; then it is sent."

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"amount": refunds.returnable(kwargs["record"])}
        super().__init__(*args, **kwargs)
        self.order_fields(["amount", "reason"])


class NoteForm(DialogForm):
    """What was done, in words that a colleague can check."""

    note_text = words("What was done", rows=2)
    names = {"note": "note_text"}  # noqa: RUF012  (as the base declares it)

    @property
    def chosen(self) -> dict[str, Any]:
        """As the service names it."""
        return {"note": super().chosen["note_text"]}


def _recordable(_: Any, request: HttpRequest, record: ServiceRequest) -> str:
    return "" if not record.is_deleted else "This request is deleted."


def _to_approve(_: Any, request: HttpRequest, payment: Payment) -> str:
    if payment.channel != Channel.MANUAL or payment.status != PaymentStatus.PENDING:
        return "This payment is not waiting for approval."
    return ""


def _approvable(model_admin: Any, request: HttpRequest, payment: Payment) -> str:
    if why_not := _to_approve(model_admin, request, payment):
        return why_not
    by = request.user
    if isinstance(by, User) and needs_another(payment.recorded_by_id, by=by, codename="settle"):
        return "You recorded it yourself: somebody else must approve it."
    return ""


def _returnable(_: Any, request: HttpRequest, payment: Payment) -> str:
    if refunds.returnable(payment) <= 0:
        return "Nothing is left of this payment to return."
    if payment.outcome == PaymentOutcome.APPLIED and payment.service_request.is_open:
        return "The request is open: cancelling it says what goes back."
    return ""


def _can_be_set_aside(_: Any, request: HttpRequest, payment: Payment) -> str:
    if payment.outcome != PaymentOutcome.MISMATCH:
        return "Only money that is not what was asked for can be set aside."
    return "It is set aside already." if payment.metadata.get("set_aside") else ""


class CompensateForm(ReasonForm):
    """Whom, how much, and why."""

    serviceman_id = choice("Serviceman")
    amount = naira("Amount", min_value=Decimal("0.01"))
    note = "For work he began and does not earn. It is added to what he is owed, out of the platform's revenue."

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["serviceman_id"].choices = [(man.pk, man.name) for man in payouts.started_by(self.record)]
        self.order_fields(["serviceman_id", "amount", "reason"])

    @property
    def chosen(self) -> dict[str, Any]:
        """As the service names it."""
        return {**super().chosen, "serviceman_id": int(self.cleaned_data["serviceman_id"])}


def _somebody_began(_: Any, request: HttpRequest, record: ServiceRequest) -> str:
    if record.status not in (Status.CANCELLED, Status.ASSIGNED_TO_SERVICEMAN, Status.PAYMENT_CONFIRMED, *AT_WORK):
        return "Nobody has begun this job and lost it."
    return "" if payouts.started_by(record) else "Nobody has begun this job and lost it."


class RecordDialogs:
    """Money by hand, on the page of a request."""

    @dialog(
        "Record a payment by hand",
        may="marketplace.settle",
        form=RecordForm,
        submit="Record",
        icon="payments",
        why_not=_recordable,
    )
    def record_payment(self, request: HttpRequest, form: RecordForm, object_id: str) -> HttpResponse:
        """It came by transfer, POS or in cash."""
        done = "Recorded: it counts once it is approved."
        return carry_out(self, request, object_id, payments.record_manual_payment, done=done, **form.chosen)

    @dialog(
        "Compensate a serviceman",
        may="marketplace.pay_out",
        form=CompensateForm,
        submit="Owe it to him",
        icon="volunteer_activism",
        why_not=_somebody_began,
    )
    def compensate(self, request: HttpRequest, form: CompensateForm, object_id: str) -> HttpResponse:
        """He began, and lost the job."""
        done = "Added to what he is owed."
        return carry_out(self, request, object_id, payouts.compensate, done=done, **form.chosen)


class DecideDialogs:
    """Money by hand, on the page of a payment."""

    @dialog(
        "Approve",
        may="marketplace.settle",
        form=ApproveForm,
        icon="check",
        variant=ActionVariant.PRIMARY,
        why_not=_approvable,
    )
    def approve(self, request: HttpRequest, form: DialogForm, object_id: str) -> HttpResponse:
        """The money is there."""
        done = "Approved, and applied."
        return carry_out(self, request, object_id, payments.approve_manual_payment, done=done)

    @dialog(
        "Reject",
        may="marketplace.settle",
        form=ReasonForm,
        icon="close",
        variant=ActionVariant.DANGER,
        why_not=_to_approve,
    )
    def reject(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """The money is not there."""
        done = "Rejected: nothing was booked."
        return carry_out(self, request, object_id, payments.reject_manual_payment, done=done, **form.chosen)

    @dialog("Return money", may="marketplace.refund", form=RefundForm, icon="undo", why_not=_returnable)
    def refund(self, request: HttpRequest, form: RefundForm, object_id: str) -> HttpResponse:
        """All of it, or a part."""
        queue = reverse("admin:marketplace_refund_changelist") + "?queue=to_decide"
        done = format_html(
            'Asked for: somebody else approves it under <a class="c-plain" href="{}">Refunds</a>.', queue
        )
        return carry_out(self, request, object_id, refunds.ask, done=done, **form.chosen)

    @dialog(
        "Set aside",
        may="marketplace.settle",
        form=NoteForm,
        icon="inventory_2",
        why_not=_can_be_set_aside,
    )
    def set_aside(self, request: HttpRequest, form: NoteForm, object_id: str) -> HttpResponse:
        """It was dealt with outside."""
        done = "Set aside: it is off the list of risks."
        return carry_out(self, request, object_id, payments.set_aside, done=done, **form.chosen)
