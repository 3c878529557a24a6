"""The books: double entry in integer kobo, append-only, each event posted once, inside the step that causes it.

Debit is positive, credit negative; the lines of an entry sum to zero. The accounts:

    GATEWAY_CLEARING     debit    what Paystack holds for us, after its fees
    BANK                 debit    our own bank account and cash
    GATEWAY_FEES         debit    what Paystack kept, less what payers bore of it
    CLIENT               credit   what clients have paid in advance for work not yet verified, or by mistake
    REVENUE_BOOKING_FEE  credit   booking fees: earned when paid
    REVENUE_MARKUP       credit   final price less estimate: earned when the work is verified; debit below the estimate
    SERVICEMAN_PAYABLE   credit   what servicemen have earned and were not paid yet, by serviceman
    REFUNDS_PAYABLE      credit   what we owe back to clients

What is posted when (Dr is debit, Cr is credit):

    booking_fee_in       Dr GATEWAY_CLEARING, GATEWAY_FEES   Cr REVENUE_BOOKING_FEE
    final_payment_in     Dr GATEWAY_CLEARING, GATEWAY_FEES   Cr CLIENT
    money_held           Dr GATEWAY_CLEARING, GATEWAY_FEES   Cr CLIENT                 late, twice, or the wrong amount
    completion_earned    Dr CLIENT                           Cr SERVICEMAN_PAYABLE, REVENUE_MARKUP
    refund_due           Dr REVENUE_BOOKING_FEE or CLIENT    Cr REFUNDS_PAYABLE        REVENUE_MARKUP when from revenue
    refund_processed     Dr REFUNDS_PAYABLE                  Cr GATEWAY_CLEARING
    payment_kept         Dr CLIENT                           Cr REVENUE_MARKUP         finance decided not to return it
    charge_back_covered  Dr CLIENT                           Cr REVENUE_MARKUP         cancelled after a chargeback
    compensation         Dr REVENUE_MARKUP                   Cr SERVICEMAN_PAYABLE     began a job and lost it
    reversal             the lines of the entry it takes back, with the opposite sign

A payment by hand has no fee and goes through BANK instead of GATEWAY_CLEARING. The excess of a payer who bore
Paystack's fee lowers GATEWAY_FEES.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction
from django.db.models import Sum

from core import clock
from core.models import User
from marketplace.enums import Account, Channel, PaymentOutcome, PaymentType
from marketplace.models import LedgerEntry, LedgerLine, Payment, Payout, Refund, ServiceRequest
from marketplace.money import to_kobo


class Line(NamedTuple):
    """One account's share in kobo, debit positive; `serviceman_id` with SERVICEMAN_PAYABLE only."""

    account: Account
    kobo: int
    serviceman_id: int | None = None


