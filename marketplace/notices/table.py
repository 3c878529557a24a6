"""The one table: event -> notices. Every step of the workflow stands in it, and every type that no step sends."""

from typing import Final

from marketplace.notices.booking import BOOKING
from marketplace.notices.notice import Events
from marketplace.notices.others import OTHERS
from marketplace.notices.price import PRICE
from marketplace.notices.work import WORK

EVENTS: Final[Events] = {**BOOKING, **PRICE, **WORK, **OTHERS}
