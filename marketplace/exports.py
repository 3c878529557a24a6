"""What finance takes home: the columns of every export, each defined here and nowhere else.

`docs/exports.md` describes them, and a test holds it to this file. A new column goes to the end: people's sheets count
on the order. Amounts are naira with two decimals, never kobo, with the currency in a column of its own.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce, Concat, NullIf, Trim

from core.exports import Column, Export
from core.sheets import DAY, FLAG, MOMENT, NUMBER, TEXT, Kind
from marketplace import analytics
from marketplace.models import (
    DailyRevenue,
    LedgerEntry,
    LedgerLine,
    Payment,
    Payout,
    Refund,
    ServicemanProfile,
)
from marketplace.money import from_kobo, rounded

NAIRA = Kind("NGN", rounded, shown_as="0.00")
KOBO = Kind("NGN", from_kobo, shown_as="0.00")
"""The same on the sheet; the program counts it in kobo."""
PERCENT = Kind("number", lambda value: Decimal(f"{value:.2f}"), shown_as="0.00")
STARS = Kind("number", lambda value: Decimal(f"{value:.2f}"), shown_as="0.00")

CURRENCY = Column("currency", Value("NGN"), TEXT, "Of every amount of the row.")


def _name(user: str) -> Any:
    """A person's name as the console shows it: the username while there is no other."""
    full = Trim(Concat(f"{user}__first_name", Value(" "), f"{user}__last_name"))
    return Coalesce(NullIf(full, Value("")), F(f"{user}__username"))


def _lines(listed: QuerySet[Any]) -> QuerySet[LedgerLine]:
    """The lines of the ledger that a list is about: its own, or those of its entries or servicemen."""
    if listed.model is LedgerEntry:
        return LedgerLine.objects.filter(entry__in=listed.order_by().values("pk")).order_by("-entry_id", "id")
    if listed.model is ServicemanProfile:
        of_them = LedgerLine.objects.filter(serviceman__in=listed.order_by().values("user"))
        return of_them.order_by("serviceman_id", "id")
    return listed


class Payments(Export):
    """Money in."""

    title = "Payments"
    model = Payment
    columns = (
        Column("id", "id", NUMBER, "Of the payment."),
        Column("request", "service_request__code", TEXT, "Code of the request it pays for."),
        Column("payment_type", "payment_type", TEXT, "INITIAL_BOOKING (the booking fee) or FINAL_PAYMENT."),
        Column("channel", "channel", TEXT, "PAYSTACK or MANUAL."),
        Column("status", "status", TEXT, "PENDING, SUCCESSFUL or FAILED."),
        Column("outcome", "outcome", TEXT, "APPLIED, LATE, DUPLICATE, MISMATCH or SUPERSEDED; empty while open."),
        Column("amount", "amount", NAIRA, "Asked for."),
        Column("received", "received_kobo", KOBO, "What Paystack says arrived; empty when it said nothing."),
        Column("fee", "fees_kobo", KOBO, "What Paystack kept; empty when it said nothing."),
        Column("currency", "currency", TEXT, "Of every amount of the row."),
        Column("reference", "paystack_reference", TEXT, "Ours, under which Paystack knows it."),
        Column("paid_at", "paid_at", MOMENT, "When it was paid; empty while it is not."),
        Column("created_at", "created_at", MOMENT, "When the checkout was opened."),
    )


class Refunds(Export):
    """Money back."""

    title = "Refunds"
    model = Refund
    columns = (
        Column("id", "id", NUMBER, "Of the refund."),
        Column("request", "payment__service_request__code", TEXT, "Code of the request."),
        Column("payment_id", "payment_id", NUMBER, "Of the payment that is returned, or part of it."),
        Column("payment_type", "payment__payment_type", TEXT, "INITIAL_BOOKING or FINAL_PAYMENT."),
        Column("payment_reference", "payment__paystack_reference", TEXT, "Ours, of that payment."),
        Column(
            "status",
            "status",
            TEXT,
            "DUE, REVIEW, APPROVED, SENT, PROCESSING, PROCESSED (arrived), FAILED, NEEDS_ATTENTION or WAIVED.",
        ),
        Column("channel", "channel", TEXT, "PAYSTACK or MANUAL."),
        Column("amount", "amount", NAIRA, "To go back."),
        CURRENCY,
        Column("from_revenue", "from_revenue", FLAG, "Whether it is paid out of what the platform had earned."),
        Column("reason", "reason", TEXT, "In the words of whoever ordered it."),
        Column("paystack_refund_id", "paystack_refund_id", TEXT, "Paystack's number; empty before it is sent."),
        Column("created_at", "created_at", MOMENT, "When it became due."),
        Column("approved_at", "approved_at", MOMENT, "When it was approved."),
        Column("sent_at", "sent_at", MOMENT, "When it was sent."),
        Column("processed_at", "processed_at", MOMENT, "When it arrived."),
    )


