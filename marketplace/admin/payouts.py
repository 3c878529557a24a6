"""Money that goes to servicemen, and where to. Account numbers stay masked."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeNumericFilter

from core.console import ConsoleAdmin, ExportAdmin, HistoryAdmin
from marketplace import exports
from marketplace.admin.labels import column, link_to, money, person, state
from marketplace.enums import PayoutStatus
from marketplace.models import BankAccount, Payout, PayoutBatch


@admin.register(Payout)
class PayoutAdmin(HistoryAdmin, ExportAdmin):
    """What each serviceman is paid."""

    resource_classes = (exports.Payouts,)
    list_display = ("reference", "who", "amount_", "status_", "batch_", "created_at", "paid_at")
    list_select_related = ("serviceman", "batch")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("serviceman", AutocompleteSelectFilter),
        ("amount", RangeNumericFilter),
    )
    search_fields = ("reference", "serviceman__email", "serviceman__last_name")
    ordering = ("-id",)
    fields = (
        "reference", "who", "amount_", "status_", "batch_", "created_at", "sent_at", "paid_at", "transfer_code",
        "last_error",
    )  # fmt: skip
    readonly_fields = ("who", "amount_", "status_", "batch_")

    who = column("Serviceman", lambda p: person(p.serviceman))
    amount_ = column("Amount", lambda p: money(p.amount), "amount")
    status_ = column("Status", lambda p: state(p.status, PayoutStatus), "status")
    batch_ = column("Batch", lambda p: link_to(p.batch))


@admin.register(PayoutBatch)
class PayoutBatchAdmin(ConsoleAdmin):
    """Payouts prepared together, approved by a second person."""

    list_display = ("__str__", "prepared", "approved", "approved_at", "created_at")
    list_select_related = ("prepared_by", "approved_by")
    ordering = ("-id",)
    fields = ("prepared", "approved", "approved_at", "created_at")
    readonly_fields = ("prepared", "approved")

    prepared = column("Prepared by", lambda b: person(b.prepared_by))
    approved = column("Approved by", lambda b: person(b.approved_by))


@admin.register(BankAccount)
class BankAccountAdmin(HistoryAdmin):
    """Where servicemen are paid."""

    list_display = ("who", "masked", "bank_code", "account_name", "updated_at")
    list_display_links = ("masked",)
    list_select_related = ("serviceman",)
    search_fields = ("serviceman__email", "serviceman__last_name", "account_name")
    fields = ("who", "masked", "bank_code", "account_name", "created_at", "updated_at")
    readonly_fields = ("who", "masked")

    who = column("Serviceman", lambda a: person(a.serviceman))
    masked = column("Account", str)
