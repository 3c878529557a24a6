"""What goes into a spreadsheet: cells that cannot run as formulas, and CSV and XLSX written while the rows arrive.

Nothing here knows a model or holds more than a batch of rows. Both formats are given the same cells.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.cell import Cell as CellOfSheet
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from core.clock import LAGOS

Cell = str | int | Decimal | None
Batches = Iterable[Iterable[Sequence[Cell]]]

MOST_XLSX_ROWS = 1_048_575
"""A sheet has 1,048,576 rows, and the first holds the names of the columns."""

# Spreadsheets skip what is blank or unseen before they look for a formula; full-width signs count as the plain ones.
_LIVE = re.compile("[\\s\ufffd\ufeff\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064]*[=+\\-@＝＋－＠]|[\\t\\n]")  # noqa: RUF001
# What XML, hence XLSX, cannot hold.
_UNWRITABLE = re.compile("[^\\t\\n\\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(value: Any) -> str:
    """Text for a cell: with an apostrophe before it where a spreadsheet would run it as a formula.

    Line ends become LF and what no sheet can hold U+FFFD, so that both formats say the same.
    """
    value = str(value)
    if value[:1].isalnum() and value.isprintable():
        return value  # nearly every cell, hence first
    value = _UNWRITABLE.sub("\ufffd", value.replace("\r\n", "\n").replace("\r", "\n"))
    return f"'{value}" if _LIVE.match(value) else value


def moment(value: datetime) -> str:
    """A moment in Lagos with its offset: 2026-11-21T13:00:00+01:00."""
    return value.astimezone(LAGOS).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Kind:
    """What a column holds: its word in the documentation, how a value becomes a cell, how XLSX shows numbers."""

    name: str
    cell: Callable[[Any], Cell]
    shown_as: str = "General"


TEXT = Kind("text", text)
NUMBER = Kind("number", int)
FLAG = Kind("yes or no", lambda value: "yes" if value else "no")
DAY = Kind("date", date.isoformat)
MOMENT = Kind("time", moment)


def as_csv(header: Sequence[str], batches: Batches) -> Iterator[bytes]:
    """CSV (RFC 4180, UTF-8): the header at once, then a piece a batch."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(header)
    yield out.getvalue().encode()
    for batch in batches:
        out.seek(0)
        out.truncate()
        writer.writerows(batch)
        yield out.getvalue().encode()


# --- XLSX


def as_xlsx(title: str, header: Sequence[str], kinds: Sequence[Kind], batches: Batches) -> Iterator[bytes]:
    """XLSX, a piece a batch. openpyxl makes everything but the rows, for which it would take twenty times as long."""
    frame, styles = _frame(title, header, kinds)
    numbers = [f'<c s="{style}"><v>' for style in styles]
    sink = _Sink()
    with ZipFile(frame) as made, ZipFile(sink, "w", ZIP_DEFLATED, compresslevel=2) as out:
        for name in made.namelist():
            if name != _SHEET:
                out.writestr(name, made.read(name))
        before, end, after = made.read(_SHEET).partition(b"</sheetData>")
        with out.open(_SHEET, "w") as sheet:
            sheet.write(before)
            yield sink.taken()
            for batch in batches:
                sheet.write("".join(_row(cells, numbers) for cells in batch).encode())
                yield sink.taken()
            sheet.write(end + after)
    yield sink.taken()


_SHEET = "xl/worksheets/sheet1.xml"


class _Sink:
    """The end of a pipe: what was written since it was last asked. It cannot be sought in, and zipfile copes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is held open."""

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _row(cells: Sequence[Cell], numbers: Sequence[str]) -> str:
    written = []
    for cell, number in zip(cells, numbers, strict=True):
        if cell is None or cell == "":
            written.append("<c/>")
        elif isinstance(cell, str):
            # No text is ever a formula here: those would stand in an element of their own.
            written.append(f'<c t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>')
        else:
            written.append(f"{number}{cell}</v></c>")
    return f"<row>{''.join(written)}</row>"


def _frame(title: str, header: Sequence[str], kinds: Sequence[Kind]) -> tuple[io.BytesIO, list[int]]:
    """A workbook with the header alone, and the number of each column's style in it."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title[:31]
    sheet.freeze_panes = "A2"
    styles = []
    for place, (name, kind) in enumerate(zip(header, kinds, strict=True), 1):
        cell = sheet.cell(row=1, column=place, value=name)
        cell.font = Font(bold=True)
        below = CellOfSheet(sheet)  # of no row: its style alone is wanted
        below.number_format = kind.shown_as
        styles.append(below.style_id)
        sheet.column_dimensions[get_column_letter(place)].width = max(len(name) + 2, 27 if kind is MOMENT else 14)
    made = io.BytesIO()
    book.save(made)
    made.seek(0)
    return made, styles
