"""How the work goes, period by period; what each word is stands in docs/analytics.md.

Most of it is read from the trail: every step leaves one history row, and counts on the Lagos day it was taken. Shares
are per cent, times whole seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    Count,
    DateTimeField,
    DecimalField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from marketplace import policy
from marketplace.analytics.periods import GroupBy, Span, start_of
from marketplace.analytics.revenue import share
from marketplace.analytics.spread import MEDIAN, P90, Percentile, Spread, seconds
from marketplace.enums import Approval, PaymentOutcome, PaymentType, Status
from marketplace.models import Payment, Price, PriceNegotiation, Rating, ServicemanProfile, ServiceRequest
from marketplace.money import rounded


@dataclass
class Operations:
    """The work of one period. None where there is nothing to say."""

    booked: int = 0
    """Requests that clients booked."""
    confirmed: int = 0
    """Bookings whose fee was confirmed: from here on somebody must work."""
    completed: int = 0
    """Jobs an admin verified."""
    cancelled: int = 0
    """Requests that were called off, expired, or deleted before their fee was paid."""
    completion_rate: Decimal | None = None
    """Of those that ended, the completed."""
    cancellation_rate: Decimal | None = None
    """Of those that ended, the cancelled."""
    cancellations: dict[tuple[str, str], int] = field(default_factory=dict)
    """How many were cancelled, by the stage of the policy and the side that did it."""
    time_to_assign: Spread = field(default_factory=Spread)
    """From waiting for an admin until one assigned a serviceman."""
    time_to_accept: Spread = field(default_factory=Spread)
    """From the offer until he accepted."""
    time_to_inspect: Spread = field(default_factory=Spread)
    """From his acceptance until his estimate."""
    time_to_price: Spread = field(default_factory=Spread)
    """From his last estimate until an admin's first price on it."""
    time_to_pay: Spread = field(default_factory=Spread)
    """From the agreed price until its payment was confirmed."""
    time_to_complete: Spread = field(default_factory=Spread)
    """From the confirmed final payment until an admin verified the work."""
    fill_rate: Decimal | None = None
    """Of the confirmed bookings, those that a serviceman has accepted by now."""
    accepted: int = 0
    """Offers accepted."""
    declined: int = 0
    """Offers declined."""
    lapsed: int = 0
    """Offers not answered in time."""
    decline_rate: Decimal | None = None
    """Of the offers accepted, declined and lapsed, the declined."""
    lapse_rate: Decimal | None = None
    """Of the offers accepted, declined and lapsed, the lapsed."""
    backup_rate: Decimal | None = None
    """Of the times a serviceman declined, lapsed or withdrew, those where his backup took over."""
    quoted: int = 0
    """Requests that got a price on a new estimate."""
    conversion_rate: Decimal | None = None
    """Of the quoted requests, those whose final payment has been made by now."""
    negotiation_rate: Decimal | None = None
    """Of the jobs whose final payment was made, those about whose price somebody made a proposal."""
    rounds: Decimal | None = None
    """Proposals for each negotiated job."""
    average_discount: Decimal | None = None
    """What was taken off the first prices of the negotiated jobs, per cent of those prices."""
    clients: int = 0
    """Clients who paid a booking fee."""
    repeat_rate: Decimal | None = None
    """Of these clients, those who had paid one before."""
    active_servicemen: int = 0
    """Approved servicemen who accepted, inspected, started or completed a job."""
    utilisation: Decimal | None = None
    """Active servicemen per cent of those approved today."""
    ratings: int = 0
    """Ratings given, without hidden ones."""
    average_rating: Decimal | None = None
    """Their mean, of 5."""


@dataclass
class OperationsReport:
    """The work from `first` to `last`, both included, by periods; `before` is of the period before it."""

    first: date
    last: date
    group_by: GroupBy
    periods: dict[date, Operations]
    totals: Operations = field(default_factory=Operations)
    before: Operations = field(default_factory=Operations)

    @property
    def span(self) -> Span:
        """Its days."""
        return Span(self.first, self.last)

    @property
    def span_before(self) -> Span:
        """The days it is compared with."""
        return self.span.before(self.group_by)


Part = Callable[[OperationsReport], None]


def operations(
    first: date, last: date, *, group_by: GroupBy = "day", about: Iterable[Part] | None = None
) -> OperationsReport:
    """The work of every period that touches `first` to `last`, of the whole, and of the period before.

    `about` are the parts wanted, all by default. Two statements each, and one more for `steps`.
    """
    report = OperationsReport(first, last, group_by, {s: Operations() for s in Span(first, last).starts(group_by)})
    for part in PARTS if about is None else about:
        part(report)
    return report


# --- The parts


