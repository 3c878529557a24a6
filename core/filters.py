"""Filters of the console's lists that Unfold has not."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.utils import parse_date_str

from core.clock import LAGOS


class DaysFilter(RangeDateFilter):
    """A moment by days in Lagos, the first and the last included; either may be left open.

    Unfold's own for moments wants a time of day beside each date, ignores a date without one, and knows no zone.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """From the first moment of the first day to the last of the last."""
        for name, lookup, more in (("from", "gte", 0), ("to", "lt", 1)):
            day = parse_date_str(self.used_parameters.get(f"{self.field_path}_{name}"))
            if day and day.year > 1 and day.year < 9999:
                moment = datetime.combine(day + timedelta(days=more), time(), tzinfo=LAGOS)
                queryset = queryset.filter(**{f"{self.field_path}__{lookup}": moment})
        return queryset
