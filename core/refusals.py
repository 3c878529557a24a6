"""What people see of the console when a page is not theirs, not there, or fails: the same look, and what to do now.

Outside the console Django answers as ever, and under /api/ `core.problems` has the word.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import csrf, defaults

from core import clock

NOT_YOURS = (
    "lock",
    "This is not yours to see or do",
    "Your role does not include it. Whoever manages the roles can give you the right.",
)
NOT_THERE = (
    "explore_off",
    "There is nothing here",
    "The address may be mistyped, or what was here is gone. Search for it in the sidebar, or start at home.",
)
TOO_OLD = (
    "history_toggle_off",
    "This page was open for too long",
    "Nothing was changed. Go back, load the page anew, and do it again.",
)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _refused(request, 403, *NOT_YOURS) or defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return _refused(request, 404, *NOT_THERE) or defaults.page_not_found(request, exception)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 of a form whose token is not the session's: mostly a page from before signing in anew."""
    return _refused(request, 403, *TOO_OLD) or csrf.csrf_failure(request, reason=reason)


def broken(request: HttpRequest) -> HttpResponse:
    """500. Asks neither the database nor the session: they may be what is broken."""
    if not _in_console(request):
        return defaults.server_error(request)
    now = clock.now().astimezone(clock.LAGOS)
    return render(None, "admin/broken.html", {"now": f"{now:%-d %b %Y, %H:%M}"}, status=500)


def _in_console(request: HttpRequest) -> bool:
    return request.path.startswith(reverse("admin:index"))


def _refused(request: HttpRequest, status: int, icon: str, title: str, *sentences: str) -> HttpResponse | None:
    """The page, for admins in the console; nobody else sees its frame."""
    user: Any = getattr(request, "user", None)
    if not _in_console(request) or user is None or not (user.is_active and user.is_staff):
        return None
    context = admin.site.each_context(request) | {"icon": icon, "title": title, "sentences": sentences}
    return render(request, "admin/refused.html", context, status=status)
