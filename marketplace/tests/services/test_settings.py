"""Business settings: edited by superusers alone, with history; a change acts on the next step only."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from core.errors import Conflict, Forbidden, Invalid
from marketplace.models import BusinessSettings
from marketplace.services.assignment import accept_job
from marketplace.services.issues import raise_issue, resolve_issue
from marketplace.services.pricing import approve_price
from marketplace.services.requests import cancel, flag_emergency
from marketplace.services.settings import change_settings
from marketplace.tasks import cancel_silent_requests
from marketplace.tests.trail import fresh, refused, trail

pytestmark = pytest.mark.django_db


def test_a_change_is_kept_with_who_and_why(boss):
    change_settings(by=boss, reason="Fuel.", booking_fee=Decimal("2500.00"), respond_hours=6)
    settings = BusinessSettings.current()
    assert (settings.booking_fee, settings.terms.respond) == (Decimal(2500), 6)
    assert settings.emergency_booking_fee == Decimal(5000)
    row = settings.history.first()
    assert (row.history_user, row.history_change_reason, row.booking_fee) == (boss, "Fuel.", Decimal(2500))
    change_settings(by=boss, respond_hours=8)
    assert BusinessSettings.objects.get().history.first().history_change_reason == ""
    assert BusinessSettings.objects.count() == 1


@pytest.mark.parametrize("roles", [("dispatcher",), ("pricing", "finance"), ("viewer",)])
def test_superusers_alone_change_them(roles, make_admin, ada):
    for by in (make_admin(*roles), ada):
        with refused(Forbidden):
            change_settings(by=by, booking_fee=Decimal(1))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("booking_fee", Decimal(0)),
        ("emergency_booking_fee", Decimal(-1)),
        ("booking_fee", Decimal(100000000)),
        ("default_markup_percentage", Decimal("100.01")),
        ("default_markup_percentage", Decimal("-0.01")),
        ("respond_hours", 0),
        ("assign_hours", -4),
        ("verify_hours", 99_999),
        ("give_up_days", 0),
        ("work_days", None),
        ("colour", "blue"),
    ],
)
def test_it_refuses_what_cannot_be(boss, name, value):
    with refused(Invalid, field=name):
        change_settings(by=boss, **{name: value})


def test_a_change_acts_on_the_next_step_only(request_in, boss, tunde, ada):
    before = request_in("ASSIGNED_TO_SERVICEMAN")
    change_settings(by=boss, respond_hours=1, inspect_hours=2)
    raise_issue(before.pk, kind="OTHER", message="?", by=ada)
    assert fresh(before).due_at == before.due_at == before.status_since + timedelta(hours=12)
    with clock.at(timedelta(hours=3)) as now:
        accept_job(before.pk, by=tunde)
    assert fresh(before).due_at == now + timedelta(hours=2)


def test_less_patience_acts_on_the_next_wait_only(request_in, boss, ada):
    before, moved = request_in("AWAITING_CLIENT_APPROVAL"), request_in("AWAITING_CLIENT_APPROVAL")
    assert before.give_up_at == before.status_since + timedelta(days=14)
    change_settings(by=boss, give_up_days=3)
    approve_price(moved.pk, price_version=1, by=ada)
    flag_emergency(before.pk, is_emergency=True, by=boss)
    raise_issue(before.pk, kind="OTHER", message="?", by=ada)
    resolve_issue(before.pk, before.issues.get().pk, resolution="!", by=boss)
    assert fresh(before).give_up_at == before.give_up_at
    assert fresh(moved).give_up_at == fresh(moved).status_since + timedelta(days=3)
    with clock.at(timedelta(days=4)):
        with refused(Conflict, "not_due"):
            cancel(before.pk, reason="Silence.", by=None)
        assert cancel_silent_requests() == 1
    assert trail(moved)[-1] == ("cancel", None, None, "Nobody answered for 3 days.")
    with clock.at(timedelta(days=14, seconds=1)):
        assert cancel_silent_requests() == 1
    assert trail(before)[-1] == ("cancel", None, None, "Nobody answered for 14 days.")
    assert fresh(before).give_up_at is None


def test_until_somebody_edits_them_they_are_the_products(db):
    settings = BusinessSettings.current()
    assert (settings.booking_fee, settings.emergency_booking_fee) == (Decimal(2000), Decimal(5000))
    assert settings.default_markup_percentage == Decimal(10)
    assert not BusinessSettings.objects.exists()
