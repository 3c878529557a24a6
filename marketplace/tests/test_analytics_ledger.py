"""The analytics equal the ledger to the kobo, day by day in Lagos: random lives, money at midnight, late proofs.

The recomputation adds up lines one by one, by the sums that docs/analytics.md gives each word.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from core.clock import LAGOS
from core.errors import DomainError
from marketplace import analytics
from marketplace.analytics import Revenue
from marketplace.enums import Account, PayoutStatus
from marketplace.models import Category, LedgerLine, Payment, Payout, Refund, ServiceRequest
from marketplace.services import assignment, ledger, payments, pricing, refunds, requests, work
from marketplace.tests.bank import Bank

pytestmark = pytest.mark.django_db

D = Decimal
FIRST = date(2026, 2, 26)
"""A Thursday, near the end of a month: weeks and months are cut in different places."""
LAST = FIRST + timedelta(days=12)
HOURS = st.sampled_from([0, 1, 7, 23, 24, 26])
FEES = st.sampled_from([None, 0, 3000, 12_345])
SAYS = ("right", "too little", "dollars", "too much was asked", "abandoned")


class Town:
    """People, a bank, and a clock that only goes forward."""

    def __init__(self, people: dict[str, Any]) -> None:
        self.people, self.bank = people, Bank()
        self.now = datetime(FIRST.year, FIRST.month, FIRST.day, 9, tzinfo=LAGOS)

    def do(self, service: Any, *args: Any, **facts: Any) -> Any:
        """Call a service at this moment; a refusal is an answer like any other."""
        with clock.at(self.now):
            try:
                return service(*args, **facts)
            except DomainError:
                return None

    def live(self, draw: Any) -> None:
        """One request, as far as it gets, with whatever happens to its money."""
        booked = self.do(
            requests.book,
            category_id=self.people["plumbing"].pk,
            booking_date=clock.day_of(self.now) + timedelta(days=30),
            client_address="12 Allen Avenue",
            service_description="Drips.",
            by=self.people["ada"],
        )
        self._pay(booked, "INITIAL_BOOKING", draw)
        ada, tunde, boss = (self.people[name] for name in ("ada", "tunde", "boss"))
        amount, markup = D(draw(st.sampled_from(["20000", "1234.56", "0.01"]))), D(draw(st.sampled_from(["10", "0"])))
        steps = [
            lambda: self.do(assignment.assign_serviceman, booked.pk, serviceman_id=tunde.pk, by=boss),
            lambda: self.do(assignment.accept_job, booked.pk, by=tunde),
            lambda: self.do(work.submit_estimate, booked.pk, amount=amount, by=tunde),
            lambda: self._price(booked, amount, markup, draw),
            lambda: self.do(pricing.approve_price, booked.pk, price_version=self._version(booked), by=ada),
            lambda: self._pay(booked, "FINAL_PAYMENT", draw),
            lambda: self.do(work.start_work, booked.pk, by=tunde),
            lambda: self.do(work.mark_work_completed, booked.pk, by=tunde),
            lambda: self.do(work.verify_completion, booked.pk, by=boss),
            lambda: self._pay_out(draw),
        ]
        stops = draw(st.sampled_from([len(steps), len(steps), len(steps), 0, 2, 6, 8]))
        for step in steps[:stops]:
            step()
            self.now += timedelta(hours=draw(HOURS))
        if stops < len(steps):
            self.do(requests.cancel, booked.pk, reason="No.", by=draw(st.sampled_from([ada, boss])))
        for refund in Refund.objects.filter(payment__service_request=booked, status__in=("DUE", "REVIEW")):
            self._decide(refund, draw)

    def _price(self, booked: ServiceRequest, amount: Decimal, markup: Decimal, draw: Any) -> None:
        if draw(st.booleans()):
            self.do(pricing.set_final_cost, booked.pk, markup=markup, by=self.people["boss"])
        else:  # below the estimate: the margin is negative
            price = max(amount - 5000, D("0.01"))
            self.do(pricing.set_final_cost, booked.pk, amount=price, reason="Agreed.", by=self.people["boss"])

    def _version(self, booked: ServiceRequest) -> int:
        return ServiceRequest.objects.get(pk=booked.pk).price_version

    def _pay(self, booked: ServiceRequest, kind: str, draw: Any) -> None:
        """One checkout or two; Paystack says of each when it was paid, perhaps wrongly first, perhaps a day late."""
        opened = []
        for _ in range(draw(st.sampled_from([1, 1, 2]))):
            self.do(payments.initialize, booked.pk, payment_type=kind, by=self.people["ada"])
            opened.append(Payment.objects.filter(service_request=booked, payment_type=kind).order_by("pk").last())
            self.now += timedelta(minutes=30)
        for payment in opened:
            if payment is None:
                continue
            for verdict in [*draw(st.lists(st.sampled_from(SAYS[1:]), max_size=1)), "right"]:
                paid_at = None if verdict == "abandoned" else self._moment(draw)
                said = self.bank.say(payment, verdict)
                fees = said.fees_kobo and draw(FEES)
                said = replace(said, paid_at=paid_at, fees_kobo=fees)
                if verdict == "right" and fees and draw(st.booleans()):
                    said = replace(said, amount_kobo=said.amount_kobo + fees)  # the payer bears it
                self.now = max(self.now, paid_at or self.now) + timedelta(hours=draw(HOURS))
                self.do(payments.apply, payment.paystack_reference, said)

    def _moment(self, draw: Any) -> datetime:
        """Now, or the last or the first moment of a day in Lagos."""
        midnight = datetime(self.now.year, self.now.month, self.now.day, tzinfo=LAGOS) + timedelta(days=1)
        back = draw(st.sampled_from([None, 0, 1, 10**6, 10**6 + 1]))
        return self.now if back is None else midnight - timedelta(microseconds=back)

    def _decide(self, refund: Refund, draw: Any) -> None:
        boss = self.people["boss"]
        self.bank.next_word = "processed"
        if draw(st.sampled_from([True, True, False])):
            self.do(refunds.approve, refund.pk, by=boss)
            self.now = self._moment(draw)
            self.do(refunds.send, refund.pk, by=boss)
        else:
            self.do(refunds.waive, refund.pk, reason="Agreed.", by=boss)

    def _pay_out(self, draw: Any) -> None:
        tunde = self.people["tunde"]
        owed = -sum(LedgerLine.objects.filter(serviceman=tunde).values_list("amount_kobo", flat=True))
        if owed > 0 and draw(st.booleans()):
            number = Payout.objects.count() + 1
            payout = Payout.objects.create(
                serviceman=tunde, amount=D(owed) / 100, reference=f"P{number}", status=PayoutStatus.PAID
            )
            lines = [ledger.Line(Account.SERVICEMAN_PAYABLE, owed, tunde.pk), ledger.Line(Account.BANK, -owed)]
            with transaction.atomic():
                self.do(ledger.post, "payout_paid", lines, dedupe_key=f"payout-{number}", payout=payout)


# --- The plain recomputation


COMES_IN = ("booking_fee_in", "final_payment_in", "money_held")
SUMS: dict[str, tuple[int, Any]] = {
    "collected": (-1, lambda e: e.kind in COMES_IN and e.account in ("CLIENT", "REVENUE_BOOKING_FEE") and not e.wrong),
    "booking_fees": (-1, lambda e: e.kind == "booking_fee_in" and e.account == "REVENUE_BOOKING_FEE"),
    "final_payments": (-1, lambda e: e.kind == "final_payment_in" and e.account == "CLIENT"),
    "gmv": (-1, lambda e: e.kind == "final_payment_in" and e.account == "CLIENT"),
    "refunded": (1, lambda e: e.kind == "refund_processed" and e.account == "REFUNDS_PAYABLE"),
    "gateway_fees": (1, lambda e: e.account == "GATEWAY_FEES"),
    "platform_revenue": (
        -1,
        lambda e: (e.kind, e.account) in (("booking_fee_in", "REVENUE_BOOKING_FEE"), ("final_payment_in", "CLIENT")),
    ),
    "held": (-1, lambda e: e.kind == "money_held" and e.account == "CLIENT" and e.wrong),
    "earned": (-1, lambda e: e.account == "SERVICEMAN_PAYABLE" and not e.payout),
    "net_revenue": (-1, lambda e: e.account in ("REVENUE_BOOKING_FEE", "REVENUE_MARKUP")),
    "payable": (-1, lambda e: e.account == "SERVICEMAN_PAYABLE"),
    "came": (1, lambda e: e.kind in COMES_IN and e.account in ("GATEWAY_CLEARING", "BANK", "GATEWAY_FEES")),
}
"""By word, the sign and the lines of docs/analytics.md; `came` is all that came in, `payable` how it moved."""


def recomputed() -> dict[date, dict[str, Any]]:
    """Every word of every day that has an entry, line by line."""
    days: dict[date, dict[str, Any]] = defaultdict(lambda: defaultdict(Decimal))
    for line in LedgerLine.objects.select_related("entry__reverses"):
        about = line.entry.reverses or line.entry  # a reversal is about what it takes back
        seen = SimpleNamespace(
            kind=about.kind,
            account=line.account,
            wrong=about.dedupe_key.endswith("-wrong"),
            payout=line.entry.payout_id,
        )
        words = days[line.entry.happened_at.astimezone(LAGOS).date()]
        for word, (sign, counts) in SUMS.items():
            if counts(seen):
                words[word] += sign * D(line.amount_kobo) / 100
        if seen.kind == "final_payment_in" and seen.account == "CLIENT":
            paid = line.entry.payment
            words["platform_revenue"] -= paid.service_request.prices.get(version=paid.price_version).estimate
        if SUMS["collected"][1](seen):
            words["payments"] += -1 if line.entry.reverses_id else 1
    return days


WORDS = [each.name for each in fields(Revenue)]


def check(first: date, last: date) -> None:
    """Days equal the recomputation, weeks and months the sums of their days, totals all of it."""
    plain = recomputed()
    by_day = analytics.revenue(first, last)
    owed = analytics.payable(first, last)
    inside = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    assert list(by_day.periods) == list(owed.periods) == inside
    for day in inside:
        for word in WORDS:
            assert getattr(by_day.periods[day], word) == plain[day][word], (day, word)
        money = by_day.periods[day]
        assert money.collected + money.held == plain[day]["came"]
        assert owed.periods[day] == sum(words["payable"] for when, words in plain.items() if when <= day)
    for group_by in ("week", "month"):
        report, balance = (of(first, last, group_by=group_by) for of in (analytics.revenue, analytics.payable))
        assert report.totals == by_day.totals
        for start, of_period in report.periods.items():
            within = [day for day in inside if _start(day, group_by) == start]
            for word in WORDS:
                assert getattr(of_period, word) == sum(getattr(by_day.periods[day], word) for day in within)
            assert balance.periods[start] == owed.periods[within[-1]]
    assert owed.closing == owed.periods[last]
    assert by_day.totals.collected == sum(row.collected for row in analytics.categories())


def _start(day: date, group_by: str) -> date:
    return day - timedelta(days=day.weekday()) if group_by == "week" else day.replace(day=1)


@pytest.fixture
def people(ada: Any, tunde: Any, boss: Any, plumbing: Category) -> dict[str, Any]:
    return {"ada": ada, "tunde": tunde, "boss": boss, "plumbing": plumbing}


SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


@settings(max_examples=12, deadline=None, suppress_health_check=SLOW, derandomize=True)
@given(data=st.data())
def test_every_word_of_every_day_equals_the_ledger(people, data):
    with ExitStack() as stack:
        stack.enter_context(transaction.atomic())
        town = Town(people)
        stack.enter_context(town.bank.holding())
        for _ in range(data.draw(st.sampled_from([1, 2, 3]))):
            town.live(data.draw)
        last = max([LAST, clock.day_of(town.now)])
        check(FIRST, last)
        # Of some of the days only: what happened outside does not count, but was owed before.
        plain, days = recomputed(), analytics.revenue(FIRST + timedelta(days=2), FIRST + timedelta(days=4))
        middle = [FIRST + timedelta(days=n) for n in (2, 3, 4)]
        assert days.totals.collected == sum(plain[day]["collected"] for day in middle)
        owed, part = analytics.payable(FIRST, last), analytics.payable(middle[0], middle[-1])
        assert part.opening == owed.periods[middle[0] - timedelta(days=1)]
        assert part.periods == {day: owed.periods[day] for day in middle}
        proven = Payment.objects.filter(status="SUCCESSFUL")
        assert analytics.revenue(FIRST, last).totals.collected == sum(p.amount for p in proven)
        transaction.set_rollback(True)


@pytest.fixture
def town(people):
    town = Town(people)
    with town.bank.holding():
        yield town


@pytest.fixture
def checkout(town):
    """A booking whose fee is being paid."""
    town.do(
        requests.book,
        category_id=town.people["plumbing"].pk,
        booking_date=LAST,
        client_address="12 Allen Avenue",
        service_description="Drips.",
        by=town.people["ada"],
    )
    town.do(payments.initialize, ServiceRequest.objects.get().pk, payment_type="INITIAL_BOOKING", by=town.people["ada"])
    return Payment.objects.get()


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=LAGOS), date(2026, 2, 28)),
        (datetime(2026, 2, 28, 23, 59, 59, tzinfo=LAGOS), date(2026, 2, 28)),
        (datetime(2026, 3, 1, 0, 0, 0, tzinfo=LAGOS), date(2026, 3, 1)),
    ],
)
def test_money_belongs_to_the_day_it_was_paid_whenever_the_proof_comes(town, checkout, moment, day):
    town.now = moment + timedelta(hours=20)
    town.do(payments.apply, checkout.paystack_reference, replace(town.bank.say(checkout, "right"), paid_at=moment))
    report = analytics.revenue(date(2026, 2, 27), date(2026, 3, 2))
    assert {start: money.collected for start, money in report.periods.items() if money.payments} == {day: D(2000)}
    assert analytics.revenue(day, day, group_by="month").totals == report.totals
    check(FIRST, LAST)


def test_a_wrong_amount_is_held_until_paystack_corrects_itself(town, checkout):
    wrong = replace(town.bank.say(checkout, "too little"), paid_at=town.now)
    town.do(payments.apply, checkout.paystack_reference, wrong)
    check(FIRST, LAST)
    money = analytics.revenue(FIRST, FIRST).totals
    assert (money.held, money.collected, money.payments) == (D("1999.99"), D(0), 0)
    town.now += timedelta(days=1)
    right = replace(town.bank.say(checkout, "right"), paid_at=town.now)
    town.do(payments.apply, checkout.paystack_reference, right)
    check(FIRST, LAST)
    days = analytics.revenue(FIRST, FIRST + timedelta(days=1)).periods
    assert [money.held for money in days.values()] == [D(0), D(0)]
    assert [money.collected for money in days.values()] == [D(0), D(2000)]


def test_take_rate_is_of_the_money_that_counted():
    money = Revenue(booking_fees=D(2000), final_payments=D(22000), collected=D(26000), platform_revenue=D(4000))
    assert money.take_rate == D("16.67")
    assert Revenue(collected=D(2000)).take_rate is None
