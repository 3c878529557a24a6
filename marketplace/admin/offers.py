"""Offers of jobs to servicemen."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from core.console import ConsoleAdmin
from core.filters import DaysFilter
from marketplace.admin.labels import badge, column, due, link_to, person, state
from marketplace.enums import OfferAnswer
from marketplace.models import Offer


def _answer(offer: Offer) -> SafeString:
    if offer.answer:
        return state(offer.answer, OfferAnswer)
    return badge("Open", "info") if offer.respond_by else badge("Waiting")


@admin.register(Offer)
class OfferAdmin(ConsoleAdmin):
    """Who was offered what, and how he answered."""

    list_display = ("request_", "who", "rank", "answer_", "sent_at", "answer_by")
    list_display_links = ("rank",)
    list_select_related = ("request", "serviceman")
    list_filter = (
        ("answer", ChoicesDropdownFilter),
        ("rank", ChoicesDropdownFilter),
        ("serviceman", AutocompleteSelectFilter),
        ("sent_at", DaysFilter),
    )
    search_fields = ("request__code", "serviceman__email", "serviceman__last_name")
    ordering = ("-id",)
    fields = ("request_", "who", "rank", "answer_", "reason", "notes", "sent_at", "answer_by", "answered_at")
    readonly_fields = ("request_", "who", "answer_", "answer_by")

    request_ = column("Request", lambda o: link_to(o.request))
    who = column("Serviceman", lambda o: person(o.serviceman))
    answer_ = column("Answer", _answer, "answer")
    answer_by = column("Answer by", lambda o: due(o.respond_by) if o.answer is None else "-", "respond_by")
