"""What holds of every request and its money after any step whatever; written from the rules, not from the code."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from core.clock import LAGOS
from marketplace.enums import Account, OfferAnswer, RefundStatus, Status
from marketplace.models import LedgerEntry, LedgerLine, ServiceRequest
from marketplace.money import to_kobo

S = Status
WAITS_ON = {
    S.AWAITING_BOOKING_FEE: "CLIENT",
    S.PENDING_ADMIN_ASSIGNMENT: "ADMIN",
    S.ASSIGNED_TO_SERVICEMAN: "SERVICEMAN",
    S.SERVICEMAN_INSPECTED: "ADMIN",
    S.AWAITING_CLIENT_APPROVAL: "CLIENT",
    S.AWAITING_PAYMENT: "CLIENT",
    S.PAYMENT_CONFIRMED: "SERVICEMAN",
    S.IN_PROGRESS: "SERVICEMAN",
    S.WORK_COMPLETED: "ADMIN",
    S.COMPLETED: "NOBODY",
    S.CANCELLED: "NOBODY",
}
HOURS = {
    S.AWAITING_BOOKING_FEE: 24,
    S.PENDING_ADMIN_ASSIGNMENT: 4,
    S.ASSIGNED_TO_SERVICEMAN: 12,
    S.SERVICEMAN_INSPECTED: 12,
    S.AWAITING_CLIENT_APPROVAL: 72,
    S.NEGOTIATING: 24,
    S.AWAITING_PAYMENT: 72,
    S.PAYMENT_CONFIRMED: 24,
    S.IN_PROGRESS: 7 * 24,
    S.WORK_COMPLETED: 24,
}
PATIENCE = {S.AWAITING_CLIENT_APPROVAL: 14, S.NEGOTIATING: 14, S.AWAITING_PAYMENT: 14}
"""After so many days the system gives a request up."""
UNASSIGNED = (S.AWAITING_BOOKING_FEE, S.PENDING_ADMIN_ASSIGNMENT)
CLOSED = (S.COMPLETED, S.CANCELLED)
PRICED_FOR_SURE = (
    S.AWAITING_CLIENT_APPROVAL,
    S.NEGOTIATING,
    S.AWAITING_PAYMENT,
    S.PAYMENT_CONFIRMED,
    S.IN_PROGRESS,
    S.WORK_COMPLETED,
    S.COMPLETED,
)
PAID_FOR_SURE = PRICED_FOR_SURE[3:]
OWED = (
    RefundStatus.DUE,
    RefundStatus.APPROVED,
    RefundStatus.SENT,
    RefundStatus.PROCESSING,
    RefundStatus.FAILED,
    RefundStatus.NEEDS_ATTENTION,
)


def check_database() -> None:
    """Constraints that the engine puts off to the end of the transaction hold now."""
    connection.check_constraints()


def natural_due(request: ServiceRequest) -> datetime | None:
    """When a request is due by the table, counted from when it came into its status."""
    status, since = S(request.status), request.status_since
    if status in CLOSED:
        return None
    if status == S.ASSIGNED_TO_SERVICEMAN and request.accepted_at:
        return since + timedelta(hours=24)
    if request.is_emergency and status in (S.PENDING_ADMIN_ASSIGNMENT, S.ASSIGNED_TO_SERVICEMAN):
        return since + timedelta(minutes=30)
    due = since + timedelta(hours=HOURS[status])
    if status == S.PAYMENT_CONFIRMED:
        day = request.booking_date
        due = max(due, datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=LAGOS))
    return due


def check_request(request: ServiceRequest, rushed: bool) -> None:
    """Its own columns agree with the rows that hang on it. `rushed`: its flag or its date changed in this status."""
    _check_waiting(request, rushed)
    _check_offers(request)
    _check_price(request)
    _check_payments(request)
    assert request.is_deleted == (request.deleted_at is not None)
    assert (request.status == S.CANCELLED) == bool(request.cancelled_at and request.cancelled_by_role)
    assert max(Counter(i.kind for i in request.issues.all() if i.resolved_at is None).values(), default=0) <= 1


def _check_waiting(request: ServiceRequest, rushed: bool) -> None:
    open_proposals = [n for n in request.negotiations.all() if n.status == "PENDING"]
    assert len(open_proposals) == (request.status == S.NEGOTIATING)
    if request.status in CLOSED:
        expected = "NOBODY"
    elif any(issue.resolved_at is None for issue in request.issues.all()):
        expected = "ADMIN"
    elif open_proposals:
        expected = "ADMIN" if open_proposals[0].proposed_by_id == request.client_id else "CLIENT"
    else:
        expected = WAITS_ON[S(request.status)]
    assert request.waiting_on == expected, (request.status, request.waiting_on, expected)
    natural = natural_due(request)
    assert (request.due_at is None) == (natural is None)
    if natural and request.due_at:
        assert request.due_at == natural or (rushed and request.due_at > natural), (request.due_at, natural)
    patience = PATIENCE.get(S(request.status))
    assert request.give_up_at == (patience and request.status_since + timedelta(days=patience))
    questions = [c for n in request.negotiations.all() for c in n.consultations.all()]
    unanswered = [c for c in questions if c.answered_at is None and c.closed_at is None]
    assert len(unanswered) <= len(open_proposals)
    assert all(c.negotiation_id == open_proposals[0].pk for c in unanswered)


def _check_offers(request: ServiceRequest) -> None:
    live = [o for o in request.offers.all() if o.answer in (None, OfferAnswer.ACCEPTED)]
    held = {o.serviceman_id: o for o in live}
    assert len(held) == len(live)
    if request.status in CLOSED:
        assert all(o.answer for o in live)
        return
    if request.status in UNASSIGNED:
        assert not live
        assert request.serviceman_id is request.backup_serviceman_id is request.accepted_at is None
        return
    assert request.serviceman_id
    assert set(held) == {request.serviceman_id, request.backup_serviceman_id} - {None}
    first = held[request.serviceman_id]
    assert first.rank == "PRIMARY"
    assert (first.answer == OfferAnswer.ACCEPTED) == (request.accepted_at is not None)
    assert request.accepted_at or (first.respond_by == request.due_at and request.status == S.ASSIGNED_TO_SERVICEMAN)
    if request.backup_serviceman_id:
        backup = held[request.backup_serviceman_id]
        assert (backup.rank, backup.answer, backup.respond_by) == ("BACKUP", None, None)
    barred = {o.serviceman_id for o in request.offers.all() if o.answer in ("DECLINED", "WITHDRAWN")}
    assert not barred & set(held)


def _check_price(request: ServiceRequest) -> None:
    versions = {p.version: p for p in request.prices.all()}
    assert all(0 < version <= request.price_version for version in versions)
    if request.status in PRICED_FOR_SURE:
        assert request.final_cost is not None
    if request.final_cost is not None:
        now = versions[request.price_version]
        assert (now.final, now.estimate, now.markup) == (
            request.final_cost,
            request.serviceman_estimated_cost,
            request.admin_markup_percentage,
        )
        if request.status in (S.AWAITING_PAYMENT, *PAID_FOR_SURE):
            assert now.agreed_at


def _check_payments(request: ServiceRequest) -> None:
    payments = list(request.payments.all())
    for kind in ("INITIAL_BOOKING", "FINAL_PAYMENT"):
        mine = [p for p in payments if p.payment_type == kind]
        applied = [p for p in mine if p.outcome == "APPLIED"]
        still_open = [p for p in mine if p.status == "PENDING" and p.outcome is None]
        assert len(applied) <= 1
        assert len(still_open) <= 1
        waits = request.status == (S.AWAITING_BOOKING_FEE if kind == "INITIAL_BOOKING" else S.AWAITING_PAYMENT)
        assert not still_open or waits, "a checkout that nothing waits for is superseded"
        # Nobody pays a price that is not the one agreed.
        due = request.initial_booking_fee if kind == "INITIAL_BOOKING" else request.final_cost
        assert all(p.amount == due for p in [*applied, *still_open])
    kinds = {p.payment_type for p in payments if p.outcome == "APPLIED"}
    if request.status not in (S.AWAITING_BOOKING_FEE, S.CANCELLED):
        assert "INITIAL_BOOKING" in kinds
    if request.status in PAID_FOR_SURE:
        assert "FINAL_PAYMENT" in kinds
    for payment in payments:
        proven = payment.status == "SUCCESSFUL"
        assert proven == (payment.outcome in ("APPLIED", "LATE", "DUPLICATE"))
        assert (payment.outcome == "MISMATCH") <= (payment.status == "FAILED")
        came = to_kobo(payment.amount) if proven else payment.received_kobo or 0
        owed = sum(to_kobo(r.amount) for r in payment.refunds.all() if r.status != RefundStatus.WAIVED)
        assert owed <= came, "more goes back than came"
        if payment.outcome in ("LATE", "DUPLICATE"):
            assert owed == came, "money that was not due goes back"


def check_books(requests: list[ServiceRequest], took: dict[str, int]) -> None:
    """Every entry balances, and every kobo that came in (`took`) stands where the state of its request says."""
    by_entry: Counter[int] = Counter()
    balance: dict[int, Counter[str]] = defaultdict(Counter)
    payable: Counter[int] = Counter()
    back: Counter[int] = Counter()
    lines = LedgerLine.objects.values_list(
        "entry_id", "entry__kind", "entry__request_id", "account", "serviceman_id", "amount_kobo"
    )
    for entry_id, kind, request_id, account, serviceman_id, kobo in lines.order_by():
        by_entry[entry_id] += kobo
        balance[request_id][account] += kobo
        if account == Account.SERVICEMAN_PAYABLE:
            payable[serviceman_id] -= kobo
        if kind == "refund_processed" and account == Account.REFUNDS_PAYABLE:
            back[request_id] += kobo
    assert not any(by_entry.values())
    assert LedgerEntry.objects.count() == len(by_entry)
    assert all(kobo >= 0 for kobo in payable.values())
    seen = 0
    for request in requests:
        books = balance[request.pk]
        money_in = (
            books[Account.GATEWAY_CLEARING] + books[Account.BANK] + books[Account.GATEWAY_FEES] + back[request.pk]
        )
        assert money_in == sum(took.get(p.paystack_reference, 0) for p in request.payments.all())
        _check_places(request, books)
        seen += money_in
    assert seen == sum(took.values())


def _check_places(request: ServiceRequest, books: Counter[str]) -> None:
    """What is earned, held, payable and owed back follows from the status, the payments and the refunds."""
    fee = price = held = kept = owed = gestures = 0
    for payment in request.payments.all():
        refunds = [(to_kobo(r.amount), r.status) for r in payment.refunds.all()]
        # Out of revenue: gestures after the end, and chargebacks; of those before a cancellation the client's part is
        # settled with it.
        ours = [r for r in payment.refunds.all() if r.from_revenue and r.status != RefundStatus.WAIVED]
        gesture = sum(to_kobo(r.amount) for r in ours)
        covered = sum(to_kobo(r.amount) for r in ours if request.cancelled_at and r.created_at < request.cancelled_at)
        waiting = sum(kobo for kobo, status in refunds if status in OWED)
        went = waiting + sum(kobo for kobo, status in refunds if status == RefundStatus.PROCESSED)
        owed += waiting
        came = payment.received_kobo or 0 if payment.outcome == "MISMATCH" else to_kobo(payment.amount)
        if payment.outcome == "APPLIED" and payment.payment_type == "INITIAL_BOOKING":
            fee += came - went
        elif payment.outcome == "APPLIED":
            waived = [r for r in payment.refunds.all() if r.status == RefundStatus.WAIVED and not r.from_revenue]
            kept += sum(to_kobo(r.amount) for r in waived) + covered
            price += came - went + gesture
            gestures += gesture
        elif payment.outcome in ("LATE", "DUPLICATE", "MISMATCH"):
            held += came - went
    earned = share = 0
    if request.status == S.COMPLETED:
        share = to_kobo(request.serviceman_estimated_cost)
        earned, price = to_kobo(request.final_cost) - share, price - to_kobo(request.final_cost)
    expected: dict[Any, int] = {
        Account.REVENUE_BOOKING_FEE: fee,
        Account.CLIENT: price - kept + held,
        Account.REVENUE_MARKUP: earned + kept - gestures,
        Account.SERVICEMAN_PAYABLE: share,
        Account.REFUNDS_PAYABLE: owed,
    }
    found = {account: -books[account] for account in expected}
    assert found == expected, (request.status, found, expected)
    assert found[Account.CLIENT] >= 0
