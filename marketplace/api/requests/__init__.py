"""/api/service-requests/: booking, reading, and every step of the workflow that belongs to one request."""

from marketplace.api.requests import reading, sheet, steps, timeline
from marketplace.api.requests.reading import router

router.add_router("", steps.router)
router.add_router("", timeline.router)
router.add_router("", sheet.router)

__all__ = ["reading", "router", "sheet", "steps", "timeline"]
