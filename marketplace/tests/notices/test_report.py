"""The revenue report: the last full day, week or month in Lagos, true to the ledger."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import transaction

from core import clock
from marketplace import tasks
from marketplace.analytics import Span
from marketplace.models import Notification, Payment, Refund
from marketplace.notices.letters import attachments_of, render_email
from marketplace.notices.report import HEADER, as_csv, report
from marketplace.services import ledger

pytestmark = pytest.mark.django_db
SUNDAY = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SATURDAY = Span(date(2026, 11, 21), date(2026, 11, 21))


@pytest.mark.parametrize(
    ("period", "today", "start", "end"),
    [
        ("day", date(2026, 11, 22), date(2026, 11, 21), date(2026, 11, 21)),
        ("day", date(2027, 1, 1), date(2026, 12, 31), date(2026, 12, 31)),
        ("week", date(2026, 11, 22), date(2026, 11, 9), date(2026, 11, 15)),
        ("week", date(2026, 11, 23), date(2026, 11, 16), date(2026, 11, 22)),
        ("month", date(2026, 11, 22), date(2026, 10, 1), date(2026, 10, 31)),
        ("month", date(2027, 3, 1), date(2027, 2, 1), date(2027, 2, 28)),
    ],
)
def test_it_is_about_the_last_full_period(period, today, start, end):
    assert Span.last_full(period, today=today) == Span(start, end)


def test_another_period_is_refused():
    with pytest.raises(ValueError, match="year"):
        tasks.generate_revenue_report("year")


@pytest.fixture
def paid(request_in):
    """`paid(moment)`: a booking fee of 2,000 and a price of 22,000 (20,000 his) came in then."""

    def paid(moment, reference="a"):
        request = request_in("IN_PROGRESS")
        with transaction.atomic(), clock.at(moment):
            for payment in Payment.objects.filter(service_request=request):
                payment.paid_at, payment.fees_kobo = moment, 30_00
                payment.paystack_reference += reference
                payment.save()
                ledger.post_payment_in(payment)
        return request

    return paid


def test_days_are_cut_in_lagos(paid):
    for number, moment in enumerate(
        [
            datetime(2026, 11, 20, 22, 59, 59, tzinfo=UTC),
            datetime(2026, 11, 20, 23, 0, tzinfo=UTC),
            datetime(2026, 11, 21, 22, 59, 59, tzinfo=UTC),
            datetime(2026, 11, 21, 23, 0, tzinfo=UTC),
        ]
    ):
        paid(moment, reference=str(number))
    assert report(SATURDAY).now.payments == 4
    assert report(SATURDAY).now.collected == Decimal("48000.00")
    assert len(as_csv(SATURDAY).splitlines()) == 5


def test_its_figures_are_those_of_payments_and_books(paid, boss):
    moment = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    request = paid(moment)
    fee = Payment.objects.get(service_request=request, payment_type="INITIAL_BOOKING")
    with transaction.atomic(), clock.at(moment):
        ledger.post_completion_earned(request, by=boss)
        refund = Refund.objects.create(
            payment=fee, amount=Decimal("500.00"), reason="Late.", status="PROCESSED", processed_at=moment
        )
        ledger.post_refund_due(refund)
        ledger.post_refund_processed(refund)
    figures = report(SATURDAY).now
    assert (figures.booking_fees, figures.final_payments) == (Decimal("2000.00"), Decimal("22000.00"))
    assert figures.collected == Decimal("24000.00")
    assert figures.refunded == Decimal("500.00")
    assert figures.gateway_fees == Decimal("60.00")
    assert figures.earned == Decimal("20000.00")
    assert figures.platform_revenue == Decimal("4000.00")
    assert figures.net_revenue == Decimal("2000.00") - Decimal("500.00") + Decimal("2000.00")


def test_the_file_adds_up_to_what_was_collected(paid):
    request = paid(datetime(2026, 11, 21, 12, 0, tzinfo=UTC))
    final = Payment.objects.get(service_request=request, payment_type="FINAL_PAYMENT")
    twice = Payment.objects.create(
        service_request=request,
        payment_type="FINAL_PAYMENT",
        amount=final.amount,
        paystack_reference="twice",
        status="SUCCESSFUL",
        outcome="DUPLICATE",
        paid_at=final.paid_at,
    )
    with transaction.atomic():
        ledger.post_payment_in(twice)
    lines = list(csv.DictReader(io.StringIO(as_csv(SATURDAY))))
    assert [line["outcome"] for line in lines] == ["APPLIED", "APPLIED", "DUPLICATE"]
    assert sum(Decimal(line["amount_ngn"]) for line in lines) == report(SATURDAY).now.collected == Decimal(46000)


def test_each_figure_stands_beside_its_change(paid, boss):
    for number, moment in enumerate(datetime(2026, 11, day, 12, tzinfo=UTC) for day in (19, 20, 20, 21, 21, 21)):
        request = paid(moment, reference=str(number))
        with transaction.atomic(), clock.at(moment):
            ledger.post_completion_earned(request, by=boss)
    rows = dict(report(SATURDAY).rows())
    assert rows["Payments"] == "6 (+50 %)"
    assert rows["Booking fees"] == "₦6,000.00 (+50 %)"
    assert rows["Refunded"] == "₦0.00"
    assert rows["Payable to servicemen"] == "₦120,000.00 (+100 %)"
    assert rows["Take rate"] == "16.67 %"
    assert rows["Collected the period before"] == "₦48,000.00"


def test_a_month_is_compared_with_the_month_before(paid):
    paid(datetime(2026, 9, 1, 12, tzinfo=UTC))
    paid(datetime(2026, 10, 31, 12, tzinfo=UTC), reference="b")
    october = report(Span(date(2026, 10, 1), date(2026, 10, 31)), period="month")
    assert october.before.collected == october.now.collected == Decimal(24000)


def test_the_csv_has_a_line_a_payment_and_no_formula(paid):
    request = paid(datetime(2026, 11, 21, 12, 0, tzinfo=UTC))
    Payment.objects.filter(payment_type="FINAL_PAYMENT").update(paystack_reference="=1+1")
    header, *lines = csv.reader(io.StringIO(as_csv(SATURDAY)))
    assert tuple(header) == HEADER
    assert lines[0][0] == "2026-11-21T13:00:00+01:00"
    assert [line[2] for line in lines] == [request.code] * 2
    assert sorted(line[5] for line in lines) == ["2000.00", "22000.00"]
    assert {line[1] for line in lines} >= {"'=1+1"}


def test_finance_gets_it_once_with_the_file(paid, boss, make_admin):
    accountant = make_admin("finance", name="accountant")
    make_admin("pricing", name="pricer")
    paid(datetime(2026, 11, 21, 12, 0, tzinfo=UTC))
    with clock.at(SUNDAY):
        assert tasks.generate_revenue_report("day") == 2
        assert tasks.generate_revenue_report("day") == 0
    row = Notification.objects.get(user=accountant)
    assert row.title == "Revenue report: ₦24,000.00 in the day of Saturday 21 November"
    subject, text, html = render_email(row)
    assert subject == row.title
    for part in (text, html):
        assert "₦22,000.00" in part
    ((name, content, kind),) = attachments_of(row)
    assert (name, kind) == ("payments-2026-11-21-to-2026-11-21.csv", "text/csv")
    assert content.count("\r\n") == 3


def test_the_report_of_another_period_is_another_one(boss):
    with clock.at(SUNDAY):
        for period in ("day", "week", "month"):
            assert tasks.generate_revenue_report(period) == 1
    assert Notification.objects.count() == 3
