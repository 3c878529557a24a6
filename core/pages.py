"""Lists page by page: a signed cursor says after which row to go on, so rows that arrive meanwhile move nothing.

One statement a page: no COUNT, no OFFSET. NULL counts as the largest value, as PostgreSQL's own indexes have it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from functools import reduce
from typing import Annotated, Any, TypedDict

from django.core import signing
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Field, Model, Q, QuerySet
from django.db.models.expressions import F, OrderBy
from django.http import HttpRequest
from pydantic import AfterValidator, WithJsonSchema
from pydantic import Field as Limits

from core.errors import Invalid
from core.fields import Whole

SMALLEST, USUAL, LARGEST = 1, 20, 100

Limit = Annotated[Whole, Limits(ge=SMALLEST, le=LARGEST)]
"""How many rows a page holds."""


class PageOf(TypedDict):
    """A page before it is serialised."""

    items: list[Any]
    next: str | None


def ordering_by(*names: str) -> tuple[AfterValidator, WithJsonSchema]:
    """For a query field: ``ordering: Annotated[str, *ordering_by("created_at", "rating")] = "-created_at"``."""
    allowed = [sign + name for name in names for sign in ("", "-")]

    def checked(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"Order by one of {', '.join(names)}, with a leading - for the other way round")
        return value

    return AfterValidator(checked), WithJsonSchema({"type": "string", "enum": allowed})


def paginate(
    request: HttpRequest,
    queryset: QuerySet[Any],
    *,
    ordering: str | Sequence[str],
    allowed: Sequence[str] | None = None,
    limit: int = USUAL,
    cursor: str | None = None,
    to_item: Callable[[Any], Any] | None = None,
) -> PageOf:
    """One page of `queryset` by `ordering` (names with an optional "-", the id breaks ties) after `cursor`.

    `allowed` lists the names a caller may order by; leave it out when the query's schema has checked. `to_item` makes
    an item of a row. Raises Invalid naming `ordering` or `cursor`.
    """
    names = [ordering] if isinstance(ordering, str) else list(ordering)
    if allowed is not None and (strange := [name for name in names if name.removeprefix("-") not in allowed]):
        raise Invalid(f"Cannot order by {strange[0].removeprefix('-')}.", field="ordering")
    columns = [_Column(queryset, name) for name in names]
    if columns[-1].name not in ("pk", "id"):
        columns.append(_Column(queryset, "-pk" if columns[-1].descending else "pk"))
    salt = f"page of {queryset.model._meta.label}"
    if cursor:
        queryset = queryset.filter(_after(columns, _read(cursor, columns, salt)))
    rows = list(queryset.order_by(*(column.order for column in columns))[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    following = None
    if more:
        position = [[column.signed_name for column in columns], [column.plain_value(rows[-1]) for column in columns]]
        query = request.GET.copy()
        query["cursor"] = signing.dumps(position, salt=salt, compress=True)
        following = f"{request.path}?{query.urlencode()}"
    return {"items": [to_item(row) for row in rows] if to_item else rows, "next": following}


class _Column:
    """One column of the ordering: a field, a field of a relation ("category__name") or an annotation."""

    def __init__(self, queryset: QuerySet[Any], signed_name: str) -> None:
        self.signed_name = signed_name
        self.name = signed_name.removeprefix("-")
        self.descending = signed_name.startswith("-")
        self.nullable, self.field = self._found(queryset)

    def _found(self, queryset: QuerySet[Any]) -> tuple[bool, Field[Any, Any]]:
        if (annotation := queryset.query.annotations.get(self.name)) is not None:
            return True, annotation.output_field
        model: type[Model] = queryset.model
        *path, last = self.name.split("__")
        nullable = False
        for step in path:
            relation = model._meta.get_field(step)
            nullable = nullable or bool(getattr(relation, "null", False))
            model = relation.related_model  # type: ignore[assignment]
        try:
            field = model._meta.pk if last == "pk" else model._meta.get_field(last)
        except FieldDoesNotExist as problem:
            raise Invalid(f"Cannot order by {self.name}.", field="ordering") from problem
        return nullable or bool(field.null), field  # type: ignore[return-value]

    @property
    def order(self) -> OrderBy:
        column = F(self.name)
        if not self.nullable:
            return column.desc() if self.descending else column.asc()
        return column.desc(nulls_first=True) if self.descending else column.asc(nulls_last=True)

    def plain_value(self, row: Any) -> Any:
        """The row's value as JSON can hold it without loss."""
        if self.name in row.__dict__ or "__" not in self.name:
            value = getattr(row, self.name)
        else:
            value = reduce(lambda record, step: record and getattr(record, step), self.name.split("__"), row)
        if isinstance(value, Model):
            value = value.pk
        if isinstance(value, date):  # datetimes too
            return value.isoformat()
        return str(value) if isinstance(value, Decimal) else value

    def python_value(self, value: Any) -> Any:
        """What `plain_value` was made of."""
        return None if value is None else self.field.to_python(value)

    def beyond(self, value: Any) -> Q | None:
        """Rows strictly after `value` in this column; None when there can be none."""
        if value is None:
            return Q(**{f"{self.name}__isnull": False}) if self.descending else None
        further = Q(**{f"{self.name}__{'lt' if self.descending else 'gt'}": value})
        if self.nullable and not self.descending:
            further |= Q(**{f"{self.name}__isnull": True})
        return further

    def same(self, value: Any) -> Q:
        return Q(**{f"{self.name}__isnull": True}) if value is None else Q(**{self.name: value})


def _after(columns: Sequence[_Column], values: Sequence[Any]) -> Q:
    """(a > x) or (a = x and b > y) or ..."""
    after = Q(pk__in=[])
    tied = Q()
    for column, value in zip(columns, values, strict=True):
        if (beyond := column.beyond(value)) is not None:
            after |= tied & beyond
        tied &= column.same(value)
    first, value = columns[0], values[0]
    if not first.nullable:
        # Says nothing new, but lets an index on the first column start at the right row instead of at the end.
        after &= Q(**{f"{first.name}__{'lte' if first.descending else 'gte'}": value})
    return after


def _read(cursor: str, columns: Sequence[_Column], salt: str) -> list[Any]:
    refusal = Invalid("This cursor is not one we gave out for this list and ordering.", field="cursor")
    try:
        names, values = signing.loads(cursor, salt=salt)
    except (signing.BadSignature, ValueError, TypeError) as problem:
        raise refusal from problem
    if names != [column.signed_name for column in columns]:
        raise refusal
    try:
        return [column.python_value(value) for column, value in zip(columns, values, strict=True)]
    except (ValidationError, ValueError, TypeError) as problem:
        raise refusal from problem