def steps(report: OperationsReport) -> None:
    """What the trail says: how many, how long, and what came of it."""
    approved = ServicemanProfile.objects.filter(approval=Approval.APPROVED).count()
    for found, row in _grouped(report, _taken(), "history_date", **_STEPS):
        for word in ("booked", "confirmed", "completed", "cancelled", "accepted", "declined", "lapsed", "quoted"):
            setattr(found, word, row[word])
        for word in TIMES:
            setattr(found, word, Spread(seconds(row[f"{word}_m"]), seconds(row[f"{word}_p"]), row[f"{word}_n"]))
        ended, answered = found.completed + found.cancelled, found.accepted + found.declined + found.lapsed
        found.completion_rate, found.cancellation_rate = share(found.completed, ended), share(found.cancelled, ended)
        found.fill_rate = share(row["filled"], found.confirmed)
        found.decline_rate, found.lapse_rate = share(found.declined, answered), share(found.lapsed, answered)
        found.backup_rate = share(row["promoted"], row["dropped"])
        found.conversion_rate = share(row["converted"], found.quoted)
        found.active_servicemen = row["active"]
    for each in (*report.periods.values(), report.totals, report.before):
        each.utilisation = share(each.active_servicemen, approved)


def cancellations(report: OperationsReport) -> None:
    """Who cancelled how far along; the stage is the policy's, by which money goes back."""
    facts = ("cancelled_by_role", "status_before", "accepted_before", "final_paid")
    ended = _taken().filter(_CALLED_OFF)
    for found, row in _grouped(report, ended, "history_date", facts, number=Count("pk")):
        stage = policy.stage_of(
            status=row["status_before"], accepted=row["accepted_before"], final_paid=row["final_paid"]
        )
        key = (stage.value, row["cancelled_by_role"])
        found.cancellations[key] = found.cancellations.get(key, 0) + row["number"]


def prices(report: OperationsReport) -> None:
    """How the prices that were paid came about."""
    for found, row in _grouped(report, _priced(), "paid_at", **_PRICES):
        found.negotiation_rate = share(row["negotiated"], row["number"])
        found.rounds = rounded(Decimal(row["proposed"]) / row["negotiated"]) if row["negotiated"] else None
        asked, agreed = (rounded(Decimal(row[name])) for name in ("asked", "agreed"))
        found.average_discount = share(asked - agreed, asked)


def clients(report: OperationsReport) -> None:
    """Who came, and who came again."""
    fees = Payment.objects.filter(payment_type=PaymentType.INITIAL_BOOKING, outcome=PaymentOutcome.APPLIED)
    earlier = fees.filter(service_request__client=OuterRef("service_request__client"), paid_at__lt=OuterRef("paid_at"))
    came = Count("service_request__client", distinct=True)
    again = Count("service_request__client", distinct=True, filter=Q(came_before=True))
    for found, row in _grouped(
        report, fees.annotate(came_before=Exists(earlier)), "paid_at", clients=came, again=again
    ):
        found.clients, found.repeat_rate = row["clients"], share(row["again"], row["clients"])


def stars(report: OperationsReport) -> None:
    """How clients liked it."""
    for found, row in _grouped(report, Rating.objects.visible(), "created_at", number=Count("pk"), stars=Sum("rating")):
        found.ratings, found.average_rating = row["number"], rounded(Decimal(row["stars"]) / row["number"])


PARTS: tuple[Part, ...] = (steps, cancellations, prices, clients, stars)


# --- How it is counted

ENDS = {
    "time_to_assign": "assign",
    "time_to_accept": "accept",
    "time_to_inspect": "submit_estimate",
    "time_to_price": "set_final_cost",
    "time_to_pay": "confirm_final_payment",
    "time_to_complete": "verify_completion",
}
"""Each time, and the step that ends it. What it ended had begun when the status before it was reached."""
TIMES = tuple(ENDS)
_FIRST_OF = {"submit_estimate": Status.ASSIGNED_TO_SERVICEMAN, "set_final_cost": Status.SERVICEMAN_INSPECTED}
"""Steps that can be taken again, and the status from which they are the first."""
_DROPPED = Q(step__in=("decline", "lapse", "withdraw"))
_CALLED_OFF = Q(step__in=("cancel", "expire", "soft_delete"), status=Status.CANCELLED) & ~Q(
    status_before=Status.CANCELLED
)
_COUNTED = ("book", "confirm_booking_fee", "decline", "lapse", "withdraw", "cancel", "expire", "soft_delete")


def _grouped(
    report: OperationsReport, rows: QuerySet[Any], moment: str, by: tuple[str, ...] = (), **sums: Any
) -> Iterator[tuple[Operations, dict[str, Any]]]:
    """Sums of rows with the figures they belong to: of each period, then of the whole and of the one before."""
    rows = rows.order_by()
    by_period: Any = report.span.cut(rows, moment).values(*by, start=start_of(moment, report.group_by))
    for row in by_period.annotate(**sums):
        yield report.periods[row.pop("start").date()], row
    both = Span(report.span_before.start, report.last)
    is_now = Case(
        When(**{f"{moment}__gte": report.span.moments[0]}, then=Value(1)), default=Value(0), output_field=IntegerField()
    )
    whole: Any = both.cut(rows, moment).values(*by, is_now=is_now)
    for row in whole.annotate(**sums):
        yield report.totals if row.pop("is_now") else report.before, row


