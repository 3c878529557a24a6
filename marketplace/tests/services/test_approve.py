"""The client agrees to the price he was shown."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from core.errors import Conflict, Forbidden, Invalid
from marketplace.enums import Side, Status
from marketplace.models import Price
from marketplace.services.pricing import approve_price, set_final_cost
from marketplace.tests.trail import fresh, refused, trail

pytestmark = pytest.mark.django_db


@pytest.fixture
def priced(request_in):
    return request_in("AWAITING_CLIENT_APPROVAL")


def test_he_pays_next(priced, ada):
    with clock.at(timedelta(hours=2)) as now:
        approve_price(priced.pk, price_version=1, by=ada)
    request = fresh(priced)
    assert (request.status, request.waiting_on) == (Status.AWAITING_PAYMENT, Side.CLIENT)
    assert (request.status_since, request.due_at) == (now, now + timedelta(hours=72))
    assert (request.price_version, Price.objects.get().agreed_at) == (1, now)
    assert trail(request) == [("approve_price", ada, None, "")]


def test_he_never_agrees_to_a_price_he_was_not_shown(priced, ada, boss):
    set_final_cost(priced.pk, amount=Decimal(90000), by=boss)
    with refused(Conflict, "price_changed", field="price_version"):
        approve_price(priced.pk, price_version=1, by=ada)
    approve_price(priced.pk, price_version=2, by=ada)
    agreed = Price.objects.exclude(agreed_at=None).get()
    assert (agreed.version, agreed.final) == (2, Decimal(90000))


def test_an_admin_agrees_for_him_but_never_the_one_who_set_it(priced, ada, boss, make_admin):
    dispatcher = make_admin("dispatcher")
    with refused(Forbidden):
        approve_price(priced.pk, price_version=1, by=boss, on_behalf=True, reason="He said yes.")
    with refused(Invalid, "reason_required", field="reason"):
        approve_price(priced.pk, price_version=1, by=dispatcher, on_behalf=True)
    with refused(Conflict, "price_changed"):
        approve_price(priced.pk, price_version=7, by=dispatcher, on_behalf=True, reason="He said yes.")
    approve_price(priced.pk, price_version=1, by=dispatcher, on_behalf=True, reason="He said yes.")
    assert trail(priced) == [("approve_price", dispatcher, ada, "He said yes.")]


def test_no_admin_agrees_as_himself(priced, boss, make_admin):
    for admin in (boss, make_admin("dispatcher"), make_admin("pricing")):
        with refused(Forbidden):
            approve_price(priced.pk, price_version=1, by=admin)
