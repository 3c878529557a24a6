"""A notice as an e-mail: names, figures and links are looked up when it is written, within the rights of its reader."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from itertools import zip_longest
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core import tokens
from core.models import User
from marketplace.analytics import Span
from marketplace.enums import NotificationType as T
from marketplace.models import (
    BankAccount,
    Consultation,
    Issue,
    Notification,
    Payment,
    Payout,
    Rating,
    Refund,
    ServicemanProfile,
    ServiceRequest,
)
from marketplace.notices.report import as_csv
from marketplace.notices.rows import LOOKS, Letter, amount_label, rows_of
from marketplace.notices.words import words_of

TOKENS: Mapping[T, tuple[tokens.Purpose, str]] = {
    T.EMAIL_VERIFICATION: (tokens.verify_email, "/verify-email"),
    T.PASSWORD_RESET: (tokens.reset_password, "/reset-password"),
}
"""Types whose link carries a token, which is made together with the mail and stored nowhere."""

RECORDS: Mapping[str, Callable[[dict[str, Any]], Model | None]] = {
    "payment": lambda facts: _first(Payment, pk=facts.get("payment_id")),
    "refund": lambda facts: _first(Refund, pk=facts.get("refund_id")),
    "payout": lambda facts: _first(Payout, pk=facts.get("payout_id")),
    "rating": lambda facts: _first(Rating, pk=facts.get("rating_id")),
    "issue": lambda facts: _first(Issue, pk=facts.get("issue_id")),
    "lost": lambda facts: _first(User, pk=facts.get("lost")),
    "consultation": lambda facts: _first(Consultation, pk=facts.get("consultation_id")),
}
"""What the facts of a notice name, by kind; each is one statement, and only where a notice has that fact."""

WHY_YOU: Mapping[str, str] = {
    "CLIENT": "You get this e-mail because you booked with Serviceman.",
    "SERVICEMAN": "You get this e-mail because you take jobs through Serviceman.",
    "ADMIN": "You get this e-mail because you look after this in the backoffice of Serviceman.",
}
CODE = re.compile(r"(\bSR-[0-9A-Z]{5,}\b)")
"""A request's code inside other words."""
ABOUT_ACCOUNT = frozenset({T.EMAIL_VERIFICATION, T.WELCOME, T.PASSWORD_RESET, T.PASSWORD_CHANGED})


def render_email(notification: Notification) -> tuple[str, str, str]:
    """Subject, text and HTML of the e-mail of a notice, as its reader may see it now."""
    return render(letter_of(notification))


def attachments_of(notification: Notification) -> list[tuple[str, str, str]]:
    """Files that go with it, as (name, content, type): the payments behind a revenue report."""
    if notification.notification_type != T.REVENUE_REPORT or not {"start", "end"} <= notification.facts.keys():
        return []
    start, end = notification.facts["start"], notification.facts["end"]
    content = as_csv(Span(date.fromisoformat(start), date.fromisoformat(end)))
    return [(f"payments-{start}-to-{end}.csv", content, "text/csv")]


def render(letter: Letter) -> tuple[str, str, str]:
    """Subject, text and HTML of a letter."""
    name = f"emails/{letter.type.value.lower()}"
    about_account = letter.type in ABOUT_ACCOUNT
    site = settings.FRONTEND_URL or settings.SITE_URL
    rows = rows_of(letter)
    context = {
        "title": letter.notification.title,
        "message": letter.notification.message,
        "preheader": letter.notification.message,
        "heading": letter.type.label,
        "reader": letter.reader,
        "request": letter.request,
        "facts": letter.facts,
        "amount": letter.amount,
        "amount_label": amount_label(letter),
        "rows": rows,
        "words": letter.words,
        "words_label": LOOKS[letter.type].words,
        "tone": "calm" if letter.facts.get("is_emergency") is False else LOOKS[letter.type].tone,
        "link": link_of(letter),
        "link_lives": _lifetime(letter.type),
        "site": site,
        "site_name": urlsplit(site).netloc,
        "why_you": "You get this e-mail because this address was given for an account with Serviceman."
        if about_account
        else WHY_YOU[letter.reader.user_type],
    }
    text = re.sub(r"\n{3,}", "\n\n", render_to_string(f"{name}.txt", context)).strip() + "\n"
    context |= {"message": _whole(context["message"]), "rows": [(label, _whole(value)) for label, value in rows]}
    return " ".join(letter.notification.title.split()), text, render_to_string(f"{name}.html", context).strip()


