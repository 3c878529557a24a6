"""An admin sets what the client pays, as a markup on the estimate or as an amount."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from core.errors import Conflict, Forbidden, Invalid
from marketplace.enums import Side, Status
from marketplace.models import Consultation, Payment, Price
from marketplace.services.pricing import set_final_cost
from marketplace.tests.trail import fresh, refused, trail

pytestmark = pytest.mark.django_db

STAGES = ["SERVICEMAN_INSPECTED", "AWAITING_CLIENT_APPROVAL", "NEGOTIATING", "AWAITING_PAYMENT"]


@pytest.fixture
def inspected(request_in):
    return request_in("SERVICEMAN_INSPECTED")


@pytest.fixture
def pricer(make_admin):
    return make_admin("pricing")


def test_a_markup_makes_the_price_and_the_client_must_answer(inspected, pricer):
    with clock.at(timedelta(hours=2)) as now:
        set_final_cost(
            inspected.pk, markup=Decimal("12.50"), reason="Usual.", note_to_client="Parts inside.", by=pricer
        )
    request = fresh(inspected)
    assert (request.status, request.waiting_on) == (Status.AWAITING_CLIENT_APPROVAL, Side.CLIENT)
    assert (request.status_since, request.due_at) == (now, now + timedelta(hours=72))
    assert (request.final_cost, request.admin_markup_percentage) == (Decimal("22500.00"), Decimal("12.50"))
    price = Price.objects.get()
    assert (price.request, price.version, request.price_version) == (request, 1, 1)
    assert (price.estimate, price.markup, price.final) == (Decimal(20000), Decimal("12.50"), Decimal(22500))
    assert (price.by, price.reason, price.note_to_client) == (pricer, "Usual.", "Parts inside.")
    assert (price.created_at, price.agreed_at) == (now, None)
    assert trail(request) == [("set_final_cost", pricer, None, "Usual.")]


def test_it_is_rounded_half_up_to_the_kobo(request_in, pricer):
    request = request_in("SERVICEMAN_INSPECTED", serviceman_estimated_cost=Decimal("333.30"))
    set_final_cost(request.pk, markup=Decimal("5.75"), by=pricer)  # 352.46475
    assert fresh(request).final_cost == Price.objects.get().final == Decimal("352.46")
    set_final_cost(request.pk, markup=Decimal("0.65"), by=pricer)  # 335.46645
    request = request_in("SERVICEMAN_INSPECTED", serviceman_estimated_cost=Decimal("0.50"))
    set_final_cost(request.pk, markup=Decimal(1), by=pricer)  # 0.505
    assert fresh(request).final_cost == Decimal("0.51")


def test_an_amount_leaves_the_markup_empty(inspected, pricer):
    set_final_cost(inspected.pk, amount=Decimal("21000.00"), by=pricer)
    request = fresh(inspected)
    assert (request.final_cost, request.admin_markup_percentage) == (Decimal(21000), None)
    assert Price.objects.get().markup is None
    set_final_cost(inspected.pk, markup=Decimal(20), by=pricer)
    request = fresh(inspected)
    assert (request.final_cost, request.admin_markup_percentage) == (Decimal(24000), Decimal(20))
    assert list(Price.objects.order_by("version").values_list("version", "final")) == [(1, 21000), (2, 24000)]


@pytest.mark.parametrize("status", STAGES)
def test_a_new_price_ends_proposal_and_checkout_at_every_stage(status, request_in, pricer, tunde):
    before = request_in(status)
    Payment.objects.create(service_request=before, payment_type="FINAL_PAYMENT", amount=1, paystack_reference="open")
    Payment.objects.create(
        service_request=before,
        payment_type="FINAL_PAYMENT",
        amount=1,
        paystack_reference="failed",
        status="FAILED",
    )
    if before.open_proposal:
        Consultation.objects.create(negotiation=before.open_proposal, serviceman=tunde, question="Less?")
    with clock.at(clock.now()) as now:
        set_final_cost(before.pk, markup=Decimal(0), price_version=before.price_version, by=pricer)
    request = fresh(before)
    assert (request.status, request.price_version) == (Status.AWAITING_CLIENT_APPROVAL, before.price_version + 1)
    assert request.final_cost == Decimal(20000)
    outcomes = dict(Payment.objects.filter(payment_type="FINAL_PAYMENT").values_list("paystack_reference", "outcome"))
    assert outcomes == {"open": "SUPERSEDED", "failed": None}
    assert [n.status for n in request.negotiations.all()] == (["REJECTED"] if status == "NEGOTIATING" else [])
    assert [c.closed_at for c in Consultation.objects.all()] == ([now] if status == "NEGOTIATING" else [])


def test_an_earlier_price_is_never_changed(request_in, pricer):
    request = request_in("AWAITING_PAYMENT")
    before = list(Price.objects.values())
    set_final_cost(request.pk, amount=Decimal(30000), by=pricer)
    assert list(Price.objects.filter(version=1).values()) == before


def test_it_refuses_a_price_nobody_was_looking_at(request_in, pricer, make_admin):
    request = request_in("AWAITING_CLIENT_APPROVAL")
    for version in (0, 2):
        with refused(Conflict, "price_changed", field="price_version"):
            set_final_cost(request.pk, markup=Decimal(5), price_version=version, by=pricer)
    dispatcher = make_admin("dispatcher")
    with refused(Conflict, "price_changed"):  # the state before the right
        set_final_cost(request.pk, markup=Decimal(5), price_version=2, by=dispatcher)
    with refused(Forbidden):
        set_final_cost(request.pk, markup=Decimal(5), price_version=1, by=dispatcher)


@pytest.mark.parametrize("markup", ["-0.01", "100.01"])
def test_it_refuses_a_markup_outside_0_to_100(inspected, pricer, markup):
    with refused(Invalid, "out_of_range", field="admin_markup_percentage"):
        set_final_cost(inspected.pk, markup=Decimal(markup), by=pricer)


def test_0_and_100_are_markups(inspected, pricer):
    for markup, final in ((0, 20000), (100, 40000)):
        set_final_cost(inspected.pk, markup=Decimal(markup), by=pricer)
        assert fresh(inspected).final_cost == final


def test_below_the_estimate_it_wants_a_reason(inspected, pricer):
    with refused(Invalid, "reason_required", field="reason"):
        set_final_cost(inspected.pk, amount=Decimal("19999.99"), reason=" ", by=pricer)
    set_final_cost(inspected.pk, amount=Decimal("19999.99"), reason="A friend of the house.", by=pricer)
    assert (Price.objects.get().final, Price.objects.get().reason) == (Decimal("19999.99"), "A friend of the house.")
    set_final_cost(inspected.pk, amount=Decimal(20000), by=pricer)


@pytest.mark.parametrize("amount", ["0", "-5", "100000000"])
def test_it_refuses_an_amount_that_is_none(inspected, pricer, amount):
    with refused(Invalid, "out_of_range", field="final_cost"):
        set_final_cost(inspected.pk, amount=Decimal(amount), reason="x", by=pricer)


def test_it_refuses_a_markup_that_makes_the_price_too_large(request_in, pricer):
    request = request_in("SERVICEMAN_INSPECTED", serviceman_estimated_cost=Decimal(90000000))
    with refused(Invalid, "out_of_range", field="admin_markup_percentage"):
        set_final_cost(request.pk, markup=Decimal("11.12"), by=pricer)


def test_it_wants_one_of_the_two(inspected, pricer):
    for given in ({}, {"markup": Decimal(1), "amount": Decimal(21000)}):
        with refused(Invalid):
            set_final_cost(inspected.pk, by=pricer, **given)
