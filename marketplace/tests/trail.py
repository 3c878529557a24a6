"""What tests of services ask of every step: refusals leave no trace, steps leave exactly one row of history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps

from core.errors import DomainError
from marketplace.models import Offer, ServiceRequest


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the marketplace, histories included."""
    return {
        model.__name__: list(model._base_manager.order_by("pk").values_list())
        for model in apps.get_app_config("marketplace").get_models()
    }


@contextmanager
def refused(kind: type[DomainError], code: str = "", *, field: str = "") -> Iterator[None]:
    """The block is refused just so, and nothing is written."""
    before = everything()
    with pytest.raises(DomainError) as caught:
        yield
    assert type(caught.value) is kind, repr(caught.value)
    assert not code or caught.value.code == code
    assert not field or field in caught.value.errors
    assert caught.value.detail.endswith(".")
    assert everything() == before


def trail(request: ServiceRequest) -> list[tuple[Any, ...]]:
    """(step, actor, on behalf of whom, reason) of every step, oldest first; not the making of the fixture."""
    rows = request.history.order_by("history_id").select_related("history_user", "on_behalf_of")
    return [(row.step, row.history_user, row.on_behalf_of, row.history_change_reason or "") for row in rows if row.step]


def offers(request: ServiceRequest) -> list[tuple[Any, ...]]:
    """(serviceman, rank, answer) of every offer, oldest first."""
    rows = Offer.objects.filter(request=request).order_by("id").select_related("serviceman")
    return [(row.serviceman, str(row.rank), row.answer and str(row.answer)) for row in rows]


def fresh(request: ServiceRequest) -> ServiceRequest:
    """As the database has it now; fields of the workflow cannot be refreshed in place."""
    return ServiceRequest.objects.get(pk=request.pk)
