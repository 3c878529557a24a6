"""What servicemen are owed besides what verified work earns them."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction

from core.errors import Conflict, Forbidden, Invalid
from core.models import User
from marketplace.enums import Status
from marketplace.models import LedgerEntry, ServiceRequest
from marketplace.services import ledger
from marketplace.services.workflow import require_amount, require_reason, take


def started_by(request: ServiceRequest) -> list[User]:
    """Who has begun the work of a request and does not earn it: it was taken from him, or cancelled."""
    began = request.history.filter(step="start_work").values("serviceman_id")
    his = [] if request.status == Status.CANCELLED else [request.serviceman_id]
    return list(User.objects.filter(pk__in=began).exclude(pk__in=[pk for pk in his if pk]).order_by("pk"))


def compensate(request_id: int, *, serviceman_id: int, amount: Decimal, reason: str, by: User) -> LedgerEntry:
    """Owe `amount` NGN to a serviceman who began a job and lost it, out of the platform's revenue; once for each man.

    Raises Missing, Forbidden without `pay_out`, Conflict (already_compensated), Invalid for the amount, the reason or
    a man who has not begun this job or earns it.
    """
    with transaction.atomic():
        request = take(request_id, by=by)
        if not by.has_perm("marketplace.pay_out"):
            raise Forbidden("Only finance owes money to servicemen.")
        require_amount(amount, field="amount")
        reason = require_reason(reason)
        if serviceman_id not in {user.pk for user in started_by(request)}:
            raise Invalid("He has not begun this job, or he earns it.", code="not_available", field="serviceman_id")
        key = f"request-{request.pk}-compensation-{serviceman_id}"
        if LedgerEntry.objects.filter(dedupe_key=key).exists():
            raise Conflict("He is compensated for this job already.", code="already_compensated")
        return ledger.post_compensation(
            request, serviceman_id=serviceman_id, amount=amount, dedupe_key=key, memo=reason, by=by
        )
