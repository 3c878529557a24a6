"""The hub of the marketplace: a service request."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.dispatch import receiver
from simple_history.models import HistoricalRecords
from simple_history.signals import pre_create_historical_record

from core import clock
from core.models import TimeStamped
from marketplace.enums import CLOSED, Approval, NegotiationStatus, PaymentOutcome, PaymentType, Side, Status
from marketplace.models.issues import Issue
from marketplace.models.offers import Offer
from marketplace.models.workflow import Workflow

if TYPE_CHECKING:
    from core.models import User
    from marketplace.models.negotiations import Consultation, PriceNegotiation
    from marketplace.models.payments import Payment

CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Letters and digits that nobody mishears or misreads: no 0 O 1 I."""


def new_code(length: int = 5) -> str:
    """A code a person can read out on the phone, such as SR-7K3Q9."""
    return "SR-" + "".join(secrets.choice(CODE_ALPHABET) for _ in range(length))


class StepHistory(models.Model):
    """What every history row of a request says besides its values: which step, and for whom an admin acted."""

    step = models.CharField(max_length=32, blank=True)
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False
    )

    class Meta:
        abstract = True


class StepRecords(HistoricalRecords):
    """History in which the version before any other is found by an index, not by walking back through everybody's."""

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        """With that index."""
        in_order = models.Index(fields=["id", "history_id"], name="request_history_in_order")
        return {**super().get_meta_options(model), "indexes": [in_order]}


@receiver(pre_create_historical_record)
def note_step(sender: type, *, instance: models.Model, history_instance: models.Model, **_: object) -> None:
    """Give a request's history row the step and the person an admin acted for."""
    if isinstance(instance, ServiceRequest):
        history_instance.step = getattr(instance, "_step", "")  # type: ignore[attr-defined]
        history_instance.on_behalf_of = getattr(instance, "_on_behalf_of", None)  # type: ignore[attr-defined]


class ServiceRequestQuerySet(models.QuerySet["ServiceRequest"]):
    """Requests as each audience and each queue sees them."""

    def visible_to(self, user: User | None) -> ServiceRequestQuerySet:
        """What a person may know exists: his own, those ever offered to him, all for admins who may view."""
        if user is None:
            return self
        if user.is_admin:
            return self if user.has_perm("marketplace.view_servicerequest") else self.none()
        if user.is_client:
            return self.filter(client=user, is_deleted=False)
        offered = Offer.objects.filter(request=OuterRef("pk"), serviceman=user)
        return self.filter(Exists(offered), is_deleted=False)

    def held_by(self, user: User) -> ServiceRequestQuerySet:
        """A serviceman's list: where he is the assigned one or the backup now."""
        return self.filter(Q(serviceman=user) | Q(backup_serviceman=user), is_deleted=False)

    def listed_for(self, user: User) -> ServiceRequestQuerySet:
        """The rows of a person's own list; soft-deleted ones are the console's to find."""
        if user.is_serviceman:
            return self.held_by(user)
        return self.visible_to(user).filter(is_deleted=False)

    def to_assign(self) -> ServiceRequestQuerySet:
        """Paid, and nobody has it: emergencies first, then the longest waiting."""
        return self.filter(status=Status.PENDING_ADMIN_ASSIGNMENT, is_deleted=False).order_by(
            "-is_emergency", "due_at", "id"
        )

    def to_price(self) -> ServiceRequestQuerySet:
        """Inspected, or a client's proposal waits for an admin."""
        return self.filter(
            Q(status=Status.SERVICEMAN_INSPECTED) | Q(status=Status.NEGOTIATING, waiting_on=Side.ADMIN),
            is_deleted=False,
        ).order_by("-is_emergency", "due_at", "id")

    def unanswered(self) -> ServiceRequestQuerySet:
        """Offered, and neither accepted nor declined yet."""
        return self.filter(status=Status.ASSIGNED_TO_SERVICEMAN, accepted_at=None, is_deleted=False)

    def inspection_overdue(self) -> ServiceRequestQuerySet:
        """Accepted, but not inspected in time."""
        return self.filter(
            status=Status.ASSIGNED_TO_SERVICEMAN, accepted_at__isnull=False, due_at__lt=clock.now(), is_deleted=False
        )

    def to_verify(self) -> ServiceRequestQuerySet:
        """The serviceman says it is done."""
        return self.filter(status=Status.WORK_COMPLETED, is_deleted=False)

    def overdue(self) -> ServiceRequestQuerySet:
        """Open, and past the time somebody had."""
        return self.exclude(status__in=CLOSED).filter(due_at__lt=clock.now(), is_deleted=False)

    def to_chase(self) -> ServiceRequestQuerySet:
        """Overdue, and nobody was told of that deadline yet.

        An open issue pauses it; unpaid and unanswered ones end by themselves.
        """
        by_themselves = Q(status=Status.AWAITING_BOOKING_FEE) | Q(
            status=Status.ASSIGNED_TO_SERVICEMAN, accepted_at=None
        )
        told = Q(chased_for__isnull=False, chased_for=F("due_at"))
        return self.overdue().exclude(by_themselves).exclude(told).without_open_issue()

    def without_open_issue(self) -> ServiceRequestQuerySet:
        """Those that wait on no admin to settle something."""
        return self.filter(~Exists(Issue.objects.filter(request=OuterRef("pk"), resolved_at=None)))

    def to_lapse(self) -> ServiceRequestQuerySet:
        """Offered, and the time to answer is over."""
        return self.unanswered().filter(due_at__lt=clock.now())

    def to_expire(self) -> ServiceRequestQuerySet:
        """Booked, and the time to pay the fee is over."""
        return self.overdue().filter(status=Status.AWAITING_BOOKING_FEE)

    def to_give_up(self) -> ServiceRequestQuerySet:
        """A price that nobody answered or paid for too long; not while an issue waits on an admin."""
        return self.filter(give_up_at__lte=clock.now()).without_open_issue()

    def with_parties(self) -> ServiceRequestQuerySet:
        """With everything one answer shows, in a fixed number of statements."""
        return self.select_related(
            "client",
            "category",
            "serviceman__serviceman_profile",
            "backup_serviceman__serviceman_profile",
            "preferred_serviceman__serviceman_profile",
            "rating",
        ).prefetch_related("payments__refunds", "issues", "negotiations__consultations", "offers", "prices")