class Earnings(Export):
    """What servicemen earned, a line a completed request; also one taken back, below zero. Payouts are no earnings."""

    title = "Servicemen's earnings"
    model = LedgerLine
    columns = (
        Column("serviceman_id", "serviceman_id", NUMBER, "Of his account."),
        Column("serviceman", _name("serviceman"), TEXT, "His name."),
        Column("email", "serviceman__email", TEXT, "His e-mail address."),
        Column("request", "entry__request__code", TEXT, "Code of the request he completed."),
        Column("amount", -F("amount_kobo"), KOBO, "Earned; below zero where an entry was taken back."),
        CURRENCY,
        Column("earned_at", "entry__happened_at", MOMENT, "When the work was verified, or the entry taken back."),
        Column("entry_id", "entry_id", NUMBER, "Of the entry in the ledger."),
    )

    def rows_of(self, listed: QuerySet[Any]) -> QuerySet[LedgerLine]:
        """Those of a list's lines that are earnings."""
        return _lines(listed) & analytics.earnings()


class Ledger(Export):
    """The books, a line a row; the lines of an entry sum to zero."""

    title = "Ledger"
    model = LedgerLine
    columns = (
        Column("id", "id", NUMBER, "Of the line."),
        Column("entry_id", "entry_id", NUMBER, "Of its entry; the lines of an entry sum to zero."),
        Column("happened_at", "entry__happened_at", MOMENT, "When the money moved: periods are cut by this."),
        Column("posted_at", "entry__posted_at", MOMENT, "When it was written into the books."),
        Column("kind", "entry__kind", TEXT, "What happened, such as booking_fee_in."),
        Column("account", "account", TEXT, "Such as BANK or SERVICEMAN_PAYABLE."),
        Column("amount", "amount_kobo", KOBO, "Debit above zero, credit below."),
        CURRENCY,
        Column("request", "entry__request__code", TEXT, "Code of the request it is about."),
        Column("payment_reference", "entry__payment__paystack_reference", TEXT, "Ours, of the payment it is about."),
        Column("refund_id", "entry__refund_id", NUMBER, "Of the refund it is about."),
        Column("payout_reference", "entry__payout__reference", TEXT, "Of the payout it is about."),
        Column("reverses_entry_id", "entry__reverses_id", NUMBER, "The entry it takes back."),
        Column("serviceman_id", "serviceman_id", NUMBER, "To whom it is payable, on SERVICEMAN_PAYABLE alone."),
        Column("serviceman_email", "serviceman__email", TEXT, "His e-mail address."),
        Column("memo", "entry__memo", TEXT, "Remark of the entry."),
    )

    def rows_of(self, listed: QuerySet[Any]) -> QuerySet[LedgerLine]:
        """Its lines."""
        return _lines(listed)


class Payouts(Export):
    """Money to servicemen."""

    title = "Payouts"
    model = Payout
    columns = (
        Column("id", "id", NUMBER, "Of the payout."),
        Column("serviceman_id", "serviceman_id", NUMBER, "Of his account."),
        Column("serviceman", _name("serviceman"), TEXT, "His name."),
        Column("email", "serviceman__email", TEXT, "His e-mail address."),
        Column("amount", "amount", NAIRA, "Paid, or to be paid."),
        CURRENCY,
        Column("status", "status", TEXT, "PREPARED, APPROVED, SENT, PAID, FAILED or REVERSED."),
        Column("reference", "reference", TEXT, "Ours, under which the bank knows it."),
        Column("batch_id", "batch_id", NUMBER, "With which others it was prepared."),
        Column("created_at", "created_at", MOMENT, "When it was prepared."),
        Column("sent_at", "sent_at", MOMENT, "When it was sent."),
        Column("paid_at", "paid_at", MOMENT, "When it was paid."),
    )


