"""Whom to sign in as in the demo."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from django.contrib.auth.hashers import make_password
from django.db.models import Count, F, QuerySet

from core.models import User
from marketplace.enums import Approval
from marketplace.management.demo.cast import DESKS, DOMAIN
from marketplace.management.demo.trades import TRADES


def everybody() -> QuerySet[User]:
    """All accounts of the demo."""
    return User.objects.filter(email__endswith=f"@{DOMAIN}")


def set_password() -> str:
    """Give all of them one new password, ending their sessions, and answer it."""
    password = f"Demo-{secrets.token_urlsafe(6)}7a"
    # Hashed once: one hash each, at what a good one costs, would take longer than everything else.
    everybody().update(password=make_password(password), token_version=F("token_version") + 1)
    return password


def lines(password: str = "") -> Iterator[str]:
    """What to print: those with the most to see of each side, and the password if it is known."""
    for email, who in _chosen():
        yield f"  {email:42} {who}"
    yield ""
    if password:
        yield f"  The password of every account of the demo: {password}"
    else:
        yield "  Their password was printed when it was made. --reset-passwords makes a new one."


def _chosen() -> Iterator[tuple[str, str]]:
    for desk in DESKS:
        yield f"{desk.mailbox}@{DOMAIN}", f"admin, {desk.role}" if desk.role else "admin who may do everything"
    clients = everybody().annotate(n=Count("service_requests")).filter(n__gt=0).order_by("-n", "pk")
    for person in clients[:1]:
        yield person.email, "client"
    servicemen = everybody().filter(serviceman_profile__approval=Approval.APPROVED).annotate(n=Count("jobs"))
    for person in servicemen.filter(serviceman_profile__category__name=TRADES[0].name).order_by("-n", "pk")[:2]:
        yield person.email, f"serviceman, {TRADES[0].name.lower()}"
    waiting = everybody().filter(serviceman_profile__approval=Approval.PENDING).first()
    if waiting:
        yield waiting.email, "serviceman whose application waits"
