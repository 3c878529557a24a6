"""Issues: raising and resolving them on the page of a request, and the list of all."""

from __future__ import annotations

from textwrap import shorten
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from core.console import ConsoleAdmin
from core.dialogs import DialogForm, carry_out, choice, dialog, words
from core.filters import DaysFilter
from marketplace.admin.labels import ago, badge, beginning, column, link_to, person
from marketplace.admin.steps import possible
from marketplace.enums import IssueKind
from marketplace.models import Issue, ServiceRequest
from marketplace.services.issues import raise_issue, resolve_issue


class RaiseForm(DialogForm):
    """What is wrong."""

    note = "While an issue is open the request waits on an admin and cannot be verified."
    kind = choice("What is wrong", IssueKind.choices)
    message = words("What happened", longest=2000)


class ResolveForm(DialogForm):
    """How it was settled."""

    issue = choice("Issue")
    resolution = words("How it was settled", longest=2000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["issue"].choices = [
            (str(issue.pk), f"{issue.get_kind_display()}: {shorten(issue.message, 90, placeholder=' …')}")
            for issue in self.record.open_issues
        ]


def _issue_to_resolve(admin_: Any, request: HttpRequest, record: ServiceRequest) -> str:
    if not record.has_open_issue:
        return "No issue is open."
    return possible(ServiceRequest.resolve_issue)(admin_, request, record)


class IssueDialogs:
    """Issues, on the page of a request."""

    @dialog(
        "Raise an issue",
        may="marketplace.verify",
        form=RaiseForm,
        icon="report",
        why_not=possible(ServiceRequest.raise_issue),
    )
    def raise_issue(self, request: HttpRequest, form: RaiseForm, object_id: str) -> HttpResponse:
        """Something is wrong."""
        return carry_out(self, request, object_id, raise_issue, done="The issue is open.", **form.chosen)

    @dialog("Resolve issue", may="marketplace.verify", form=ResolveForm, icon="handshake", why_not=_issue_to_resolve)
    def resolve_issue(self, request: HttpRequest, form: ResolveForm, object_id: str) -> HttpResponse:
        """Something is settled."""
        issue, resolution = int(form.cleaned_data["issue"]), form.cleaned_data["resolution"]
        return carry_out(
            self, request, object_id, resolve_issue, issue, done="The issue is resolved.", resolution=resolution
        )


class OpenFilter(admin.SimpleListFilter):
    """Open or resolved."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Two."""
        return [("open", "Open"), ("resolved", "Resolved")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Issue]) -> QuerySet[Issue]:
        """By whether it is resolved."""
        return queryset.filter(resolved_at__isnull=self.value() == "open") if self.value() else queryset


@admin.register(Issue)
class IssueAdmin(ConsoleAdmin):
    """What went wrong at jobs."""

    list_display = ("what", "request_link", "state", "raised", "age", "message_start")
    list_filter = (OpenFilter, ("kind", ChoicesDropdownFilter), ("created_at", DaysFilter))
    list_select_related = ("request", "raised_by", "resolved_by")
    search_fields = ("request__code", "message")
    fields: ClassVar = [
        "request_link", "kind", "state", "message", "raised", "created_at", "resolution", "resolver", "resolved_at",
    ]  # fmt: skip
    readonly_fields = ("request_link", "state", "raised", "resolver")

    what = column("Issue", lambda i: i.get_kind_display(), "kind")
    request_link = column("Request", lambda i: link_to(i.request))
    state = column("State", lambda i: badge("Resolved", "success") if i.resolved_at else badge("Open", "danger"))
    raised = column("Raised by", lambda i: person(i.raised_by) if i.raised_by else "System")
    resolver = column("Resolved by", lambda i: person(i.resolved_by))
    age = column("Age", lambda i: ago(i.created_at), "created_at")
    message_start = column("What happened", lambda i: beginning(i.message))
