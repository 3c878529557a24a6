"""/api/admin/analytics/."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import clock
from marketplace.enums import Account
from marketplace.models import Payment, Payout
from marketplace.services import assignment, ledger, ratings, refunds, requests, work
from marketplace.tests.books import enter

PATH = "/api/admin/analytics/"


@pytest.fixture
def entered(request_in):
    """`request_in`, with its money in the books."""
    return lambda *args, **fields: enter(request_in(*args, **fields))


def revenue(caller, query=""):
    answer = caller.get(f"{PATH}revenue/{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def operations(caller, query=""):
    answer = caller.get(f"{PATH}operations/{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def nonzero(report):
    return {period["start"]: period["collected"] for period in report["periods"] if period["payments"]}


def test_the_last_30_days_by_day_with_empty_ones(as_, boss):
    report = revenue(as_(boss))
    assert (report["to"], report["group_by"]) == (clock.today().isoformat(), "day")
    assert report["from"] == (clock.today() - timedelta(days=29)).isoformat()
    assert len(report["periods"]) == 30
    assert set(report["totals"]) == {
        "collected",
        "booking_fees",
        "final_payments",
        "refunded",
        "gateway_fees",
        "platform_revenue",
        "gmv",
        "payments",
    }
    assert report["totals"]["collected"] == "0.00"


def test_money_is_told_apart(as_, boss, entered):
    entered("PAYMENT_CONFIRMED")
    entered("PENDING_ADMIN_ASSIGNMENT")
    assert revenue(as_(boss))["totals"] == {
        "collected": "26000.00",
        "booking_fees": "4000.00",
        "final_payments": "22000.00",
        "refunded": "0.00",
        "gateway_fees": "0.00",
        "platform_revenue": "6000.00",
        "gmv": "22000.00",
        "payments": 3,
    }


def test_the_margin_is_net_revenue_when_the_work_is_verified(as_, boss, entered):
    done = entered("WORK_COMPLETED")
    assert revenue(as_(boss))["totals"]["platform_revenue"] == "4000.00"
    assert operations(as_(boss))["totals"]["net_revenue"] == "2000.00"
    work.verify_completion(done.pk, by=boss)
    assert revenue(as_(boss))["totals"]["platform_revenue"] == "4000.00"
    assert operations(as_(boss))["totals"]["net_revenue"] == "4000.00"


def test_fees_of_paystack_count_less_what_payers_bore(as_, boss, request_in):
    for received, fees in ((200_000, 30_00), (203_000, 30_00)):
        request = request_in("PENDING_ADMIN_ASSIGNMENT")
        Payment.objects.filter(service_request=request).update(fees_kobo=fees, received_kobo=received)
        enter(request)
        assert revenue(as_(boss))["totals"]["gateway_fees"] == "30.00"


def test_what_came_twice_is_collected_but_no_revenue(as_, boss, entered):
    request = entered("PENDING_ADMIN_ASSIGNMENT")
    paid = Payment.objects.get(service_request=request)
    twice = Payment.objects.create(
        service_request=request,
        payment_type=paid.payment_type,
        amount=paid.amount,
        paystack_reference="twice",
        status="SUCCESSFUL",
        outcome="DUPLICATE",
        paid_at=paid.paid_at,
        received_kobo=200_000,
    )
    enter(request)
    with transaction.atomic():
        back = refunds.owe(twice, amount=twice.amount, reason="Twice.", by=None)
        assert revenue(as_(boss))["totals"]["refunded"] == "0.00"
        back.status, back.processed_at = "PROCESSED", clock.now()
        back.save()
        ledger.post_refund_processed(back)
    totals = revenue(as_(boss))["totals"]
    assert (totals["collected"], totals["payments"]) == ("4000.00", 2)
    assert (totals["booking_fees"], totals["platform_revenue"]) == ("2000.00", "2000.00")
    assert totals["refunded"] == "2000.00"


def test_what_came_in_the_wrong_amount_is_held_and_not_collected(as_, boss, request_in):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    Payment.objects.filter(service_request=request).update(status="FAILED", outcome="MISMATCH", received_kobo=1_00)
    with transaction.atomic():
        ledger.post_wrong_amount_held(Payment.objects.get(service_request=request))
    assert revenue(as_(boss))["totals"]["collected"] == "0.00"
    assert operations(as_(boss))["totals"]["held"] == "1.00"


def test_days_are_cut_at_midnight_in_lagos(as_, boss, entered):
    for moment in (
        datetime(2026, 11, 21, 22, 59, 59, tzinfo=UTC),
        datetime(2026, 11, 21, 23, 0, tzinfo=UTC),
        datetime(2026, 11, 22, 22, 59, 59, tzinfo=UTC),
        datetime(2026, 11, 22, 23, 0, tzinfo=UTC),
    ):
        entered("PENDING_ADMIN_ASSIGNMENT", status_since=moment)
    with timezone.override("UTC"):
        report = revenue(as_(boss), "?from=2026-11-22&to=2026-11-22")
        assert nonzero(report) == {"2026-11-22": "4000.00"}
        report = revenue(as_(boss), "?from=2026-11-20&to=2026-11-24")
    assert nonzero(report) == {"2026-11-21": "2000.00", "2026-11-22": "4000.00", "2026-11-23": "2000.00"}


def test_weeks_start_on_mondays_and_months_on_the_first(as_, boss, entered):
    for day in (1, 2, 8, 9):
        entered("PENDING_ADMIN_ASSIGNMENT", status_since=datetime(2026, 11, day, 12, tzinfo=UTC))
    entered("PENDING_ADMIN_ASSIGNMENT", status_since=datetime(2026, 10, 31, 23, 30, tzinfo=UTC))
    query = "?from=2026-11-01&to=2026-11-30"
    weeks = revenue(as_(boss), f"{query}&group_by=week")
    assert nonzero(weeks) == {"2026-10-26": "4000.00", "2026-11-02": "4000.00", "2026-11-09": "2000.00"}
    assert len(weeks["periods"]) == 6
    months = revenue(as_(boss), f"{query}&group_by=month")
    assert nonzero(months) == {"2026-11-01": "10000.00"}
    assert weeks["totals"] == months["totals"] == revenue(as_(boss), query)["totals"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?from=2026-11-22&to=2026-11-21", "to"),
        ("?from=1900-01-01", "from"),
        ("?group_by=year", "group_by"),
        ("?from=22-11-2026", "from"),
        ("?form=2026-11-22", "form"),
    ],
)
@pytest.mark.parametrize("name", ["revenue", "operations"])
def test_a_bad_range_names_its_key(as_, boss, name, query, field):
    answer = as_(boss).get(f"{PATH}{name}/{query}")
    assert (answer.status_code, [error["loc"] for error in answer.json()["errors"]]) == (422, [field])


def test_one_side_of_the_range_is_enough(as_, boss):
    with clock.at(datetime(2026, 11, 22, 12, tzinfo=UTC)):
        report = revenue(as_(boss), "?to=2026-11-30")
        assert (report["from"], report["to"]) == ("2026-11-01", "2026-11-30")
        report = revenue(as_(boss), "?from=2026-11-20")
        assert (report["from"], report["to"]) == ("2026-11-20", "2026-11-22")
        report = revenue(as_(boss), "?from=2026-12-01")
        assert (report["from"], report["to"]) == ("2026-12-01", "2026-12-01")


def test_how_the_work_goes(as_, boss, tunde, bola, entered):
    with clock.at(datetime(2026, 11, 22, 12, tzinfo=UTC)):
        waits = entered("PENDING_ADMIN_ASSIGNMENT")
        entered("COMPLETED")
    with clock.at(datetime(2026, 11, 22, 14, 0, 0, 500_000, tzinfo=UTC)):
        assignment.assign_serviceman(waits.pk, serviceman_id=tunde.pk, backup_id=bola.pk, by=boss)
        assignment.decline_job(waits.pk, reason="Ill.", by=tunde)
        report = operations(as_(boss), "?from=2026-11-21&to=2026-11-22")
    assert (report["from"], report["to"], report["group_by"]) == ("2026-11-21", "2026-11-22", "day")
    assert (report["before"]["from"], report["before"]["to"]) == ("2026-11-19", "2026-11-20")
    assert [period["start"] for period in report["periods"]] == ["2026-11-21", "2026-11-22"]
    empty, totals = report["periods"][0], report["totals"]
    assert totals["time_to_assign"] == {"median": 7201, "p90": 7201, "count": 1}
    assert empty["time_to_assign"] == {"median": None, "p90": None, "count": 0}
    assert (totals["declined"], totals["decline_rate"], totals["backup_rate"]) == (1, "100.00", "100.00")
    assert (totals["take_rate"], totals["earned"], totals["payable"]) == ("23.08", "20000.00", "20000.00")
    assert (empty["take_rate"], empty["payable"], report["before"]["payable"]) == (None, "0.00", "0.00")
    assert totals["cancellations"] == []
    assert {period.keys() - {"start"} == totals.keys() for period in report["periods"]} == {True}


def test_cancellations_come_by_stage_and_side(as_, boss, ada, entered):
    requests.cancel(entered("PENDING_ADMIN_ASSIGNMENT").pk, reason="No.", by=ada)
    found = operations(as_(boss), "?group_by=month")["totals"]
    assert found["cancellations"] == [{"stage": "UNACCEPTED", "side": "CLIENT", "count": 1}]
    assert (found["cancelled"], found["cancellation_rate"]) == (1, "100.00")


def test_operations_take_the_same_statements_however_much_there_is(as_, boss, entered):
    cost, made = {}, 0
    for size in (1, 20, 100):
        for _ in range(size - made):
            entered("PENDING_ADMIN_ASSIGNMENT")
        made = size
        with CaptureQueriesContext(connection) as captured:
            assert operations(as_(boss), "?group_by=week")["totals"]["clients"] == 1
        cost[size] = len(captured)
    assert cost == dict.fromkeys((1, 20, 100), 20)


def pay_out(serviceman):
    """He is paid all that he has earned."""
    payout = Payout.objects.create(serviceman=serviceman, amount=Decimal(20000), reference="payout-of-november")
    lines = [
        ledger.Line(Account.SERVICEMAN_PAYABLE, 2_000_000, serviceman.pk),
        ledger.Line(Account.BANK, -2_000_000),
    ]
    ledger.post("payout_paid", lines, dedupe_key="payout-1", payout=payout)


def test_how_servicemen_do(as_, boss, ada, tunde, bola, request_in):
    assignment.decline_job(request_in("ASSIGNED_TO_SERVICEMAN").pk, reason="Ill.", by=tunde)
    done = request_in("WORK_COMPLETED")
    work.verify_completion(done.pk, by=boss)
    ratings.rate(done.pk, rating=4, by=ada)
    request_in("IN_PROGRESS")
    pay_out(tunde)
    figures = {item["id"]: item for item in as_(boss).get(f"{PATH}servicemen/").json()["items"]}
    assert figures[tunde.pk] == {
        "id": tunde.pk,
        "name": "Tunde Bello",
        "rating": "4.00",
        "ratings": 1,
        "total_jobs_completed": 1,
        "open_jobs": 1,
        "offers": 3,
        "accepted": 2,
        "declined": 1,
        "lapsed": 0,
        "earned": "20000.00",
    }
    # Promoted once, and next in line twice, which is no offer yet.
    assert (figures[bola.pk]["offers"], figures[bola.pk]["earned"]) == (1, "0.00")


def test_how_trades_do(as_, boss, ada, plumbing, entered):
    entered("CANCELLED")
    ratings.rate(entered("COMPLETED").pk, rating=4, by=ada)
    ratings.rate(entered("COMPLETED").pk, rating=5, by=ada)
    entered("AWAITING_BOOKING_FEE")
    assert as_(boss).get(f"{PATH}categories/").json()["items"] == [
        {
            "id": plumbing.pk,
            "name": "Plumbing",
            "requests": 4,
            "completed": 2,
            "cancelled": 1,
            "collected": "48000.00",
            "average_rating": "4.50",
        }
    ]


def test_a_trade_without_work_has_no_rating(as_, boss, plumbing):
    (item,) = as_(boss).get(f"{PATH}categories/").json()["items"]
    assert (item["requests"], item["collected"], item["average_rating"]) == (0, "0.00", None)


@pytest.mark.parametrize("name", ["revenue", "operations", "servicemen", "categories"])
def test_figures_are_for_finance(as_, ada, tunde, make_admin, name):
    for person in (ada, tunde, make_admin("dispatcher"), make_admin("viewer")):
        assert as_(person).get(f"{PATH}{name}/").status_code == 403
    assert as_(make_admin("finance")).get(f"{PATH}{name}/").status_code == 200