def _taken() -> QuerySet[Any]:
    """The steps that tell something, each with the state before it and how long that had lasted."""
    trail: Any = ServiceRequest.history
    of_it = trail.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id")).order_by("-history_id")
    paid = of_it.filter(step="confirm_final_payment").values("history_date")[:1]
    finals = Payment.objects.filter(
        service_request=OuterRef("id"), payment_type=PaymentType.FINAL_PAYMENT, outcome=PaymentOutcome.APPLIED
    )
    since = Case(
        When(step="verify_completion", then=Subquery(paid)),
        default=Subquery(of_it.values("status_since")[:1]),
        output_field=DateTimeField(),
    )
    return trail.filter(step__in=(*ENDS.values(), "start_work", "mark_work_completed", *_COUNTED)).annotate(
        status_before=Subquery(of_it.values("status")[:1]),
        accepted_at_before=Subquery(of_it.values("accepted_at")[:1]),
        accepted_before=ExpressionWrapper(Q(accepted_at_before__isnull=False), output_field=BooleanField()),
        took=ExpressionWrapper(F("history_date") - since, output_field=DurationField()),
        was_accepted=Exists(trail.filter(id=OuterRef("id"), step="accept")),
        final_paid=Exists(finals),
        is_approved=Exists(ServicemanProfile.objects.filter(user=OuterRef("serviceman"), approval=Approval.APPROVED)),
    )


def _when(word: str) -> Q:
    end = ENDS[word]
    return Q(step=end, status_before=_FIRST_OF[end]) if end in _FIRST_OF else Q(step=end)


def _number(which: Q) -> Count:
    return Count("pk", filter=which)


_QUOTED = _when("time_to_price")
_HIS = Q(step__in=("accept", "submit_estimate", "start_work", "mark_work_completed"), is_approved=True)
_STEPS: dict[str, Any] = {
    "booked": _number(Q(step="book")),
    "confirmed": _number(Q(step="confirm_booking_fee")),
    "filled": _number(Q(step="confirm_booking_fee", was_accepted=True)),
    "completed": _number(Q(step="verify_completion")),
    "cancelled": _number(_CALLED_OFF),
    "accepted": _number(Q(step="accept")),
    "declined": _number(Q(step="decline")),
    "lapsed": _number(Q(step="lapse")),
    "dropped": _number(_DROPPED),
    # After such a step the job is assigned again only because the backup has it now.
    "promoted": _number(_DROPPED & Q(status=Status.ASSIGNED_TO_SERVICEMAN)),
    "quoted": Count("id", distinct=True, filter=_QUOTED),
    "converted": Count("id", distinct=True, filter=_QUOTED & Q(final_paid=True)),
    "active": Count("serviceman", distinct=True, filter=_HIS),
    **{f"{word}_m": Percentile("took", MEDIAN, filter=_when(word)) for word in TIMES},
    **{f"{word}_p": Percentile("took", P90, filter=_when(word)) for word in TIMES},
    **{f"{word}_n": Count("took", filter=_when(word)) for word in TIMES},
}

_NAIRA = DecimalField(max_digits=20, decimal_places=2)
_PRICES: dict[str, Any] = {
    "number": Count("pk"),
    "negotiated": _number(Q(proposals__gt=0)),
    "proposed": Coalesce(Sum("proposals"), 0),
    "asked": Coalesce(Sum("first_price", filter=Q(proposals__gt=0)), 0, output_field=_NAIRA),
    "agreed": Coalesce(Sum("amount", filter=Q(proposals__gt=0)), 0, output_field=_NAIRA),
}


def _priced() -> QuerySet[Payment]:
    """Final payments that counted, each with the first price shown on the same estimate and the number of proposals."""
    shown = Price.objects.filter(request=OuterRef("service_request"))
    proposals = PriceNegotiation.objects.filter(service_request=OuterRef("service_request"))
    number = proposals.order_by().values("service_request").annotate(number=Count("pk")).values("number")
    finals = Payment.objects.filter(payment_type=PaymentType.FINAL_PAYMENT, outcome=PaymentOutcome.APPLIED)
    return finals.annotate(
        proposals=Coalesce(Subquery(number, output_field=IntegerField()), 0),
        estimate=Subquery(shown.filter(version=OuterRef("price_version")).values("estimate")[:1]),
        first_price=Coalesce(
            Subquery(shown.filter(estimate=OuterRef("estimate")).order_by("version").values("final")[:1]), F("amount")
        ),
    )
