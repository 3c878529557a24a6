"""Who must act next and until when, also around midnight in Lagos and for emergencies."""

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta

import pytest

from core import clock
from marketplace.deadlines import Terms, due_at, end_of_day, give_up_at, is_emergency_date, who_must_act
from marketplace.enums import Side, Status
from marketplace.models import BusinessSettings

S = Status
NIGHT = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
"""Half past midnight of 23 November in Lagos."""

# status -> who must act, how long he has, how long in an emergency
TABLE = {
    S.AWAITING_BOOKING_FEE: (Side.CLIENT, timedelta(hours=24), timedelta(hours=24)),
    S.PENDING_ADMIN_ASSIGNMENT: (Side.ADMIN, timedelta(hours=4), timedelta(minutes=30)),
    S.ASSIGNED_TO_SERVICEMAN: (Side.SERVICEMAN, timedelta(hours=12), timedelta(minutes=30)),
    S.SERVICEMAN_INSPECTED: (Side.ADMIN, timedelta(hours=12), timedelta(hours=12)),
    S.AWAITING_CLIENT_APPROVAL: (Side.CLIENT, timedelta(hours=72), timedelta(hours=72)),
    S.AWAITING_PAYMENT: (Side.CLIENT, timedelta(hours=72), timedelta(hours=72)),
    S.IN_PROGRESS: (Side.SERVICEMAN, timedelta(days=7), timedelta(days=7)),
    S.WORK_COMPLETED: (Side.ADMIN, timedelta(hours=24), timedelta(hours=24)),
}


def due(status, *, accepted=False, is_emergency=False, booking_date=date(2026, 11, 30), terms=None):
    return due_at(
        status,
        since=NIGHT,
        accepted=accepted,
        is_emergency=is_emergency,
        booking_date=booking_date,
        terms=terms or Terms(),
    )


@pytest.mark.parametrize("status", TABLE)
def test_each_status_waits_for_one_side_and_not_for_ever(status):
    side, normal, urgent = TABLE[status]
    assert who_must_act(status) == side
    assert due(status) == NIGHT + normal
    assert due(status, is_emergency=True) == NIGHT + urgent


def test_who_has_accepted_has_a_day_to_inspect_emergency_or_not():
    for is_emergency in (False, True):
        due_then = due(S.ASSIGNED_TO_SERVICEMAN, accepted=True, is_emergency=is_emergency)
        assert due_then == NIGHT + timedelta(hours=24)


@pytest.mark.parametrize("side", [Side.CLIENT, Side.ADMIN])
def test_a_negotiation_waits_for_whoever_must_answer(side):
    assert who_must_act(S.NEGOTIATING, answer_from=side) == side
    assert due(S.NEGOTIATING) == NIGHT + timedelta(hours=24)


def test_a_negotiation_nobody_is_known_to_answer_waits_for_an_admin():
    assert who_must_act(S.NEGOTIATING) == Side.ADMIN


@pytest.mark.parametrize("status", S)
def test_an_open_issue_waits_on_an_admin_until_the_request_is_closed(status):
    closed = status in (S.COMPLETED, S.CANCELLED)
    assert who_must_act(status, issue_open=True, answer_from=Side.CLIENT) == (Side.NOBODY if closed else Side.ADMIN)


@pytest.mark.parametrize("status", [S.COMPLETED, S.CANCELLED])
def test_a_closed_request_waits_for_nobody(status):
    assert (who_must_act(status), due(status)) == (Side.NOBODY, None)


@pytest.mark.parametrize(
    ("day", "then"),
    [
        # It is 23 November in Lagos when it is paid.
        (date(2026, 11, 30), datetime(2026, 11, 30, 22, 59, 59, tzinfo=UTC)),
        (date(2026, 11, 24), datetime(2026, 11, 24, 22, 59, 59, tzinfo=UTC)),  # 47 hours and a half
        (date(2026, 11, 23), NIGHT + timedelta(hours=24)),  # the day ends in 23 and a half: a day at least
        (date(2026, 11, 20), NIGHT + timedelta(hours=24)),
    ],
)
def test_paid_work_starts_by_the_end_of_the_booking_day_and_never_within_a_day(day, then):
    assert who_must_act(S.PAYMENT_CONFIRMED) == Side.SERVICEMAN
    assert due(S.PAYMENT_CONFIRMED, booking_date=day) == then


