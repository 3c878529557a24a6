"""What a price may be, without a database: markup, amount, version."""

from decimal import Decimal

import pytest

from core.errors import Conflict, Invalid
from marketplace.models import ServiceRequest
from marketplace.money import LARGEST
from marketplace.services import pricing


def checked(*, estimate="20000.00", markup=None, amount=None, reason=""):
    request = ServiceRequest(serviceman_estimated_cost=Decimal(estimate))
    return pricing._checked(
        request,
        markup=None if markup is None else Decimal(markup),
        amount=None if amount is None else Decimal(amount),
        reason=reason,
    )


@pytest.mark.parametrize(
    ("estimate", "markup", "price"),
    [
        ("20000.00", "0", "20000.00"),
        ("20000.00", "0.01", "20002.00"),
        ("20000.00", "12.5", "22500.00"),
        ("20000.00", "100", "40000.00"),
        ("0.05", "10", "0.06"),
        ("49999999.99", "100", "99999999.98"),
        ("99999999.99", "0", "99999999.99"),
    ],
)
def test_a_markup_makes_the_price(estimate, markup, price):
    assert checked(estimate=estimate, markup=markup) == Decimal(price)


@pytest.mark.parametrize(
    ("estimate", "markup"),
    [("20000.00", "-0.01"), ("20000.00", "100.01"), ("50000000.00", "100"), ("99999999.99", "0.01")],
)
def test_a_markup_is_from_0_to_100_and_its_price_fits(estimate, markup):
    with pytest.raises(Invalid) as refused:
        checked(estimate=estimate, markup=markup)
    assert (refused.value.code, set(refused.value.errors)) == ("out_of_range", {"admin_markup_percentage"})


@pytest.mark.parametrize(
    ("amount", "reason"),
    [("20000.00", ""), ("20000.01", ""), (str(LARGEST), ""), ("19999.99", "A friend"), ("0.01", "A gift")],
)
def test_an_amount_is_the_price(amount, reason):
    assert checked(amount=amount, reason=reason) == Decimal(amount)


@pytest.mark.parametrize(("amount", "reason"), [("19999.99", ""), ("19999.99", " \n"), ("0.01", "")])
def test_below_the_estimate_it_wants_a_reason(amount, reason):
    with pytest.raises(Invalid) as refused:
        checked(amount=amount, reason=reason)
    assert refused.value.code == "reason_required"


@pytest.mark.parametrize("amount", ["0", "-1", "100000000.00"])
def test_an_amount_is_above_0_and_fits(amount):
    with pytest.raises(Invalid) as refused:
        checked(amount=amount, reason="Why not")
    assert refused.value.code == "out_of_range"


@pytest.mark.parametrize(("seen", "current", "fits"), [(None, 3, True), (3, 3, True), (2, 3, False), (4, 3, False)])
def test_a_price_that_was_not_seen_is_not_changed(seen, current, fits):
    check, request = pricing._is_version(seen), ServiceRequest(price_version=current)
    if fits:
        assert check(request) is None
        return
    with pytest.raises(Conflict) as refused:
        check(request)
    assert refused.value.code == "price_changed"