def post(
    kind: str,
    lines: Iterable[Line],
    *,
    dedupe_key: str,
    request: ServiceRequest | None = None,
    payment: Payment | None = None,
    refund: Refund | None = None,
    payout: Payout | None = None,
    reverses: LedgerEntry | None = None,
    by: User | None = None,
    memo: str = "",
    happened_at: datetime | None = None,
) -> LedgerEntry:
    """Write one balanced entry in the caller's transaction. Lines of nothing are left out.

    `happened_at` is when the money moved where that was not now: by it the books are cut into days.

    Raises ValueError when the lines do not sum to zero or say nothing, or a payable names nobody.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("The ledger is written in the transaction of the step that causes it.")
    lines = [line for line in lines if line.kobo]
    if not lines or sum(line.kobo for line in lines) != 0:
        raise ValueError(f"{kind} does not balance: {lines}")
    if any((line.account == Account.SERVICEMAN_PAYABLE) != (line.serviceman_id is not None) for line in lines):
        raise ValueError(f"{kind}: what is payable to a serviceman names him, and nothing else names one.")
    entry = LedgerEntry.objects.create(
        kind=kind,
        request=request,
        payment=payment,
        refund=refund,
        payout=payout,
        reverses=reverses,
        by=by,
        memo=memo[:255],
        dedupe_key=dedupe_key,
        happened_at=happened_at or clock.now(),
    )
    LedgerLine.objects.bulk_create(
        LedgerLine(entry=entry, account=line.account, amount_kobo=line.kobo, serviceman_id=line.serviceman_id)
        for line in lines
    )
    return entry


def post_payment_in(payment: Payment, *, by: User | None = None) -> LedgerEntry:
    """A proven payment of ours came in: earned at once, held for the client, or held because nothing waited for it."""
    if payment.outcome != PaymentOutcome.APPLIED:
        kind, credit = "money_held", Account.CLIENT
    elif payment.payment_type == PaymentType.INITIAL_BOOKING:
        kind, credit = "booking_fee_in", Account.REVENUE_BOOKING_FEE
    else:
        kind, credit = "final_payment_in", Account.CLIENT
    asked = to_kobo(payment.amount)
    return _post_in(kind, payment, credit=credit, credited=asked, dedupe_key=f"payment-{payment.pk}-in", by=by)


def post_wrong_amount_held(payment: Payment, *, by: User | None = None) -> LedgerEntry:
    """Naira came in, but not the amount that was asked: whatever came is held for the client."""
    came = payment.received_kobo or 0
    key = f"payment-{payment.pk}-wrong"
    return _post_in("money_held", payment, credit=Account.CLIENT, credited=came, dedupe_key=key, by=by)


def take_back_wrong_amount(payment: Payment) -> None:
    """The right proof came after all: what was posted on the wrong one is reversed."""
    if held := LedgerEntry.objects.filter(dedupe_key=f"payment-{payment.pk}-wrong").first():
        # Dated back: that amount never came.
        reverse(held, memo="Paystack has corrected itself", happened_at=held.happened_at)


def post_completion_earned(request: ServiceRequest, *, by: User | None) -> LedgerEntry:
    """The work is verified: the serviceman has earned his estimate, the platform the rest of the final price."""
    if request.final_cost is None or request.serviceman_estimated_cost is None:
        raise ValueError(f"{request} was completed without a price.")
    final, estimate = to_kobo(request.final_cost), to_kobo(request.serviceman_estimated_cost)
    lines = [
        Line(Account.CLIENT, final),
        Line(Account.SERVICEMAN_PAYABLE, -estimate, request.serviceman_id),
        Line(Account.REVENUE_MARKUP, estimate - final),
    ]
    return post("completion_earned", lines, dedupe_key=f"request-{request.pk}-earned", request=request, by=by)


def post_compensation(
    request: ServiceRequest, *, serviceman_id: int, amount: Decimal, dedupe_key: str, memo: str, by: User
) -> LedgerEntry:
    """A serviceman who began a job and lost it is owed something for it, out of revenue."""
    kobo = to_kobo(amount)
    lines = [Line(Account.REVENUE_MARKUP, kobo), Line(Account.SERVICEMAN_PAYABLE, -kobo, serviceman_id)]
    return post("compensation", lines, dedupe_key=dedupe_key, request=request, by=by, memo=memo)


def post_refund_due(refund: Refund, *, by: User | None = None) -> LedgerEntry:
    """Money is owed back: out of what the payment had been credited to."""
    kobo, payment = to_kobo(refund.amount), refund.payment
    fee_earned = payment.payment_type == PaymentType.INITIAL_BOOKING and payment.outcome == PaymentOutcome.APPLIED
    source = Account.REVENUE_BOOKING_FEE if fee_earned else Account.CLIENT
    if refund.from_revenue and not fee_earned:
        source = Account.REVENUE_MARKUP
    return post(
        "refund_due",
        [Line(source, kobo), Line(Account.REFUNDS_PAYABLE, -kobo)],
        dedupe_key=f"refund-{refund.pk}-due",
        request=payment.service_request,
        payment=payment,
        refund=refund,
        by=by,
        # The words of whoever asked stand on the refund, where they can be erased.
        memo=f"Refund no. {refund.pk}",
    )


def post_refund_processed(refund: Refund, *, by: User | None = None) -> LedgerEntry:
    """Money has gone back."""
    kobo = to_kobo(refund.amount)
    source = Account.BANK if refund.channel == Channel.MANUAL else Account.GATEWAY_CLEARING
    return post(
        "refund_processed",
        [Line(Account.REFUNDS_PAYABLE, kobo), Line(source, -kobo)],
        dedupe_key=f"refund-{refund.pk}-processed",
        request=refund.payment.service_request,
        payment=refund.payment,
        refund=refund,
        by=by,
        happened_at=refund.processed_at,
    )


def post_kept(refund: Refund, *, kobo: int, by: User) -> LedgerEntry | None:
    """Finance keeps `kobo` of a final payment it could have returned.

    A booking fee was earned when it was paid, a gesture would have come out of revenue, and what is not the amount that
    was asked for stays held: nothing moves then.
    """
    applied = refund.payment.outcome == PaymentOutcome.APPLIED
    final = refund.payment.payment_type == PaymentType.FINAL_PAYMENT
    if not (applied and final) or refund.from_revenue or not kobo:
        return None
    return post(
        "payment_kept",
        [Line(Account.CLIENT, kobo), Line(Account.REVENUE_MARKUP, -kobo)],
        dedupe_key=f"refund-{refund.pk}-kept",
        request=refund.payment.service_request,
        payment=refund.payment,
        refund=refund,
        by=by,
        memo=refund.note,
    )


def post_covered(payment: Payment, *, kobo: int, by: User | None) -> LedgerEntry:
    """A bank took `kobo` of a final payment back before the request ended, out of revenue: that part is settled."""
    return post(
        "charge_back_covered",
        [Line(Account.CLIENT, kobo), Line(Account.REVENUE_MARKUP, -kobo)],
        dedupe_key=f"payment-{payment.pk}-covered",
        request=payment.service_request,
        payment=payment,
        by=by,
    )


def take_back_refund_due(refund: Refund, *, by: User | None) -> None:
    """What was owed back is not owed any more."""
    if due := LedgerEntry.objects.filter(dedupe_key=f"refund-{refund.pk}-due").first():
        reverse(due, by=by, memo=refund.note)


def reverse(
    entry: LedgerEntry, *, by: User | None = None, memo: str = "", happened_at: datetime | None = None
) -> LedgerEntry:
    """Take one entry back by its opposite, once; the only correction there is."""
    return post(
        "reversal",
        [Line(Account(line.account), -line.amount_kobo, line.serviceman_id) for line in entry.lines.all()],
        dedupe_key=f"reversal-{entry.pk}",
        request=entry.request,
        payment=entry.payment,
        refund=entry.refund,
        payout=entry.payout,
        reverses=entry,
        by=by,
        memo=memo,
        happened_at=happened_at,
    )


def balances(request: ServiceRequest | None = None) -> dict[Account, int]:
    """Every account's balance in kobo, debit positive; of one request when given. They sum to zero."""
    lines = LedgerLine.objects.all() if request is None else LedgerLine.objects.filter(entry__request=request)
    totals = dict(lines.order_by().values_list("account").annotate(total=Sum("amount_kobo")))
    return {account: totals.get(account, 0) for account in Account}


def _post_in(
    kind: str, payment: Payment, *, credit: Account, credited: int, dedupe_key: str, by: User | None
) -> LedgerEntry:
    came = credited if payment.received_kobo is None else payment.received_kobo
    fees = payment.fees_kobo or 0
    holder = Account.BANK if payment.channel == Channel.MANUAL else Account.GATEWAY_CLEARING
    lines = [
        Line(holder, came - fees),
        # What came beyond what was asked is the fee, borne by the payer.
        Line(Account.GATEWAY_FEES, fees - (came - credited)),
        Line(credit, -credited),
    ]
    return post(
        kind,
        lines,
        dedupe_key=dedupe_key,
        request=payment.service_request,
        payment=payment,
        by=by,
        memo=str(payment),
        happened_at=payment.paid_at,
    )
