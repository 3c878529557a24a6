"""Money by day."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import RangeDateFilter

from core.console import ExportAdmin
from marketplace import exports
from marketplace.admin.labels import column, kobo
from marketplace.models import DailyRevenue


@admin.register(DailyRevenue)
class DailyRevenueAdmin(ExportAdmin):
    """One row for each day in Lagos."""

    resource_classes = (exports.DailyRevenues,)
    list_display = ("day", "collected", "fees", "finals", "refunded", "gateway", "platform", "payments")
    list_filter = (("day", RangeDateFilter),)
    ordering = ("-day",)
    fields = list_display
    readonly_fields = ("collected", "fees", "finals", "refunded", "gateway", "platform")

    collected = column("Collected", lambda d: kobo(d.collected_kobo), "collected_kobo")
    fees = column("Booking fees", lambda d: kobo(d.booking_fees_kobo))
    finals = column("Final payments", lambda d: kobo(d.final_payments_kobo))
    refunded = column("Refunded", lambda d: kobo(d.refunded_kobo))
    gateway = column("Paystack's fees", lambda d: kobo(d.gateway_fees_kobo))
    platform = column("Platform revenue", lambda d: kobo(d.platform_revenue_kobo), "platform_revenue_kobo")
