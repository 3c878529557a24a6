"""Dialogs that find a serviceman: assign, reassign, and answering an offer for him."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from unfold.enums import ActionVariant

from core.dialogs import DialogForm, carry_out, choice, dialog, hidden_number, words
from marketplace.admin.steps import OnBehalfForm, possible
from marketplace.enums import OPEN
from marketplace.models import ServiceRequest
from marketplace.services import assignment
from marketplace.services.assignment import Suggestion

SHOWN = 20
"""How many candidates a dialog lists."""


class Candidates(forms.RadioSelect):
    """Servicemen to choose from, best first, each with the reasons why."""

    def __init__(self, suggestions: list[Suggestion], busy: set[int]) -> None:
        self.suggestions, self.busy = suggestions, busy
        super().__init__()

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        """Ours: Django's widget renderer does not look into the project's templates."""
        context = {"name": name, "value": str(value or ""), "suggestions": self.suggestions, "busy": self.busy}
        return render_to_string("admin/requests/candidates.html", context)


class AssignForm(DialogForm):
    """Who gets the job, who is next in line, and what they should know."""

    serviceman = forms.TypedChoiceField(
        label="Serviceman",
        coerce=int,
        error_messages={
            "required": "Choose a serviceman.",
            "invalid_choice": "He cannot be offered this job any more.",
        },
    )
    backup = choice(
        "Backup", required=False, help_text="Is asked next when the first one declines or does not answer in time."
    )
    notes = words("Note to them", required=False, rows=2)
    names: ClassVar = {"serviceman_id": "serviceman", "backup_serviceman_id": "backup"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        suggestions = assignment.suggest([self.record], limit=SHOWN)[self.record.pk]
        if suggestions:
            self.initial.setdefault("serviceman", suggestions[0].profile.user_id)
        ids = [s.profile.user_id for s in suggestions]
        same_day = ServiceRequest.objects.filter(
            serviceman__in=ids, booking_date=self.record.booking_date, status__in=OPEN
        ).exclude(pk=self.record.pk)
        busy = set(same_day.values_list("serviceman_id", flat=True))
        people = [(str(s.profile.user_id), s.profile.user.name) for s in suggestions]
        self.fields["serviceman"].choices = people
        self.fields["serviceman"].widget = Candidates(suggestions, busy)
        self.fields["backup"].choices = [("", "Nobody"), *people]
        self.nothing_to_choose = not people
        if self.nothing_to_choose:
            for name in ("backup", "notes"):
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """Two different people."""
        cleaned = super().clean()
        if cleaned.get("backup") and cleaned["backup"] == str(cleaned.get("serviceman")):
            self.add_error("backup", "The backup must be another serviceman.")
        return cleaned

    @property
    def chosen(self) -> dict[str, Any]:
        """As the services name it."""
        filled = super().chosen
        serviceman, backup = filled.pop("serviceman"), filled.pop("backup")
        return {**filled, "serviceman_id": serviceman, "backup_id": int(backup) if backup else None}

    @property
    def chosen_name(self) -> str:
        """Who it is."""
        return str(dict(self.fields["serviceman"].choices)[str(self.cleaned_data["serviceman"])])


class ReassignForm(AssignForm):
    """As assigning, but somebody loses the job and is told why."""

    reason = words("Reason", rows=2, help_text="Whoever loses the job is told.")
    replaces = hidden_number()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {})["replaces"] = kwargs["record"].serviceman_id
        super().__init__(*args, **kwargs)
        holder = self.record.serviceman
        self.note = f"{holder.name} has this job now." if holder else ""
        if self.record.serviceman_estimated_cost is not None and not self.record.final_is_paid:
            self.note += " His estimate and the price made of it become void."


class AssignmentDialogs:
    """Finding a serviceman, on the page of a request."""

    @dialog(
        "Assign serviceman",
        may="marketplace.assign",
        form=AssignForm,
        submit="Send the offer",
        icon="person_add",
        variant=ActionVariant.PRIMARY,
        why_not=possible(ServiceRequest.assign),
    )
    def assign(self, request: HttpRequest, form: AssignForm, object_id: str) -> HttpResponse:
        """Offer the job."""
        done = f"Offered to {form.chosen_name}."
        return carry_out(self, request, object_id, assignment.assign_serviceman, done=done, **form.chosen)

    @dialog(
        "Reassign",
        may="marketplace.assign",
        form=ReassignForm,
        submit="Take the job and offer it",
        icon="swap_horiz",
        why_not=possible(ServiceRequest.reassign),
    )
    def reassign(self, request: HttpRequest, form: ReassignForm, object_id: str) -> HttpResponse:
        """Take the job from whoever has it and offer it to another."""
        done = f"Taken back and offered to {form.chosen_name}."
        return carry_out(self, request, object_id, assignment.reassign_serviceman, done=done, **form.chosen)

    @dialog(
        "Accept for the serviceman",
        may="marketplace.assign",
        form=OnBehalfForm,
        label="Accept the job",
        icon="check",
        why_not=possible(ServiceRequest.accept, on_behalf_of="serviceman"),
    )
    def accept(self, request: HttpRequest, form: OnBehalfForm, object_id: str) -> HttpResponse:
        """He takes the job."""
        return carry_out(
            self,
            request,
            object_id,
            assignment.accept_job,
            done="Accepted for the serviceman.",
            on_behalf=True,
            **form.chosen,
        )

    @dialog(
        "Decline for the serviceman",
        may="marketplace.assign",
        form=OnBehalfForm,
        label="Decline the job",
        icon="close",
        why_not=possible(ServiceRequest.decline, on_behalf_of="serviceman"),
    )
    def decline(self, request: HttpRequest, form: OnBehalfForm, object_id: str) -> HttpResponse:
        """He does not want the job."""
        return carry_out(
            self,
            request,
            object_id,
            assignment.decline_job,
            done="Declined for the serviceman.",
            on_behalf=True,
            **form.chosen,
        )

    @dialog(
        "Withdraw for the serviceman",
        may="marketplace.assign",
        form=OnBehalfForm,
        label="Give the job back",
        icon="logout",
        why_not=possible(ServiceRequest.withdraw, on_behalf_of="serviceman"),
    )
    def withdraw(self, request: HttpRequest, form: OnBehalfForm, object_id: str) -> HttpResponse:
        """He gives an accepted job back."""
        return carry_out(
            self,
            request,
            object_id,
            assignment.withdraw_from_job,
            done="The serviceman no longer has this job.",
            on_behalf=True,
            **form.chosen,
        )
