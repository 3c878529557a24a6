"""Money that comes in: payments, chargebacks, and every event Paystack sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from core import clock
from core.models import TimeStamped
from marketplace.enums import (
    Channel,
    DisputeStatus,
    PaymentOutcome,
    PaymentStatus,
    PaymentType,
    WebhookOutcome,
)

if TYPE_CHECKING:
    from core.models import User


class PaymentQuerySet(models.QuerySet["Payment"]):
    """Payments as each audience and each queue sees them."""

    def visible_to(self, user: User) -> PaymentQuerySet:
        """The payer's own; all for admins who may view."""
        if user.is_admin:
            return self if user.has_perm("marketplace.view_payment") else self.none()
        if user.is_client:
            return self.filter(service_request__client=user)
        return self.none()

    def open(self) -> PaymentQuerySet:
        """Checkouts that may still be paid and would count."""
        return self.filter(status=PaymentStatus.PENDING, outcome=None)

    def to_approve(self) -> PaymentQuerySet:
        """Money recorded by hand that nobody has approved or rejected yet; superseded or not, it may have come."""
        return self.filter(channel=Channel.MANUAL, status=PaymentStatus.PENDING)

    def supersede(self, request_id: int, payment_type: PaymentType | None = None) -> int:
        """An open checkout no longer counts. It stays PENDING until Paystack says more."""
        payments = self.open().filter(service_request_id=request_id)
        if payment_type is not None:
            payments = payments.filter(payment_type=payment_type)
        return payments.update(outcome=PaymentOutcome.SUPERSEDED, updated_at=clock.now())


class Payment(TimeStamped):
    """One attempt of a client to pay, through Paystack or by hand. Proven money is kept whatever became of it."""

    service_request = models.ForeignKey("marketplace.ServiceRequest", on_delete=models.PROTECT, related_name="payments")
    payment_type = models.CharField(max_length=20, choices=PaymentType)
    amount = models.DecimalField(max_digits=10, decimal_places=2, help_text="NGN asked for.")
    currency = models.CharField(max_length=3, default="NGN", editable=False)
    paystack_reference = models.CharField(max_length=100, unique=True)
    paystack_access_code = models.CharField(max_length=100, blank=True)
    authorization_url = models.URLField(max_length=500, blank=True)
    status = models.CharField(max_length=12, choices=PaymentStatus, default=PaymentStatus.PENDING)
    outcome = models.CharField(max_length=12, choices=PaymentOutcome, null=True, blank=True)
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.PAYSTACK)
    price_version = models.PositiveIntegerField(default=0, help_text="Of the price this pays for.")
    metadata = models.JSONField(default=dict, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    received_kobo = models.BigIntegerField(null=True, blank=True, help_text="What Paystack says arrived, in kobo.")
    fees_kobo = models.BigIntegerField(null=True, blank=True, help_text="Paystack's fee as given, in kobo.")
    gateway_status = models.CharField(max_length=20, blank=True, help_text="Paystack's own word, as last heard.")
    gateway_message = models.CharField(max_length=255, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When Paystack was last asked.")
    checks = models.PositiveIntegerField(default=0)
    next_check_at = models.DateTimeField(null=True, blank=True)
    evidence = models.TextField(
        blank=True, max_length=2000, help_text="Of a payment by hand: teller, transfer reference."
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = PaymentQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ("-created_at", "-id")
        permissions: ClassVar = [("settle", "Check with Paystack, record manual payments")]
        constraints: ClassVar = [
            models.CheckConstraint(name="payment_is_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="payment_status_is_known", condition=Q(status__in=PaymentStatus.values)),
            models.CheckConstraint(
                name="payment_by_hand_has_evidence",
                condition=~Q(channel="MANUAL") | (~Q(evidence="") & Q(recorded_by__isnull=False)),
            ),
            models.UniqueConstraint(
                fields=["service_request", "payment_type"], name="one_applied_payment", condition=Q(outcome="APPLIED")
            ),
            models.UniqueConstraint(
                fields=["service_request", "payment_type"],
                name="one_open_payment",
                condition=Q(status="PENDING", outcome=None),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_check_at"], name="payments_to_check", condition=Q(next_check_at__isnull=False)),
            models.Index(fields=["paid_at"], name="payments_by_paid_at"),
            # What the console's queues count on every page, among payments that were made long ago.
            models.Index(fields=["created_at"], name="payments_open", condition=Q(status="PENDING")),
            models.Index(
                fields=["outcome", "created_at"],
                name="payments_not_applied",
                condition=Q(outcome__in=["LATE", "DUPLICATE", "MISMATCH", "SUPERSEDED"]),
            ),
            models.Index(fields=["-id"], name="payments_by_hand", condition=Q(channel="MANUAL")),
        ]

    def __str__(self) -> str:
        return self.paystack_reference


class Dispute(TimeStamped):
    """A chargeback, as Paystack reported it."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    paystack_id = models.CharField(max_length=50, unique=True)
    amount_kobo = models.BigIntegerField(help_text="What the client's bank wants back, in kobo.")
    reason = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=10, choices=DisputeStatus, default=DisputeStatus.OPEN)
    resolution = models.CharField(max_length=100, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, help_text="Until when Paystack wants evidence.")
    unexplained_kobo = models.BigIntegerField(
        default=0, help_text="What the bank took beyond what was left of the payment, in kobo."
    )
    note = models.TextField(blank=True, max_length=1000, help_text="What finance did about it.")
    refund = models.OneToOneField(
        "marketplace.Refund", null=True, on_delete=models.PROTECT, help_text="The money, where the bank got it back."
    )

    class Meta:
        ordering = ("due_at", "id")

    def __str__(self) -> str:
        return self.paystack_id


class WebhookEvent(models.Model):
    """An event from Paystack, word for word, and what we made of it. Kept also when not understood."""

    sha256 = models.CharField(max_length=64, unique=True)
    body = models.BinaryField(help_text="The raw bytes; the signature is over these.")
    event = models.CharField(max_length=60, blank=True)
    reference = models.CharField(max_length=100, blank=True, db_index=True)
    outcome = models.CharField(max_length=16, choices=WebhookOutcome, default=WebhookOutcome.RECEIVED)
    detail = models.TextField(blank=True)
    deliveries = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField(default=clock.now, db_index=True)
    handled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-received_at", "-id")

    def __str__(self) -> str:
        return f"{self.event or 'unknown'} {self.reference}"
