"""Money: Decimal naira inside, integer kobo at Paystack and in the ledger, never a float.

A kobo is a hundredth of a naira. Whatever is finer than a kobo is rounded half up, away from zero.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

KOBO: Final = Decimal("0.01")
ZERO: Final = Decimal("0.00")
LARGEST: Final = Decimal("99999999.99")
"""Naira; what a column of ten digits holds."""

_FEE_RATE = Decimal("0.015")
_FEE_FIXED = Decimal("100.00")
_FEE_FIXED_FROM = Decimal("2500.00")
_FEE_CAP = Decimal("2000.00")


def rounded(amount: Decimal) -> Decimal:
    """`amount` in naira with exactly two decimals. Raises ValueError for what is no finite Decimal."""
    if not isinstance(amount, Decimal) or not amount.is_finite():
        raise ValueError(f"An amount of naira is a finite Decimal, not {amount!r}.")
    return amount.quantize(KOBO, rounding=ROUND_HALF_UP)


def to_kobo(amount: Decimal) -> int:
    """Naira as integer kobo: Decimal("22500.00") -> 2250000."""
    return int(rounded(amount).scaleb(2))


def from_kobo(kobo: int) -> Decimal:
    """Integer kobo as naira with two decimals: 2250000 -> Decimal("22500.00"). Raises ValueError for no integer."""
    if not isinstance(kobo, int) or isinstance(kobo, bool):
        raise ValueError(f"Kobo are a whole number, not {kobo!r}.")
    return Decimal(kobo).scaleb(-2)


def final_cost(*, estimate: Decimal, markup: Decimal) -> Decimal:
    """What the client pays for the work: the estimate plus `markup` per cent, rounded once, to the kobo."""
    return rounded(estimate * (100 + markup) / 100)


def margin(*, final: Decimal, estimate: Decimal) -> Decimal:
    """What the platform keeps of a final price; negative when it was agreed below the estimate."""
    return rounded(final - estimate)


def derived_markup(*, final: Decimal, estimate: Decimal) -> Decimal:
    """The per cent by which `final` exceeds `estimate`, to two decimals, for showing only: it does not round-trip."""
    return rounded((final - estimate) * 100 / estimate)


def paystack_fee(amount: Decimal) -> Decimal:
    """What Paystack keeps of a local Nigerian charge: 1.5 % + 100, the 100 waived under 2,500, at most 2,000 naira."""
    fixed = _FEE_FIXED if amount >= _FEE_FIXED_FROM else ZERO
    return rounded(min(amount * _FEE_RATE + fixed, _FEE_CAP))


def naira_text(amount: Decimal) -> str:
    """How people read an amount: ₦22,500.00, and -₦500.00 below zero."""
    exact = rounded(amount)
    return f"{'-' if exact < 0 else ''}₦{abs(exact):,.2f}"
