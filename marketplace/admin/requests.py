"""Service requests: the list with its queues, and the page from which every step is taken."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    BooleanRadioFilter,
    DropdownFilter,
    MultipleChoicesDropdownFilter,
    RangeDateFilter,
    RelatedDropdownFilter,
)
from unfold.sections import TemplateSection

from core.console import HistoryAdmin
from core.errors import Conflict
from marketplace.admin import pricing, request_page
from marketplace.admin.assignment import AssignmentDialogs
from marketplace.admin.bulk import row_by_row
from marketplace.admin.changes import ChangeDialogs
from marketplace.admin.issues import IssueDialogs
from marketplace.admin.labels import NOTHING, ago, badge, column, due, money, state, two, unbroken
from marketplace.admin.lists import keys, people_called, requests_by_code
from marketplace.admin.manual import RecordDialogs
from marketplace.admin.negotiations import NegotiationDialogs
from marketplace.admin.pricing import PricingDialogs
from marketplace.admin.queues import BY_KEY, QUEUES
from marketplace.admin.timeline import STEPS
from marketplace.admin.work import WorkDialogs
from marketplace.enums import Side, Status
from marketplace.models import ServiceRequest
from marketplace.services.assignment import assign_serviceman, suggest
from marketplace.services.requests import flag_emergency


class MoreOfARow(TemplateSection):
    """What a row of the list opens to: the job and how to reach people. Everything is joined to the row already."""

    template_name = "admin/requests/row.html"


class QueueFilter(DropdownFilter):
    """The saved queues; the tabs above the list lead here."""

    title = "queue"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Those of requests."""
        return [(queue.key, queue.title) for queue in QUEUES if queue.model == "servicerequest"]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ServiceRequest]) -> QuerySet[ServiceRequest]:
        """The same rows as the card counts."""
        queue = BY_KEY.get(self.value() or "")
        if queue is None or queue.model != "servicerequest":
            return queryset
        return queryset & queue.rows().order_by()


class OverdueFilter(DropdownFilter):
    """Whether somebody is late."""

    title = "overdue"
    parameter_name = "overdue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One."""
        return [("yes", "Overdue only")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ServiceRequest]) -> QuerySet[ServiceRequest]:
        """Open and late."""
        return queryset & ServiceRequest.objects.overdue() if self.value() else queryset


