"""The books: entries with their lines. Append-only, so there is nothing to edit."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from core.console import ExportAdmin
from core.filters import DaysFilter
from marketplace import exports
from marketplace.admin.labels import column, kobo, link_to, person
from marketplace.admin.lists import IndexedSearch, keys, payments_called, people_called, requests_called
from marketplace.enums import Account
from marketplace.models import LedgerEntry, LedgerLine


def _kind(entry: LedgerEntry) -> str:
    return entry.kind.replace("_", " ").capitalize()


def _debit(line: LedgerLine) -> str:
    return kobo(line.amount_kobo) if line.amount_kobo > 0 else ""


def _credit(line: LedgerLine) -> str:
    return kobo(-line.amount_kobo) if line.amount_kobo < 0 else ""


def _about(term: str, people: list[int]) -> QuerySet[Any]:
    """Entries by the beginning of their kind, by request, payment and client."""
    return keys(LedgerEntry, kind__startswith=term.lower().replace(" ", "_")).union(
        keys(LedgerEntry, request__in=requests_called(term, people)),
        keys(LedgerEntry, payment__in=payments_called(term, people)),
    )


class LineInline(TabularInline):
    """The lines of an entry, which sum to zero."""

    model = LedgerLine
    extra = 0
    can_delete = False
    show_title = False
    fields = ("account_", "who", "debit", "credit")
    readonly_fields = fields

    account_ = column("Account", lambda line: Account(line.account).label)
    who = column("Serviceman", lambda line: person(line.serviceman))
    debit = column("Debit", _debit)
    credit = column("Credit", _credit)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerLine]:
        """With the people."""
        return super().get_queryset(request).select_related("serviceman")


@admin.register(LedgerEntry)
class LedgerEntryAdmin(IndexedSearch, ExportAdmin):
    """Every event of money. What goes out are the lines of the entries in the list."""

    resource_classes = (exports.Ledger, exports.Earnings)
    list_display = ("kind_", "happened_at", "request_", "amount", "payment_", "memo")
    list_select_related = ("request", "payment")
    list_filter = (("happened_at", DaysFilter),)
    search_fields = ("kind", "request__code", "payment__paystack_reference")
    search_help_text = "Kind of entry, request, payment, or the client's name, phone or e-mail"
    ordering = ("-posted_at", "-id")
    inlines = (LineInline,)
    fields = (
        "kind_",
        "happened_at",
        "posted_at",
        "request_",
        "payment_",
        "refund_",
        "payout_",
        "reverses_",
        "author",
        "memo",
    )
    readonly_fields = ("kind_", "request_", "payment_", "refund_", "payout_", "reverses_", "author")

    kind_ = column("Entry", _kind, "kind")
    request_ = column("Request", lambda e: link_to(e.request))
    payment_ = column("Payment", lambda e: link_to(e.payment))
    refund_ = column("Refund", lambda e: link_to(e.refund))
    payout_ = column("Payout", lambda e: link_to(e.payout))
    reverses_ = column("Takes back", lambda e: link_to(e.reverses))
    author = column("By", lambda e: person(e.by) if e.by else "System")
    amount = column("Amount", lambda e: kobo(sum(line.amount_kobo for line in e.lines.all() if line.amount_kobo > 0)))

    def matching(self, term: str) -> QuerySet[Any]:
        """By kind, request or payment."""
        return _about(term, people_called(term))

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerEntry]:
        """With the lines that make the amount."""
        return super().get_queryset(request).prefetch_related("lines")


@admin.register(LedgerLine)
class LedgerLineAdmin(IndexedSearch, ExportAdmin):
    """Every line, for filtering by account and for export."""

    resource_classes = (exports.Ledger, exports.Earnings)
    list_display = ("entry_", "happened", "account_", "who", "debit", "credit")
    list_display_links = ("happened",)
    list_select_related = ("entry", "serviceman")
    list_filter = (("account", ChoicesDropdownFilter), ("entry__happened_at", DaysFilter))
    search_fields = ("entry__kind", "entry__request__code", "serviceman__email")
    search_help_text = "Kind of entry, request, payment, or a person's name, phone or e-mail"
    ordering = ("-id",)
    fields = ("entry_", "happened", "account_", "who", "debit", "credit")
    readonly_fields = fields

    entry_ = column("Entry", lambda line: link_to(line.entry, _kind(line.entry)))
    happened = column("When", lambda line: line.entry.happened_at)
    account_ = column("Account", lambda line: Account(line.account).label)
    who = column("Serviceman", lambda line: person(line.serviceman))
    debit = column("Debit", _debit)
    credit = column("Credit", _credit)

    def matching(self, term: str) -> QuerySet[Any]:
        """Those of the entries, and of the servicemen of that name."""
        people = people_called(term)
        of_entries = keys(LedgerLine, entry__in=_about(term, people))
        return of_entries.union(keys(LedgerLine, serviceman__in=people))
