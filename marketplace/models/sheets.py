"""The price sheet of a request: what it costs and where its money is, as each side may see it. NGN throughout."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from marketplace.enums import PaymentOutcome, PaymentStatus, PaymentType, RefundStatus, Side, Status
from marketplace.money import ZERO, derived_markup, from_kobo, margin

if TYPE_CHECKING:
    from marketplace.models.prices import Price
    from marketplace.models.requests import ServiceRequest


@dataclass(frozen=True, kw_only=True)
class PriceSheet:
    """None is what this reader may not see, or what there is not yet."""

    version: int
    """The price's version; 0 before the first."""
    booking_fee: Decimal | None
    estimate: Decimal | None
    markup: Decimal | None
    """Per cent on the estimate, derived where the price was set as an amount."""
    margin: Decimal | None
    """Final cost less estimate; negative when it was agreed below it."""
    final_cost: Decimal | None
    serviceman_share: Decimal | None
    """What he earns when the work is verified: his estimate."""
    platform_share: Decimal | None
    """Booking fee and margin, before Paystack's fees, as long as neither goes back."""
    paid: Decimal | None
    """Proven money, late and double money included."""
    gateway_fees: Decimal | None
    """What Paystack kept, less what the payer bore of it."""
    refunded: Decimal | None
    """What has gone back."""
    refunds_open: Decimal | None
    """What is owed back and has not gone yet."""
    still_open: Decimal | None
    """What the client has to pay next."""
    versions: tuple[Price, ...]
    """Every price there was, the newest first; a serviceman sees none."""


def price_sheet(request: ServiceRequest, reader: Side) -> PriceSheet:
    """The sheet for an ADMIN, the request's CLIENT or its SERVICEMAN; anybody else sees nothing but the version.

    Uses prefetched payments, refunds and prices.
    """
    admin = reader == Side.ADMIN
    seen, his = admin or reader == Side.CLIENT, admin or reader == Side.SERVICEMAN
    estimate, final = request.serviceman_estimated_cost, request.final_cost
    payments = list(request.payments.all())
    proven = [p for p in payments if p.status == PaymentStatus.SUCCESSFUL or p.outcome == PaymentOutcome.MISMATCH]
    came = sum((p.amount if p.received_kobo is None else from_kobo(p.received_kobo) for p in proven), ZERO)
    # What a payer bore of Paystack's fee came on top, and is no money of his request.
    borne = sum((_borne(p.amount, p.received_kobo, p.status) for p in proven), ZERO)
    fees = sum((from_kobo(p.fees_kobo or 0) for p in proven), ZERO)
    refunds = [refund for p in payments for refund in p.refunds.all() if refund.status != RefundStatus.WAIVED]
    refunded = sum((r.amount for r in refunds if r.status == RefundStatus.PROCESSED), ZERO)
    review = sum((r.amount for r in refunds if r.status == RefundStatus.REVIEW), ZERO)
    owed = sum((r.amount for r in refunds), ZERO) - refunded - review
    gain = None if estimate is None or final is None else margin(final=final, estimate=estimate)
    return PriceSheet(
        version=request.price_version,
        booking_fee=request.initial_booking_fee if seen else None,
        estimate=estimate if his else None,
        markup=derived_markup(final=final, estimate=estimate) if admin and gain is not None else None,  # type: ignore[arg-type]
        margin=gain if admin else None,
        final_cost=final if seen else None,
        serviceman_share=estimate if his else None,
        platform_share=request.initial_booking_fee + (gain or ZERO) if admin else None,
        paid=came - borne if seen else None,
        gateway_fees=fees - borne if admin else None,
        refunded=refunded if seen else None,
        refunds_open=owed if seen else None,
        still_open=_still_open(request) if seen else None,
        versions=tuple(sorted(request.prices.all(), key=lambda price: -price.version)) if seen else (),
    )


def _borne(amount: Decimal, received_kobo: int | None, status: str) -> Decimal:
    over = from_kobo(received_kobo) - amount if received_kobo is not None else ZERO
    return over if over > ZERO and status == PaymentStatus.SUCCESSFUL else ZERO


def _still_open(request: ServiceRequest) -> Decimal:
    if request.status == Status.AWAITING_BOOKING_FEE:
        return request.initial_booking_fee
    unpaid = request.is_open and request.applied_payment(PaymentType.FINAL_PAYMENT) is None
    return (request.final_cost or ZERO) if unpaid else ZERO
