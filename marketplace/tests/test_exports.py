"""Exports: the columns are the documented ones, the cells what the rows say, in both formats, in one statement."""

import csv
import io
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.db.models.query import ValuesListIterable
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from core import clock
from core import exports as core_exports
from marketplace import analytics, exports
from marketplace.models import (
    Category,
    DailyRevenue,
    LedgerEntry,
    LedgerLine,
    Payment,
    Payout,
    Refund,
    ServicemanProfile,
    ServiceRequest,
)

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)


def from_csv(export, rows):
    return list(csv.reader(io.StringIO(b"".join(export.stream(rows, "csv")).decode(), newline="")))


def from_xlsx(export, rows):
    return list(load_workbook(io.BytesIO(b"".join(export.stream(rows, "xlsx")))).active.iter_rows())


def as_shown(cell):
    """A cell of a sheet as it is read there."""
    if cell.value is None:
        return ""
    if isinstance(cell.value, str):
        return cell.value
    return f"{Decimal(str(cell.value)):.2f}" if cell.number_format == "0.00" else str(cell.value)


def documented():
    """Column, what it holds, what it means: by export, as the documentation has them."""
    page = (Path(settings.BASE_DIR) / "docs" / "exports.md").read_text()
    tables = {}
    for section in re.split(r"^### ", page, flags=re.MULTILINE)[1:]:
        rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", section, flags=re.MULTILINE)
        tables[section.splitlines()[0]] = rows
    return tables


@pytest.fixture
def trade(ada, tunde, boss, plumbing):
    """`trade(20)`: as many payments, refunds, earnings, payouts and days, some with formulas in their words."""

    def trade(many):
        first = ServiceRequest.objects.count()
        booked = {"client": ada, "category": plumbing, "serviceman": tunde, "status": "COMPLETED"}
        booked |= {"booking_date": date(2026, 11, 20), "initial_booking_fee": 2000, "status_since": MOMENT}
        requests = ServiceRequest.objects.bulk_create(ServiceRequest(**booked) for _ in range(many))
        payments = Payment.objects.bulk_create(
            Payment(
                service_request=request,
                payment_type="FINAL_PAYMENT",
                amount=Decimal("1234567.89"),
                paystack_reference=f"=cmd|'/C calc'!A{first + number}",
                status="SUCCESSFUL",
                outcome="APPLIED",
                received_kobo=123456789 if number % 2 else None,
                fees_kobo=200000,
                paid_at=MOMENT,
            )
            for number, request in enumerate(requests)
        )
        refunds = Refund.objects.bulk_create(
            Refund(payment=payment, amount=Decimal("0.50"), reason=' \n@SUM(1), "really"\r\nyes', processed_at=MOMENT)
            for payment in payments
        )
        entries = LedgerEntry.objects.bulk_create(
            LedgerEntry(
                kind="completion_earned",
                request=payment.service_request,
                payment=payment,
                refund=refund,
                dedupe_key=payment.paystack_reference,
                happened_at=MOMENT,
                memo="\t-1",
            )
            for payment, refund in zip(payments, refunds, strict=True)
        )
        for account, kobo, who in (("CLIENT", 2_200_000, None), ("SERVICEMAN_PAYABLE", -2_200_000, tunde)):
            LedgerLine.objects.bulk_create(
                LedgerLine(entry=entry, account=account, amount_kobo=kobo, serviceman=who) for entry in entries
            )
        Payout.objects.bulk_create(
            Payout(serviceman=tunde, amount=Decimal("5.00"), reference=f"+{first + number}") for number in range(many)
        )
        days = (date.fromordinal(700_000 + first + number) for number in range(many))
        DailyRevenue.objects.bulk_create(DailyRevenue(day=day, collected_kobo=5, refunded_kobo=-7) for day in days)

    return trade


