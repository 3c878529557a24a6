from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from core.fields import Day, Email, Flag, Id, InPath, Line, Link, Moment, Naira, Percent, Phone, Text, Whole, Written


def accepts(kind: Any, value: Any) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


def read(kind: Any, value: Any) -> Any:
    return TypeAdapter(kind).validate_python(value)


def written(kind: Any, value: Any) -> Any:
    return TypeAdapter(kind).dump_python(value, mode="json")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("15000", "15000"),
        ("15000.5", "15000.5"),
        ("0", "0"),
        ("0.01", "0.01"),
        ("99999999.99", "99999999.99"),
        ("007", "7"),
    ],
)
def test_naira_reads_strings(text, amount):
    assert read(Naira, text) == Decimal(amount)


@pytest.mark.parametrize(
    "value",
    [
        *(15000, 15000.0, True, None, [], {}, b"1", "", " 1", "1 ", "1\n", "+1", "-1", "1.", ".5", "1.234", "1_000"),
        *("1,000", "१२", "1e3", "NaN", "Infinity", "0x1", "100000000", "₦5", "1" * 5000),
    ],
)
def test_naira_refuses_all_else(value):
    assert not accepts(Naira, value)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("15000", "15000.00"),
        ("0.1", "0.10"),
        ("-350.5", "-350.50"),
        ("1E+3", "1000.00"),
        ("12345678901.10", "12345678901.10"),
    ],
)
def test_naira_is_written_with_two_decimals(amount, text):
    assert written(Naira, Decimal(amount)) == text


@pytest.mark.parametrize("value", ["0", "12.5", "12.50", "100", "100.00"])
def test_percentages_run_to_a_hundred(value):
    assert read(Percent, value) == Decimal(value)


@pytest.mark.parametrize("value", ["100.01", "101", "-1", "12.345", 12, 12.5, "1000", ""])
def test_percentages_beyond_are_refused(value):
    assert not accepts(Percent, value)


@pytest.mark.parametrize("value", [1, 2**63 - 1, Written("1"), InPath("42")])
def test_ids_are_positive_and_fit_the_database(value):
    assert read(Id, value) == int(value)


def written_too(*values):
    """The values, and as a query would hold them where they are text."""
    return [*values, *(Written(value) for value in values if isinstance(value, str))]


@pytest.mark.parametrize(
    "value", [0, -1, 2**63, True, 1.0, None, 10**50, *written_too("0", "9" * 30, "1.0", "1_0", " 1", "٣", "")]
)
def test_other_ids_are_refused(value):
    assert not accepts(Id, value)


@pytest.mark.parametrize("text", ["0", "-1", "-5", str(2**63), "9" * 30, "9" * 5000, "00"])
def test_an_id_in_a_path_that_nothing_can_have_is_one_that_nothing_has(text):
    assert read(Id, InPath(text)) == 2**63 - 1


@pytest.mark.parametrize("text", ["abc", "1.5", "1_0", "", "-", "٣", "null", " 1"])
def test_what_is_no_number_is_none_in_a_path_either(text):
    assert not accepts(Id, InPath(text))


@pytest.mark.parametrize("value", [1.5, True, None, *written_too("1.5", "ten", "١")])
def test_whole_numbers_are_whole(value):
    assert not accepts(Whole, value)
    assert read(Whole, -3) == read(Whole, Written("-3")) == -3


@pytest.mark.parametrize("value", [1, 0, None, *written_too("yes", "1", "True", "on", "")])
def test_flags_are_true_or_false(value):
    assert not accepts(Flag, value)
    assert read(Flag, Written("false")) is False
    assert read(Flag, True) is True


@pytest.mark.parametrize(("kind", "text"), [(Id, "1"), (Whole, "5"), (Flag, "true"), (Flag, "false")])
def test_text_is_no_number_and_no_flag_in_json(kind, text):
    assert not accepts(kind, text)


@pytest.mark.parametrize(
    "value",
    [
        "2026-1-5",
        "20261122",
        "2026-W47-7",
        "2026-02-30",
        "2026-11-22T00:00",
        "1899-12-31",
        "9999-12-31",
        5,
        "",
        "٢٠٢٦-11-22",
    ],
)
def test_dates_are_strict(value):
    assert not accepts(Day, value)
    assert read(Day, "2026-11-22") == date(2026, 11, 22)


