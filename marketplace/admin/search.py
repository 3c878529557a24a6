"""What the search of the sidebar finds: pages, requests, people, payments. A few of each, by their indexes.

Unfold's own view keeps what it found for five minutes; this one looks every time, since rights and states change.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.dataclasses import SearchResult

from core.models import User
from core.unfold import SIDEBAR
from marketplace.admin.lists import code_like
from marketplace.models import Payment, ServiceRequest

FEW = 8
SHORTEST = 2
"""Of fewer letters nothing is looked for."""
LONGEST = 100


def results(request: HttpRequest) -> HttpResponse:
    """What the search shows below itself."""
    began = time.monotonic()
    term = request.GET.get("s", "").replace("\x00", "").strip()[:LONGEST]
    if not term:
        return HttpResponse()
    found = Paginator(find(request, term), 100)
    context = {
        "search_term": term,
        "page_obj": found,
        "results": found.page(1),
        "page_counter": 0,
        "execution_time": time.monotonic() - began,
        "command_show_history": False,
    }
    return TemplateResponse(request, "unfold/helpers/command_results.html", context, headers={"HX-Trigger": "search"})


def find(request: HttpRequest, term: str) -> list[SearchResult]:
    """The best few of each kind this admin may see."""
    if len(term) < SHORTEST:
        return []
    may = request.user.has_perm
    found = [*_pages(request, term.lower())]
    if may("marketplace.view_servicerequest"):
        found += map(_request, requests_of(term)[:FEW])
    if may("core.view_user"):
        profiles = {model for model in ("clientprofile", "servicemanprofile") if may(f"marketplace.view_{model}")}
        found += (_person(user, profiles) for user in people_of(term)[:FEW])
    if may("marketplace.view_payment"):
        paid = Payment.objects.filter(paystack_reference__istartswith=term).order_by("pk")
        found += map(_payment, paid[:FEW])
    return found


def requests_of(term: str) -> QuerySet[ServiceRequest]:
    """By code, with or without its SR-."""
    return ServiceRequest.objects.filter(code_like(term)).select_related("client").order_by("code")


def people_of(term: str) -> QuerySet[User]:
    """By the beginning of a name, both names, an address, or a number as it is dialled here or from abroad."""
    first, _, last = term.partition(" ")
    who = Q(email__startswith=term.lower())
    if last:
        who |= Q(first_name__istartswith=first, last_name__istartswith=last.strip())
    else:
        who |= Q(first_name__istartswith=term) | Q(last_name__istartswith=term)
    number = "".join(letter for letter in term if letter.isdecimal())
    if len(number) >= SHORTEST:
        who |= Q(phone_number__startswith=f"+234{number[1:]}" if number.startswith("0") else f"+{number}")
    return User.objects.filter(who).select_related("client_profile", "serviceman_profile").order_by("pk")


def _pages(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    """Pages of the sidebar, then lists that stand nowhere in it."""
    shown = set()
    for group in SIDEBAR:
        for item in group["items"]:
            link = item["link"](request)
            shown.add(link)
            if term in item["title"].lower() and item.get("permission", lambda _: True)(request):
                yield SearchResult(item["title"], group.get("title", "Console"), link, item["icon"])
    for app in admin.site.get_app_list(request):
        for model in app["models"]:
            link = model.get("admin_url")
            if link and link not in shown and term in str(model["name"]).lower():
                yield SearchResult(str(model["name"]).capitalize(), "List", link, "list")


def _request(record: ServiceRequest) -> SearchResult:
    link = reverse("admin:marketplace_servicerequest_change", args=[record.pk])
    return SearchResult(record.code, f"{record.get_status_display()}, {record.client.name}", link, "list_alt")


def _person(user: User, profiles: set[str]) -> SearchResult:
    """To the profile, where there is most to see; else to the account."""
    link = reverse("admin:core_user_change", args=[user.pk])
    for model, name in (("clientprofile", "client_profile"), ("servicemanprofile", "serviceman_profile")):
        if model in profiles and (profile := getattr(user, name, None)):
            link = reverse(f"admin:marketplace_{model}_change", args=[profile.pk])
    return SearchResult(user.name, f"{user.get_user_type_display()}, {user.email}", link, "person")


def _payment(payment: Payment) -> SearchResult:
    link = reverse("admin:marketplace_payment_change", args=[payment.pk])
    what = f"{payment.get_payment_type_display()}, {payment.get_status_display().lower()}"
    return SearchResult(payment.paystack_reference, what, link, "payments")
