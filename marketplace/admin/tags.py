"""The console's template filters: `{% load console %}`."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString

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