@pytest.mark.parametrize(
    "value",
    ["2026-11-22", "2026-11-22T14:30:00", "1795500000", 1795500000, "2026-11-22T25:00:00Z", "0001-01-01T00:00:00Z"],
)
def test_times_need_their_offset(value):
    assert not accepts(Moment, value)


def test_times_go_out_with_the_offset_of_lagos():
    moment = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert written(Moment, moment) == "2026-11-23T00:30:00+01:00"
    assert read(Moment, "2026-11-23T00:30:00+01:00") == read(Moment, "2026-11-22T23:30Z") == moment


def test_a_plus_that_a_query_did_not_escape_is_understood():
    assert read(Moment, "2026-11-23T00:30:00 01:00") == datetime(2026, 11, 22, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "written_as",
    [
        "08031234567",
        "0803 123 4567",
        "0803-123-4567",
        "2348031234567",
        "+2348031234567",
        "+234 803 123 4567",
        "+234 (0)803 123 4567",
        "+234 (0) 803 123 4567",
        "+23408031234567",
        "(0803) 123 4567",
        "  08031234567 ",
    ],
)
def test_nigerian_phones_are_understood_as_people_write_them(written_as):
    assert read(Phone, written_as) == "+2348031234567"


def test_foreign_phones_need_their_country():
    assert read(Phone, "+44 20 7946 0018") == "+442079460018"
    assert read(Phone, "") == ""


@pytest.mark.parametrize(
    "value",
    [
        "12345",
        "0803123456",
        "080312345678",
        "1-800-FLOWERS",
        "08031234567 ext 5",
        "٠٨٠٣١٢٣٤٥٦٧",
        8031234567,
        None,
        "+",
        "()()()",
        "0" * 32,
    ],
)
def test_what_is_no_phone_is_refused(value):
    assert not accepts(Phone, value)


def test_emails_are_lower_case():
    assert read(Email, " Ada@Example.COM ") == "ada@example.com"


@pytest.mark.parametrize(
    "value",
    [
        "ada",
        "ada@",
        "@example.com",
        "ada@example",
        "a b@example.com",
        "ada@example.com\nx",
        "ädä@example.com",
        "a" * 250 + "@example.com",
        "ada@exаmple.com",
        "",
        None,
    ],
)
def test_what_is_no_email_is_refused(value):
    assert not accepts(Email, value)


def test_text_is_trimmed_and_measured_after():
    kind = Annotated[str, Text(5)]
    assert read(kind, "  hello  ") == "hello"
    assert read(kind, "a\r\nb") == "a\nb"
    assert not accepts(kind, "hello!")


@pytest.mark.parametrize("value", ["", "   ", "\n\t", "\u200b", "\u2060\ufeff", "\u3000"])
def test_text_may_not_be_blank_unless_it_may(value):
    assert not accepts(Annotated[str, Text(5)], value)
    assert accepts(Annotated[str, Text(5, blank=True)], value)


@pytest.mark.parametrize("value", ["a\x00b", "a\x1bb", "a\x08b", "a\ud800b", 5, None, ["a"]])
def test_text_holds_no_control_characters(value):
    assert not accepts(Annotated[str, Text(50)], value)


@pytest.mark.parametrize("value", ["a\nb", "a\tb", "a\u2028b", "a\u202eb", "a\x00b"])
def test_a_line_is_one_line(value):
    assert not accepts(Annotated[str, Line(50)], value)


@pytest.mark.parametrize("value", ["Ọláolúwa", "O'Brien-Smith", "محمد", "👩‍🔧 Ada"])
def test_names_of_the_world_are_lines(value):
    assert read(Annotated[str, Line(50)], value) == value


@pytest.mark.parametrize(
    "value", ["javascript:alert(1)", "ftp://example.com", "//example.com", "http://", "https://e.com/" + "a" * 200]
)
def test_links_are_http(value):
    assert not accepts(Link, value)
    assert accepts(Link, "https://example.com/icon.png")
