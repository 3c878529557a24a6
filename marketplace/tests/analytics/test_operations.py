"""How the work goes: each word of operations on lives that were lived with the services, on both engines."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from marketplace import analytics
from marketplace.analytics import Spread
from marketplace.analytics.spread import MEDIAN, P90, quantile, seconds
from marketplace.models import Payment, Rating, ServiceRequest
from marketplace.services import assignment, negotiations, payments, pricing, ratings, requests, work
from marketplace.tests.bank import Bank

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = date(2026, 3, 2)
D = Decimal


class Life:
    """A request whose steps are taken so many hours after Monday morning."""

    def __init__(self, people, bank, client=None):
        self.people, self.bank, self.client = people, bank, client or people["ada"]
        self.pk = 0

    def at(self, hours, service, *args, **facts):
        with clock.at(MONDAY + timedelta(hours=hours)):
            return service(*args, **facts)

    def book(self, hours):
        days = clock.day_of(MONDAY + timedelta(hours=hours)) + timedelta(days=9)
        self.pk = self.at(
            hours,
            requests.book,
            category_id=self.people["plumbing"].pk,
            booking_date=days,
            client_address="12 Allen Avenue",
            service_description="Drips.",
            by=self.client,
        ).pk
        return self

    def pay(self, hours, kind="INITIAL_BOOKING"):
        with clock.at(MONDAY + timedelta(hours=hours)):
            payments.initialize(self.pk, payment_type=kind, by=self.client)
            payment = Payment.objects.filter(service_request=self.pk, payment_type=kind).latest("pk")
            payments.apply(payment.paystack_reference, self.bank.say(payment, "right"))
        return self

    def assign(self, hours, backup=True):
        facts = {"serviceman_id": self.people["tunde"].pk, "backup_id": self.people["bola"].pk if backup else None}
        self.at(hours, assignment.assign_serviceman, self.pk, by=self.people["boss"], **facts)
        return self

    def accept(self, hours, who="tunde"):
        self.at(hours, assignment.accept_job, self.pk, by=self.people[who])
        return self

    def estimate(self, hours, who="tunde", amount="20000"):
        self.at(hours, work.submit_estimate, self.pk, amount=D(amount), by=self.people[who])
        return self

    def price(self, hours, markup="10"):
        self.at(hours, pricing.set_final_cost, self.pk, markup=D(markup), by=self.people["boss"])
        return self

    def approve(self, hours):
        version = ServiceRequest.objects.get(pk=self.pk).price_version
        self.at(hours, pricing.approve_price, self.pk, price_version=version, by=self.client)
        return self

    def finish(self, hours, who="tunde"):
        self.at(hours, work.start_work, self.pk, by=self.people[who])
        self.at(hours + 1, work.mark_work_completed, self.pk, by=self.people[who])
        self.at(hours + 2, work.verify_completion, self.pk, by=self.people["boss"])
        return self

    def to_the_end(self, hours):
        """Everything, an hour a step."""
        self.book(hours).pay(hours).assign(hours + 1).accept(hours + 2).estimate(hours + 3).price(hours + 4)
        return self.approve(hours + 5).pay(hours + 6, "FINAL_PAYMENT").finish(hours + 7)


@pytest.fixture
def life(ada, tunde, bola, boss, plumbing):
    people = {"ada": ada, "tunde": tunde, "bola": bola, "boss": boss, "plumbing": plumbing}
    bank = Bank()
    with bank.holding():
        yield lambda client=None: Life(people, bank, client)


def totals(first=DAY, last=DAY + timedelta(days=6), **more):
    return analytics.operations(first, last, **more).totals


def test_a_straight_life(life):
    life().to_the_end(0)
    found = totals()
    assert (found.booked, found.confirmed, found.completed, found.cancelled) == (1, 1, 1, 0)
    for word in ("assign", "accept", "inspect", "price", "pay"):
        assert getattr(found, f"time_to_{word}") == Spread(3600, 3600, 1), word
    assert found.time_to_complete == Spread(3 * 3600, 3 * 3600, 1)
    assert (found.fill_rate, found.conversion_rate, found.completion_rate) == (D(100), D(100), D(100))
    assert (found.accepted, found.declined, found.lapsed, found.backup_rate) == (1, 0, 0, None)
    assert (found.negotiation_rate, found.rounds, found.average_discount) == (D(0), None, None)
    assert (found.active_servicemen, found.utilisation) == (1, D(50))
    assert found.cancellations == {}


def test_nothing_is_null_and_not_0(life):
    found = totals()
    words = "completion_rate fill_rate decline_rate lapse_rate backup_rate conversion_rate rounds repeat_rate"
    assert [getattr(found, word) for word in words.split()] == [None] * 8
    assert (found.time_to_assign, found.average_rating) == (Spread(), None)
    assert (found.booked, found.utilisation) == (0, D(0))


def test_the_second_man_counts_from_when_he_got_it(life, tunde):
    one = life().book(0).pay(0).assign(1)
    one.at(2, assignment.decline_job, one.pk, reason="Far.", by=tunde)
    one.accept(5, "bola").estimate(9, "bola").estimate(11, "bola").price(12).price(20)
    found = totals()
    assert found.time_to_accept == Spread(3 * 3600, 3 * 3600, 1)
    assert found.time_to_inspect == Spread(4 * 3600, 4 * 3600, 1)
    assert found.time_to_price == Spread(3600, 3600, 1)
    assert (found.backup_rate, found.decline_rate, found.quoted, found.conversion_rate) == (D(100), D(50), 1, D(0))


def test_a_request_quoted_twice_is_one_quoted_request(life, tunde):
    one = life().book(0).pay(0).assign(1).accept(2).estimate(3).price(4)
    one.at(5, assignment.withdraw_from_job, one.pk, reason="Ill.", by=tunde)
    one.accept(6, "bola").estimate(7, "bola").price(8)
    assert (totals().quoted, totals().time_to_price.count) == (1, 2)


def test_without_a_backup_an_admin_assigns_anew(life, tunde):
    one = life().book(0).pay(0).assign(1, backup=False)
    one.at(2, assignment.decline_job, one.pk, reason="Far.", by=tunde)
    two = life().book(0).pay(0).assign(3, backup=False)
    two.at(3 + 13, assignment.lapse_offer, two.pk)
    two.assign(20)
    found = totals()
    assert found.time_to_assign == Spread(3 * 3600, round(3.8 * 3600), 3)  # 1, 3 and 4 hours
    assert (found.backup_rate, found.fill_rate, found.decline_rate, found.lapse_rate) == (D(0), D(0), D(50), D(50))


def test_who_cancelled_how_far_along(life, ada, tunde, boss):
    one = life().book(0)
    one.at(1, requests.soft_delete, one.pk, by=ada)
    two = life().book(0).pay(0)
    two.at(1, requests.cancel, two.pk, reason="No.", by=boss)
    three = life().book(0).pay(0).assign(1).accept(2)
    three.at(3, requests.cancel, three.pk, reason="No.", by=ada)
    three.at(4, requests.soft_delete, three.pk, by=ada)
    four = life().book(0).pay(0).assign(1).accept(2).estimate(3).price(4).approve(5).pay(6, "FINAL_PAYMENT")
    four.at(7, requests.cancel, four.pk, reason="No.", by=ada)
    five = life().book(0)
    five.at(25, payments.expire, five.pk)
    six = life().book(0).pay(0).assign(1, backup=False).accept(2).estimate(3).price(4).approve(5)
    six.pay(6, "FINAL_PAYMENT").at(7, assignment.withdraw_from_job, six.pk, reason="Ill.", by=tunde)
    six.at(8, requests.cancel, six.pk, reason="No.", by=boss)  # nobody has it, but it is paid
    found = totals()
    assert found.cancellations == {
        ("UNPAID", "CLIENT"): 1,
        ("UNACCEPTED", "ADMIN"): 1,
        ("ACCEPTED", "CLIENT"): 1,
        ("PAID", "CLIENT"): 1,
        ("UNPAID", "SYSTEM"): 1,
        ("PAID", "ADMIN"): 1,
    }
    assert (found.cancelled, found.cancellation_rate) == (6, D(100))


def test_rounds_and_discount_are_of_negotiated_jobs_that_were_paid(life, ada, boss):
    life().to_the_end(0)
    one = life().book(0).pay(0).assign(1).accept(2).estimate(3).price(4)  # 22,000
    first = one.at(5, negotiations.propose_price, one.pk, amount=D(18000), by=ada)
    second = one.at(6, negotiations.counter_proposal, first.pk, amount=D(20900), by=boss)
    one.at(7, negotiations.accept_proposal, second.pk, by=ada)
    one.pay(8, "FINAL_PAYMENT")
    given_up = life().book(0).pay(0).assign(1).accept(2).estimate(3).price(4)
    given_up.at(5, negotiations.propose_price, given_up.pk, amount=D(1), by=ada)
    found = totals()
    assert (found.negotiation_rate, found.rounds, found.average_discount) == (D(50), D(2), D(5))
    assert (found.quoted, found.conversion_rate) == (3, D("66.67"))


def test_clients_who_come_again(life, make_client):
    kemi = make_client("kemi")
    life().book(-24 * 30).pay(-24 * 30)
    life().book(0).pay(0)
    life(kemi).book(1).pay(1)
    life(kemi).book(30).pay(30)
    days = analytics.operations(DAY, DAY + timedelta(days=1))
    assert (days.totals.clients, days.totals.repeat_rate) == (2, D(100))
    assert [(day.clients, day.repeat_rate) for day in days.periods.values()] == [(2, D(50)), (1, D(100))]


def test_ratings_without_hidden_ones(life, ada):
    for number, stars in enumerate((5, 4, 1)):
        one = life().to_the_end(number)
        one.at(50 + number, ratings.rate, one.pk, rating=stars, by=ada)
    Rating.objects.filter(rating=1).update(hidden_at=clock.now())
    assert (totals().ratings, totals().average_rating) == (2, D("4.50"))


def test_each_step_counts_on_its_own_day_in_lagos(life):
    midnight = 14  # 23:00 UTC
    life().to_the_end(midnight - 2 - 1 / 3600)  # accepted a second before midnight
    days = analytics.operations(DAY, DAY + timedelta(days=1)).periods
    assert [day.accepted for day in days.values()] == [1, 0]
    assert [day.completed for day in days.values()] == [0, 1]
    life().book(0).pay(0).assign(midnight - 1).accept(midnight)
    days = analytics.operations(DAY, DAY + timedelta(days=1)).periods
    assert [day.accepted for day in days.values()] == [1, 1]


def test_the_period_before_is_as_long_or_as_many_months(life):
    life().to_the_end(-24 * 3)  # Friday 27 February
    week = analytics.operations(DAY, DAY + timedelta(days=6), group_by="week")
    assert (week.before.completed, week.totals.completed) == (1, 0)
    assert (week.span_before.start, week.span_before.end) == (date(2026, 2, 23), date(2026, 3, 1))
    month = analytics.operations(DAY.replace(day=1), DAY.replace(day=31), group_by="month")
    assert (month.span_before.start, month.span_before.end) == (date(2026, 2, 1), date(2026, 2, 28))
    assert month.before.completed == 1
    days = analytics.operations(DAY.replace(day=1), DAY.replace(day=31))
    assert days.span_before.start == date(2026, 1, 29)


def test_medians_are_those_of_a_plain_recomputation(life):
    """On every engine the suite runs on: PostgreSQL computes them itself, for SQLite we do."""
    took = [0.5, 1, 1.7, 2, 2.25, 7, 9.123, 30]
    for number, wait in enumerate(took):
        life().book(number).pay(number).assign(number + wait)
    found = totals().time_to_assign
    micro = sorted(round(timedelta(hours=number + wait) / timedelta(microseconds=1)) - number * 3600 * 10**6
                   for number, wait in enumerate(took))  # fmt: skip
    assert found.count == len(took)
    assert found.median == round((micro[3] + micro[4]) / 2 / 10**6)
    assert found.p90 == round((micro[6] + Fraction(3, 10) * (micro[7] - micro[6])) / 10**6)


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=40))
def test_a_quantile_lies_where_percentile_cont_says(values):
    durations = [timedelta(seconds=each) for each in values]
    ordered = sorted(values)
    for part in (MEDIAN, P90):
        place = part * (len(values) - 1)
        low, high = ordered[int(place)], ordered[min(int(place) + 1, len(values) - 1)]
        exact = low + (high - low) * (place - int(place))
        assert abs(seconds(quantile(durations, part)) - exact) <= Fraction(1, 2)
    assert quantile([], MEDIAN) is None


def test_it_takes_the_same_statements_for_1_20_and_100_requests(request_in, tunde, bola, boss):
    cost, made = set(), 0
    for size in (1, 20, 100):
        for _ in range(size - made):
            waits = request_in("PENDING_ADMIN_ASSIGNMENT")
            assignment.assign_serviceman(waits.pk, serviceman_id=tunde.pk, backup_id=bola.pk, by=boss)
        made = size
        for days, group_by in ((0, "day"), (90, "day"), (3000, "month")):
            with CaptureQueriesContext(connection) as captured:
                found = analytics.overview(clock.today() - timedelta(days=days), clock.today(), group_by=group_by)
            assert found.totals["time_to_assign"].count == size
            cost.add(len(captured))
    assert cost == {19}
