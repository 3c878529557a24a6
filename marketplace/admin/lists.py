"""Searching the lists that grow with the past: by people, requests and payments that are looked up first.

Django's own search compares every row of every table it joins; with their numbers in hand each part of a search has its
index.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from core.models import User
from marketplace.models import Payment, ServiceRequest

MOST = 500
"""With more people of a name, the words say too little."""


class IndexedSearch:
    """A list whose search is `matching` instead of a comparison with each of its `search_fields`."""

    def matching(self, term: str) -> QuerySet[Any]:
        """The keys of the rows meant by what was typed: a union of parts, of which each has an index."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Those rows; all when nothing was typed."""
        term = search_term.strip()
        return (queryset.filter(pk__in=self.matching(term)) if term else queryset), False


def keys(model: type[Model], **wanted: Any) -> QuerySet[Any]:
    """The keys of rows, for a union."""
    return model._default_manager.filter(**wanted).order_by().values("pk")


def people_called(term: str) -> list[int]:
    """Accounts by parts of name, e-mail address and phone, all of the words."""
    people = User.objects.order_by()
    for word in term.split():
        people = people.filter(
            Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(email__contains=word.lower())
            | Q(phone_number__contains=word.lstrip("0") or word)
        )
    return list(people.values_list("pk", flat=True)[:MOST])


def code_like(term: str) -> Q:
    """Requests by the beginning of their code, with or without its SR-."""
    code = term.upper()
    return Q(code__startswith=code) | Q(code__startswith=f"SR-{code}")


def requests_by_code(term: str) -> QuerySet[Any]:
    """Their keys, for a union."""
    return ServiceRequest.objects.filter(code_like(term)).order_by().values("pk")


def requests_called(term: str, people: list[int]) -> QuerySet[Any]:
    """Requests by code, and of the clients among `people`: to look through all accounts, once is enough."""
    return requests_by_code(term).union(keys(ServiceRequest, client__in=people))


def payments_called(term: str, people: list[int]) -> QuerySet[Any]:
    """Payments by the beginning of their reference, by request, by client."""
    by_reference = keys(Payment, paystack_reference__startswith=term)
    return by_reference.union(keys(Payment, service_request__in=requests_called(term, people)))
