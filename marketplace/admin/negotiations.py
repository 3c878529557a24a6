"""Haggling: answering a client's proposal on the page of a request, and the list of all proposals."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant

from core.console import ConsoleAdmin
from core.dialogs import DialogForm, carry_out, dialog, hidden_number, naira, words
from core.errors import Conflict
from core.filters import DaysFilter
from core.models import User
from marketplace.admin.labels import beginning, column, link_to, money, person, state
from marketplace.admin.steps import possible
from marketplace.enums import NegotiationStatus
from marketplace.models import Consultation, PriceNegotiation, ServiceRequest
from marketplace.money import naira_text
from marketplace.services import negotiations


class ProposalForm(DialogForm):
    """An amount and words for it."""

    amount = naira("Your proposal", min_value=Decimal("0.01"))
    message = words("Message to the client", required=False, rows=2, longest=2000)
    names: ClassVar = {"proposed_amount": "amount"}


class AnswerForm(DialogForm):
    """An answer to the open proposal, which the dialog names so that a later one is not answered by mistake."""

    message = words("Message to the client", required=False, rows=2, longest=2000)
    negotiation = hidden_number()
    says = "{who} proposed {amount}."

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        proposal = kwargs["record"].open_proposal
        kwargs["initial"] = {"negotiation": proposal.pk if proposal else None}
        super().__init__(*args, **kwargs)
        if proposal:
            amount = naira_text(proposal.proposed_amount)
            self.note = self.says.format(who=proposal.proposed_by.name, amount=amount)


class CounterForm(AnswerForm):
    """Another amount."""

    amount = naira("Your counter-proposal", min_value=Decimal("0.01"))
    field_order = ("amount", "message")
    names: ClassVar = {"proposed_amount": "amount"}


class AcceptForm(AnswerForm):
    """Yes."""

    says = "{who} proposed {amount}. It becomes the price, and the payment is due at once."


class ConsultForm(AnswerForm):
    """A question to the serviceman."""

    message = words("Question", longest=2000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = self.record.serviceman
        self.note += f" {asked.name} is asked about it; he sees your words." if asked else ""


def _answer(
    admin_: Any, request: HttpRequest, form: AnswerForm, object_id: str, service: Callable[..., Any], *, done: str
) -> HttpResponse:
    filled = form.chosen
    chosen = filled.pop("negotiation")

    def on_proposal(request_id: int, *, by: User, **values: Any) -> Any:
        # The field is hidden, not secret: it must be a proposal of this request.
        if chosen not in {n.pk for n in form.record.negotiations.all()}:
            raise Conflict("This proposal was answered already.", code="already_answered")
        return service(chosen, by=by, **values)

    return carry_out(admin_, request, object_id, on_proposal, done=done, **filled)


class NegotiationDialogs:
    """Haggling, on the page of a request."""

    @dialog(
        "Propose a price",
        may="marketplace.price",
        form=ProposalForm,
        icon="forum",
        why_not=possible(ServiceRequest.propose_price),
    )
    def propose_price(self, request: HttpRequest, form: ProposalForm, object_id: str) -> HttpResponse:
        """Another price."""
        done = "Your proposal was sent to the client."
        return carry_out(self, request, object_id, negotiations.propose_price, done=done, **form.chosen)

    @dialog(
        "Accept the proposal",
        may="marketplace.price",
        form=AcceptForm,
        icon="check",
        variant=ActionVariant.PRIMARY,
        why_not=possible(ServiceRequest.accept_proposal),
    )
    def accept_proposal(self, request: HttpRequest, form: AcceptForm, object_id: str) -> HttpResponse:
        """Yes."""
        done = "Accepted: the agreed amount is the price now."
        return _answer(self, request, form, object_id, negotiations.accept_proposal, done=done)

    @dialog(
        "Counter the proposal",
        may="marketplace.price",
        form=CounterForm,
        icon="reply",
        why_not=possible(ServiceRequest.counter),
    )
    def counter(self, request: HttpRequest, form: CounterForm, object_id: str) -> HttpResponse:
        """Another amount."""
        done = "Your counter-proposal was sent to the client."
        return _answer(self, request, form, object_id, negotiations.counter_proposal, done=done)

    @dialog(
        "Reject the proposal",
        may="marketplace.price",
        form=AnswerForm,
        icon="close",
        why_not=possible(ServiceRequest.reject_proposal),
    )
    def reject_proposal(self, request: HttpRequest, form: AnswerForm, object_id: str) -> HttpResponse:
        """No."""
        done = "Rejected: the price stays as it was."
        return _answer(self, request, form, object_id, negotiations.reject_proposal, done=done)

    @dialog(
        "Take our proposal back",
        may="marketplace.price",
        form=AnswerForm,
        icon="undo",
        why_not=possible(ServiceRequest.withdraw_proposal),
    )
    def withdraw_proposal(self, request: HttpRequest, form: AnswerForm, object_id: str) -> HttpResponse:
        """Never mind."""
        done = "Taken back: the price stays as it was."
        return _answer(self, request, form, object_id, negotiations.withdraw_proposal, done=done)

    @dialog(
        "Ask the serviceman",
        may="marketplace.price",
        form=ConsultForm,
        icon="contact_support",
        why_not=possible(ServiceRequest.consult),
    )
    def consult(self, request: HttpRequest, form: ConsultForm, object_id: str) -> HttpResponse:
        """What does he think of it?"""
        done = "The serviceman was asked."
        return _answer(self, request, form, object_id, negotiations.consult_serviceman, done=done)


@admin.register(PriceNegotiation)
class NegotiationAdmin(ConsoleAdmin):
    """Every proposal ever made."""

    list_display = ("request_link", "amount", "state", "author", "created_at", "message_start")
    list_display_links = ("amount",)
    list_filter = (("status", ChoicesDropdownFilter), ("created_at", DaysFilter))
    list_select_related = ("service_request", "proposed_by")
    ordering = ("-id",)
    search_fields = ("service_request__code", "proposed_by__email")
    fields: ClassVar = ["request_link", "amount", "state", "author", "message", "answers", "created_at"]
    readonly_fields = ("request_link", "amount", "state", "author", "answers")

    request_link = column("Request", lambda n: link_to(n.service_request))
    amount = column("Amount", lambda n: money(n.proposed_amount), "proposed_amount")
    state = column("State", lambda n: state(n.status, NegotiationStatus), "status")
    author = column("By", lambda n: person(n.proposed_by))
    answers = column("Answers", lambda n: link_to(n.parent_negotiation))
    message_start = column("Message", lambda n: beginning(n.message))


@admin.register(Consultation)
class ConsultationAdmin(ConsoleAdmin):
    """Questions to servicemen about a proposal."""

    list_display = ("question_start", "asked", "asked_at", "answered_at", "minimum")
    list_select_related = ("serviceman",)
    ordering = ("-id",)
    search_fields = ("negotiation__service_request__code", "serviceman__email")
    fields: ClassVar = ["proposal", "asked", "question", "asked_at", "answer", "minimum", "answered_at", "closed_at"]
    readonly_fields = ("proposal", "asked", "minimum")

    question_start = column("Question", lambda q: beginning(q.question))
    asked = column("Serviceman", lambda q: person(q.serviceman))
    proposal = column("Proposal", lambda q: link_to(q.negotiation))
    minimum = column("Least he would work for", lambda q: money(q.minimum_amount))
