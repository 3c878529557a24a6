"""The console's frame: title, sidebar, badges, theme. Knows the marketplace only as dotted strings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

ADMIN = "marketplace.admin"

PRIMARY = {
    "50": "oklch(97.9% .014 180.801)",
    "100": "oklch(94.3% .045 180.838)",
    "200": "oklch(88.5% .082 181.071)",
    "300": "oklch(80.7% .118 182.503)",
    "400": "oklch(72.5% .128 184.704)",
    "500": "oklch(65.5% .119 185.5)",
    "600": "oklch(51.1% .096 186.391)",
    "700": "oklch(43.7% .078 188.216)",
    "800": "oklch(38.6% .063 188.416)",
    "900": "oklch(33% .05 190)",
    "950": "oklch(27.7% .046 192.524)",
}
"""Teal; 600 carries white text, 500 is read on dark."""


def _to(view: str, query: str = "") -> Callable[[HttpRequest], str]:
    """A link that is worked out when it is shown: the URLs are not there yet when settings are read."""
    return lambda request: f"{reverse(f'admin:{view}')}{query}"


def _here(view: str, query: str) -> Callable[[HttpRequest], bool]:
    """Whether that page, with that queue, is the one shown."""
    name, _, value = query.removeprefix("?").partition("=")

    def active(request: HttpRequest) -> bool:
        path = reverse(f"admin:{view}")
        at_home = request.path == path == reverse("admin:index")
        inside = request.path.startswith(path) and path != reverse("admin:index")
        return at_home or (inside and request.GET.get(name or "queue", "") == value)

    return active


def _may(codename: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(codename)


def _item(
    title: str,
    icon: str,
    model: str,
    *,
    app: str = "marketplace",
    queue: str = "",
    badge: str = "",
    alarm: bool = False,
) -> dict[str, Any]:
    """One line of the sidebar: a model's list, or one of its queues."""
    view, query = f"{app}_{model}_changelist", f"?queue={queue}" if queue else ""
    shown: dict[str, Any] = {
        "title": title,
        "icon": icon,
        "link": _to(view, query),
        "active": _here(view, query),
        "permission": _may(f"{app}.view_{model}"),
    }
    if badge:
        shown |= {"badge": f"{ADMIN}.queues.{badge}", "badge_variant": "danger" if alarm else "primary"}
    return shown


def _view(title: str, icon: str, view: str, codename: str) -> dict[str, Any]:
    """One line of the sidebar: a page of its own."""
    return {"title": title, "icon": icon, "link": _to(view), "active": _here(view, ""), "permission": _may(codename)}


def _group(title: str, *items: dict[str, Any], collapsible: bool = False) -> dict[str, Any]:
    return {"title": title, "separator": True, "collapsible": collapsible, "items": list(items)}


def _tab(title: str, queue: str = "") -> dict[str, Any]:
    """A saved queue above the list of requests."""
    view, query = "marketplace_servicerequest_changelist", f"?queue={queue}" if queue else ""
    return {"title": title, "link": _to(view, query), "active": _here(view, query)}


def environment(request: HttpRequest) -> list[str] | None:
    """What the label in the corner says wherever no real money moves: nobody should mistake it for the live one."""
    if settings.PAYSTACK_SANDBOX:
        return ["Sandbox", "warning"]
    return ["Test money", "warning"] if settings.PAYSTACK_SECRET_KEY.startswith("sk_test_") else None


def title_prefix(request: HttpRequest) -> str:
    """The same in the browser's tabs."""
    label = environment(request)
    return f"[{label[0]}]" if label else ""


