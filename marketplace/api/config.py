"""What an app must know before anybody signs in: fees, zone, Paystack's public key, what cancelling costs."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from core.api import PROBLEMS, Answer, Naira, Router, polled
from core.clock import LAGOS
from marketplace import policy
from marketplace.api.schemas.common import example
from marketplace.enums import PaymentType, Side
from marketplace.models import BusinessSettings

router = Router(tags=["Configuration"])


class FatesOut(Answer):
    """What becomes of the booking fee and of the final payment: RETURNED, KEPT, or REVIEW by finance."""

    INITIAL_BOOKING: policy.Fate
    FINAL_PAYMENT: policy.Fate


class PolicyOut(Answer):
    """One stage of a job and what cancelling then returns, by who cancels."""

    stage: policy.Stage
    description: str
    client: FatesOut
    admin: FatesOut


class ConfigOut(Answer):
    """Public configuration. Amounts are naira."""

    booking_fee: Naira
    emergency_booking_fee: Naira
    emergency_before_days: int
    currency: str
    timezone: str
    paystack_public_key: str
    cancellation_policy: list[PolicyOut]

    model_config = example(
        booking_fee="2000.00",
        emergency_booking_fee="5000.00",
        emergency_before_days=2,
        currency="NGN",
        timezone="Africa/Lagos",
        paystack_public_key="pk_live_...",
        cancellation_policy=[
            {
                "stage": "ACCEPTED",
                "description": "After a serviceman has accepted, before the final payment",
                "client": {"INITIAL_BOOKING": "KEPT", "FINAL_PAYMENT": "RETURNED"},
                "admin": {"INITIAL_BOOKING": "RETURNED", "FINAL_PAYMENT": "RETURNED"},
            }
        ],
    )


@router.get("/", response={200: ConfigOut, **PROBLEMS}, summary="Read the public configuration")
@polled(cache="public, max-age=60")
def read_config(request: HttpRequest) -> dict[str, Any]:
    """Fees, the emergency rule, currency, zone, Paystack's public key, and what cancelling returns at each stage."""
    current = BusinessSettings.current()
    return {
        "booking_fee": current.booking_fee,
        "emergency_booking_fee": current.emergency_booking_fee,
        "emergency_before_days": current.emergency_before_days,
        "currency": "NGN",
        "timezone": LAGOS.key,
        "paystack_public_key": settings.PAYSTACK_PUBLIC_KEY,
        "cancellation_policy": [
            {
                "stage": stage,
                "description": policy.STAGE_TEXT[stage],
                "client": _fates(policy.row(stage, Side.CLIENT)),
                "admin": _fates(policy.row(stage, Side.ADMIN)),
            }
            for stage in policy.Stage
        ],
    }


def _fates(row: policy.Row) -> dict[str, policy.Fate]:
    return {kind.value: row.of(kind) for kind in PaymentType}
