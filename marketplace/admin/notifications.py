"""Messages to people: was each one sent, when, and what went wrong; sending again, previews, announcements."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    BooleanRadioFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
)
from unfold.enums import ActionVariant

from core.console import ConsoleAdmin
from core.dialogs import DialogForm, back, carry_out, choice, dialog, leading, line, words
from core.filters import DaysFilter
from core.models import Role, User
from marketplace.admin.labels import badge, beginning, column, link_to, many, person
from marketplace.admin.lists import IndexedSearch, keys, people_called, requests_by_code
from marketplace.admin.queues import BY_KEY
from marketplace.models import Notification
from marketplace.notices.letters import TOKENS, render_email
from marketplace.services import notifications


class UnsentFilter(DropdownFilter):
    """E-mails that should have left by now."""

    title = "queue"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One."""
        return [("unsent", "Unsent mail")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notification]) -> QuerySet[Notification]:
        """The same rows as the card counts."""
        return queryset & BY_KEY["unsent"].rows() if self.value() else queryset


class ResendForm(DialogForm):
    """Nothing to fill in."""

    note = "The e-mail is written anew, as its reader may see it now, and sent."


class PreviewForm(DialogForm):
    """The e-mail, to look at."""

    nothing_to_choose = True
    form_after_template = "admin/email_preview.html"

    def get_after_template_context(self, request: HttpRequest, object_id: Any = None) -> dict[str, Any]:
        """As it would be written now."""
        subject, text, html = render_email(self.record)
        return {"subject": subject, "text": text, "html": html}


AUDIENCES = {"clients": "All clients", "servicemen": "All approved servicemen", "chosen": "Chosen people"}


class AnnounceForm(DialogForm):
    """To whom, and what."""

    audience = choice("To", AUDIENCES.items())
    emails = words(
        "E-mail addresses", required=False, rows=3, longest=20_000, help_text="Of chosen people, one a line."
    )
    title = line("Title", longest=200)
    message = words("Message", rows=6, longest=5000)

    def clean(self) -> dict[str, Any]:
        """Find the people."""
        cleaned = super().clean()
        people = User.objects.filter(is_active=True, is_email_verified=True)
        audience = cleaned.get("audience")
        if audience == "clients":
            people = people.filter(user_type=Role.CLIENT)
        elif audience == "servicemen":
            people = people.filter(user_type=Role.SERVICEMAN, serviceman_profile__approval="APPROVED")
        elif audience == "chosen":
            wanted = {address.strip().lower() for address in cleaned.get("emails", "").split() if address.strip()}
            people = User.objects.filter(is_active=True, email__in=wanted)
            if missing := sorted(wanted - set(people.values_list("email", flat=True))):
                raise forms.ValidationError({"emails": f"Nobody has this address: {missing[0]}"})
        cleaned["user_ids"] = list(people.values_list("pk", flat=True))
        if not cleaned["user_ids"] and not self.errors:
            self.add_error("audience", "There is nobody to tell.")
        return cleaned


def _no_token_inside(_: Any, request: HttpRequest, notification: Notification) -> str:
    # Whoever reads the link of such a mail can sign in as its reader.
    return "This e-mail holds a secret link for its reader only." if notification.notification_type in TOKENS else ""


def _sent(notification: Notification) -> SafeString:
    if notification.sent_to_email:
        return badge("Sent", "success")
    if notification.parked_at:
        return badge("Given up", "danger")
    return badge("Will be tried again", "warning") if notification.attempts else badge("Waiting", "info")


@admin.register(Notification)
class NotificationAdmin(IndexedSearch, ConsoleAdmin):
    """Every message to everybody, and the state of its e-mail."""

    list_display = ("title_", "to", "request_", "sent_", "attempts", "error_start", "created_at")
    list_select_related = ("user", "service_request")
    list_filter = (
        UnsentFilter,
        ("notification_type", ChoicesDropdownFilter),
        ("sent_to_email", BooleanRadioFilter),
        ("is_read", BooleanRadioFilter),
        ("user", AutocompleteSelectFilter),
        ("created_at", DaysFilter),
    )
    search_fields = ("user__email", "service_request__code")
    search_help_text = "Request, or the reader's name, phone or e-mail"
    ordering = ("-id",)
    sortable_by = ()
    actions = ("resend_chosen",)
    actions_detail = ("resend", "preview")
    actions_list = ("announce",)
    fieldsets = (
        (None, {"fields": ("to", "title", "text", "notification_type", "request_", "is_read", "created_at")}),
        (
            "E-mail",
            {"fields": ("sent_", "email_sent_at", "attempts", "next_try_at", "parked_at", "last_error")},
        ),
    )
    readonly_fields = ("to", "text", "request_", "sent_")

    title_ = column("Message", lambda n: n.title)
    to = column("To", lambda n: person(n.user))
    request_ = column("Request", lambda n: link_to(n.service_request))
    sent_ = column("E-mail", _sent)
    error_start = column("Last error", lambda n: beginning(n.last_error))
    text = column("Text", lambda n: format_html("{}", notifications.with_words([n])[0].message))

    def matching(self, term: str) -> QuerySet[Any]:
        """By reader or request."""
        by_request = keys(Notification, service_request__in=requests_by_code(term))
        return by_request.union(keys(Notification, user__in=people_called(term)))

    def has_announce_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """May announce, and see."""
        return request.user.has_perm("marketplace.announce") and self.has_view_permission(request)

    @dialog("Send again", may="marketplace.announce", form=ResendForm, icon="send", variant=ActionVariant.PRIMARY)
    def resend(self, request: HttpRequest, form: ResendForm, object_id: str) -> HttpResponse:
        """Once more."""

        def resend(notification_id: int, *, by: User) -> None:
            notifications.resend([notification_id], by=by)

        return carry_out(self, request, object_id, resend, done="The e-mail is queued again.")

    @dialog(
        "Preview the e-mail",
        may="marketplace.announce",
        form=PreviewForm,
        icon="visibility",
        why_not=_no_token_inside,
    )
    def preview(self, request: HttpRequest, form: PreviewForm, object_id: str) -> HttpResponse:
        """There is nothing to submit."""
        return back(request, self, object_id)

    @dialog(
        "Announce",
        may="marketplace.announce",
        form=AnnounceForm,
        icon="campaign",
        submit="Send to everybody chosen",
        variant=ActionVariant.PRIMARY,
    )
    def announce(self, request: HttpRequest, form: AnnounceForm, object_id: str = "") -> HttpResponse:
        """Tell many."""
        chosen = {name: form.cleaned_data[name] for name in ("user_ids", "title", "message")}
        told = notifications.send_announcement(by=request.user, **chosen)  # type: ignore[arg-type]
        who = "1 person is" if len(told) == 1 else f"{len(told):,} people are"
        mails = f"{reverse('admin:marketplace_notification_changelist')}?notification_type__exact=ANNOUNCEMENT"
        messages.success(request, leading(f"{who} told, on the dashboard and by e-mail.", mails, "Show the messages"))
        return back(request, self)

    @admin.action(description="Send the e-mails again", permissions=["announce"])
    def resend_chosen(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        """A selection."""
        count = notifications.resend(list(queryset.values_list("pk", flat=True)), by=request.user)  # type: ignore[arg-type]
        messages.success(request, f"{many(count, 'e-mail')} queued again.")
