"""A client books a visit, or an admin does it for one."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from core import clock
from core.errors import Forbidden, Invalid
from marketplace.enums import Side, Status
from marketplace.models import BusinessSettings, Category, ServiceRequest, UnavailableDate
from marketplace.services import workflow
from marketplace.services.requests import book
from marketplace.tests.trail import refused, trail

pytestmark = pytest.mark.django_db

LATE_EVENING = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
"""In Lagos it is already half past midnight of 23 November."""


@pytest.fixture
def order(ada, plumbing):
    """`order(**changes)`: ada books plumbing a week ahead."""

    def order(**changes):
        asked = {
            "category_id": plumbing.pk,
            "booking_date": clock.today() + timedelta(days=7),
            "client_address": "12 Allen Avenue",
            "service_description": "The tap drips.",
            "by": ada,
        }
        return book(**asked | changes)

    return order


def test_a_booking_waits_for_its_fee(order, ada, plumbing):
    with clock.at(LATE_EVENING):
        request = order()
    assert (request.status, request.waiting_on) == (Status.AWAITING_BOOKING_FEE, Side.CLIENT)
    assert request.due_at == LATE_EVENING + timedelta(hours=24)
    assert (request.status_since, request.created_at) == (LATE_EVENING, LATE_EVENING)
    assert (request.client, request.category) == (ada, plumbing)
    assert (request.initial_booking_fee, request.admin_markup_percentage) == (Decimal("2000.00"), Decimal("10.00"))
    assert (request.price_version, request.final_cost, request.serviceman) == (0, None, None)
    assert trail(request) == [("book", ada, None, "")]


def test_fee_and_markup_are_those_of_the_settings_and_stay(order):
    settings = BusinessSettings.objects.create(
        pk=1, booking_fee=Decimal(2500), emergency_booking_fee=Decimal(6000), default_markup_percentage=Decimal("12.50")
    )
    normal, urgent = order(), order(is_emergency=True)
    settings.booking_fee = settings.emergency_booking_fee = Decimal(1)
    settings.save()
    normal, urgent = (ServiceRequest.objects.get(pk=r.pk) for r in (normal, urgent))
    assert (normal.initial_booking_fee, urgent.initial_booking_fee) == (Decimal(2500), Decimal(6000))
    assert normal.admin_markup_percentage == Decimal("12.50")


@pytest.mark.parametrize(
    ("day", "asked", "is_emergency", "by_its_date", "fee"),
    [
        (date(2026, 11, 23), False, True, True, 5000),  # today in Lagos
        (date(2026, 11, 24), False, True, True, 5000),  # tomorrow; false is overruled
        (date(2026, 11, 24), True, True, True, 5000),
        (date(2026, 11, 25), False, False, False, 2000),  # today + 2: no emergency
        (date(2026, 11, 25), True, True, False, 5000),  # but the client may ask for it
    ],
)
def test_a_near_date_is_an_emergency_whatever_was_asked(order, day, asked, is_emergency, by_its_date, fee):
    with clock.at(LATE_EVENING):
        request = order(booking_date=day, is_emergency=asked)
    assert (request.is_emergency, request.auto_flagged_emergency) == (is_emergency, by_its_date)
    assert request.initial_booking_fee == fee


def test_yesterday_in_lagos_is_past_although_it_is_still_today_in_utc(order):
    with clock.at(LATE_EVENING), refused(Invalid, "past_date", field="booking_date"):
        order(booking_date=date(2026, 11, 22))
    with clock.at(LATE_EVENING - timedelta(minutes=31)):
        assert order(booking_date=date(2026, 11, 22)).is_emergency


def test_a_year_ahead_is_the_latest(order):
    assert order(booking_date=clock.today() + timedelta(days=365)).pk
    with refused(Invalid, field="booking_date"):
        order(booking_date=clock.today() + timedelta(days=366))


def test_it_refuses_a_client_whose_e_mail_is_not_confirmed(order, make_client):
    kemi = make_client("kemi", is_email_verified=False)
    with refused(Forbidden, "email_not_verified"):
        order(by=kemi)


@pytest.mark.parametrize("who", ["tunde", "boss"])
def test_only_clients_book(order, who, request):
    by = request.getfixturevalue(who)
    with refused(Forbidden):
        order(by=by)


def test_it_refuses_a_category_that_is_unknown_or_takes_no_bookings(order):
    closed = Category.objects.create(name="Roofing", description="-", is_active=False)
    for category_id in (closed.pk, 987654):
        with refused(Invalid, field="category_id"):
            order(category_id=category_id)


def test_a_preferred_serviceman_is_kept(order, tunde):
    request = order(preferred_serviceman_id=tunde.pk)
    assert (request.preferred_serviceman, request.serviceman) == (tunde, None)


@pytest.mark.parametrize(
    "why", ["unknown", "a client", "pending", "unavailable", "that day", "inactive", "other trade"]
)
def test_it_refuses_a_preferred_serviceman_who_is_not_free(order, make_serviceman, ada, why):
    trade = Category.objects.create(name="Roofing", description="-")
    profiles = {
        "pending": {"approval": "PENDING"},
        "unavailable": {"is_available": False},
        "other trade": {"category": trade},
    }
    sani = make_serviceman("sani", profile=profiles.get(why), is_active=why != "inactive")
    UnavailableDate.objects.create(serviceman=sani, date=clock.today() + timedelta(days=7 if why == "that day" else 8))
    with refused(Invalid, field="preferred_serviceman_id"):
        order(preferred_serviceman_id={"unknown": 987654, "a client": ada.pk}.get(why, sani.pk))


def test_an_admin_books_for_a_client_and_says_why(order, ada, make_admin):
    dispatcher = make_admin("dispatcher")
    request = order(by=dispatcher, on_behalf_of=ada, reason="Called us.")
    assert request.client == ada
    assert trail(request) == [("book", dispatcher, ada, "Called us.")]
    with refused(Invalid, "reason_required", field="reason"):
        order(by=dispatcher, on_behalf_of=ada, reason="  ")


def test_nobody_else_books_for_a_client(order, ada, eve, tunde, make_admin):
    for by in (make_admin("pricing"), make_admin("viewer"), eve, tunde):
        with refused(Forbidden):
            order(by=by, on_behalf_of=ada, reason="Because.")
    dispatcher = make_admin("dispatcher")
    with refused(Forbidden):
        order(by=dispatcher, on_behalf_of=tunde, reason="Because.")


def test_a_code_that_is_taken_is_drawn_again(order, monkeypatch):
    first = order()
    draws = iter([first.code, first.code, "SR-FREE2"])
    monkeypatch.setattr(ServiceRequest._meta.get_field("code"), "_get_default", lambda: first.code)
    monkeypatch.setattr(workflow, "new_code", lambda _: next(draws))
    second = order()
    assert second.code == "SR-FREE2"
    assert trail(second) == [("book", second.client, None, "")]