# --- Figures


class Revenue(Export):
    """Money by day, week or month; what the words mean stands in `analytics`."""

    title = "Revenue"
    columns = (
        Column("period", "period", DAY, "The first day of the day, week or month."),
        Column("from", "first", DAY, "The first day that is counted."),
        Column("to", "last", DAY, "The last day that is counted."),
        Column("collected", "revenue__collected", NAIRA, "Every proven payment, by when it was paid."),
        Column("booking_fees", "revenue__booking_fees", NAIRA, "Booking fees that counted."),
        Column("final_payments", "revenue__final_payments", NAIRA, "Final payments that counted."),
        Column("refunded", "revenue__refunded", NAIRA, "Refunds that arrived, by when they did."),
        Column("gateway_fees", "revenue__gateway_fees", NAIRA, "What Paystack kept, less what payers bore of it."),
        Column("platform_revenue", "revenue__platform_revenue", NAIRA, "Fees, and final payments less estimates."),
        CURRENCY,
        Column("payments", "revenue__payments", NUMBER, "How many payments were collected."),
    )

    def __init__(self, *, group_by: analytics.GroupBy = "day", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.title = f"Revenue by {group_by}"  # type: ignore[misc]

    def rows_of(self, listed: analytics.RevenueReport) -> list[dict[str, Any]]:
        """The periods of a report, the newest first, each cut to the days that were asked for."""
        rows, last = [], listed.last
        for start, revenue in reversed(listed.periods.items()):
            first = max(start, listed.first)
            rows.append({"period": start, "first": first, "last": last, "revenue": revenue})
            last = first - timedelta(days=1)
        return rows


def _word(word: str, kind: Kind, means: str) -> Column:
    return Column(word, f"words__{word}", kind, means)


def _time(word: str, means: str) -> tuple[Column, Column]:
    """Median and ninth decile of a time, in seconds."""
    return (
        Column(
            f"{word}_median", f"words__{word}__median", NUMBER, f"{means}: half of them took no longer, in seconds."
        ),
        Column(f"{word}_p90", f"words__{word}__p90", NUMBER, f"{means}: nine of ten took no longer, in seconds."),
    )


class Operations(Export):
    """Work by day, week or month; what the words mean stands in `docs/analytics.md`."""

    title = "Operations"
    columns = (
        Column("period", "period", DAY, "The first day of the day, week or month."),
        _word("booked", NUMBER, "Bookings made."),
        _word("confirmed", NUMBER, "Bookings whose fee was paid."),
        _word("completed", NUMBER, "Requests verified."),
        _word("cancelled", NUMBER, "Requests called off."),
        *_time("time_to_assign", "From the fee to the first offer"),
        *_time("time_to_accept", "From the offer to his yes"),
        *_time("time_to_inspect", "From his yes to the estimate"),
        *_time("time_to_price", "From the estimate to the price"),
        *_time("time_to_pay", "From the price to its payment"),
        *_time("time_to_complete", "From the payment to the verification"),
        _word("fill_rate", PERCENT, "Of the confirmed, in per cent: taken by a serviceman."),
        _word("decline_rate", PERCENT, "Of the offers answered or lapsed, in per cent: declined."),
        _word("lapse_rate", PERCENT, "Of these, in per cent: not answered in time."),
        _word("backup_rate", PERCENT, "In per cent: how often the backup took the place of the first choice."),
        _word("quoted", NUMBER, "Requests that were priced."),
        _word("conversion_rate", PERCENT, "Of the quoted, in per cent: paid."),
        _word("negotiation_rate", PERCENT, "Of the quoted, in per cent: negotiated."),
        _word("rounds", PERCENT, "Proposals a negotiation, on average."),
        _word("average_discount", PERCENT, "Of the first price, in per cent."),
        _word("clients", NUMBER, "Who booked."),
        _word("repeat_rate", PERCENT, "Of the clients, in per cent: had booked before."),
        _word("active_servicemen", NUMBER, "Who had work."),
        _word("utilisation", PERCENT, "Of the approved servicemen, in per cent: had work."),
        _word("ratings", NUMBER, "Ratings given."),
        _word("average_rating", STARS, "1 to 5; empty while there is none."),
        _word("take_rate", PERCENT, "Platform revenue of the payments that counted, in per cent."),
        _word("held", NAIRA, "Money that came in the wrong amount."),
        _word("earned", NAIRA, "By servicemen, for verified work."),
        _word("payable", NAIRA, "Owed to servicemen at the end of the period."),
        _word("net_revenue", NAIRA, "What the books call revenue."),
        CURRENCY,
    )

    def __init__(self, *, group_by: analytics.GroupBy = "day", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.title = f"Operations by {group_by}"  # type: ignore[misc]

    def rows_of(self, listed: analytics.Overview) -> list[dict[str, Any]]:
        """The periods, the newest first."""
        return [{"period": start, "words": words} for start, words in reversed(listed.periods.items())]


class DailyRevenues(Export):
    """Money by day, as rolled up."""

    title = "Daily revenue"
    model = DailyRevenue
    columns = (
        Column("day", "day", DAY, "In Lagos."),
        Column("collected", "collected_kobo", KOBO, "Every proven payment, by when it was paid."),
        Column("booking_fees", "booking_fees_kobo", KOBO, "Booking fees that counted."),
        Column("final_payments", "final_payments_kobo", KOBO, "Final payments that counted."),
        Column("refunded", "refunded_kobo", KOBO, "Refunds that arrived, by when they did."),
        Column("gateway_fees", "gateway_fees_kobo", KOBO, "What Paystack kept, less what payers bore of it."),
        Column("platform_revenue", "platform_revenue_kobo", KOBO, "Fees, and final payments less estimates."),
        CURRENCY,
        Column("payments", "payments", NUMBER, "How many payments were collected."),
    )


class Servicemen(Export):
    """How each serviceman does, of `analytics.servicemen()`."""

    title = "Servicemen"
    columns = (
        Column("serviceman_id", "user_id", NUMBER, "Of his account."),
        Column("serviceman", _name("user"), TEXT, "His name."),
        Column("rating", "rating", STARS, "1 to 5, the mean; 0 or empty while nobody has rated him."),
        Column("ratings", "ratings", NUMBER, "How many that is the mean of."),
        Column("jobs_done", "total_jobs_completed", NUMBER, "Completed requests."),
        Column("open_jobs", "open_jobs", NUMBER, "Requests he is assigned to now."),
        Column("offers", "offers", NUMBER, "Sent to him as the first choice, or promoted."),
        Column("accepted", "accepted", NUMBER, "Of these, also those he gave back later."),
        Column("declined", "declined", NUMBER, "Of these."),
        Column("not_answered", "lapsed", NUMBER, "Of these, in time."),
        Column("earned", "earned_kobo", KOBO, "For verified work, paid out or not."),
        CURRENCY,
    )


class Categories(Export):
    """How each trade does, of `analytics.categories()`."""

    title = "Categories"
    columns = (
        Column("category", "name", TEXT, "Its name."),
        Column("requests", "requests", NUMBER, "Booked."),
        Column("completed", "completed", NUMBER, "Of these."),
        Column("cancelled", "cancelled", NUMBER, "Of these."),
        Column("collected", "collected", NAIRA, "Every proven payment."),
        CURRENCY,
        Column("average_rating", "average_rating", STARS, "1 to 5; empty while there is none."),
    )


class Ratings(Export):
    """How clients rated, of `analytics.stars_given()`."""

    title = "Ratings by stars"
    columns = (
        Column("stars", "stars", NUMBER, "1 to 5."),
        Column("ratings", "ratings", NUMBER, "Given in the days asked for, without hidden ones."),
        Column("share", "share", PERCENT, "Of all of them, in per cent; empty while there are none."),
    )


class Workflow(Export):
    """Where requests stand."""

    title = "Workflow"
    columns = (
        Column("status", "status__value", TEXT, "Such as AWAITING_PAYMENT, in the order of the workflow."),
        Column("requests", "requests", NUMBER, "In this status now, without deleted ones."),
        Column("overdue", "overdue", NUMBER, "Of these: whoever must act is late."),
        Column("oldest_since", "oldest", MOMENT, "Since when the one that came first is in it; empty when none is."),
    )


EVERY = (
    Payments,
    Refunds,
    Earnings,
    Revenue,
    Operations,
    Ledger,
    Payouts,
    DailyRevenues,
    Servicemen,
    Categories,
    Ratings,
    Workflow,
)
