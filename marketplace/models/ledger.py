"""The double-entry ledger, in integer kobo. Append-only: a correction is a reversing entry."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q

from core import clock
from marketplace.enums import Account
from marketplace.money import from_kobo, naira_text


class AppendOnly(models.Model):
    """Rows that are written once. PostgreSQL and SQLite triggers hold the same against raw SQL."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; never update."""
        if not self._state.adding:
            raise TypeError(f"{type(self).__name__} is append-only: post a reversing entry.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Never."""
        raise TypeError(f"{type(self).__name__} is append-only: post a reversing entry.")


class LedgerEntry(AppendOnly):
    """One event of money; its lines sum to zero."""

    kind = models.CharField(max_length=40, help_text="What happened, such as booking_fee_in.")
    request = models.ForeignKey(
        "marketplace.ServiceRequest", null=True, on_delete=models.PROTECT, related_name="ledger_entries"
    )
    payment = models.ForeignKey(
        "marketplace.Payment", null=True, on_delete=models.PROTECT, related_name="ledger_entries"
    )
    refund = models.ForeignKey("marketplace.Refund", null=True, on_delete=models.PROTECT, related_name="ledger_entries")
    payout = models.ForeignKey("marketplace.Payout", null=True, on_delete=models.PROTECT, related_name="ledger_entries")
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="reversed_by")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    memo = models.CharField(max_length=255, blank=True)
    dedupe_key = models.CharField(max_length=120, unique=True, help_text="One event posts once.")
    happened_at = models.DateTimeField(
        default=clock.now, db_index=True, help_text="When the money moved: periods are cut by this, in Lagos."
    )
    posted_at = models.DateTimeField(default=clock.now, db_index=True, help_text="When it was written here.")

    class Meta:
        ordering = ("-posted_at", "-id")
        verbose_name_plural = "ledger entries"
        indexes: ClassVar = [
            models.Index(fields=["kind"], name="ledger_entries_by_kind", opclasses=["varchar_pattern_ops"])
        ]

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ').capitalize()}, {clock.day_of(self.happened_at):%-d %b %Y}"


class LedgerLine(AppendOnly):
    """One account's share of an entry: debit positive, credit negative, in kobo."""

    entry = models.ForeignKey(LedgerEntry, on_delete=models.PROTECT, related_name="lines")
    account = models.CharField(max_length=24, choices=Account)
    serviceman = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="ledger_lines"
    )
    amount_kobo = models.BigIntegerField(help_text="Debit positive, credit negative.")

    class Meta:
        ordering = ("id",)
        constraints: ClassVar = [
            models.CheckConstraint(name="ledger_line_is_not_zero", condition=~Q(amount_kobo=0)),
            models.CheckConstraint(name="account_is_known", condition=Q(account__in=Account.values)),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "entry"], name="ledger_lines_by_account")]

    def __str__(self) -> str:
        return f"{Account(self.account).label}: {naira_text(from_kobo(self.amount_kobo))}"
