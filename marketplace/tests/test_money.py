"""Money arithmetic: vectors a person can check by hand, and properties that hold for every amount."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace import money

amounts = st.decimals(min_value=Decimal("0.01"), max_value=money.LARGEST, places=2)
markups = st.decimals(min_value=Decimal("0.00"), max_value=Decimal("100.00"), places=2)


@pytest.mark.parametrize(
    ("naira", "kobo"),
    [
        ("0.00", 0),
        ("0.01", 1),
        ("1.00", 100),
        ("2000.00", 200_000),
        ("22500.00", 2_250_000),
        ("0.29", 29),  # int(0.29 * 100) is 28
        ("1.15", 115),  # int(1.15 * 100) is 114
        ("99999999.99", 9_999_999_999),
        ("-12.34", -1234),
    ],
)
def test_naira_and_kobo_are_the_same_amount(naira: str, kobo: int) -> None:
    assert money.to_kobo(Decimal(naira)) == kobo
    assert str(money.from_kobo(kobo)) == naira


@pytest.mark.parametrize(
    ("naira", "kobo"),
    [("0.005", 1), ("0.004999", 0), ("0.015", 2), ("0.025", 3), ("-0.005", -1), ("1.994", 199), ("1.995", 200)],
)
def test_it_rounds_half_up_to_the_kobo(naira: str, kobo: int) -> None:
    assert money.to_kobo(Decimal(naira)) == kobo


def test_a_kobo_is_a_hundredth_and_the_largest_amount_fills_ten_digits() -> None:
    assert money.to_kobo(money.KOBO) == 1
    assert money.to_kobo(money.LARGEST) == 10**10 - 1
    assert money.ZERO == 0


def test_a_whole_number_of_naira_gains_its_two_decimals() -> None:
    assert str(money.rounded(Decimal(15000))) == "15000.00"
    assert str(money.rounded(Decimal("1.5E+4"))) == "15000.00"


@pytest.mark.parametrize("nonsense", [0.29, 1, "1.00", None, Decimal("NaN"), Decimal("Infinity")])
def test_it_refuses_what_is_no_finite_decimal(nonsense: object) -> None:
    with pytest.raises(ValueError, match="finite Decimal"):
        money.to_kobo(nonsense)  # type: ignore[arg-type]


@pytest.mark.parametrize("nonsense", [1.0, "100", None, True, Decimal(100)])
def test_it_refuses_kobo_that_are_no_integer(nonsense: object) -> None:
    with pytest.raises(ValueError, match="whole number"):
        money.from_kobo(nonsense)  # type: ignore[arg-type]


@given(st.integers(min_value=-(10**13), max_value=10**13))
def test_kobo_survive_the_round_trip(kobo: int) -> None:
    assert money.to_kobo(money.from_kobo(kobo)) == kobo


@pytest.mark.parametrize(
    ("estimate", "markup", "final"),
    [
        ("20000.00", "12.50", "22500.00"),
        ("15000.00", "10.00", "16500.00"),
        ("15000.00", "0.00", "15000.00"),
        ("15000.00", "100.00", "30000.00"),
        ("0.05", "10.00", "0.06"),  # 0.055, half up
        ("0.04", "10.00", "0.04"),  # 0.044
        ("333.33", "33.33", "444.43"),  # 444.428889
        ("10.01", "12.50", "11.26"),  # 11.26125
        ("0.01", "50.00", "0.02"),  # 0.015, half up
        ("90909090.90", "10.00", "99999999.99"),
    ],
)
def test_the_final_cost_is_the_estimate_plus_the_markup(estimate: str, markup: str, final: str) -> None:
    assert str(money.final_cost(estimate=Decimal(estimate), markup=Decimal(markup))) == final


@given(amounts, markups)
def test_the_final_cost_is_within_half_a_kobo_of_the_exact_value(estimate: Decimal, markup: Decimal) -> None:
    exact = Fraction(estimate) * (100 + Fraction(markup)) / 100
    off = Fraction(money.final_cost(estimate=estimate, markup=markup)) - exact
    assert Fraction(-1, 200) < off <= Fraction(1, 200)


@given(amounts, markups)
def test_estimate_and_margin_sum_to_the_final_cost(estimate: Decimal, markup: Decimal) -> None:
    final = money.final_cost(estimate=estimate, markup=markup)
    assert estimate + money.margin(final=final, estimate=estimate) == final


def test_the_margin_is_negative_below_the_estimate() -> None:
    assert str(money.margin(final=Decimal("18000.00"), estimate=Decimal("20000.00"))) == "-2000.00"


@pytest.mark.parametrize(
    ("final", "estimate", "markup"),
    [("22500.00", "20000.00", "12.50"), ("18000.00", "20000.00", "-10.00"), ("10000.00", "3000.00", "233.33")],
)
def test_a_typed_price_has_a_derived_markup(final: str, estimate: str, markup: str) -> None:
    assert str(money.derived_markup(final=Decimal(final), estimate=Decimal(estimate))) == markup


@pytest.mark.parametrize(
    ("amount", "fee"),
    [
        ("2000.00", "30.00"),
        ("2499.99", "37.50"),
        ("2500.00", "137.50"),
        ("5000.00", "175.00"),
        ("50000.00", "850.00"),
        ("126666.66", "2000.00"),  # 1999.9999
        ("126666.67", "2000.00"),
        ("126666.00", "1999.99"),
        ("200000.00", "2000.00"),
        ("0.01", "0.00"),
    ],
)
def test_paystack_keeps_its_nigerian_fee(amount: str, fee: str) -> None:
    assert str(money.paystack_fee(Decimal(amount))) == fee


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("22500.00", "₦22,500.00"),
        ("0", "₦0.00"),
        ("-0.001", "₦0.00"),
        ("-500", "-₦500.00"),
        ("-0.01", "-₦0.01"),
        ("999.995", "₦1,000.00"),
        ("1234567.8", "₦1,234,567.80"),
    ],
)
def test_people_read_naira_with_sign_and_commas(amount: str, text: str) -> None:
    assert money.naira_text(Decimal(amount)) == text
