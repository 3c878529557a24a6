"""What cancelling a request returns: one table, read by the preview, the refunds and the public configuration.

The stage says how far the job had come, the side who cancels; the answer says, for each kind of payment, whether it
goes back to the client, stays with the platform, or is looked at by finance. The system counts as the client.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from marketplace.enums import PaymentType, Side, Status
from marketplace.money import ZERO


class Stage(StrEnum):
    """How far the job had come, as far as money is concerned."""

    UNPAID = "UNPAID"
    UNACCEPTED = "UNACCEPTED"
    ACCEPTED = "ACCEPTED"
    PAID = "PAID"
    WORKED = "WORKED"


class Fate(StrEnum):
    """What becomes of one payment."""

    RETURNED = "RETURNED"
    KEPT = "KEPT"
    REVIEW = "REVIEW"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of the table: the fate of the booking fee and of the final payment."""

    booking_fee: Fate
    final_payment: Fate

    def of(self, payment_type: str) -> Fate:
        """The fate of payments of this type."""
        return self.booking_fee if payment_type == PaymentType.INITIAL_BOOKING else self.final_payment


_ALL_BACK = Row(booking_fee=Fate.RETURNED, final_payment=Fate.RETURNED)
_FEE_KEPT = Row(booking_fee=Fate.KEPT, final_payment=Fate.RETURNED)

TABLE: Final[Mapping[Stage, Mapping[Side, Row]]] = {
    Stage.UNPAID: {Side.CLIENT: _ALL_BACK, Side.ADMIN: _ALL_BACK},
    Stage.UNACCEPTED: {Side.CLIENT: _ALL_BACK, Side.ADMIN: _ALL_BACK},
    Stage.ACCEPTED: {Side.CLIENT: _FEE_KEPT, Side.ADMIN: _ALL_BACK},
    Stage.PAID: {Side.CLIENT: _FEE_KEPT, Side.ADMIN: _ALL_BACK},
    Stage.WORKED: {
        Side.CLIENT: Row(booking_fee=Fate.KEPT, final_payment=Fate.REVIEW),
        Side.ADMIN: Row(booking_fee=Fate.REVIEW, final_payment=Fate.REVIEW),
    },
}

STAGE_TEXT: Final[Mapping[Stage, str]] = {
    Stage.UNPAID: "Before the booking fee is paid",
    Stage.UNACCEPTED: "Before a serviceman has accepted",
    Stage.ACCEPTED: "After a serviceman has accepted, before the final payment",
    Stage.PAID: "After the final payment, before work starts",
    Stage.WORKED: "After work has started",
}

_INSPECTED: Final = frozenset(
    {
        Status.SERVICEMAN_INSPECTED,
        Status.AWAITING_CLIENT_APPROVAL,
        Status.NEGOTIATING,
        Status.AWAITING_PAYMENT,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What cancelling does to the payments of one type, in naira; the three parts always sum to `paid`."""

    payment_type: PaymentType
    paid: Decimal
    returned: Decimal
    kept: Decimal
    for_review: Decimal


def stage_of(*, status: str, accepted: bool, final_paid: bool) -> Stage:
    """The money stage of a request. Raises ValueError for one that can no longer be cancelled."""
    if status in (Status.IN_PROGRESS, Status.WORK_COMPLETED):
        return Stage.WORKED
    # A new man may have to accept a job that is paid for already: the payment decides, not the status.
    if status == Status.PAYMENT_CONFIRMED or (final_paid and status not in (Status.COMPLETED, Status.CANCELLED)):
        return Stage.PAID
    if status == Status.AWAITING_BOOKING_FEE:
        return Stage.UNPAID
    if status in _INSPECTED or (accepted and status == Status.ASSIGNED_TO_SERVICEMAN):
        return Stage.ACCEPTED
    if status in (Status.PENDING_ADMIN_ASSIGNMENT, Status.ASSIGNED_TO_SERVICEMAN):
        return Stage.UNACCEPTED
    raise ValueError(f"A request in {status} cannot be cancelled.")


def row(stage: Stage, side: str) -> Row:
    """The line of the table for who cancels: CLIENT, ADMIN or SYSTEM. Raises ValueError for anybody else."""
    chosen = Side.CLIENT if side == Side.SYSTEM else Side(side)
    if chosen not in TABLE[stage]:
        raise ValueError(f"{side} cannot cancel a request.")
    return TABLE[stage][chosen]


def cancelling(
    *, status: str, accepted: bool, final_paid: bool, side: str, paid: Mapping[str, Decimal]
) -> list[Outcome]:
    """What cancelling now does to what was paid, one entry for each type of payment in `paid` (naira)."""
    line = row(stage_of(status=status, accepted=accepted, final_paid=final_paid), side)
    return [
        Outcome(
            payment_type=payment_type,
            paid=paid[payment_type],
            returned=paid[payment_type] if line.of(payment_type) is Fate.RETURNED else ZERO,
            kept=paid[payment_type] if line.of(payment_type) is Fate.KEPT else ZERO,
            for_review=paid[payment_type] if line.of(payment_type) is Fate.REVIEW else ZERO,
        )
        for payment_type in PaymentType
        if payment_type in paid
    ]