def letter_of(notification: Notification) -> Letter:
    """A notice with the records it is about."""
    facts, reader = notification.facts, notification.user
    records = {kind: record for kind, find in RECORDS.items() if (record := find(facts))}
    refund = records.get("refund")
    if isinstance(refund, Refund):
        records["payment"] = refund.payment
    records |= _about_person(notification)
    token = TOKENS[kind][0].make(reader) if (kind := T(notification.notification_type)) in TOKENS else ""
    return Letter(
        notification=notification,
        reader=reader,
        request=_request_of(notification),
        records=records,
        words=words_of([notification]).get(notification.pk, ""),
        token=token,
    )


def link_of(letter: Letter) -> str:
    """Where its button leads: the console for an admin, else the app, or our own pages while there is none."""
    site = settings.FRONTEND_URL or settings.SITE_URL
    if letter.type in TOKENS:
        return f"{site}{TOKENS[letter.type][1]}?{urlencode({'token': letter.token}, safe=':')}"
    if letter.reader.is_admin:
        return settings.SITE_URL + _console_path(letter)
    return letter.request.get_absolute_url() if letter.request else f"{site}/"


def _whole(text: str) -> SafeString:
    """Words for the HTML part. A code stays on one line: on a phone it would break at its hyphen."""
    pieces = CODE.split(text)
    codes = (format_html('<span class="whole">{}</span>', code) for code in pieces[1::2])
    return format_html_join("", "{}{}", zip_longest(pieces[::2], codes, fillvalue=""))


def _lifetime(kind: T) -> str:
    """How long the link of this type works: "3 days", "1 hour"."""
    if kind not in TOKENS:
        return ""
    hours = TOKENS[kind][0].seconds() // 3600
    count, unit = (hours // 24, "day") if hours and hours % 24 == 0 else (hours, "hour")
    return f"{count} {unit}{'s' if count > 1 else ''}"


def _console_path(letter: Letter) -> str:
    about: Any = letter.request
    if letter.type == T.MONEY_AT_RISK:
        about = letter.records.get("payment", about)
    if letter.type == T.SERVICEMAN_APPLICATION:
        about = letter.records.get("profile", about)
    if about is not None and about.pk:
        meta = about._meta
        try:
            return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[about.pk])
        except NoReverseMatch:
            pass
    return reverse("admin:index")


def _request_of(notification: Notification) -> ServiceRequest | None:
    if notification.service_request_id is None:
        return None
    return ServiceRequest.objects.select_related("category", "client", "serviceman__serviceman_profile").get(
        pk=notification.service_request_id
    )


def _about_person(notification: Notification) -> dict[str, Any]:
    """The profile or the bank account a notice is about."""
    kind, facts = notification.notification_type, notification.facts
    if kind in (T.PAYOUT_SENT, T.BANK_ACCOUNT_CHANGED):
        account = _first(BankAccount, serviceman=notification.user_id)
        return {"bank_account": account} if account else {}
    if kind in (T.SERVICEMAN_APPLICATION, T.SERVICEMAN_APPROVED, T.SERVICEMAN_REINSTATED):
        whose = facts.get("user_id") or notification.user_id
        by_id = {"pk": facts["servicemanprofile_id"]} if "servicemanprofile_id" in facts else {"user": whose}
        profile = ServicemanProfile.objects.select_related("user", "category").filter(**by_id).first()
        return {"profile": profile} if profile else {}
    return {}


def _first(model: type[Model], **by: Any) -> Model | None:
    """The last record that fits; none without a statement when the fact is missing."""
    if None in by.values():
        return None
    return model._default_manager.filter(**by).order_by("-pk").first()
