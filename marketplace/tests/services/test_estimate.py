"""The serviceman has looked at the job and says what the work costs."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from core.errors import Conflict, Invalid
from marketplace.enums import Side, Status
from marketplace.services.work import submit_estimate
from marketplace.tests.trail import fresh, refused, trail

pytestmark = pytest.mark.django_db


@pytest.fixture
def accepted(request_in):
    return request_in("ASSIGNED_TO_SERVICEMAN", accepted=True)


def test_an_admin_must_price_it_next(accepted, tunde):
    with clock.at(timedelta(hours=5)) as now:
        submit_estimate(accepted.pk, amount=Decimal("20000.50"), notes="New cartridge.", estimated_days=2, by=tunde)
    request = fresh(accepted)
    assert (request.status, request.waiting_on) == (Status.SERVICEMAN_INSPECTED, Side.ADMIN)
    assert (request.status_since, request.due_at) == (now, now + timedelta(hours=12))
    assert (request.serviceman_estimated_cost, request.inspection_completed_at) == (Decimal("20000.50"), now)
    assert (request.estimate_notes, request.estimated_days) == ("New cartridge.", 2)
    assert (request.final_cost, request.price_version) == (None, 0)
    assert trail(request) == [("submit_estimate", tunde, None, "")]


def test_he_may_correct_it_until_it_is_priced(request_in, tunde):
    request = request_in("SERVICEMAN_INSPECTED")
    submit_estimate(request.pk, amount=Decimal(25000), by=tunde)
    assert fresh(request).serviceman_estimated_cost == Decimal(25000)
    priced = request_in("AWAITING_CLIENT_APPROVAL")
    with refused(Conflict, "wrong_status"):
        submit_estimate(priced.pk, amount=Decimal(25000), by=tunde)


def test_he_must_have_accepted(request_in, tunde):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    with refused(Conflict, "not_accepted"):
        submit_estimate(request.pk, amount=Decimal(20000), by=tunde)


@pytest.mark.parametrize("amount", ["0", "-1", "0.00", "100000000.00"])
def test_it_refuses_an_amount_that_is_none(accepted, tunde, amount):
    with refused(Invalid, "out_of_range", field="amount"):
        submit_estimate(accepted.pk, amount=Decimal(amount), by=tunde)


@pytest.mark.parametrize("amount", ["0.01", "99999999.99"])
def test_it_takes_the_least_and_the_most(accepted, tunde, amount):
    submit_estimate(accepted.pk, amount=Decimal(amount), by=tunde)
    assert fresh(accepted).serviceman_estimated_cost == Decimal(amount)


@pytest.mark.parametrize("days", [-1, 0, 366, 40_000])
def test_it_refuses_days_that_cannot_be(accepted, tunde, days):
    with refused(Invalid, field="estimated_days"):
        submit_estimate(accepted.pk, amount=Decimal(1), estimated_days=days, by=tunde)


def test_an_admin_writes_it_down_for_him(accepted, tunde, make_admin):
    dispatcher = make_admin("dispatcher")
    with refused(Invalid, "reason_required", field="reason"):
        submit_estimate(accepted.pk, amount=Decimal(1), by=dispatcher, on_behalf=True)
    submit_estimate(accepted.pk, amount=Decimal(1), by=dispatcher, on_behalf=True, reason="No network there.")
    assert trail(accepted) == [("submit_estimate", dispatcher, tunde, "No network there.")]
