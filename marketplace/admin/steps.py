"""What the dialogs of a request share: when a step is possible, and acting for somebody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

from core.dialogs import DialogForm, words
from marketplace.models import ServiceRequest
from marketplace.services.workflow import Step, refusal

WhyNot = Callable[[Any, HttpRequest, ServiceRequest], str]


def possible(step: Step, *, on_behalf_of: str = "") -> WhyNot:
    """Whether a step can be taken now by this admin, or by him for "client" or "serviceman"; else why not."""

    def why_not(_: Any, request: HttpRequest, record: ServiceRequest) -> str:
        actor: Any = getattr(record, on_behalf_of) if on_behalf_of else request.user
        refused = refusal(record, step, actor)
        return refused.detail if refused else ""

    return why_not


class ReasonForm(DialogForm):
    """Why."""

    reason = words("Reason")


class OnBehalfForm(DialogForm):
    """An admin acts for somebody else and says why, for the trail."""

    side = "serviceman"
    reason = words(
        "Why you do this for them", help_text="For example: told us on the phone. It stays in the request's history."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if (somebody := getattr(self.record, self.side)) is not None:
            self.note = f"You act for {somebody.name}. The history shows both names."
        # What is asked of the step itself comes before the reason.
        self.order_fields([name for name in self.fields if name != "reason"])
