"""The business settings: one row, edited by superusers, with history."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from core.console import HistoryAdmin, ServiceBacked
from core.dialogs import words
from marketplace.models import BusinessSettings
from marketplace.services.settings import change_settings


class SettingsForm(forms.ModelForm):
    """The settings, and why they change."""

    reason = words("Reason", required=False, rows=2, help_text="Why this changes; it stays in the history.")


@admin.register(BusinessSettings)
class SettingsAdmin(ServiceBacked, HistoryAdmin):
    """Fees, markup and deadlines. A change acts on the next step of each request only."""

    form = SettingsForm
    list_display = ("__str__", "booking_fee", "emergency_booking_fee", "default_markup_percentage", "updated_at")
    fieldsets = (
        ("Fees and markup", {"fields": ("booking_fee", "emergency_booking_fee", "default_markup_percentage")}),
        (
            "Emergencies",
            {"fields": ("emergency_before_days", "assign_emergency_minutes", "respond_emergency_minutes")},
        ),
        (
            "Deadlines, in hours unless said otherwise",
            {
                "fields": (
                    "pay_booking_fee_hours",
                    "assign_hours",
                    "respond_hours",
                    "inspect_hours",
                    "price_hours",
                    "approve_hours",
                    "negotiate_hours",
                    "pay_hours",
                    "start_at_least_hours",
                    "work_days",
                    "verify_hours",
                    "give_up_days",
                ),
                "description": "A change acts on the next step of each request only; deadlines that run stay.",
            },
        ),
        ("Money", {"fields": ("second_person",)}),
        (None, {"fields": ("reason",)}),
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By the codename, which superusers alone hold."""
        return request.user.has_perms(("marketplace.view_businesssettings", "marketplace.manage_settings"))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only who may change them says why."""
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if self.has_change_permission(request) else fieldsets[:-1]

    def fetch(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The one row; the defaults until somebody edits them."""
        return BusinessSettings.current() if object_id == "1" else None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is nothing to list."""
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        return HttpResponseRedirect(reverse("admin:marketplace_businesssettings_change", args=[1]))

    def keep(self, request: HttpRequest, obj: BusinessSettings, values: dict[str, Any], *, change: bool) -> Any:
        """By the service."""
        return change_settings(by=request.user, **values)  # type: ignore[arg-type]