def test_a_day_ends_at_midnight_in_lagos():
    assert end_of_day(date(2026, 11, 22)) == datetime(2026, 11, 22, 22, 59, 59, tzinfo=UTC)
    with clock.at(end_of_day(date(2026, 11, 22)) + timedelta(seconds=1)):
        assert clock.today() == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("moment", "first_calm_day"),
    [
        (datetime(2026, 11, 22, 22, 59, 59, tzinfo=UTC), date(2026, 11, 24)),
        (datetime(2026, 11, 22, 23, 0, 0, tzinfo=UTC), date(2026, 11, 25)),
        (NIGHT, date(2026, 11, 25)),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), date(2027, 1, 3)),
        (datetime(2028, 2, 28, 12, 0, tzinfo=UTC), date(2028, 3, 1)),  # a leap year
    ],
)
def test_before_today_plus_two_days_in_lagos_it_is_an_emergency(moment, first_calm_day):
    with clock.at(moment):
        near = [
            is_emergency_date(first_calm_day + timedelta(days=d), today=clock.today(), terms=Terms()) for d in (-1, 0)
        ]
    assert near == [True, False]


def test_how_near_is_near_is_a_setting():
    days = [date(2026, 11, 22) + timedelta(days=d) for d in range(4)]
    for before, near in ((0, 0), (1, 1), (3, 3)):
        terms = Terms(emergency_before_days=before)
        assert sum(is_emergency_date(day, today=days[0], terms=terms) for day in days) == near


def test_every_term_moves_its_own_deadline_and_no_other():
    terms = {
        "pay_booking_fee": (S.AWAITING_BOOKING_FEE, {}, timedelta(hours=1)),
        "assign": (S.PENDING_ADMIN_ASSIGNMENT, {}, timedelta(hours=1)),
        "assign_emergency_minutes": (S.PENDING_ADMIN_ASSIGNMENT, {"is_emergency": True}, timedelta(minutes=1)),
        "respond": (S.ASSIGNED_TO_SERVICEMAN, {}, timedelta(hours=1)),
        "respond_emergency_minutes": (S.ASSIGNED_TO_SERVICEMAN, {"is_emergency": True}, timedelta(minutes=1)),
        "inspect": (S.ASSIGNED_TO_SERVICEMAN, {"accepted": True}, timedelta(hours=1)),
        "price": (S.SERVICEMAN_INSPECTED, {}, timedelta(hours=1)),
        "approve": (S.AWAITING_CLIENT_APPROVAL, {}, timedelta(hours=1)),
        "negotiate": (S.NEGOTIATING, {}, timedelta(hours=1)),
        "pay": (S.AWAITING_PAYMENT, {}, timedelta(hours=1)),
        "start_at_least": (S.PAYMENT_CONFIRMED, {"booking_date": date(2026, 11, 1)}, timedelta(hours=1)),
        "work_days": (S.IN_PROGRESS, {}, timedelta(days=1)),
        "verify": (S.WORK_COMPLETED, {}, timedelta(hours=1)),
    }
    assert {field.name for field in fields(Terms)} - set(terms) == {"give_up_days", "emergency_before_days"}
    for name, (status, state, step) in terms.items():
        changed = Terms(**{name: getattr(Terms(), name) + 1})
        assert due(status, terms=changed, **state) - due(status, **state) == step, name
        for other, (elsewhere, its_state, _) in terms.items():
            if other != name:
                assert due(elsewhere, terms=changed, **its_state) == due(elsewhere, **its_state), (name, other)


def test_the_settings_name_every_term_and_start_with_the_products():
    assert BusinessSettings().terms == Terms()
    for number, field in enumerate(fields(Terms), start=1):
        column = field.name if hasattr(BusinessSettings(), field.name) else f"{field.name}_hours"
        changed = BusinessSettings(**{column: 100 + number}).terms
        assert getattr(changed, field.name) == 100 + number, field.name
        assert sum(getattr(changed, f.name) != getattr(Terms(), f.name) for f in fields(Terms)) == 1


@pytest.mark.parametrize("status", Status)
def test_a_price_alone_is_given_up_in_the_end(status):
    waits = status in (S.AWAITING_CLIENT_APPROVAL, S.NEGOTIATING, S.AWAITING_PAYMENT)
    for days in (14, 3):
        expected = NIGHT + timedelta(days=days) if waits else None
        assert give_up_at(status, since=NIGHT, terms=Terms(give_up_days=days)) == expected
