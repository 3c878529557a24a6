"""What is done to a selection of requests: one by one, by the same services, with a line for each that leads to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from core.errors import Conflict, DomainError
from marketplace.models import ServiceRequest


def row_by_row(request: HttpRequest, rows: Iterable[ServiceRequest], act: Callable[[ServiceRequest], str]) -> None:
    """`act` on each, and tell how each went; a page is all that can be chosen, so this is never more than 50.

    `act` says what it did. What it refuses is told in the same place and stops none of the others.
    """
    for record in rows:
        page = reverse("admin:marketplace_servicerequest_change", args=[record.pk])
        level = messages.SUCCESS
        try:
            words = act(record)
        except DomainError as refused:
            level = messages.WARNING if isinstance(refused, Conflict) else messages.ERROR
            words = refused.detail
        line = format_html('<a class="c-link" href="{}">{}</a>: {}', page, record.code, words)
        messages.add_message(request, level, line)
