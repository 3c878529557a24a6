"""Money that came without Paystack: one person records it, another approves it, and then it counts like any other."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from core.errors import Conflict, Forbidden, Invalid, Missing
from marketplace import paystack
from marketplace.enums import (
    Account,
    Channel,
    NotificationType,
    PaymentOutcome,
    PaymentStatus,
    RefundStatus,
    SecondPerson,
    Status,
)
from marketplace.models import Notification, Payment, Refund, ServiceRequest
from marketplace.services import ledger, payments, requests
from marketplace.services.pricing import set_final_cost
from marketplace.services.settings import change_settings

pytestmark = pytest.mark.django_db

FEE, FINAL = "INITIAL_BOOKING", "FINAL_PAYMENT"


@pytest.fixture
def finance(make_admin):
    return make_admin("finance", name="funke")


@pytest.fixture
def other(make_admin):
    return make_admin("finance", name="femi")


@pytest.fixture
def record(finance):
    def record(request, kind=FEE, amount="2000.00", evidence="GTB transfer 0911", by=finance, paid_on=None):
        return payments.record_manual_payment(
            request.pk,
            payment_type=kind,
            amount=Decimal(amount),
            evidence=evidence,
            paid_on=paid_on or clock.today(),
            by=by,
        )

    return record


def now_of(thing):
    return type(thing).objects.get(pk=thing.pk)


def moved():
    return {account: kobo for account, kobo in ledger.balances().items() if kobo}


def test_nothing_moves_before_a_second_person_approves(request_in, record, finance, other):
    booking = request_in("AWAITING_BOOKING_FEE")
    payment = record(booking)
    assert (payment.status, payment.outcome, payment.channel) == (PaymentStatus.PENDING, None, Channel.MANUAL)
    assert (payment.recorded_by, payment.approved_by, payment.evidence) == (finance, None, "GTB transfer 0911")
    assert now_of(booking).status == Status.AWAITING_BOOKING_FEE
    assert moved() == {}

    payments.approve_manual_payment(payment.pk, by=other)
    payment = now_of(payment)
    assert (payment.status, payment.outcome, payment.approved_by) == (
        PaymentStatus.SUCCESSFUL,
        PaymentOutcome.APPLIED,
        other,
    )
    assert now_of(booking).status == Status.PENDING_ADMIN_ASSIGNMENT
    assert moved() == {Account.BANK: 200000, Account.REVENUE_BOOKING_FEE: -200000}


def test_who_recorded_it_cannot_approve_it(request_in, record, finance, other):
    payment = record(request_in("AWAITING_BOOKING_FEE"))
    with pytest.raises(Forbidden) as refused:
        payments.approve_manual_payment(payment.pk, by=finance)
    assert refused.value.code == "second_person_needed"
    assert now_of(payment).status == PaymentStatus.PENDING


def test_one_finance_person_alone_may_do_both_unless_the_setting_forbids_it(request_in, record, finance, boss):
    # `boss` could approve as well, so he is put to sleep: then nobody else holds the right.
    type(boss).objects.filter(pk=boss.pk).update(is_active=False)
    first = record(request_in("AWAITING_BOOKING_FEE"))
    payments.approve_manual_payment(first.pk, by=finance)
    assert now_of(first).approved_by == finance

    change_settings(by=boss, second_person=SecondPerson.ALWAYS)
    second = record(request_in("AWAITING_BOOKING_FEE"), evidence="POS slip 7")
    with pytest.raises(Forbidden):
        payments.approve_manual_payment(second.pk, by=finance)


def test_the_setting_can_do_without_a_second_person(request_in, record, finance, other, boss):
    change_settings(by=boss, second_person=SecondPerson.NEVER)
    payment = record(request_in("AWAITING_BOOKING_FEE"))
    payments.approve_manual_payment(payment.pk, by=finance)
    assert now_of(payment).outcome == PaymentOutcome.APPLIED


def test_the_agreed_price_is_paid_by_hand(request_in, record, other, ada):
    job = request_in("AWAITING_PAYMENT")
    payment = record(job, FINAL, "22000.00", "Cash, receipt 14")
    payments.approve_manual_payment(payment.pk, by=other)
    assert now_of(job).status == Status.PAYMENT_CONFIRMED
    assert moved() == {Account.BANK: 2200000, Account.CLIENT: -2200000}
    assert Notification.objects.filter(notification_type=NotificationType.PAYMENT_RECEIPT, user=ada).count() == 1


@pytest.mark.parametrize(("amount", "kobo"), [("21999.99", 2199999), ("22000.01", 2200001)])
def test_another_amount_is_held_and_not_applied(request_in, record, other, finance, amount, kobo):
    job = request_in("AWAITING_PAYMENT")
    payment = record(job, FINAL, amount)
    payments.approve_manual_payment(payment.pk, by=other)
    payment = now_of(payment)
    assert (payment.status, payment.outcome) == (PaymentStatus.FAILED, PaymentOutcome.MISMATCH)
    assert (payment.amount, payment.received_kobo) == (Decimal("22000.00"), kobo)
    assert now_of(job).status == Status.AWAITING_PAYMENT
    assert moved() == {Account.BANK: kobo, Account.CLIENT: -kobo}
    assert Notification.objects.filter(notification_type=NotificationType.MONEY_AT_RISK, user=finance).exists()


def test_money_for_a_request_that_is_cancelled_is_due_back_by_hand(request_in, record, other):
    payment = record(request_in("CANCELLED"))
    payments.approve_manual_payment(payment.pk, by=other)
    assert now_of(payment).outcome == PaymentOutcome.LATE
    refund = Refund.objects.get()
    assert (refund.status, refund.channel, refund.amount) == (
        RefundStatus.DUE,
        Channel.MANUAL,
        Decimal("2000.00"),
    )


def test_a_re_priced_job_makes_it_late(request_in, record, other, boss):
    job = request_in("AWAITING_PAYMENT")
    payment = record(job, FINAL, "22000.00")
    set_final_cost(job.pk, amount=Decimal("25000.00"), by=boss)
    payments.approve_manual_payment(payment.pk, by=other)
    assert now_of(payment).outcome == PaymentOutcome.LATE


def test_a_checkout_beside_it_no_longer_counts_and_money_there_is_due_back(gateway, request_in, record, other, ada):
    booking = request_in("AWAITING_BOOKING_FEE")
    checkout, _ = payments.initialize(booking.pk, payment_type=FEE, by=ada)
    payment = record(booking)
    assert now_of(checkout).outcome == PaymentOutcome.SUPERSEDED
    with pytest.raises(Conflict) as refused:
        payments.initialize(booking.pk, payment_type=FEE, by=ada)
    assert refused.value.code == "payment_recorded"

    payments.approve_manual_payment(payment.pk, by=other)
    gateway.choose(checkout.authorization_url)
    payments.settle(checkout.paystack_reference)
    assert now_of(checkout).outcome == PaymentOutcome.DUPLICATE
    assert Refund.objects.get().payment == checkout


def test_a_rejected_one_leaves_no_trace_in_the_books_and_frees_the_way(request_in, record, other, finance):
    booking = request_in("AWAITING_BOOKING_FEE")
    payment = record(booking)
    with pytest.raises(Invalid):
        payments.reject_manual_payment(payment.pk, reason=" ", by=other)
    payments.reject_manual_payment(payment.pk, reason="The bank knows of no such transfer", by=other)
    payment = now_of(payment)
    assert (payment.status, payment.outcome) == (PaymentStatus.FAILED, None)
    assert payment.history.first().history_change_reason == "The bank knows of no such transfer"
    assert payment.history.first().history_user == other
    assert moved() == {}
    again = record(booking)  # the same evidence, now that it turned up
    payments.approve_manual_payment(again.pk, by=other)
    for decided in (payment, again):
        with pytest.raises(Conflict):
            payments.approve_manual_payment(decided.pk, by=other)
        with pytest.raises(Conflict):
            payments.reject_manual_payment(decided.pk, reason="No", by=other)


def test_one_waits_at_a_time_and_evidence_serves_once(request_in, record, other):
    booking = request_in("AWAITING_BOOKING_FEE")
    payment = record(booking)
    with pytest.raises(Conflict) as refused:
        record(booking, evidence="Another slip")
    assert refused.value.code == "already_recorded"
    payments.approve_manual_payment(payment.pk, by=other)
    with pytest.raises(Conflict) as refused:
        record(request_in("AWAITING_BOOKING_FEE"), evidence="gtb TRANSFER 0911 ")
    assert refused.value.code == "evidence_used"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("amount", {"amount": "0"}),
        ("amount", {"amount": "-2000.00"}),
        ("evidence", {"evidence": "  "}),
        ("paid_on", {"paid_on": timedelta(days=1)}),
        ("paid_on", {"paid_on": timedelta(days=-400)}),
    ],
)
def test_bad_input_names_its_field_and_writes_nothing(request_in, record, field, wrong):
    if "paid_on" in wrong:
        wrong = {"paid_on": clock.today() + wrong["paid_on"]}
    with pytest.raises(Invalid) as refused:
        record(request_in("AWAITING_BOOKING_FEE"), **wrong)
    assert field in refused.value.errors
    assert not Payment.objects.filter(channel=Channel.MANUAL).exists()


def test_only_finance_records_and_decides(request_in, record, make_admin, ada, finance):
    booking = request_in("AWAITING_BOOKING_FEE")
    payment = record(booking)
    for person in (make_admin("dispatcher"), make_admin("pricing"), make_admin("viewer")):
        with pytest.raises(Forbidden):
            record(booking, by=person)
        with pytest.raises(Forbidden):
            payments.approve_manual_payment(payment.pk, by=person)
        with pytest.raises(Forbidden):
            payments.reject_manual_payment(payment.pk, reason="No", by=person)
    with pytest.raises(Missing):
        payments.approve_manual_payment(987654, by=finance)


def test_the_day_it_was_paid_dates_the_books(request_in, record, other):
    with clock.at(-timedelta(days=3)):
        booking = request_in("AWAITING_BOOKING_FEE")
    payment = record(booking, paid_on=clock.today() - timedelta(days=2))
    payments.approve_manual_payment(payment.pk, by=other)
    [entry] = now_of(payment).ledger_entries.all()
    assert clock.day_of(entry.happened_at) == clock.today() - timedelta(days=2)
    assert clock.day_of(entry.posted_at) == clock.today()


def test_a_booking_does_not_expire_while_money_by_hand_waits(request_in, record, other):
    booking = request_in("AWAITING_BOOKING_FEE")
    payment = record(booking)
    with clock.at(timedelta(hours=30)):
        with pytest.raises(Conflict) as refused:
            payments.expire(booking.pk)
        assert refused.value.code == "payment_moving"
        payments.reject_manual_payment(payment.pk, reason="Not there", by=other)
        payments.expire(booking.pk)
    assert now_of(booking).status == Status.CANCELLED


def test_the_system_does_not_give_a_request_up_while_money_by_hand_waits(request_in, record):
    job = request_in("AWAITING_PAYMENT")
    record(job, FINAL, "22000.00")
    with clock.at(timedelta(days=20)), pytest.raises(Conflict) as refused:
        requests.cancel(job.pk, reason="Silence", by=None)
    assert refused.value.code == "payment_moving"


def test_paystack_is_never_asked_about_it(request_in, record, monkeypatch):
    payment = record(request_in("AWAITING_BOOKING_FEE"))
    monkeypatch.setattr(paystack, "verify", lambda _: pytest.fail("asked"))
    assert payments.settle(payment.paystack_reference).status == PaymentStatus.PENDING
    with clock.at(timedelta(days=2)):
        assert payments.to_check() == []
    assert ServiceRequest.objects.get(pk=payment.service_request_id).status == Status.AWAITING_BOOKING_FEE
