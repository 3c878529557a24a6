"""What a cancellation returns, cell by cell, as the product's owner decided it."""

from dataclasses import FrozenInstanceError
from decimal import Decimal
from itertools import product

import pytest

from marketplace import policy
from marketplace.enums import CLOSED, PaymentType, Side, Status

FEE, FINAL = PaymentType.INITIAL_BOOKING, PaymentType.FINAL_PAYMENT
PAID = {FEE: Decimal("2000.00"), FINAL: Decimal("22500.00")}
CANCELLERS = (Side.CLIENT, Side.ADMIN, Side.SYSTEM)


def fates(*, status: str, side: str, accepted: bool = False, final_paid: bool = False) -> str:
    """What happens to fee and final payment, as "RETURNED KEPT"."""
    outcomes = policy.cancelling(status=status, accepted=accepted, final_paid=final_paid, side=side, paid=PAID)
    return " ".join(
        "RETURNED" if one.returned == one.paid else "KEPT" if one.kept == one.paid else "REVIEW" for one in outcomes
    )


@pytest.mark.parametrize(
    ("status", "accepted", "final_paid", "client", "admin"),
    [
        (Status.AWAITING_BOOKING_FEE, False, False, "RETURNED RETURNED", "RETURNED RETURNED"),
        (Status.PENDING_ADMIN_ASSIGNMENT, False, False, "RETURNED RETURNED", "RETURNED RETURNED"),
        (Status.ASSIGNED_TO_SERVICEMAN, False, False, "RETURNED RETURNED", "RETURNED RETURNED"),
        (Status.ASSIGNED_TO_SERVICEMAN, True, False, "KEPT RETURNED", "RETURNED RETURNED"),
        (Status.SERVICEMAN_INSPECTED, True, False, "KEPT RETURNED", "RETURNED RETURNED"),
        (Status.AWAITING_CLIENT_APPROVAL, True, False, "KEPT RETURNED", "RETURNED RETURNED"),
        (Status.NEGOTIATING, True, False, "KEPT RETURNED", "RETURNED RETURNED"),
        (Status.AWAITING_PAYMENT, True, False, "KEPT RETURNED", "RETURNED RETURNED"),
        (Status.PAYMENT_CONFIRMED, True, True, "KEPT RETURNED", "RETURNED RETURNED"),
        (Status.PENDING_ADMIN_ASSIGNMENT, False, True, "KEPT RETURNED", "RETURNED RETURNED"),
        (Status.ASSIGNED_TO_SERVICEMAN, False, True, "KEPT RETURNED", "RETURNED RETURNED"),
        (Status.ASSIGNED_TO_SERVICEMAN, True, True, "KEPT RETURNED", "RETURNED RETURNED"),
        (Status.IN_PROGRESS, True, True, "KEPT REVIEW", "REVIEW REVIEW"),
        (Status.WORK_COMPLETED, True, True, "KEPT REVIEW", "REVIEW REVIEW"),
    ],
)
def test_each_stage_and_side_has_its_answer(
    status: str, accepted: bool, final_paid: bool, client: str, admin: str
) -> None:
    facts = {"status": status, "accepted": accepted, "final_paid": final_paid}
    assert fates(side=Side.CLIENT, **facts) == client
    assert fates(side=Side.SYSTEM, **facts) == client
    assert fates(side=Side.ADMIN, **facts) == admin


@pytest.mark.parametrize(
    ("status", "accepted", "final_paid", "stage"),
    [
        (Status.AWAITING_BOOKING_FEE, False, False, "UNPAID"),
        (Status.PENDING_ADMIN_ASSIGNMENT, False, False, "UNACCEPTED"),
        (Status.ASSIGNED_TO_SERVICEMAN, False, False, "UNACCEPTED"),
        (Status.ASSIGNED_TO_SERVICEMAN, True, False, "ACCEPTED"),
        (Status.AWAITING_PAYMENT, True, False, "ACCEPTED"),
        (Status.PAYMENT_CONFIRMED, True, True, "PAID"),
        (Status.PENDING_ADMIN_ASSIGNMENT, False, True, "PAID"),
        (Status.IN_PROGRESS, True, True, "WORKED"),
        (Status.WORK_COMPLETED, True, True, "WORKED"),
    ],
)
def test_people_read_how_far_the_job_had_come(status: str, accepted: bool, final_paid: bool, stage: str) -> None:
    assert policy.stage_of(status=status, accepted=accepted, final_paid=final_paid) == stage


def test_nobody_changes_a_line_of_the_table_or_an_answer() -> None:
    [outcome] = policy.cancelling(
        status=Status.AWAITING_PAYMENT, accepted=True, final_paid=False, side=Side.CLIENT, paid={FEE: Decimal(1)}
    )
    for fixed, name in ((policy.row(policy.Stage.PAID, Side.CLIENT), "booking_fee"), (outcome, "kept")):
        with pytest.raises(FrozenInstanceError):
            setattr(fixed, name, None)


@pytest.mark.parametrize("status", CLOSED)
@pytest.mark.parametrize("final_paid", [True, False])
def test_what_is_closed_cannot_be_cancelled(status: str, final_paid: bool) -> None:
    with pytest.raises(ValueError, match="cannot be cancelled"):
        policy.stage_of(status=status, accepted=True, final_paid=final_paid)


@pytest.mark.parametrize("side", [Side.SERVICEMAN, Side.NOBODY, "EVE"])
def test_nobody_else_cancels(side: str) -> None:
    with pytest.raises(ValueError, match=side):
        fates(status=Status.IN_PROGRESS, side=side)


def test_the_parts_sum_to_what_was_paid_everywhere() -> None:
    open_statuses = [status for status in Status if status not in CLOSED]
    for status, accepted, final_paid, side in product(open_statuses, (True, False), (True, False), CANCELLERS):
        for one in policy.cancelling(status=status, accepted=accepted, final_paid=final_paid, side=side, paid=PAID):
            assert one.returned + one.kept + one.for_review == one.paid == PAID[one.payment_type]


def test_only_what_was_paid_is_listed_and_the_fee_comes_first() -> None:
    facts = {"status": Status.PAYMENT_CONFIRMED, "accepted": True, "final_paid": True, "side": Side.ADMIN}
    assert [one.payment_type for one in policy.cancelling(**facts, paid=PAID)] == [FEE, FINAL]
    assert [one.payment_type for one in policy.cancelling(**facts, paid={FEE: Decimal("5000.00")})] == [FEE]
    assert policy.cancelling(**facts, paid={}) == []


def test_every_stage_has_its_words() -> None:
    assert set(policy.STAGE_TEXT) == set(policy.TABLE) == set(policy.Stage)
