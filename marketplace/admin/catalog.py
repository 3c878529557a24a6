"""Categories, edited by whoever may manage the catalog."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import BooleanRadioFilter

from core.console import HistoryAdmin, ServiceBacked
from marketplace.admin.labels import badge, beginning, column
from marketplace.models import Category
from marketplace.services.catalog import create_category, update_category


@admin.register(Category)
class CategoryAdmin(ServiceBacked, HistoryAdmin):
    """What can be booked."""

    list_display = ("name", "active", "description_start", "updated_at")
    list_filter = (("is_active", BooleanRadioFilter),)
    search_fields = ("name", "description")
    ordering = ("name",)
    fields = ("name", "description", "icon_url", "is_active")
    help_texts: ClassVar = {"is_active": "Inactive ones take no new bookings; requests they have go on."}

    active = column("State", lambda c: badge("Active", "success") if c.is_active else badge("Inactive"), "is_active")
    description_start = column("Description", lambda c: beginning(c.description))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By the codename."""
        return self.has_view_permission(request) and request.user.has_perm("marketplace.manage_catalog")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By the codename."""
        return request.user.has_perms(("marketplace.view_category", "marketplace.manage_catalog"))

    def keep(self, request: HttpRequest, obj: Category, values: dict[str, Any], *, change: bool) -> Category:
        """By the services."""
        if change:
            return update_category(obj.pk, by=request.user, **values)  # type: ignore[arg-type]
        return create_category(by=request.user, **values)  # type: ignore[arg-type]
