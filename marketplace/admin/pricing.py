"""Dialogs about the price: the final cost with its live preview, and the client's approval by phone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.enums import ActionVariant

from core.dialogs import DialogForm, carry_out, dialog, hidden_number, naira, percent, whole, words
from marketplace.admin.steps import OnBehalfForm, possible
from marketplace.models import BusinessSettings, ServiceRequest
from marketplace.money import LARGEST, derived_markup, final_cost, margin, naira_text
from marketplace.services import pricing
from marketplace.services.work import LEAST_DAYS, MOST_DAYS

MARKUP, AMOUNT = "markup", "amount"


class PriceForm(DialogForm):
    """The final cost, by markup on the estimate or as an amount."""

    body_template = "admin/requests/price_form.html"
    how = forms.ChoiceField(
        label="Set the price as", choices=[(MARKUP, "Markup on the estimate"), (AMOUNT, "Amount")], initial=MARKUP
    )
    markup = percent("Markup", required=False, min_value=0, max_value=100)
    amount = naira("Final cost", required=False, min_value=Decimal("0.01"))
    note_to_client = words("Note to the client", required=False, rows=2)
    reason = words("Reason", required=False, rows=2, help_text="Internal. Needed when the price is below the estimate.")
    price_version = hidden_number()
    names: ClassVar = {"admin_markup_percentage": "markup", "final_cost": "amount"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        record = kwargs["record"]
        markup = record.admin_markup_percentage
        kwargs["initial"] = {
            "markup": BusinessSettings.current().default_markup_percentage if markup is None else markup,
            "amount": record.final_cost,
            "how": AMOUNT if markup is None else MARKUP,
            "price_version": record.price_version,
        }
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        """The one that was chosen."""
        cleaned = super().clean()
        how = cleaned.get("how")
        if how and cleaned.get(how) is None and how not in self.errors:
            self.add_error(how, "Fill this in.")
        return cleaned

    @property
    def chosen(self) -> dict[str, Any]:
        """Exactly one of markup and amount."""
        filled = super().chosen
        filled.pop(AMOUNT if filled.pop("how") == MARKUP else MARKUP)
        return filled


class ApproveForm(OnBehalfForm):
    """The client agrees to the price on this page."""

    side = "client"
    price_version = hidden_number()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        record = kwargs["record"]
        kwargs["initial"] = {"price_version": record.price_version}
        super().__init__(*args, **kwargs)
        self.note = f"{record.client.name} agrees to pay {naira_text(record.final_cost or Decimal(0))}. " + self.note


class EstimateForm(OnBehalfForm):
    """What the work costs, as the serviceman says."""

    amount = naira("Estimate", min_value=Decimal("0.01"), help_text="What the serviceman is to receive.")
    notes = words("What is to be done", required=False, longest=2000)
    estimated_days = whole("Days of work", required=False, min_value=LEAST_DAYS, max_value=MOST_DAYS)


class PricingDialogs:
    """Prices, on the page of a request."""

    @dialog(
        "Set final cost",
        may="marketplace.price",
        form=PriceForm,
        submit="Send the price to the client",
        icon="sell",
        variant=ActionVariant.PRIMARY,
        why_not=possible(ServiceRequest.set_final_cost),
    )
    def set_final_cost(self, request: HttpRequest, form: PriceForm, object_id: str) -> HttpResponse:
        """The price the client is shown."""
        return carry_out(
            self, request, object_id, pricing.set_final_cost, done="The client was sent the price.", **form.chosen
        )

    @dialog(
        "Approve the price for the client",
        may="marketplace.assign",
        form=ApproveForm,
        label="Approve the price",
        icon="thumb_up",
        why_not=possible(ServiceRequest.approve_price, on_behalf_of="client"),
    )
    def approve_price(self, request: HttpRequest, form: ApproveForm, object_id: str) -> HttpResponse:
        """The client agrees, through us."""
        done = "Approved for the client: the payment is due."
        return carry_out(self, request, object_id, pricing.approve_price, done=done, on_behalf=True, **form.chosen)


def preview(request: HttpRequest, record: ServiceRequest) -> HttpResponse:
    """What a price would be, while it is typed: the same arithmetic as the service's, and nothing is kept."""
    form = PriceForm(request=request, object_id=record.pk, data=request.GET, record=record)
    estimate = record.serviceman_estimated_cost
    context: dict[str, Any] = {"record": record, "estimate": estimate}
    if estimate is not None:
        form.full_clean()
        markup, amount = form.cleaned_data.get("markup"), form.cleaned_data.get("amount")
        if request.GET.get("how") != AMOUNT and markup is not None:
            amount = final_cost(estimate=estimate, markup=markup)
        elif request.GET.get("how") != AMOUNT:
            amount = None
        if amount is not None and 0 < amount <= LARGEST:
            context |= {
                "final": amount,
                "margin": margin(final=amount, estimate=estimate),
                "markup": derived_markup(final=amount, estimate=estimate),
            }
    return TemplateResponse(request, "admin/requests/price_preview.html", context)
