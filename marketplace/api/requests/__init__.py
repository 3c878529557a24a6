"""/api/service-requests/: booking, reading, and every step of the workflow that belongs to one request."""

from marketplace.api.requests import attachments, reading, sheet, steps, timeline
from marketplace.api.requests.reading import router

router.add_router("", steps.router)
router.add_router("", timeline.router)
router.add_router("", sheet.router)
router.add_router("", attachments.router)

__all__ = ["attachments", "reading", "router", "sheet", "steps", "timeline"]
