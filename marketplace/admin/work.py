"""Dialogs about the work itself: estimate, start and completion for the serviceman; verifying and returning it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from unfold.enums import ActionVariant

from core.dialogs import DialogForm, carry_out, dialog, words
from marketplace.admin.pricing import EstimateForm
from marketplace.admin.steps import OnBehalfForm, ReasonForm, possible
from marketplace.models import ServiceRequest
from marketplace.services import work


class CompleteForm(OnBehalfForm):
    """What was done."""

    notes = words("What was done", required=False, longest=2000)


class VerifyForm(DialogForm):
    """The work is done and paid work is earned."""

    note = "The serviceman has then earned his estimate, and the client is asked for a rating."
    message = words("Message", required=False, rows=2, help_text="Sent to the client and the serviceman.")


class WorkDialogs:
    """The work, on the page of a request."""

    @dialog(
        "Estimate for the serviceman",
        may="marketplace.assign",
        form=EstimateForm,
        label="Submit the estimate",
        icon="request_quote",
        why_not=possible(ServiceRequest.submit_estimate, on_behalf_of="serviceman"),
    )
    def submit_estimate(self, request: HttpRequest, form: EstimateForm, object_id: str) -> HttpResponse:
        """What he says the work costs."""
        done = "The estimate is recorded: the request can be priced."
        return carry_out(self, request, object_id, work.submit_estimate, done=done, on_behalf=True, **form.chosen)

    @dialog(
        "Start the work for the serviceman",
        may="marketplace.assign",
        form=OnBehalfForm,
        label="Start the work",
        icon="play_arrow",
        why_not=possible(ServiceRequest.start_work, on_behalf_of="serviceman"),
    )
    def start_work(self, request: HttpRequest, form: OnBehalfForm, object_id: str) -> HttpResponse:
        """He begins."""
        return carry_out(
            self, request, object_id, work.start_work, done="The work has started.", on_behalf=True, **form.chosen
        )

    @dialog(
        "Complete the work for the serviceman",
        may="marketplace.assign",
        form=CompleteForm,
        label="Mark the work complete",
        icon="task_alt",
        why_not=possible(ServiceRequest.mark_work_completed, on_behalf_of="serviceman"),
    )
    def complete_work(self, request: HttpRequest, form: CompleteForm, object_id: str) -> HttpResponse:
        """He says it is done."""
        done = "The work is marked complete: it waits for verification."
        return carry_out(self, request, object_id, work.mark_work_completed, done=done, on_behalf=True, **form.chosen)

    @dialog(
        "Verify completion",
        may="marketplace.verify",
        form=VerifyForm,
        icon="verified",
        variant=ActionVariant.PRIMARY,
        why_not=possible(ServiceRequest.verify_completion),
    )
    def verify(self, request: HttpRequest, form: VerifyForm, object_id: str) -> HttpResponse:
        """The work is done."""
        done = "Verified: the request is completed."
        return carry_out(self, request, object_id, work.verify_completion, done=done, **form.chosen)

    @dialog(
        "Return to work",
        may="marketplace.verify",
        form=ReasonForm,
        icon="replay",
        why_not=possible(ServiceRequest.return_to_work),
    )
    def return_to_work(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """The work is not finished."""
        done = "Returned: the serviceman was told why."
        return carry_out(self, request, object_id, work.return_to_work, done=done, **form.chosen)
