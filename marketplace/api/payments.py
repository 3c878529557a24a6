"""/api/payments/: a checkout, Paystack's events, and what became of the money."""

from typing import Any

from django.http import HttpRequest

from core.api import (
    PROBLEMS,
    Answer,
    Id,
    Moment,
    Naira,
    Page,
    PageOf,
    PageQuery,
    Query,
    Router,
    Schema,
    Status,
    created,
    idempotent,
    paginate,
    raw_body,
    verified,
)
from core.auth import client, roles
from core.errors import Missing
from core.models import Role
from marketplace.api.schemas.common import Call, example
from marketplace.enums import Channel, PaymentOutcome, PaymentStatus, PaymentType
from marketplace.models import Payment
from marketplace.services import payments

router = Router(tags=["Payments"])
payer = roles(Role.CLIENT, Role.ADMIN, permission="marketplace.view_payment")

PATH = "/api/payments/"
SIGNATURE = "x-paystack-signature"


class InitializeIn(Schema):
    service_request_id: Id
    payment_type: PaymentType

    model_config = example(service_request_id=1, payment_type="INITIAL_BOOKING")


class PaymentOut(Answer):
    id: int
    service_request_id: int
    payment_type: PaymentType
    channel: Channel
    amount: Naira
    currency: str
    status: PaymentStatus
    outcome: PaymentOutcome | None
    reference: str
    access_code: str
    authorization_url: str
    paid_at: Moment | None
    created_at: Moment

    model_config = example(
        id=5,
        service_request_id=1,
        payment_type="INITIAL_BOOKING",
        channel="PAYSTACK",
        amount="2000.00",
        currency="NGN",
        status="PENDING",
        outcome=None,
        reference="SR-7K3Q9-I-6f1d0c9a42",
        access_code="0peioxfhpn",
        authorization_url="https://checkout.paystack.com/0peioxfhpn",
        paid_at=None,
        created_at="2026-11-22T14:30:00+01:00",
    )

    @staticmethod
    def resolve_reference(payment: Payment) -> str:
        return payment.paystack_reference

    @staticmethod
    def resolve_access_code(payment: Payment) -> str:
        return payment.paystack_access_code


class Received(Answer):
    received: bool

    model_config = example(received=True)


@router.post("/initialize/", auth=client, response={200: PaymentOut, 201: PaymentOut, **PROBLEMS})
@idempotent
@verified
def initialize(request: Call, data: InitializeIn) -> Status[Payment]:
    """Open a checkout for what is due.

    Send the client to `authorization_url`. Asked again within 25 minutes, the same checkout is answered (200).
    """
    payment, is_new = payments.initialize(data.service_request_id, payment_type=data.payment_type, by=request.auth)
    if not is_new:
        return Status(200, payment)
    return created(request, payment, f"{PATH}{payment.pk}/")


WEBHOOK: dict[str, Any] = {
    "parameters": [
        {
            "in": "header",
            "name": SIGNATURE,
            "required": True,
            "schema": {"type": "string", "pattern": "^[0-9a-f]{128}$"},
            "description": "HMAC-SHA512 of the raw body under the secret key, in hex. Anything else is a 401.",
        }
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "title": "PaystackEvent",
                    "description": "As Paystack defines it; only the signature is required of it.",
                    "properties": {"event": {"type": "string"}, "data": {"type": "object"}},
                    "required": ["event", "data"],
                    "examples": [
                        {"event": "charge.success", "data": {"reference": "SR-7K3Q9-I-6f1d0c9a42", "amount": 200000}}
                    ],
                }
            }
        },
    },
}
"""What the raw body should be: the reference cannot tell from the code."""


@router.post(
    "/webhook/",
    auth=None,
    response={200: Received, **PROBLEMS},
    summary="Paystack's events",
    openapi_extra=WEBHOOK,
)
@raw_body
def webhook(request: HttpRequest) -> Received:
    """Where Paystack reports. Every event it has signed is kept and answered with 200, understood or not."""
    payments.receive_webhook(request.body, request.headers.get(SIGNATURE))
    return Received(received=True)


@router.get("/verify/{reference}/", auth=payer, response={200: PaymentOut, **PROBLEMS})
def verify(request: Call, reference: str) -> Payment:
    """Ask what became of a payment, after the browser has come back; Paystack is asked while it is open."""
    payment = Payment.objects.visible_to(request.auth).filter(paystack_reference=reference).first()
    if payment is None:
        raise Missing("There is no such payment.")
    return payments.settle(payment.paystack_reference)


@router.get("/", auth=payer, response={200: Page[PaymentOut], **PROBLEMS}, summary="Payments")
def list_payments(request: Call, query: Query[PageQuery]) -> PageOf:
    """What was paid, newest first: a client's own, all for admins."""
    rows = Payment.objects.visible_to(request.auth)
    return paginate(request, rows, ordering="-created_at", limit=query.limit, cursor=query.cursor)


@router.get("/{payment_id}/", auth=payer, response={200: PaymentOut, **PROBLEMS}, summary="One payment")
def get_payment(request: Call, payment_id: Id) -> Payment:
    """One payment, as it is known here."""
    payment = Payment.objects.visible_to(request.auth).filter(pk=payment_id).first()
    if payment is None:
        raise Missing("There is no such payment.")
    return payment
