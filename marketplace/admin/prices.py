"""Every price a client was ever shown."""

from __future__ import annotations

from django.contrib import admin

from core.console import ConsoleAdmin
from core.filters import DaysFilter
from marketplace.admin.labels import NOTHING, column, link_to, money, person
from marketplace.models import Price


@admin.register(Price)
class PriceAdmin(ConsoleAdmin):
    """Versions of prices, never changed."""

    list_display = ("request_", "version", "final_", "estimate_", "markup_", "author", "created_at", "agreed_at")
    list_display_links = ("version",)
    list_select_related = ("request", "by")
    list_filter = (("created_at", DaysFilter),)
    search_fields = ("request__code",)
    ordering = ("-id",)
    fields = (
        "request_", "version", "final_", "estimate_", "markup_", "author", "reason", "note_to_client", "created_at",
        "agreed_at",
    )  # fmt: skip
    readonly_fields = ("request_", "final_", "estimate_", "markup_", "author")

    request_ = column("Request", lambda p: link_to(p.request))
    final_ = column("Final cost", lambda p: money(p.final), "final")
    estimate_ = column("Estimate", lambda p: money(p.estimate))
    markup_ = column("Markup", lambda p: NOTHING if p.markup is None else f"{p.markup} %")
    author = column("By", lambda p: person(p.by))
