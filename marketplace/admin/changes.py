"""Dialogs that change the frame of a request: date, urgency, end, notes; and booking for a client."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldBooleanSwitchWidget

from core.dialogs import DialogForm, back, carry_out, choice, day, dialog, leading, line, words
from core.models import Role, User
from marketplace.admin.labels import money
from marketplace.admin.steps import ReasonForm, possible
from marketplace.models import Category, ServiceRequest
from marketplace.services import requests as bookings


class CancelForm(ReasonForm):
    """Why, below what goes back to the client."""

    form_before_template = "admin/requests/cancellation.html"
    reason = words("Reason", help_text="Everybody involved is told.")

    def get_before_template_context(self, request: HttpRequest, object_id: Any = None) -> dict[str, Any]:
        """What the policy makes of each payment."""
        lines = bookings.cancellation_preview(self.record, by=request.user)  # type: ignore[arg-type]
        return {"lines": lines}


class RescheduleForm(DialogForm):
    """Another day."""

    note = "A near date makes it an emergency; the booking fee stays as it was."
    booking_date = day("New date")
    reason = words("Reason", help_text="Everybody involved is told.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"booking_date": kwargs["record"].booking_date}
        super().__init__(*args, **kwargs)


class EmergencyForm(DialogForm):
    """Nothing to fill in."""

    note = "Deadlines follow, and everybody involved is told. The booking fee stays as it was."


class NoteForm(DialogForm):
    """A remark."""

    text = words("Note", rows=4, longest=5000, help_text="Only admins see it.")


class DeleteForm(DialogForm):
    """Nothing to fill in."""

    note = "Hidden from everybody but admins, who find it by a filter. Its money stays. An unpaid booking is cancelled."


class BookingForm(DialogForm):
    """A visit, for a client who called."""

    client_email = forms.EmailField(label="Client's e-mail", help_text="Of a client with a confirmed e-mail address.")
    category_id = choice("Category")
    booking_date = day("Date of the visit")
    client_address = line("Address", longest=500)
    service_description = words("What is to be done", longest=5000)
    is_emergency = forms.BooleanField(
        label="Emergency", required=False, help_text="A near date is one anyway.", widget=UnfoldBooleanSwitchWidget()
    )
    reason = words("Why you book for them", rows=2, help_text="For example: called us.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["client_email"].widget = line("").widget
        self.fields["category_id"].choices = [
            ("", "Choose"),
            *Category.objects.filter(is_active=True).values_list("pk", "name"),
        ]

    def clean_client_email(self) -> User:
        """The account of that address."""
        email = str(self.cleaned_data["client_email"]).strip().lower()
        client = User.objects.filter(email=email, user_type=Role.CLIENT, is_active=True).first()
        if client is None:
            raise forms.ValidationError("There is no client with this address.")
        return client


def _not_emergency_yet(admin_: Any, request: HttpRequest, record: ServiceRequest) -> str:
    if record.is_emergency:
        return "This is an emergency already."
    return possible(ServiceRequest.flag_emergency)(admin_, request, record)


def _emergency_now(admin_: Any, request: HttpRequest, record: ServiceRequest) -> str:
    if not record.is_emergency:
        return "This is no emergency."
    return possible(ServiceRequest.flag_emergency)(admin_, request, record)


class ChangeDialogs:
    """The frame of a request, on its page."""

    @dialog(
        "Cancel request",
        may="marketplace.cancel",
        form=CancelForm,
        icon="block",
        variant=ActionVariant.DANGER,
        why_not=possible(ServiceRequest.cancel),
    )
    def cancel(self, request: HttpRequest, form: CancelForm, object_id: str) -> HttpResponse:
        """Call it off."""
        return carry_out(self, request, object_id, bookings.cancel, done="The request is cancelled.", **form.chosen)

    @dialog(
        "Reschedule",
        may="marketplace.assign",
        form=RescheduleForm,
        icon="event",
        why_not=possible(ServiceRequest.reschedule),
    )
    def reschedule(self, request: HttpRequest, form: RescheduleForm, object_id: str) -> HttpResponse:
        """Another day."""
        return carry_out(self, request, object_id, bookings.reschedule, done="The date is changed.", **form.chosen)

    @dialog(
        "Make it an emergency",
        may="marketplace.assign",
        form=EmergencyForm,
        icon="e911_emergency",
        why_not=_not_emergency_yet,
    )
    def set_emergency(self, request: HttpRequest, form: EmergencyForm, object_id: str) -> HttpResponse:
        """It is urgent."""
        return carry_out(
            self, request, object_id, bookings.flag_emergency, done="This is an emergency now.", is_emergency=True
        )

    @dialog(
        "Lift the emergency",
        may="marketplace.assign",
        form=EmergencyForm,
        icon="notifications_off",
        why_not=_emergency_now,
    )
    def lift_emergency(self, request: HttpRequest, form: EmergencyForm, object_id: str) -> HttpResponse:
        """It is not urgent."""
        return carry_out(
            self, request, object_id, bookings.flag_emergency, done="The emergency is lifted.", is_emergency=False
        )

    @dialog("Add a note", may="marketplace.assign", form=NoteForm, icon="sticky_note_2")
    def add_note(self, request: HttpRequest, form: NoteForm, object_id: str) -> HttpResponse:
        """For other admins."""
        return carry_out(self, request, object_id, bookings.add_note, done="The note is kept.", **form.chosen)

    @dialog(
        "Delete request",
        may="marketplace.cancel",
        form=DeleteForm,
        icon="delete",
        variant=ActionVariant.DANGER,
        why_not=lambda admin_, request, record: (
            "This is deleted already."
            if record.is_deleted
            else possible(ServiceRequest.soft_delete)(admin_, request, record)
        ),
    )
    def soft_delete(self, request: HttpRequest, form: DeleteForm, object_id: str) -> HttpResponse:
        """Hide it."""
        return carry_out(self, request, object_id, bookings.soft_delete, done="The request is hidden.")

    @dialog(
        "Book for a client",
        may="marketplace.assign",
        form=BookingForm,
        icon="add",
        variant=ActionVariant.PRIMARY,
    )
    def book(self, request: HttpRequest, form: BookingForm, object_id: str = "") -> HttpResponse:
        """A visit, for a client who called."""
        filled = form.chosen
        client = filled.pop("client_email")
        booked = bookings.book(
            by=request.user,  # type: ignore[arg-type]
            on_behalf_of=client,
            **{**filled, "category_id": int(filled["category_id"])},
        )
        fee = money(booked.initial_booking_fee)
        done = f"{booked.code} is booked: {client.name} owes the booking fee of {fee}."
        page = reverse("admin:marketplace_servicerequest_change", args=[booked.pk])
        messages.success(request, leading(done, page, "Show the request"))
        return back(request, self)
