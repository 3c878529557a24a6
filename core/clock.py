"""The only clock of the project, so that tests and the demo can move time.

Model fields use ``default=clock.now``; Django's ``auto_now`` and simple-history's own date would read the machine's
clock behind our back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

LAGOS = ZoneInfo("Africa/Lagos")
"""West Africa Time, UTC+1 all year: business days are cut here whatever the server's zone is."""

_moved_to: ContextVar[datetime | None] = ContextVar("clock_moved_to", default=None)


def now() -> datetime:
    """This moment, aware. The moved moment inside ``at()``."""
    return _moved_to.get() or timezone.now()


def today() -> date:
    """The date in Lagos now: 23:30 UTC is already tomorrow there."""
    return now().astimezone(LAGOS).date()


def day_of(moment: datetime) -> date:
    """The Lagos date on which ``moment`` falls."""
    return moment.astimezone(LAGOS).date()


@contextmanager
def at(moment: datetime | timedelta) -> Iterator[datetime]:
    """Move the clock of this context to ``moment`` (a timedelta counts from the current clock)."""
    target = now() + moment if isinstance(moment, timedelta) else moment
    token = _moved_to.set(target)
    try:
        yield target
    finally:
        _moved_to.reset(token)
