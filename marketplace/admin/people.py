"""People: clients, and servicemen with their applications, standing and days off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    BooleanRadioFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
    RangeDateFilter,
    RelatedDropdownFilter,
)
from unfold.enums import ActionVariant

from core.console import ConsoleAdmin, ExportAdmin, HistoryAdmin
from core.dialogs import DialogForm, carry_out, choice, dialog, words
from marketplace import analytics, exports
from marketplace.admin.labels import NOTHING, ago, beginning, column, person, state, two
from marketplace.admin.people_page import of_client, of_serviceman
from marketplace.admin.queues import BY_KEY
from marketplace.admin.steps import ReasonForm
from marketplace.enums import Approval
from marketplace.models import Category, ClientProfile, ServicemanProfile, UnavailableDate
from marketplace.services import standing


class ApplicationsFilter(DropdownFilter):
    """Who waits for approval, as the card on the home page counts."""

    title = "queue"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One."""
        return [("applications", "Waiting for approval")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The same rows as the card counts."""
        return queryset & BY_KEY["applications"].rows() if self.value() else queryset


class ApproveForm(DialogForm):
    """A word of welcome."""

    note = "Jobs may be offered to him from now on, and he is told."
    category_id = choice("Category", help_text="Whose jobs he is offered.")
    reason = words("Remark", required=False, rows=2, help_text="Kept in his history, and sent to him.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"category_id": kwargs["record"].category_id}
        super().__init__(*args, **kwargs)
        trades = Category.objects.filter(is_active=True).values_list("pk", "name")
        self.fields["category_id"].choices = [("", "Choose"), *trades]

    @property
    def chosen(self) -> dict[str, Any]:
        """With the category's number."""
        filled = super().chosen
        return {**filled, "category_id": int(filled["category_id"])}


class TurnDownForm(ReasonForm):
    """Why not."""

    reason = words("Reason", help_text="He is told in these words.")


def _standing(*allowed: str) -> Callable[[Any, HttpRequest, ServicemanProfile], str]:
    """Possible for a serviceman whose approval is one of these."""

    def why_not(_: Any, request: HttpRequest, profile: ServicemanProfile) -> str:
        return "" if profile.approval in allowed else f"He is {profile.get_approval_display().lower()} already."

    return why_not


@admin.register(ServicemanProfile)
class ServicemanAdmin(HistoryAdmin, ExportAdmin):
    """Servicemen: who applies, who works, and how they do. What goes out is what those in the list have earned."""

    resource_classes = (exports.Earnings,)
    list_display = ("who", "trade", "approval_label", "stars", "jobs", "available", "waits")
    list_select_related = ("user", "category")
    list_filter = (
        ApplicationsFilter,
        ("approval", ChoicesDropdownFilter),
        ("category", RelatedDropdownFilter),
        ("is_available", BooleanRadioFilter),
    )
    search_fields = ("user__first_name", "user__last_name", "user__email", "user__phone_number")
    ordering = ("-id",)
    actions_detail = ("approve", "reject", "suspend", "reinstate")
    fieldsets = (
        (
            None,
            {"fields": ("account", "phone", "email", "trade", "years_of_experience", "bio", "available", "created_at")},
        ),
        ("Standing", {"fields": ("approval_label", "approval_reason", "approved_by", "approval_at")}),
    )
    readonly_fields = ("account", "phone", "email", "trade", "available", "approval_label", "approved_by")
    change_form_outer_before_template = "admin/person_page.html"
    change_form_outer_after_template = "admin/person_parts.html"

    who = column("Serviceman", lambda p: two(p.user.name, p.user.phone_number or p.user.email), "user__first_name")
    account = column("Account", lambda p: person(p.user))
    phone = column("Phone", lambda p: p.user.phone_number or NOTHING)
    email = column("E-mail", lambda p: p.user.email + ("" if p.user.is_email_verified else " (not confirmed)"))
    trade = column("Category", lambda p: p.category or NOTHING, "category__name")
    approval_label = column("Approval", lambda p: state(p.approval, Approval), "approval")
    approved_by = column("Decided by", lambda p: person(p.approval_by))
    stars = column("Rating", lambda p: p.rating or NOTHING, "rating")
    jobs = column("Jobs done", lambda p: p.total_jobs_completed, "total_jobs_completed")
    available = column("Takes work", lambda p: "Yes" if p.is_available else "No")
    waits = column("Since", lambda p: ago(p.created_at), "created_at")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> Any:
        """With how he does."""
        if obj is not None:
            context["page_of_person"] = of_serviceman(request, self.record(request, obj.pk))
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def fetch(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """With how he does."""
        found = super().fetch(request, object_id, from_field)
        return found and analytics.servicemen().select_related("user", "category", "approval_by").get(pk=found.pk)

    @dialog(
        "Approve",
        may="marketplace.approve_servicemen",
        form=ApproveForm,
        icon="check",
        variant=ActionVariant.PRIMARY,
        why_not=_standing(Approval.PENDING, Approval.REJECTED),
    )
    def approve(self, request: HttpRequest, form: ApproveForm, object_id: str) -> HttpResponse:
        """Let him in."""
        return self._judge(request, form, object_id, standing.approve_serviceman, "Approved.")

    @dialog(
        "Reject",
        may="marketplace.approve_servicemen",
        form=TurnDownForm,
        icon="close",
        why_not=_standing(Approval.PENDING),
    )
    def reject(self, request: HttpRequest, form: TurnDownForm, object_id: str) -> HttpResponse:
        """Turn him down."""
        return self._judge(request, form, object_id, standing.reject_serviceman, "Rejected; he was told why.")

    @dialog(
        "Suspend",
        may="marketplace.approve_servicemen",
        form=TurnDownForm,
        icon="block",
        variant=ActionVariant.DANGER,
        why_not=_standing(Approval.APPROVED),
    )
    def suspend(self, request: HttpRequest, form: TurnDownForm, object_id: str) -> HttpResponse:
        """No new jobs; those he has wait on us."""
        return self._judge(request, form, object_id, standing.suspend_serviceman, "Suspended; he was told why.")

    @dialog(
        "Reinstate",
        may="marketplace.approve_servicemen",
        form=TurnDownForm,
        icon="undo",
        variant=ActionVariant.PRIMARY,
        why_not=_standing(Approval.SUSPENDED),
    )
    def reinstate(self, request: HttpRequest, form: TurnDownForm, object_id: str) -> HttpResponse:
        """Let him work again."""
        return self._judge(request, form, object_id, standing.reinstate_serviceman, "Reinstated.")

    def _judge(
        self, request: HttpRequest, form: DialogForm, object_id: str, service: Callable[..., Any], done: str
    ) -> HttpResponse:
        """The services know a serviceman by his account, the page by his profile."""
        user_id = self.record(request, object_id).user_id
        return carry_out(
            self, request, object_id, lambda _, **chosen: service(user_id, **chosen), done=done, **form.chosen
        )


@admin.register(ClientProfile)
class ClientAdmin(HistoryAdmin):
    """Clients."""

    list_display = ("who", "email", "phone", "lives", "since")
    list_select_related = ("user",)
    search_fields = ("user__first_name", "user__last_name", "user__email", "user__phone_number")
    ordering = ("-id",)
    fields = ("account", "phone", "email", "address", "created_at", "updated_at")
    readonly_fields = ("account", "phone", "email")
    change_form_outer_before_template = "admin/person_page.html"
    change_form_outer_after_template = "admin/person_parts.html"

    who = column("Client", lambda p: p.user.name, "user__first_name")
    account = column("Account", lambda p: person(p.user))
    email = column("E-mail", lambda p: p.user.email + ("" if p.user.is_email_verified else " (not confirmed)"))
    phone = column("Phone", lambda p: p.user.phone_number or NOTHING)
    lives = column("Address", lambda p: beginning(p.address))
    since = column("Client for", lambda p: ago(p.created_at), "created_at")

    def fetch(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """With the account."""
        found = super().fetch(request, object_id, from_field)
        return found and ClientProfile.objects.select_related("user").get(pk=found.pk)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> Any:
        """With requests and money."""
        if obj is not None:
            context["page_of_person"] = of_client(request, self.record(request, obj.pk))
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)


@admin.register(UnavailableDate)
class UnavailableDateAdmin(ConsoleAdmin):
    """Days on which servicemen do not work."""

    list_display = ("who", "date")
    list_display_links = ("date",)
    list_select_related = ("serviceman",)
    list_filter = (("serviceman", AutocompleteSelectFilter), ("date", RangeDateFilter))
    ordering = ("-date", "-id")
    fields = ("who", "date")
    readonly_fields = ("who",)

    who = column("Serviceman", lambda d: person(d.serviceman))
