"""The API of the client and serviceman apps. Each file is a URL prefix: it parses, calls one service, and answers."""

from core.api import Api
from marketplace.api import (
    auth,
    backoffice,
    categories,
    config,
    me,
    negotiations,
    notifications,
    payments,
    ratings,
    requests,
    servicemen,
)

ROUTERS = {
    "/config/": config.router,
    "/auth/": auth.router,
    "/me/": me.router,
    "/categories/": categories.router,
    "/servicemen/": servicemen.router,
    "/service-requests/": requests.router,
    "/payments/": payments.router,
    "/notifications/": notifications.router,
    "/negotiations/": negotiations.router,
    "/ratings/": ratings.router,
    "/admin/": backoffice.router,
}
"""What stands under which prefix."""

api = Api(
    title="Serviceman",
    version="1.0.0",
    description="Book a visit, agree on a price, get it done. Money is naira, as strings with two decimals; times are "
    "ISO 8601 with the offset of Lagos. Every refusal is a problem document (RFC 9457).",
    urls_namespace="api",
)
for prefix, router in ROUTERS.items():
    api.add_router(prefix, router)
