"""Every event Paystack sent, word for word, and acting on one again."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant

from core.console import ConsoleAdmin
from core.dialogs import DialogForm, carry_out, dialog
from core.errors import Conflict
from core.filters import DaysFilter
from core.models import User
from marketplace.admin.labels import beginning, column, state
from marketplace.enums import WebhookOutcome
from marketplace.models import WebhookEvent
from marketplace.services import payments


class ReplayForm(DialogForm):
    """Nothing to fill in."""

    note = "The event is handled once more: Paystack is asked, and only its own answer moves anything."


def _pretty(event: WebhookEvent) -> SafeString:
    """The body, laid out when it is JSON; bytes that are no text are shown as such."""
    raw = bytes(event.body)
    try:
        text = json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = raw.decode(errors="replace")
    return format_html('<pre class="c-code">{}</pre>', text[:20_000])


@admin.register(WebhookEvent)
class WebhookAdmin(ConsoleAdmin):
    """The inbox."""

    list_display = ("event_", "reference", "outcome_", "detail_start", "deliveries", "received_at")
    list_filter = (("outcome", ChoicesDropdownFilter), ("received_at", DaysFilter))
    search_fields = ("reference", "event")
    ordering = ("-received_at", "-id")
    actions_detail = ("replay",)
    fields = (
        "event_", "reference", "outcome_", "detail", "deliveries", "received_at", "handled_at", "sha256", "content",
    )  # fmt: skip
    readonly_fields = ("event_", "outcome_", "content")

    event_ = column("Event", lambda e: e.event or "Not understood", "event")
    outcome_ = column("Outcome", lambda e: state(e.outcome, WebhookOutcome), "outcome")
    detail_start = column("Detail", lambda e: beginning(e.detail))
    content = column("Body", _pretty)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEvent]:
        """A list needs no bodies."""
        return super().get_queryset(request).defer("body")

    @dialog("Handle again", may="marketplace.settle", form=ReplayForm, icon="replay", variant=ActionVariant.PRIMARY)
    def replay(self, request: HttpRequest, form: ReplayForm, object_id: str) -> HttpResponse:
        """Once more."""

        def again(event_id: int, *, by: User) -> Any:
            event = payments.replay(event_id)
            if event.outcome == WebhookOutcome.RETRY:
                raise Conflict(f"It could not be handled yet: {event.detail}", code="retry")

        return carry_out(self, request, object_id, again, done="Handled.")
