"""The console's template filters: `{% load console %}`."""

from __future__ import annotations

from functools import cache
from typing import Any

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString

from core.unfold import SIDEBAR
from marketplace import enums
from marketplace.admin import labels

register = template.Library()

register.filter("naira", labels.money)
register.filter("kobo", labels.kobo)
register.filter("at", labels.at)
register.filter("age", labels.age)
register.filter("ago", labels.ago)
register.filter("due", labels.due)
register.filter("person", labels.person)
register.filter("link", labels.link_to)


@register.filter
def state(value: Any, kind: str) -> SafeString:
    """A state in its colour: `{{ payment.status|state:"PaymentStatus" }}`."""
    return labels.state(value, getattr(enums, kind))


@register.filter
def initials(user: Any) -> str:
    """Two letters for an avatar."""
    return f"{user.first_name[:1]}{user.last_name[:1]}".upper() or user.username[:2].upper()


@register.filter
def words(name: str) -> str:
    """A stored name for people: booking_fee_in -> Booking fee in."""
    return name.replace("_", " ").capitalize()


@register.filter
def account(name: str) -> str:
    """An account of the ledger, without its explanation."""
    return enums.Account(name).label.partition(" (")[0]


@register.filter
def credit(amount: int) -> str:
    """What is credited, for a column of its own: without the sign."""
    return labels.kobo(-amount)


@cache
def _titles() -> dict[str, str]:
    """The sidebar's own name of each list, by its address."""
    items = [item for group in SIDEBAR for item in group["items"]]
    named = {item["link"](None): item["title"] for item in items}
    return {url: title for url, title in named.items() if "?" not in url}


@register.filter
def crumbs(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where a page is, in the words of the sidebar; an application is nothing to people, so they begin at home."""
    home, titles = reverse("admin:index"), _titles()
    begins = len(parts) > 1 and (parts[0].get("link") or "").startswith(home)
    shown = [{"link": home, "title": "Home"}, *parts[1:]] if begins else parts
    return [part | {"title": titles.get(part.get("link") or "", part["title"])} for part in shown]