def everything():
    """Each export, with rows as a list of the console has them."""
    yield exports.Payments(), Payment.objects.select_related("service_request").order_by("-id")
    yield exports.Refunds(), Refund.objects.order_by("-id")
    for listed in (ServicemanProfile.objects.all(), LedgerEntry.objects.prefetch_related("lines")):
        yield exports.Earnings(), exports.Earnings().rows_of(listed)
    for listed in (LedgerLine.objects.order_by("-id"), LedgerEntry.objects.prefetch_related("lines")):
        yield exports.Ledger(), exports.Ledger().rows_of(listed)
    yield exports.Payouts(), Payout.objects.order_by("-id")
    yield exports.DailyRevenues(), DailyRevenue.objects.order_by("-day")
    yield exports.Servicemen(), analytics.servicemen().order_by("pk")
    yield exports.Categories(), analytics.categories().order_by("pk")
    yield exports.Ratings(), analytics.stars_given(date(2026, 11, 19), date(2026, 12, 9))
    for by in ("day", "week", "month"):
        export = exports.Revenue(group_by=by)
        yield export, export.rows_of(analytics.revenue(date(2026, 11, 19), date(2026, 12, 9), group_by=by))
        work = exports.Operations(group_by=by)
        yield work, work.rows_of(analytics.overview(date(2026, 11, 19), date(2026, 12, 9), group_by=by))


# --- Columns


def test_the_columns_are_those_of_the_documentation_in_their_order():
    assert documented() == {
        export.title: [(column.column_name, column.kind.name, column.means) for column in export.columns]
        for export in exports.EVERY
    }


COUNTS = (exports.Ratings, exports.Workflow)
"""Exports without an amount."""


def test_every_amount_has_its_currency_beside_it():
    for export in exports.EVERY:
        kinds = {column.kind.name for column in export.columns}
        names = [column.column_name for column in export.columns]
        assert ("NGN" in kinds) == (export not in COUNTS)
        assert names.count("currency") == (export not in COUNTS)
        assert len(set(names)) == len(names)


# --- Cells


def test_a_payment_to_the_letter(trade):
    trade(2)
    payment = Payment.objects.latest("id")
    created = payment.created_at.astimezone(clock.LAGOS).isoformat(timespec="seconds")
    header, *rows = from_csv(exports.Payments(), Payment.objects.filter(pk=payment.pk))
    assert dict(zip(header, rows[0], strict=True)) == {
        "id": str(payment.pk),
        "request": payment.service_request.code,
        "payment_type": "FINAL_PAYMENT",
        "channel": "PAYSTACK",
        "status": "SUCCESSFUL",
        "outcome": "APPLIED",
        "amount": "1234567.89",
        "received": "1234567.89",
        "fee": "2000.00",
        "currency": "NGN",
        "reference": f"'{payment.paystack_reference}",
        "paid_at": "2026-11-21T00:30:00+01:00",
        "created_at": created,
    }
    assert created.endswith("+01:00")
    Payment.objects.update(paid_at=None, outcome=None, received_kobo=None)
    row = dict(zip(header, from_csv(exports.Payments(), Payment.objects.filter(pk=payment.pk))[1], strict=True))
    assert row["paid_at"] == row["outcome"] == row["received"] == ""


def test_earnings_are_what_was_credited_once_and_taken_back_below_zero_without_payouts(trade, tunde, bola):
    trade(2)
    request = ServiceRequest.objects.first()
    tunde.first_name, tunde.last_name = " ", ""
    tunde.save()
    payout = Payout.objects.first()
    for kind, kobo, of in (("reversal", 500, {}), ("payout", 700, {"payout": payout})):
        entry = LedgerEntry.objects.create(kind=kind, request=request, dedupe_key=kind, happened_at=MOMENT, **of)
        LedgerLine.objects.create(entry=entry, account="SERVICEMAN_PAYABLE", amount_kobo=kobo, serviceman=tunde)
    listed = ServicemanProfile.objects.filter(user__in=(tunde, bola))
    header, *rows = from_csv(exports.Earnings(), exports.Earnings().rows_of(listed))
    cells = [dict(zip(header, row, strict=True)) for row in rows]
    assert [cell["amount"] for cell in cells] == ["22000.00", "22000.00", "-5.00"]
    assert {cell["serviceman"] for cell in cells} == {tunde.username}
    assert {cell["email"] for cell in cells} == {"tunde@example.com"}
    assert {cell["earned_at"] for cell in cells} == {"2026-11-21T00:30:00+01:00"}
    assert sum(Decimal(cell["amount"]) for cell in cells) * 100 == analytics.servicemen().get(user=tunde).earned_kobo
    only_bola = ServicemanProfile.objects.filter(user=bola)
    assert from_csv(exports.Earnings(), exports.Earnings().rows_of(only_bola)) == [header]


