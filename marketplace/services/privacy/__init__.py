"""A person's own data: handed out as a whole, and erased when they wish it and nothing is open."""

from marketplace.services.privacy.erasing import erase, open_obligations
from marketplace.services.privacy.traces import TRACES, personal_data

__all__ = ["TRACES", "erase", "open_obligations", "personal_data"]
