"""The types of the API's fields: what comes in is checked to the letter, what goes out always looks the same.

Each works in both directions: text from a caller is checked, a Python value of our own (a Decimal, a datetime) passes.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import phonenumbers
from annotated_types import GroupedMetadata
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, URLValidator
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from core.clock import LAGOS

BIGGEST_ID = 2**63 - 1
FIRST_YEAR, LAST_YEAR = 1900, 2200
"""Dates outside these years are typing errors, and overflow when a zone is applied."""

_NAIRA = re.compile(r"[0-9]{1,8}(\.[0-9]{1,2})?")
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_WHOLE_IN_PATH = re.compile(r"-?[0-9]+")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(_DAY.pattern + r"T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})")
_PHONE = re.compile(r"[0-9+() ./-]{5,32}")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


# --- Money and percentages


def _naira(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and _NAIRA.fullmatch(value):
        return Decimal(value)
    raise ValueError('Write the amount in naira as a string, like "15000.00": up to 8 digits and 2 decimals.')


def _percent(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and _PERCENT.fullmatch(value) and Decimal(value) <= 100:
        return Decimal(value)
    raise ValueError('Write the percentage as a string between "0.00" and "100.00".')


def _two_decimals(value: Decimal) -> str:
    return f"{value:.2f}"


_MONEY_OUT = {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$", "examples": ["15000.00"]}
Naira = Annotated[
    Decimal,
    BeforeValidator(_naira),
    PlainSerializer(_two_decimals, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_NAIRA.pattern}$", "examples": ["15000.00"]}, mode="validation"),
    WithJsonSchema(_MONEY_OUT, mode="serialization"),
]
"""Naira as a string: in "15000", "15000.5" or "15000.00"; out always with two decimals. Not negative on the way in."""

Percent = Annotated[
    Decimal,
    BeforeValidator(_percent),
    PlainSerializer(_two_decimals, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_PERCENT.pattern}$", "examples": ["12.50"]}, mode="validation"),
    WithJsonSchema(_MONEY_OUT | {"examples": ["12.50"]}, mode="serialization"),
]
"""A percentage as a string, 0 to 100 on the way in; "12.50" is twelve and a half per cent."""


# --- Numbers and switches


class Written(str):
    """Text of a query or a form, which have no other kind of value: here, and not in JSON, "5" is a number."""

    __slots__ = ()


class InPath(Written):
    """Text of a path."""

    __slots__ = ()


def _whole(value: Any) -> Any:
    if isinstance(value, Written) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("Input should be a whole number")


def _flag(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, Written) and value in ("true", "false"):
        return value == "true"
    raise ValueError("Input should be true or false")


Whole = Annotated[int, BeforeValidator(_whole, json_schema_input_type=int)]
"""A whole number; narrow it with Field(ge=, le=), always both, since columns have a range."""


def _somebody(value: Any) -> Any:
    """A number in a path that no row can have stands for one that no row has: whoever looks it up answers 404."""
    if isinstance(value, InPath) and _WHOLE_IN_PATH.fullmatch(value):
        possible = len(value) <= len(str(BIGGEST_ID)) and 1 <= int(value) <= BIGGEST_ID
        return int(value) if possible else BIGGEST_ID
    return value


Id = Annotated[Whole, Field(ge=1, le=BIGGEST_ID, examples=[1]), BeforeValidator(_somebody)]
"""The id of a record, in a body, a query or a path."""

Flag = Annotated[bool, BeforeValidator(_flag, json_schema_input_type=bool)]
"""true or false, and nothing else that Python would call so."""


# --- Dates and times


def _sane_year(value: date) -> date:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"The year should be between {FIRST_YEAR} and {LAST_YEAR}")
    return value


def _day(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        return _sane_year(date.fromisoformat(value))
    raise ValueError("Write the date as YYYY-MM-DD")


def _moment(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    # A "+" that a query did not escape arrives as a space.
    if isinstance(value, str) and _MOMENT.fullmatch(text := value.replace(" ", "+")):
        _sane_year(moment := datetime.fromisoformat(text))
        return moment
    raise ValueError("Write the time as ISO 8601 with its offset, like 2026-11-22T14:30:00+01:00")


Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-11-22"]}),
]
"""A date in Lagos, YYYY-MM-DD."""

Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    PlainSerializer(lambda value: value.astimezone(LAGOS).isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T14:30:00+01:00"]}),
]
"""A point in time: in with any offset, out with that of Lagos."""


# --- Text


@dataclass(frozen=True)
class Text(GroupedMetadata):
    """Words of several lines, trimmed: ``message: Annotated[str, Text(2000)]``. Not blank unless ``blank=True``."""

    max_length: int
    blank: bool = False

    def __iter__(self) -> Iterator[object]:
        """The checks, in order: characters, trimming, length."""
        yield AfterValidator(self.checked)
        # pydantic's own lengths would count before the trimming; here they only describe the field.
        bounds = {"maxLength": self.max_length} | ({} if self.blank else {"minLength": 1})
        yield WithJsonSchema({"type": "string", **bounds})

    def checked(self, value: str) -> str:
        """`value` trimmed, or ValueError."""
        value = value.replace("\r\n", "\n").strip()
        self.refuse_odd_characters(value)
        if not self.blank and all(unicodedata.category(letter)[0] in "CZ" for letter in value):
            raise ValueError("This may not be blank")
        if len(value) > self.max_length:
            raise ValueError(f"This should have at most {self.max_length} characters")
        return value

    def refuse_odd_characters(self, value: str) -> None:
        """ValueError on control characters other than line ends and tabs."""
        if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t" for letter in value):
            raise ValueError("This holds characters that are not text")


@dataclass(frozen=True)
class Line(Text):
    """Words on one line, trimmed: ``name: Annotated[str, Line(100)]``."""

    def refuse_odd_characters(self, value: str) -> None:
        """ValueError on anything that breaks or turns the line: such names mislead whoever reads a list."""
        if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in value) or _BIDI.search(value):
            raise ValueError("This should be plain text on one line")


_check_email = EmailValidator()
_check_link = URLValidator(schemes=["http", "https"])


def _email(value: str) -> str:
    value = value.strip().lower()
    if len(value) > 254 or not value.isascii():
        raise ValueError("This is not an e-mail address we can write to")
    try:
        _check_email(value)
    except ValidationError as problem:
        raise ValueError("This is not an e-mail address") from problem
    return value


def _link(value: str) -> str:
    try:
        _check_link(value)
    except ValidationError as problem:
        raise ValueError("This is not an http or https address") from problem
    return value


def phone_number(value: str) -> str:
    """E.164 of a phone number as people write it; Nigerian ones also without country code. ValueError if it is none."""
    if not _PHONE.fullmatch(value := value.strip()):
        raise ValueError("This is not a phone number")
    try:
        # "+234 (0)803..." is how many print it; the zero is for callers inside the country only.
        number = phonenumbers.parse(value.replace("(0)", ""), "NG")
    except phonenumbers.NumberParseException as problem:
        raise ValueError("This is not a phone number") from problem
    if not phonenumbers.is_valid_number(number):
        raise ValueError("There is no such phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


Email = Annotated[str, AfterValidator(_email), WithJsonSchema({"type": "string", "format": "email", "maxLength": 254})]
"""An e-mail address, lower-cased."""

Phone = Annotated[
    str,
    AfterValidator(lambda value: phone_number(value) if value.strip() else ""),
    WithJsonSchema({"type": "string", "maxLength": 32, "examples": ["+2348031234567"]}),
]
"""A phone number, stored as E.164; "" means none."""

Link = Annotated[
    str,
    Field(max_length=200),
    AfterValidator(_link),
    WithJsonSchema({"type": "string", "format": "uri", "maxLength": 200}),
]
"""An http or https address."""
