"""What admins tell each other about requests."""

from __future__ import annotations

from django.contrib import admin

from core.console import ConsoleAdmin
from marketplace.admin.labels import beginning, column, link_to, person
from marketplace.models import Note


@admin.register(Note)
class NoteAdmin(ConsoleAdmin):
    """Remarks."""

    list_display = ("text_start", "request_", "who", "created_at")
    list_select_related = ("request", "author")
    search_fields = ("request__code", "text")
    ordering = ("-id",)
    fields = ("request_", "who", "text", "created_at")
    readonly_fields = ("request_", "who")

    text_start = column("Note", lambda n: beginning(n.text))
    request_ = column("Request", lambda n: link_to(n.request))
    who = column("By", lambda n: person(n.author))
