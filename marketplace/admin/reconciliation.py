"""Our books against Paystack's: the runs, and what they found."""

from __future__ import annotations

from django.contrib import admin

from core.console import ConsoleAdmin
from marketplace.admin.labels import column, kobo, link_to, person
from marketplace.models import ReconciliationDifference, ReconciliationRun


@admin.register(ReconciliationRun)
class RunAdmin(ConsoleAdmin):
    """Comparisons of a period."""

    list_display = ("__str__", "source", "who", "started_at", "finished_at")
    list_select_related = ("by",)
    ordering = ("-id",)
    fields = ("start", "end", "source", "who", "started_at", "finished_at")
    readonly_fields = ("who",)

    who = column("By", lambda r: person(r.by) if r.by else "System")


@admin.register(ReconciliationDifference)
class DifferenceAdmin(ConsoleAdmin):
    """What the two books disagree on."""

    list_display = ("reference", "kind", "ours", "theirs", "payment_", "next_step", "run_")
    list_select_related = ("run", "payment")
    search_fields = ("reference",)
    ordering = ("-id",)
    fields = ("reference", "kind", "ours", "theirs", "payment_", "next_step", "run_")
    readonly_fields = ("ours", "theirs", "payment_", "run_")

    ours = column("Ours", lambda d: kobo(d.ours_kobo))
    theirs = column("Paystack's", lambda d: kobo(d.theirs_kobo))
    payment_ = column("Payment", lambda d: link_to(d.payment))
    run_ = column("Run", lambda d: link_to(d.run))
