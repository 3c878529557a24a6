"""What clients say of servicemen, and hiding what should not be said."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter
from unfold.enums import ActionVariant

from core.console import ConsoleAdmin
from core.dialogs import DialogForm, carry_out, dialog, words
from core.filters import DaysFilter
from marketplace.admin.labels import badge, beginning, column, link_to, person, stars
from marketplace.models import Rating
from marketplace.services.ratings import moderate_rating


class HideForm(DialogForm):
    """Why."""

    note = "Nobody sees it any more, and it no longer counts."
    reason = words("Reason", rows=2)


class ShowForm(DialogForm):
    """Nothing to fill in."""

    note = "Everybody sees it again, and it counts again."


def _visible(_: Any, request: HttpRequest, rating: Rating) -> str:
    return "This rating is hidden already." if rating.hidden_at else ""


def _hidden(_: Any, request: HttpRequest, rating: Rating) -> str:
    return "" if rating.hidden_at else "This rating is visible."


class StarsFilter(DropdownFilter):
    """How many stars."""

    title = "stars"
    parameter_name = "stars"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The best first."""
        return [(str(number), stars(number)) for number in range(5, 0, -1)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Rating]) -> QuerySet[Rating]:
        """Just so many."""
        known = self.value() in {number for number, _ in self.lookups(request, None)}
        return queryset.filter(rating=self.value()) if known else queryset


class ShownFilter(DropdownFilter):
    """Whether everybody sees it."""

    title = "state"
    parameter_name = "shown"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Two."""
        return [("visible", "Visible"), ("hidden", "Hidden")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Rating]) -> QuerySet[Rating]:
        """Those."""
        if self.value() not in ("visible", "hidden"):
            return queryset
        return queryset.filter(hidden_at__isnull=self.value() == "visible")


@admin.register(Rating)
class RatingAdmin(ConsoleAdmin):
    """Ratings of completed jobs."""

    list_display = ("stars", "request_", "serviceman_", "client_", "review_start", "state_", "created_at")
    list_select_related = ("service_request", "serviceman", "client")
    list_filter = (
        StarsFilter,
        ShownFilter,
        ("serviceman", AutocompleteSelectFilter),
        ("created_at", DaysFilter),
    )
    search_fields = ("service_request__code", "serviceman__last_name", "review")
    ordering = ("-id",)
    actions_detail = ("hide", "show")
    fields = (
        "stars", "request_", "serviceman_", "client_", "review", "created_at", "reply", "replied_at", "state_",
        "hider", "hidden_at", "hidden_reason",
    )  # fmt: skip
    readonly_fields = ("stars", "request_", "serviceman_", "client_", "state_", "hider")

    stars = column("Rating", lambda r: stars(r.rating), "rating")
    request_ = column("Request", lambda r: link_to(r.service_request))
    serviceman_ = column("Serviceman", lambda r: person(r.serviceman))
    client_ = column("Client", lambda r: person(r.client))
    review_start = column("Review", lambda r: beginning(r.review))
    state_ = column("State", lambda r: badge("Hidden", "warning") if r.hidden_at else badge("Visible", "success"))
    hider = column("Hidden by", lambda r: person(r.hidden_by))

    @dialog("Hide", may="marketplace.verify", form=HideForm, icon="visibility_off", why_not=_visible)
    def hide(self, request: HttpRequest, form: HideForm, object_id: str) -> HttpResponse:
        """Out of sight."""
        return carry_out(self, request, object_id, moderate_rating, done="Hidden.", hide=True, **form.chosen)

    @dialog(
        "Show again",
        may="marketplace.verify",
        form=ShowForm,
        icon="visibility",
        variant=ActionVariant.PRIMARY,
        why_not=_hidden,
    )
    def show(self, request: HttpRequest, form: ShowForm, object_id: str) -> HttpResponse:
        """For all to see."""
        return carry_out(self, request, object_id, moderate_rating, done="Visible again.", hide=False, reason="")