class DeletedFilter(DropdownFilter):
    """Deleted requests are out of sight unless asked for."""

    title = "deleted"
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Besides the usual."""
        return [("yes", "Only deleted"), ("with", "With deleted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ServiceRequest]) -> QuerySet[ServiceRequest]:
        """Not deleted, unless asked for."""
        if self.value() == "with":
            return queryset
        return queryset.filter(is_deleted=self.value() == "yes")


def _what(record: ServiceRequest) -> SafeString:
    flags = [badge("Emergency", "danger")] if record.is_emergency else []
    flags += [badge("Deleted")] if record.is_deleted else []
    shown = two(format_html_join(" ", "{}", ((part,) for part in [record.code, *flags])), record.category)
    # On a phone the status stands here, and its own column is hidden.
    return format_html('{}<span class="c-phone">{}</span>', shown, state(record.status, Status))


@admin.register(ServiceRequest)
class ServiceRequestAdmin(
    AssignmentDialogs,
    PricingDialogs,
    NegotiationDialogs,
    WorkDialogs,
    IssueDialogs,
    ChangeDialogs,
    RecordDialogs,
    HistoryAdmin,
):
    """Every job, from booking to rating."""

    change_form_template = "admin/requests/page.html"
    list_display = ("what", "status_label", "waiting", "client_name", "serviceman_name", "visit", "age", "price")
    list_select_related = ("client", "serviceman", "category")
    list_sections = (MoreOfARow,)
    list_filter = (
        QueueFilter,
        ("status", MultipleChoicesDropdownFilter),
        ("category", RelatedDropdownFilter),
        ("serviceman", AutocompleteSelectFilter),
        ("client", AutocompleteSelectFilter),
        ("booking_date", RangeDateFilter),
        ("is_emergency", BooleanRadioFilter),
        OverdueFilter,
        DeletedFilter,
    )
    search_fields = ("code",)
    search_help_text = "Code, name, phone, e-mail or payment reference"
    ordering = ("-created_at", "-id")
    fields = (
        "code", "status", "client", "category", "booking_date", "is_emergency", "auto_flagged_emergency", "serviceman",
        "backup_serviceman", "preferred_serviceman", "service_description", "client_address", "initial_booking_fee",
        "serviceman_estimated_cost", "estimate_notes", "estimated_days", "admin_markup_percentage", "final_cost",
        "price_version", "waiting_on", "due_at", "status_since", "give_up_at", "accepted_at", "inspection_completed_at",
        "work_completed_at", "completion_notes", "cancelled_by_role", "cancellation_reason", "cancelled_at",
        "is_deleted", "deleted_at",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("assign_best_match", "mark_emergency")
    actions_detail = request_page.ACTIONS
    actions_list = ("book",)
    history_list_display = ("step", "on_behalf_of")

    # --- The list

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ServiceRequest], search_term: str
    ) -> tuple[QuerySet[ServiceRequest], bool]:
        """By code, by a person's name, phone or e-mail, by a payment's reference; each part by its own index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        who = people_called(term)
        found = requests_by_code(term).union(
            keys(ServiceRequest, client__in=who),
            keys(ServiceRequest, serviceman__in=who),
            keys(ServiceRequest, payments__paystack_reference=term),
        )
        return queryset.filter(pk__in=found), False

    what = column("Request", _what, "created_at")
    status_label = column("Status", lambda r: state(r.status, Status), "status")
    client_name = column("Client", lambda r: two(r.client.name, r.client.phone_number))
    serviceman_name = column("Serviceman", lambda r: r.serviceman.name if r.serviceman else NOTHING)
    visit = column("Visit", lambda r: unbroken(f"{r.booking_date:%a %-d %b}"), "booking_date")
    waiting = column("Waits on", lambda r: two(Side(r.waiting_on).label, due(r.due_at)) if r.is_open else NOTHING)
    age = column("Age", lambda r: ago(r.created_at))
    price = column("Price", lambda r: unbroken(money(r.final_cost)))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """A queue is worked off from its front: emergencies first, then whatever is due first."""
        return ("-is_emergency", "due_at", "id") if request.GET.get("queue") else self.ordering

    def has_assign_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """May assign, and see what is assigned."""
        return request.user.has_perm("marketplace.assign") and self.has_view_permission(request)

    @admin.action(description="Offer each to its best match", permissions=["assign"])
    def assign_best_match(self, request: HttpRequest, queryset: QuerySet[ServiceRequest]) -> None:
        """Assign a selection."""

        def offer(record: ServiceRequest) -> str:
            best = suggest([record], limit=2)[record.pk]  # anew each time: the one before has made somebody busier
            if not best:
                raise Conflict("nobody fits.", code="nobody_fits")
            who, *backup = (suggestion.profile.user_id for suggestion in best)
            by: Any = request.user
            assign_serviceman(record.pk, serviceman_id=who, backup_id=backup[0] if backup else None, by=by)
            return f"offered to {best[0].profile.user.name}."

        row_by_row(request, self._front_first(queryset), offer)

    @admin.action(description="Mark each as an emergency", permissions=["assign"])
    def mark_emergency(self, request: HttpRequest, queryset: QuerySet[ServiceRequest]) -> None:
        """Sooner deadlines, and the servicemen are alerted."""

        def mark(record: ServiceRequest) -> str:
            by: Any = request.user
            flag_emergency(record.pk, is_emergency=True, by=by)
            return "is an emergency already." if record.is_emergency else "is an emergency now."

        row_by_row(request, self._front_first(queryset), mark)

    def _front_first(self, queryset: QuerySet[ServiceRequest]) -> list[ServiceRequest]:
        return list(queryset.order_by("-is_emergency", "due_at", "id"))

    # --- The page

    def step(self, version: Any) -> str:
        """What a version of the history came of."""
        return STEPS[version.step][0] if version.step in STEPS else "Changed"

    def get_history_queryset(self, *args: Any, **kwargs: Any) -> Any:
        """With whoever an admin acted for."""
        return super().get_history_queryset(*args, **kwargs).select_related("on_behalf_of")

    def fetch(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> ServiceRequest | None:
        """One request with everything its page shows."""
        try:
            pk = ServiceRequest._meta.pk.to_python(object_id)
        except ValidationError:
            return None
        return request_page.rows_with_all().filter(pk=pk).first()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """The page, with the buttons possible now in its own header."""
        if obj is not None:
            actions = self.get_actions_detail(request, obj.pk)
            context |= request_page.page(request, self.record(request, obj.pk), actions) | {"actions_detail": []}
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        """With the live preview of a price."""
        preview = path(
            "<int:object_id>/price-preview/",
            self.admin_site.admin_view(self.price_preview),
            name="marketplace_servicerequest_price_preview",
        )
        return [preview, *super().get_urls()]

    def price_preview(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """What a price would be; changes nothing."""
        if not (self.has_view_permission(request) and request.user.has_perm("marketplace.price")):
            raise PermissionDenied
        return pricing.preview(request, self.record(request, object_id))
