"""The books: every entry balances, is written once and never changed."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from core.errors import Invalid
from marketplace.enums import Account, Channel, PaymentOutcome
from marketplace.models import LedgerEntry, LedgerLine, Payment
from marketplace.services import ledger, refunds
from marketplace.services.ledger import Line

pytestmark = pytest.mark.django_db

A = Account


@pytest.fixture
def paid(request_in):
    """The final payment of a request whose work is done: 22,000 naira on an estimate of 20,000."""
    return request_in("WORK_COMPLETED").applied_payment("FINAL_PAYMENT")


def lines(entry):
    return {line.account: line.amount_kobo for line in entry.lines.all()}


def moved(request=None):
    return {account: kobo for account, kobo in ledger.balances(request).items() if kobo}


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [Line(A.CLIENT, 0)],
        [Line(A.CLIENT, 100)],
        [Line(A.CLIENT, 100), Line(A.BANK, -99)],
        [Line(A.CLIENT, 100), Line(A.SERVICEMAN_PAYABLE, -100)],
        [Line(A.CLIENT, 100, 1), Line(A.BANK, -100)],
    ],
)
def test_what_does_not_balance_is_not_written(wrong):
    with pytest.raises(ValueError, match=r"does not balance|names"):
        ledger.post("nonsense", wrong, dedupe_key="x")
    assert not LedgerEntry.objects.exists()


def test_one_event_is_written_once():
    ledger.post("first", [Line(A.CLIENT, 1), Line(A.BANK, -1)], dedupe_key="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.post("second", [Line(A.CLIENT, 1), Line(A.BANK, -1)], dedupe_key="x")


@pytest.mark.django_db(transaction=True)
def test_it_is_written_inside_a_transaction_only():
    with pytest.raises(RuntimeError, match="transaction"):
        ledger.post("loose", [Line(A.CLIENT, 1), Line(A.BANK, -1)], dedupe_key="x")


def test_a_booking_fee_is_earned_when_it_comes(request_in):
    payment = request_in("PENDING_ADMIN_ASSIGNMENT").applied_payment("INITIAL_BOOKING")
    payment.fees_kobo = 3000
    entry = ledger.post_payment_in(payment)
    assert (entry.kind, entry.request, entry.payment) == ("booking_fee_in", payment.service_request, payment)
    assert lines(entry) == {A.GATEWAY_CLEARING: 197000, A.GATEWAY_FEES: 3000, A.REVENUE_BOOKING_FEE: -200000}


def test_a_final_payment_is_held_for_the_client(paid):
    paid.fees_kobo = None
    entry = ledger.post_payment_in(paid)
    assert entry.kind == "final_payment_in"
    assert lines(entry) == {A.GATEWAY_CLEARING: 2200000, A.CLIENT: -2200000}


@pytest.mark.parametrize("outcome", [PaymentOutcome.LATE, PaymentOutcome.DUPLICATE])
@pytest.mark.parametrize("payment_type", ["INITIAL_BOOKING", "FINAL_PAYMENT"])
def test_money_nobody_waited_for_is_held(paid, outcome, payment_type):
    paid.outcome, paid.payment_type = outcome, payment_type
    entry = ledger.post_payment_in(paid)
    assert entry.kind == "money_held"
    assert lines(entry) == {A.GATEWAY_CLEARING: 2200000, A.CLIENT: -2200000}


def test_the_fee_a_payer_bore_costs_us_nothing(paid):
    paid.received_kobo, paid.fees_kobo = 2200000 + 43000, 43000
    assert lines(ledger.post_payment_in(paid)) == {A.GATEWAY_CLEARING: 2200000, A.CLIENT: -2200000}


def test_a_payment_by_hand_goes_to_the_bank(paid):
    paid.channel = Channel.MANUAL
    assert lines(ledger.post_payment_in(paid)) == {A.BANK: 2200000, A.CLIENT: -2200000}


def test_verified_work_is_earned(paid, boss, tunde):
    ledger.post_payment_in(paid)
    entry = ledger.post_completion_earned(paid.service_request, by=boss)
    assert lines(entry) == {A.CLIENT: 2200000, A.SERVICEMAN_PAYABLE: -2000000, A.REVENUE_MARKUP: -200000}
    assert entry.lines.get(account=A.SERVICEMAN_PAYABLE).serviceman == tunde
    assert moved(paid.service_request) == {
        A.GATEWAY_CLEARING: 2200000,
        A.SERVICEMAN_PAYABLE: -2000000,
        A.REVENUE_MARKUP: -200000,
    }


@pytest.mark.parametrize(
    ("final", "markup"), [("18000.00", {A.REVENUE_MARKUP: 200000}), ("20000.00", {})], ids=["below", "at the estimate"]
)
def test_the_margin_may_be_negative_or_nothing(paid, boss, final, markup):
    paid.service_request.final_cost = Decimal(final)
    entry = ledger.post_completion_earned(paid.service_request, by=boss)
    expected = {A.CLIENT: int(Decimal(final) * 100), A.SERVICEMAN_PAYABLE: -2000000} | markup
    assert lines(entry) == expected


def test_a_refund_takes_out_what_the_payment_put_in(request_in):
    request = request_in("PAYMENT_CONFIRMED")
    for payment in request.payments.all():
        ledger.post_payment_in(payment)
        refund = refunds.owe(payment, amount=payment.amount, reason="Cancelled.", by=None)
        ledger.post_refund_processed(refund)
    assert moved(request) == {}


def test_refunds_by_hand_leave_the_bank(paid):
    paid.channel = Channel.MANUAL
    refund = refunds.owe(paid, amount=Decimal(1000), reason="Cancelled.", by=None)
    assert lines(ledger.post_refund_processed(refund)) == {A.REFUNDS_PAYABLE: 100000, A.BANK: -100000}


def test_an_entry_is_taken_back_by_its_opposite_once(paid, boss):
    entry = ledger.post_payment_in(paid)
    back = ledger.reverse(entry, by=boss, memo="Typed twice")
    assert (back.kind, back.reverses, back.by, back.memo) == ("reversal", entry, boss, "Typed twice")
    assert moved(paid.service_request) == {}
    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.reverse(entry, by=boss)


def test_balances_sum_to_nothing(request_in):
    for status in ("PENDING_ADMIN_ASSIGNMENT", "PAYMENT_CONFIRMED"):
        for payment in request_in(status).payments.all():
            ledger.post_payment_in(payment)
    assert sum(ledger.balances().values()) == 0
    assert set(ledger.balances()) == set(Account)
    assert ledger.balances()[A.REVENUE_BOOKING_FEE] == -400000


def test_nobody_changes_the_books(paid):
    entry = ledger.post_payment_in(paid)
    entry.memo = "Nothing to see"
    for change in (entry.save, entry.delete, entry.lines.first().save, entry.lines.first().delete):
        with pytest.raises(TypeError, match="append-only"):
            change()
    for change in (
        lambda: LedgerEntry.objects.update(memo="x"),
        lambda: LedgerLine.objects.update(amount_kobo=1),
        lambda: connection.cursor().execute("DELETE FROM marketplace_ledgerline"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert LedgerLine.objects.count() == 2


def test_no_more_is_owed_than_was_paid(paid):
    refunds.owe(paid, amount=Decimal("21999.99"), reason="Cancelled.", by=None)
    with pytest.raises(Invalid, match="more than is left"):
        refunds.owe(paid, amount=Decimal("0.02"), reason="Cancelled.", by=None)
    refunds.owe(paid, amount=Decimal("0.01"), reason="Cancelled.", by=None, for_review=True)
    assert refunds.returnable(Payment.objects.get(pk=paid.pk)) == 0
