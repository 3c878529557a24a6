"""What the client pays for the work: set by an admin, agreed by the client, every version kept."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from core import clock
from core.errors import Conflict, Forbidden, Invalid
from core.models import User
from marketplace.enums import PaymentType
from marketplace.models import Payment, Price, PriceNegotiation, ServiceRequest
from marketplace.money import LARGEST, final_cost
from marketplace.services.workflow import advance, locked, require_amount, require_reason


def set_final_cost(
    request_id: int,
    *,
    markup: Decimal | None = None,
    amount: Decimal | None = None,
    price_version: int | None = None,
    reason: str = "",
    note_to_client: str = "",
    by: User,
) -> ServiceRequest:
    """Set what the client pays, as a markup in percent on the estimate or as an amount in NGN: exactly one of the two.

    Closes an open proposal and an open checkout. Raises Conflict price_changed when `price_version` is not the
    current one, Invalid for a markup outside 0..100 or an amount below the estimate without a reason.
    """
    if (markup is None) == (amount is None):
        raise Invalid("Give either a markup or an amount.", code="one_of", field="final_cost")
    with locked(request_id, by=by, step=ServiceRequest.set_final_cost, state=_is_version(price_version)) as request:
        final = _checked(request, markup=markup, amount=amount, reason=reason)
        PriceNegotiation.objects.close(request.pk)
        Payment.objects.supersede(request.pk, PaymentType.FINAL_PAYMENT)
        advance(
            request,
            ServiceRequest.set_final_cost,
            by=by,
            reason=reason,
            final_cost=final,
            markup=markup,
        )
        record_price(request, by=by, reason=reason, note_to_client=note_to_client)
    return request


def approve_price(
    request_id: int, *, price_version: int, by: User, on_behalf: bool = False, reason: str = ""
) -> ServiceRequest:
    """The client agrees to the price he was shown.

    Raises Conflict price_changed when that is not the current one; Forbidden for the admin who set it.
    """
    with locked(
        request_id,
        by=by,
        step=ServiceRequest.approve_price,
        on_behalf_of="client" if on_behalf else None,
        state=_is_version(price_version),
    ) as request:
        price = Price.objects.get(request=request, version=request.price_version)
        if on_behalf and price.by_id == by.pk:
            raise Forbidden("Whoever set the price cannot approve it for the client.")
        return agree(
            request,
            by=by,
            on_behalf_of=request.client if on_behalf else None,
            reason=require_reason(reason) if on_behalf else reason,
        )


def agree(request: ServiceRequest, *, by: User, on_behalf_of: User | None = None, reason: str = "") -> ServiceRequest:
    """Stamp the current price as agreed and move on to payment; the caller holds the lock."""
    Price.objects.filter(request=request, version=request.price_version).update(agreed_at=clock.now())
    return advance(request, ServiceRequest.approve_price, by=by, on_behalf_of=on_behalf_of, reason=reason)


def record_price(request: ServiceRequest, *, by: User | None, reason: str = "", note_to_client: str = "") -> Price:
    """Keep the current price as a version that is never changed."""
    if request.serviceman_estimated_cost is None or request.final_cost is None:
        raise ValueError(f"{request} has no price to record.")
    return Price.objects.create(
        request=request,
        version=request.price_version,
        estimate=request.serviceman_estimated_cost,
        markup=request.admin_markup_percentage,
        final=request.final_cost,
        by=by,
        reason=reason,
        note_to_client=note_to_client,
    )


def _is_version(price_version: int | None) -> Callable[[ServiceRequest], None]:
    """Raises Conflict price_changed unless the caller saw the current price (None: he does not say)."""

    def is_version(request: ServiceRequest) -> None:
        if price_version is not None and price_version != request.price_version:
            raise Conflict("The price has changed since you saw it.", code="price_changed", field="price_version")

    return is_version


def _checked(request: ServiceRequest, *, markup: Decimal | None, amount: Decimal | None, reason: str) -> Decimal:
    """The final cost in NGN. Raises Invalid for what money or sense refuses."""
    estimate = request.serviceman_estimated_cost
    assert estimate is not None  # noqa: S101  (no request is priced without an estimate)
    if markup is not None:
        if not 0 <= markup <= 100:
            raise Invalid(
                "The markup must be from 0 to 100 percent.", code="out_of_range", field="admin_markup_percentage"
            )
        amount = final_cost(estimate=estimate, markup=markup)
        if amount > LARGEST:
            raise Invalid(
                "This markup makes a price beyond 99,999,999.99.", code="out_of_range", field="admin_markup_percentage"
            )
        return amount
    assert amount is not None  # noqa: S101  (exactly one of the two)
    require_amount(amount, field="final_cost")
    if amount < estimate and not reason.strip():
        raise Invalid("This is below the estimate: say why.", code="reason_required", field="reason")
    return amount