SIDEBAR: list[dict[str, Any]] = [
    {
        "items": [{"title": "Home", "icon": "home", "link": _to("index"), "active": _here("index", "")}],
    },
    _group(
        "Work",
        _item("All requests", "list_alt", "servicerequest"),
        _item("To assign", "person_add", "servicerequest", queue="to_assign", badge="badge_to_assign"),
        _item("To price", "sell", "servicerequest", queue="to_price", badge="badge_to_price"),
        _item("Negotiations", "forum", "servicerequest", queue="to_answer", badge="badge_to_answer"),
        _item("To verify", "fact_check", "servicerequest", queue="to_verify", badge="badge_to_verify"),
        _item("Overdue", "alarm", "servicerequest", queue="overdue", badge="badge_overdue", alarm=True),
        _item("Issues", "report", "issue", badge="badge_issues", alarm=True),
    ),
    _group(
        "People",
        _item("Clients", "group", "clientprofile"),
        _item("Servicemen", "engineering", "servicemanprofile"),
        _item("Applications", "badge", "servicemanprofile", queue="applications", badge="badge_applications"),
        _item("Ratings", "star", "rating"),
        _item("Categories", "category", "category"),
    ),
    _group(
        "Money",
        _item("Payments", "payments", "payment"),
        _view("At risk", "warning", "money_at_risk", "marketplace.view_payment")
        | {"badge": f"{ADMIN}.queues.badge_at_risk", "badge_variant": "danger"},
        _item("To approve", "approval", "payment", queue="to_approve", badge="badge_to_approve"),
        _item("Refunds", "undo", "refund", badge="badge_to_decide"),
        _item("Payouts", "account_balance", "payout"),
        _item("Ledger", "menu_book", "ledgerentry"),
        _item("Disputes", "gavel", "dispute"),
        _item("Reconciliation", "rule", "reconciliationrun"),
        _item("Events from Paystack", "webhook", "webhookevent"),
    ),
    _group(
        "Insight",
        _view("Revenue", "monitoring", "insight_revenue", "marketplace.view_payment"),
        _view("Operations", "speed", "insight_operations", "marketplace.view_offer"),
        _view("Servicemen", "leaderboard", "insight_servicemen", "marketplace.view_servicemanprofile"),
        _view("Categories", "donut_small", "insight_categories", "marketplace.view_category"),
        _view("Ratings by stars", "star_half", "insight_ratings", "marketplace.view_rating"),
        _view("Workflow", "account_tree", "insight_workflow", "marketplace.view_servicerequest"),
        _item("Daily revenue", "calendar_month", "dailyrevenue"),
        _item("Offers", "local_offer", "offer"),
        _item("Prices", "price_change", "price"),
        _item("Proposals", "handshake", "pricenegotiation"),
        collapsible=True,
    ),
    _group(
        "System",
        _item("Notifications", "mail", "notification", badge="badge_unsent"),
        _view("E-mail previews", "preview", "email_previews", "marketplace.announce"),
        _item("Accounts", "manage_accounts", "user", app="core"),
        _item("Roles", "shield_person", "group", app="auth"),
        _item("Settings", "tune", "businesssettings"),
        _item("Failed jobs", "error", "failure", app="django_q"),
        _item("Queued jobs", "pending", "ormq", app="django_q"),
        _item("Schedules", "schedule", "schedule", app="django_q"),
        collapsible=True,
    ),
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Serviceman",
    "SITE_HEADER": "Serviceman",
    "SITE_SUBHEADER": "Console",
    "SITE_SYMBOL": "handyman",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("core/icon.svg")}],
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "STYLES": [lambda request: static("core/console.css"), lambda request: static("core/pages.css")],
    "SCRIPTS": [lambda request: static("core/rows.js"), lambda request: static("core/console.js")],
    "ENVIRONMENT": "core.unfold.environment",
    "ENVIRONMENT_TITLE_PREFIX": "core.unfold.title_prefix",
    "COLORS": {"primary": PRIMARY},
    "BORDER_RADIUS": "6px",
    "DASHBOARD_CALLBACK": f"{ADMIN}.dashboard.home",
    "SITE_VIEWS": [
        ("notifications/previews/", "email_previews", f"{ADMIN}.previews.PreviewView"),
        ("money/at-risk/", "money_at_risk", f"{ADMIN}.risk.RiskView"),
        ("insight/revenue/", "insight_revenue", f"{ADMIN}.insight.RevenueView"),
        ("insight/operations/", "insight_operations", f"{ADMIN}.operations.OperationsView"),
        ("insight/servicemen/", "insight_servicemen", f"{ADMIN}.insight.ServicemenView"),
        ("insight/ratings/", "insight_ratings", f"{ADMIN}.insight.RatingsView"),
        ("insight/workflow/", "insight_workflow", f"{ADMIN}.workflow.WorkflowView"),
        ("insight/categories/", "insight_categories", f"{ADMIN}.insight.CategoriesView"),
    ],
    "LOGIN": {"form": "core.console.SignInForm"},
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": SIDEBAR},
    "TABS": [
        {
            "models": ["marketplace.servicerequest"],
            "items": [
                _tab("All"),
                _tab("To assign", "to_assign"),
                _tab("Unanswered", "unanswered"),
                _tab("Inspection overdue", "inspection_overdue"),
                _tab("To price", "to_price"),
                _tab("To answer", "to_answer"),
                _tab("To verify", "to_verify"),
                _tab("Issues", "issues"),
                _tab("Overdue", "overdue"),
            ],
        },
    ],
}
