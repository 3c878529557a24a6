"""One queue of the work that waits; `marketplace.admin.queues` is the table of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse


@dataclass(frozen=True, kw_only=True)
class Queue:
    """Rows that wait for somebody. `since` names the column that says how long; `hint` is shown under the title."""

    key: str
    title: str
    icon: str
    hint: str
    rows: Callable[[], QuerySet[Any]]
    since: str = "status_since"
    model: str = "servicerequest"
    parameter: str = "queue"
    page: str = ""
    parts: tuple[Queue, ...] = ()
    """Queues this one is made of, with a `page` of its own instead of a list."""

    @property
    def may(self) -> str:
        """The right it takes to see these rows."""
        return f"marketplace.view_{self.model}"

    @property
    def url(self) -> str:
        """The list, filtered to this queue; or its own page."""
        if self.page:
            return reverse(f"admin:{self.page}")
        return f"{reverse(f'admin:marketplace_{self.model}_changelist')}?{self.parameter}={self.key}"

    @property
    def first(self) -> str:
        """The page of the row that is next; nothing for a queue with a page of its own."""
        return "" if self.page else f"{self.url}&first"