def test_revenue_is_that_of_the_analytics_and_periods_are_cut_to_the_days_asked_for(trade):
    trade(3)
    first, last = date(2026, 11, 19), date(2026, 12, 9)
    for by, spans in (
        ("month", [("2026-12-01", "2026-12-01", "2026-12-09"), ("2026-11-01", "2026-11-19", "2026-11-30")]),
        (
            "week",
            [
                ("2026-12-07", "2026-12-07", "2026-12-09"),
                ("2026-11-30", "2026-11-30", "2026-12-06"),
                ("2026-11-23", "2026-11-23", "2026-11-29"),
                ("2026-11-16", "2026-11-19", "2026-11-22"),
            ],
        ),
    ):
        export, report = exports.Revenue(group_by=by), analytics.revenue(first, last, group_by=by)
        header, *rows = from_csv(export, export.rows_of(report))
        assert [tuple(row[:3]) for row in rows] == spans
        cells = [dict(zip(header, row, strict=True)) for row in rows]
        for name in ("collected", "booking_fees", "final_payments", "refunded", "gateway_fees", "platform_revenue"):
            assert [Decimal(cell[name]) for cell in cells] == [
                getattr(each, name) for each in reversed(report.periods.values())
            ]
        assert sum(Decimal(cell["collected"]) for cell in cells) == 3 * Decimal("1234567.89")
        assert {cell["currency"] for cell in cells} == {"NGN"}


def test_csv_xlsx_and_the_dataset_of_import_export_are_the_same_row_by_row(trade):
    trade(7)
    for export, rows in everything():
        header, *lines = from_csv(export, rows)
        assert lines, export.title
        names, *sheet = from_xlsx(export, rows)
        assert [cell.value for cell in names] == header
        assert [[as_shown(cell) for cell in row] for row in sheet] == lines
        for row in sheet:
            for cell, column in zip(row, export.columns, strict=True):
                assert cell.data_type != "f"
                is_number = column.kind.name in ("NGN", "number")
                assert cell.value is None or isinstance(cell.value, int | float) == is_number
        dataset = export.export(queryset=rows)
        assert dataset.headers == header
        assert [["" if cell is None else str(cell) for cell in row] for row in dataset] == lines


def test_no_cell_runs_and_the_plain_ones_are_as_stored(trade):
    trade(1)
    header, row = from_csv(exports.Refunds(), Refund.objects.all())
    cells = dict(zip(header, row, strict=True))
    assert cells["reason"] == '\' \n@SUM(1), "really"\nyes'
    assert cells["amount"] == "0.50"
    header, *rows = from_csv(exports.Ledger(), LedgerLine.objects.order_by("id"))
    assert [row[header.index("amount")] for row in rows] == ["22000.00", "-22000.00"]
    assert {row[header.index("memo")] for row in rows} == {"'\t-1"}


# --- One path, one statement, from the first row on


def test_the_number_of_statements_does_not_grow_with_the_rows(trade):
    counted = []
    for more in (1, 19, 80):
        trade(more)
        counts = []
        for export, rows in everything():
            for kind in ("csv", "xlsx"):
                with CaptureQueriesContext(
                    connection,
                ) as captured:
                    pieces = b"".join(export.stream(rows, kind))
                assert pieces
                counts.append(len(captured))
        counted.append(counts)
    assert Payment.objects.count() == 100
    assert counted[0] == counted[1] == counted[2]
    assert max(counted[0]) == 1


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_it_goes_out_before_the_last_row_is_read_and_builds_no_model(kind, trade, monkeypatch):
    trade(30)
    monkeypatch.setattr(core_exports, "BATCH", 5)
    read = []
    each = ValuesListIterable.__iter__

    def counting(self):
        for row in each(self):
            read.append(row)
            yield row

    monkeypatch.setattr(ValuesListIterable, "__iter__", counting)
    monkeypatch.setattr(Payment, "__init__", None)
    pieces = iter(exports.Payments().download(Payment.objects.all(), kind).streaming_content)
    assert next(pieces)
    assert read == []
    next(pieces)
    assert 5 <= len(read) <= 10
    list(pieces)
    assert len(read) == 30


def test_categories_without_a_rating_have_an_empty_cell(plumbing):
    header, row = from_csv(exports.Categories(), analytics.categories())
    assert row[header.index("average_rating")] == ""
    assert Category.objects.count() == 1
