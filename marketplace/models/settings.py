"""Business settings an admin edits in the console, with history. A change acts on the next step only."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from simple_history.models import HistoricalRecords

from core.models import TimeStamped
from marketplace.deadlines import Terms
from marketplace.enums import SecondPerson

_HOURS = [MinValueValidator(1), MaxValueValidator(24 * 60)]


class BusinessSettings(TimeStamped):
    """Fees, markup and deadlines: one row. Values are copied onto a request when they are used."""

    booking_fee = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        default=Decimal("2000.00"),
        help_text="NGN, for a normal booking.",
        validators=[MinValueValidator(Decimal(1))],
    )
    emergency_booking_fee = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        default=Decimal("5000.00"),
        help_text="NGN, for an emergency.",
        validators=[MinValueValidator(Decimal(1))],
    )
    default_markup_percentage = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=Decimal("10.00"),
        help_text="Percent on top of the estimate, 0 to 100.",
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
    )
    emergency_before_days = models.PositiveSmallIntegerField(
        default=2, help_text="A booking date earlier than today plus this many days is an emergency."
    )
    pay_booking_fee_hours = models.PositiveSmallIntegerField(
        default=24, validators=_HOURS, help_text="Then an unpaid booking expires."
    )
    assign_hours = models.PositiveSmallIntegerField(default=4, validators=_HOURS)
    assign_emergency_minutes = models.PositiveSmallIntegerField(default=30, validators=[MinValueValidator(1)])
    respond_hours = models.PositiveSmallIntegerField(default=12, validators=_HOURS, help_text="Then an offer lapses.")
    respond_emergency_minutes = models.PositiveSmallIntegerField(default=30, validators=[MinValueValidator(1)])
    inspect_hours = models.PositiveSmallIntegerField(default=24, validators=_HOURS)
    price_hours = models.PositiveSmallIntegerField(default=12, validators=_HOURS)
    approve_hours = models.PositiveSmallIntegerField(default=72, validators=_HOURS)
    negotiate_hours = models.PositiveSmallIntegerField(default=24, validators=_HOURS)
    pay_hours = models.PositiveSmallIntegerField(default=72, validators=_HOURS)
    start_at_least_hours = models.PositiveSmallIntegerField(
        default=24,
        validators=_HOURS,
        help_text="Work starts by the end of the booking day, but never sooner than this.",
    )
    work_days = models.PositiveSmallIntegerField(default=7, validators=[MinValueValidator(1)])
    verify_hours = models.PositiveSmallIntegerField(default=24, validators=_HOURS)
    give_up_days = models.PositiveSmallIntegerField(
        default=14, validators=[MinValueValidator(1)], help_text="Days a client may leave a price unanswered or unpaid."
    )

    second_person = models.CharField(
        max_length=20,
        choices=SecondPerson,
        default=SecondPerson.WHEN_THERE_IS_ONE,
        help_text="Whether payments by hand and refunds are approved by somebody else than who recorded or asked.",
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "business settings"
        permissions: ClassVar = [("manage_settings", "Edit fees, markup and deadlines")]
        constraints: ClassVar = [
            models.CheckConstraint(name="one_row_of_settings", condition=models.Q(id=1)),
            models.CheckConstraint(
                name="fees_are_positive", condition=models.Q(booking_fee__gt=0, emergency_booking_fee__gt=0)
            ),
            models.CheckConstraint(
                name="default_markup_in_range",
                condition=models.Q(default_markup_percentage__gte=0, default_markup_percentage__lte=100),
            ),
        ]

    def __str__(self) -> str:
        return "Business settings"

    @classmethod
    def current(cls) -> BusinessSettings:
        """The settings in force; the defaults until somebody edits them."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    @property
    def terms(self) -> Terms:
        """The deadlines in force."""
        return Terms(
            pay_booking_fee=self.pay_booking_fee_hours,
            assign=self.assign_hours,
            assign_emergency_minutes=self.assign_emergency_minutes,
            respond=self.respond_hours,
            respond_emergency_minutes=self.respond_emergency_minutes,
            inspect=self.inspect_hours,
            price=self.price_hours,
            approve=self.approve_hours,
            negotiate=self.negotiate_hours,
            pay=self.pay_hours,
            start_at_least=self.start_at_least_hours,
            work_days=self.work_days,
            verify=self.verify_hours,
            give_up_days=self.give_up_days,
            emergency_before_days=self.emergency_before_days,
        )
