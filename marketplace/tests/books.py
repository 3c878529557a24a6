"""What the services would have written into the books for a request that a test made by hand."""

from django.db import transaction

from core import clock
from marketplace.models import LedgerEntry, ServiceRequest
from marketplace.services import ledger


def enter(request: ServiceRequest) -> ServiceRequest:
    """Post each proven payment of a request, and the end of its work, dated as the money moved."""
    with transaction.atomic():
        for payment in request.payments.filter(status="SUCCESSFUL", ledger_entries=None).select_related(
            "service_request"
        ):
            ledger.post_payment_in(payment)
        if request.status == "COMPLETED":
            _earn(request)
    return request


def _earn(request: ServiceRequest) -> None:
    """The work was verified when the request came into its last status."""
    if not LedgerEntry.objects.filter(request=request, kind="completion_earned").exists():
        with clock.at(request.status_since):
            ledger.post_completion_earned(request, by=None)
