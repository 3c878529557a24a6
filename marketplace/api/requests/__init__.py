"""/api/service-requests/: booking, reading, and every step of the workflow that belongs to one request."""

from marketplace.api.requests import reading, steps, timeline
from marketplace.api.requests.reading import router

router.add_router("", steps.router)
router.add_router("", timeline.router)

__all__ = ["reading", "router", "steps", "timeline"]
