"""Exports: django-import-export resources whose columns are declared once, read as plain values and streamed.

No model is built and no dataset kept: a batch of rows at a time becomes cells, and the cells go out as CSV or XLSX.
The resource's own `export()` gives a tablib dataset of the same cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import batched
from typing import Any, ClassVar, Literal

from django.db.models import F, Model, QuerySet, Value
from django.db.models.expressions import Combinable
from django.http import StreamingHttpResponse
from import_export.fields import Field
from import_export.resources import Resource

from core import clock, sheets
from core.sheets import Cell, Kind

Format = Literal["csv", "xlsx"]
CONTENT_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
BATCH = 2_000
"""Rows that are in memory at once."""


class Column(Field):
    """A column: its name, where its value comes from (a path of fields, or an expression), its kind, what it means."""

    def __init__(self, name: str, source: str | Combinable, kind: Kind, means: str) -> None:
        super().__init__(attribute=source if isinstance(source, str) else None, column_name=name, readonly=True)
        self.source = source
        self.kind = kind
        self.means = means

    def of(self, row: Any) -> Any:
        """The value in a row that comes from no table."""
        return self.source.value if isinstance(self.source, Value) else self.get_value(row)


class Export(Resource):
    """What goes out for a spreadsheet. `columns` is its one definition, in their order."""

    title: ClassVar[str]
    """What is exported, as people say it; its slug begins the file's name."""
    model: ClassVar[type[Model] | None] = None
    """Whose rows it gives away: who exports must be allowed to view these, too."""
    columns: ClassVar[tuple[Column, ...]] = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fields = {column.column_name: column for column in self.columns}

    @classmethod
    def get_display_name(cls) -> str:
        """As in `title`."""
        return cls.title

    def rows_of(self, listed: Any) -> Any:
        """What is exported of the rows a list shows: those."""
        return listed

    def batches(self, rows: QuerySet[Any] | Iterable[Any]) -> Iterator[Iterator[tuple[Cell, ...]]]:
        """The cells, some thousand rows at a time; one statement however many there are."""
        cells = [column.kind.cell for column in self.columns]
        for batch in batched(self._values(rows), BATCH):
            by_column = zip(*batch, strict=True)
            yield zip(
                *(
                    [None if value is None else cell(value) for value in values]
                    for cell, values in zip(cells, by_column, strict=True)
                ),
                strict=True,
            )

    def stream(self, rows: QuerySet[Any] | Iterable[Any], kind: Format) -> Iterator[bytes]:
        """The file, piece by piece as the rows arrive."""
        header = [column.column_name for column in self.columns]
        if kind == "csv":
            return sheets.as_csv(header, self.batches(rows))
        return sheets.as_xlsx(self.title, header, [column.kind for column in self.columns], self.batches(rows))

    def download(self, rows: QuerySet[Any] | Iterable[Any], kind: Format) -> StreamingHttpResponse:
        """The file as an answer, named by what it is and today in Lagos."""
        name = f"{self.title.lower().replace(' ', '-').replace("'", '')}-{clock.today():%Y-%m-%d}.{kind}"
        # The second keeps nginx from collecting the pieces.
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Accel-Buffering": "no"}
        return StreamingHttpResponse(self.stream(rows, kind), content_type=CONTENT_TYPES[kind], headers=headers)

    def _values(self, rows: QuerySet[Any] | Iterable[Any]) -> Iterator[tuple[Any, ...]]:
        if not isinstance(rows, QuerySet):
            return (tuple(column.of(row) for column in self.columns) for row in rows)
        # As expressions, lest a column be taken for a field of the same name.
        sources = [F(column.source) if isinstance(column.source, str) else column.source for column in self.columns]
        return rows.prefetch_related(None).values_list(*sources).iterator(chunk_size=BATCH)

    # --- What import-export calls to make a dataset

    def iter_queryset(self, queryset: QuerySet[Any] | Iterable[Any]) -> Iterator[tuple[Cell, ...]]:
        """Rows of cells."""
        for batch in self.batches(queryset):
            yield from batch

    def export_resource(self, instance: tuple[Cell, ...], selected_fields: Any = None, **kwargs: Any) -> list[Cell]:
        """A row: its cells."""
        return list(instance)
