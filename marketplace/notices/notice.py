"""One line of the table of notices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.enums import NotificationType
from marketplace.notices.audiences import Audience
from marketplace.notices.occasions import Figure, Test, always


@dataclass(frozen=True)
class Notice:
    """Whom an event tells what. Titles start with plain words, since they are the subjects too.

    `amount` is kept with the row, so that it is shown as it was; `quotes` keeps where the history has the reason, whose
    words are shown with it.
    """

    type: NotificationType
    to: Audience
    title: str
    message: str
    amount: Figure | None = None
    when: Test = always
    quotes: bool = False


Events = Mapping[str, tuple[Notice, ...]]
"""Event -> what it tells whom. An event that tells nobody stands there as well, with nothing."""
