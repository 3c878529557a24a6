"""What the search of the sidebar finds besides pages: requests, people, payments. A few of each, by their indexes."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from core.models import User
from marketplace.models import Payment, ServiceRequest

FEW = 8


def find(request: HttpRequest, term: str) -> list[SearchResult]:
    """The best few of each kind this admin may see."""
    term = term.strip()
    if len(term) < 2:
        return []
    found: list[SearchResult] = []
    if request.user.has_perm("marketplace.view_servicerequest"):
        codes = Q(code__istartswith=term) | Q(code__istartswith=f"SR-{term}")
        for record in ServiceRequest.objects.filter(codes).select_related("client").order_by("code")[:FEW]:
            link = reverse("admin:marketplace_servicerequest_change", args=[record.pk])
            what = f"{record.get_status_display()}, {record.client.name}"
            found.append(SearchResult(title=record.code, description=what, link=link, icon="list_alt"))
    if request.user.has_perm("core.view_user"):
        names = Q(first_name__istartswith=term) | Q(last_name__istartswith=term)
        for user in User.objects.filter(names | Q(email__startswith=term.lower())).order_by("pk")[:FEW]:
            link = reverse("admin:core_user_change", args=[user.pk])
            what = f"{user.get_user_type_display()}, {user.email}"
            found.append(SearchResult(title=user.name, description=what, link=link, icon="person"))
    if request.user.has_perm("marketplace.view_payment"):
        for payment in Payment.objects.filter(paystack_reference__istartswith=term).order_by("pk")[:FEW]:
            link = reverse("admin:marketplace_payment_change", args=[payment.pk])
            what = f"{payment.get_payment_type_display()}, {payment.get_status_display().lower()}"
            found.append(SearchResult(title=payment.paystack_reference, description=what, link=link, icon="payments"))
    return found