class ServiceRequest(Workflow, TimeStamped):
    """One job, from booking to rating. Its status moves only by the steps of `Workflow`."""

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    client = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="service_requests")
    serviceman = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="jobs"
    )
    backup_serviceman = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="backup_jobs"
    )
    preferred_serviceman = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="preferred_requests"
    )
    category = models.ForeignKey("marketplace.Category", on_delete=models.PROTECT, related_name="service_requests")
    booking_date = models.DateField(help_text="The day the client wants the visit, in Lagos.")
    is_emergency = models.BooleanField("emergency", default=False)
    auto_flagged_emergency = models.BooleanField(
        "emergency by its date", default=False, help_text="The date was so near that nobody had to ask."
    )
    initial_booking_fee = models.DecimalField(
        "booking fee", max_digits=10, decimal_places=2, help_text="NGN, as the fee was when booked."
    )
    serviceman_estimated_cost = models.DecimalField(
        "estimate", max_digits=10, decimal_places=2, null=True, blank=True, help_text="NGN, the serviceman's share."
    )
    admin_markup_percentage = models.DecimalField(
        "markup",
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        default=Decimal("10.00"),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
        help_text="Percent on the estimate; empty while the price is one set as an amount.",
    )
    final_cost = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True, help_text="NGN, what the client pays for the work."
    )
    price_version = models.PositiveIntegerField(default=0, help_text="Raised by every price and every voiding.")
    client_address = models.CharField(max_length=500)
    service_description = models.TextField(max_length=5000)

    accepted_at = models.DateTimeField(null=True, blank=True)
    inspection_completed_at = models.DateTimeField(null=True, blank=True)
    work_completed_at = models.DateTimeField(null=True, blank=True)
    waiting_on = models.CharField(max_length=10, choices=Side, default=Side.CLIENT)
    due_at = models.DateTimeField(null=True, blank=True)
    give_up_at = models.DateTimeField(
        null=True, blank=True, help_text="When the system cancels, unless somebody answers or pays the price before."
    )
    status_since = models.DateTimeField(default=clock.now)
    estimate_notes = models.TextField(blank=True, max_length=2000)
    estimated_days = models.PositiveSmallIntegerField(null=True, blank=True)
    completion_notes = models.TextField(blank=True, max_length=2000)
    cancelled_by_role = models.CharField(max_length=10, choices=Side, blank=True)
    cancellation_reason = models.TextField(blank=True, max_length=1000)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    chased_for = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="The deadline whose passing was announced."
    )
    is_deleted = models.BooleanField(default=False)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = ServiceRequestQuerySet.as_manager()
    history = StepRecords(bases=[StepHistory])

    class Meta:
        ordering = ("-created_at", "-id")
        permissions: ClassVar = [
            ("assign", "Assign, reschedule, act for a serviceman or client"),
            ("verify", "Verify completion, return to work, resolve issues"),
            ("price", "Set final costs, negotiate, consult"),
            ("cancel", "Cancel requests"),
            ("export", "Export for finance"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="status_is_known", condition=Q(status__in=Status.values)),
            models.CheckConstraint(name="waiting_on_is_known", condition=Q(waiting_on__in=Side.values)),
            models.CheckConstraint(
                name="deleted_if_and_only_if_when",
                condition=Q(is_deleted=False, deleted_at__isnull=True) | Q(is_deleted=True, deleted_at__isnull=False),
            ),
            models.CheckConstraint(
                name="backup_is_another_man",
                condition=Q(serviceman__isnull=True)
                | Q(backup_serviceman__isnull=True)
                | ~Q(serviceman=F("backup_serviceman")),
            ),
            models.CheckConstraint(
                name="markup_in_range",
                condition=Q(admin_markup_percentage__isnull=True)
                | Q(admin_markup_percentage__gte=0, admin_markup_percentage__lte=100),
            ),
            models.CheckConstraint(name="booking_fee_is_positive", condition=Q(initial_booking_fee__gt=0)),
            models.CheckConstraint(
                name="estimate_is_positive",
                condition=Q(serviceman_estimated_cost__isnull=True) | Q(serviceman_estimated_cost__gt=0),
            ),
            models.CheckConstraint(
                name="final_cost_is_positive", condition=Q(final_cost__isnull=True) | Q(final_cost__gt=0)
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="requests_newest"),
            # The console's list, whose deep pages are then counted off in the index alone; and those deleted.
            models.Index(fields=["is_deleted", "-created_at", "-id"], name="requests_newest_shown"),
            models.Index(fields=["client", "-created_at", "-id"], name="requests_of_client"),
            models.Index(fields=["serviceman", "-created_at", "-id"], name="requests_of_serviceman"),
            models.Index(
                fields=["backup_serviceman"], name="requests_of_backup", condition=Q(backup_serviceman__isnull=False)
            ),
            models.Index(fields=["status", "due_at"], name="requests_by_status_due"),
            models.Index(
                fields=["waiting_on", "due_at"],
                name="requests_waiting_on",
                condition=~Q(status__in=[s.value for s in CLOSED]),
            ),
            models.Index(fields=["give_up_at"], name="requests_to_give_up", condition=Q(give_up_at__isnull=False)),
            models.Index(fields=["booking_date", "serviceman"], name="requests_by_booking_date"),
            models.Index(fields=["updated_at", "id"], name="requests_updated"),
        ]

    def __str__(self) -> str:
        return self.code

    def get_absolute_url(self) -> str:
        """Where a client or serviceman finds it in the app."""
        return f"{settings.FRONTEND_URL or settings.SITE_URL}/service-requests/{self.pk}"

    # --- One-row facts; they use what was prefetched, so lists stay flat.

    @property
    def is_open(self) -> bool:
        """Somebody must still do something."""
        return self.status not in CLOSED

    def is_held_by(self, person: User) -> bool:
        """Whether a request that a person may know of is still theirs: a serviceman has it, or is next in line."""
        return not person.is_serviceman or person.pk in (self.serviceman_id, self.backup_serviceman_id)

    @property
    def is_overdue(self) -> bool:
        """Past the time somebody had."""
        return bool(self.is_open and self.due_at and self.due_at < clock.now())

    @property
    def open_issues(self) -> list[Issue]:
        """Issues nobody has resolved yet."""
        return [issue for issue in self.issues.all() if issue.resolved_at is None]

    @property
    def has_open_issue(self) -> bool:  # type: ignore[override]
        """Whether an admin must settle something first."""
        return bool(self.open_issues)

    @property
    def serviceman_is_suspended(self) -> bool:  # type: ignore[override]
        """An admin has taken him off all work: his open offers lapse at once."""
        profile = getattr(self.serviceman, "serviceman_profile", None)
        return profile is not None and profile.approval == Approval.SUSPENDED

    @property
    def open_proposal(self) -> PriceNegotiation | None:
        """The proposal somebody must answer."""
        return next((n for n in self.negotiations.all() if n.status == NegotiationStatus.PENDING), None)

    @property
    def answer_from(self) -> Side | None:  # type: ignore[override]
        """The side that must answer the open proposal."""
        proposal = self.open_proposal
        if proposal is None:
            return None
        return Side.ADMIN if proposal.proposed_by_id == self.client_id else Side.CLIENT

    @property
    def open_consultation(self) -> Consultation | None:
        """The question about the open proposal that waits for the serviceman's answer."""
        proposal = self.open_proposal
        if proposal is None:
            return None
        return next((c for c in proposal.consultations.all() if c.answered_at is None and c.closed_at is None), None)

    @property
    def is_rated(self) -> bool:  # type: ignore[override]
        """The client has said how it was."""
        return getattr(self, "rating", None) is not None

    def applied_payment(self, payment_type: PaymentType) -> Payment | None:
        """The payment of a type that counted, if one did."""
        return next(
            (p for p in self.payments.all() if p.payment_type == payment_type and p.outcome == PaymentOutcome.APPLIED),
            None,
        )

    @property
    def final_is_paid(self) -> bool:
        """The final price is settled."""
        return self.applied_payment(PaymentType.FINAL_PAYMENT) is not None

    def forget_cached(self, *names: str) -> None:
        """Drop prefetched rows after a service wrote to them."""
        cache: dict[str, Any] = getattr(self, "_prefetched_objects_cache", {})
        for name in names:
            cache.pop(name, None)
