"""A refund under its locks, saved with whoever decided."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from core.errors import Forbidden, Missing
from core.models import User
from marketplace.enums import RefundStatus
from marketplace.models import Payment, Refund, ServiceRequest

UNDECIDED = (RefundStatus.DUE, RefundStatus.REVIEW)
UNDER_WAY = (RefundStatus.SENT, RefundStatus.PROCESSING, RefundStatus.NEEDS_ATTENTION)


@contextmanager
def locked(refund_id: int, *, by: User | None) -> Iterator[Refund]:
    """The refund, locked with its request and payment until the block ends. Raises Missing, Forbidden."""
    with transaction.atomic():
        ids = Refund.objects.filter(pk=refund_id).values_list("payment__service_request", "payment").first()
        if ids is None:
            raise Missing("There is no such refund.")
        if by is not None and not by.has_perm("marketplace.refund"):
            raise Forbidden("Only finance decides on refunds.")
        ServiceRequest.objects.select_for_update(of=("self",)).get(pk=ids[0])
        payment = Payment.objects.select_for_update(of=("self",)).select_related("service_request").get(pk=ids[1])
        refund = Refund.objects.select_for_update(of=("self",)).get(pk=refund_id)
        refund.payment = payment
        yield refund


def save(refund: Refund, status: RefundStatus, *, by: User | None) -> None:
    """Save with its history row."""
    refund.status = status
    refund._history_user = by  # type: ignore[attr-defined]
    refund.save()
