"""Haggling: proposals and their answers. One is open at a time, and the thread is kept."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from core.errors import Conflict, Forbidden, Invalid, Missing
from marketplace.enums import Side, Status
from marketplace.models import Payment, Price, PriceNegotiation
from marketplace.services.negotiations import (
    accept_proposal,
    counter_proposal,
    propose_price,
    reject_proposal,
    withdraw_proposal,
)
from marketplace.services.pricing import set_final_cost
from marketplace.tests.trail import fresh, refused, trail

pytestmark = pytest.mark.django_db

OFFER = Decimal("18000.00")


@pytest.fixture
def pricer(make_admin):
    return make_admin("pricing")


@pytest.fixture
def open_one(request_in, ada, pricer):
    """`open_one(by)`: a request at 4 on which that person has proposed 18,000."""

    def open_one(by, status="AWAITING_CLIENT_APPROVAL"):
        request = request_in(status)
        return request, propose_price(request.pk, amount=OFFER, message="18?", by=by)

    return open_one


@pytest.mark.parametrize("status", ["AWAITING_CLIENT_APPROVAL", "AWAITING_PAYMENT"])
@pytest.mark.parametrize(("who", "answers"), [("ada", Side.ADMIN), ("pricer", Side.CLIENT)])
def test_the_other_side_must_answer_a_proposal(who, answers, status, open_one, request):
    by = request.getfixturevalue(who)
    with clock.at(timedelta(hours=1)) as now:
        before, proposal = open_one(by, status)
    after = fresh(before)
    assert (after.status, after.waiting_on) == (Status.NEGOTIATING, answers)
    assert (after.status_since, after.due_at) == (now, now + timedelta(hours=24))
    assert (after.final_cost, after.price_version) == (before.final_cost, before.price_version)
    assert (proposal.proposed_by, proposal.proposed_amount, proposal.message) == (by, OFFER, "18?")
    assert (proposal.status, proposal.parent_negotiation, proposal.created_at) == ("PENDING", None, now)
    assert trail(before) == [("propose_price", by, None, "18?")]


def test_proposing_ends_the_checkout_of_the_old_price(request_in, ada):
    request = request_in("AWAITING_PAYMENT")
    Payment.objects.create(service_request=request, payment_type="FINAL_PAYMENT", amount=1, paystack_reference="open")
    propose_price(request.pk, amount=OFFER, by=ada)
    assert Payment.objects.get(paystack_reference="open").outcome == "SUPERSEDED"


def test_there_is_one_open_proposal_at_a_time(open_one, ada, pricer):
    request, _ = open_one(ada)
    for by in (ada, pricer):
        with refused(Conflict):
            propose_price(request.pk, amount=OFFER, by=by)


@pytest.mark.parametrize("amount", ["0", "-1", "100000000"])
def test_it_refuses_an_amount_that_is_none(request_in, open_one, ada, pricer, amount):
    request = request_in("AWAITING_CLIENT_APPROVAL")
    with refused(Invalid, "out_of_range", field="proposed_amount"):
        propose_price(request.pk, amount=Decimal(amount), by=ada)
    _, proposal = open_one(ada)
    with refused(Invalid, "out_of_range", field="proposed_amount"):
        counter_proposal(proposal.pk, amount=Decimal(amount), by=pricer)


def test_a_counter_takes_the_place_of_what_it_answers(open_one, ada, pricer):
    before, first = open_one(ada)
    with clock.at(timedelta(hours=5)) as now:
        second = counter_proposal(first.pk, amount=Decimal(20000), message="20!", by=pricer)
    request = fresh(before)
    first.refresh_from_db()
    assert (first.status, second.status, second.parent_negotiation) == ("COUNTERED", "PENDING", first)
    assert (request.status, request.waiting_on, request.open_proposal) == (Status.NEGOTIATING, Side.CLIENT, second)
    assert (request.status_since, request.due_at) == (now, now + timedelta(hours=24))
    assert trail(request)[1:] == [("counter", pricer, None, "20!")]
    third = counter_proposal(second.pk, amount=Decimal(19000), by=ada)
    assert fresh(before).open_proposal == third


@pytest.mark.parametrize(("who", "answerer"), [("ada", "pricer"), ("pricer", "ada")])
def test_a_yes_makes_it_the_price_that_both_have_agreed_to(who, answerer, open_one, ada, request):
    by, other = request.getfixturevalue(who), request.getfixturevalue(answerer)
    before, proposal = open_one(by)
    with clock.at(timedelta(hours=5)) as now:
        accept_proposal(proposal.pk, message="Fine.", by=other)
    after = fresh(before)
    proposal.refresh_from_db()
    assert proposal.status == "ACCEPTED"
    assert (after.status, after.waiting_on) == (Status.AWAITING_PAYMENT, Side.CLIENT)
    assert (after.status_since, after.due_at) == (now, now + timedelta(hours=72))
    assert (after.final_cost, after.admin_markup_percentage, after.price_version) == (OFFER, None, 2)
    assert after.serviceman_estimated_cost == before.serviceman_estimated_cost
    price = Price.objects.get(version=2)
    assert (price.final, price.markup, price.by, price.agreed_at) == (OFFER, None, other, now)
    assert price.reason == "Fine."  # 18,000 is below the estimate of 20,000: there is a reason
    assert Price.objects.get(version=1).agreed_at is None
    steps = [row[:2] for row in trail(after)]
    assert steps == [("propose_price", by), ("accept_proposal", other), ("approve_price", ada)]


@pytest.mark.parametrize(("who", "answerer"), [("ada", "pricer"), ("pricer", "ada")])
@pytest.mark.parametrize(
    ("end", "step"), [(reject_proposal, "reject_proposal"), (withdraw_proposal, "withdraw_proposal")]
)
def test_a_no_leaves_the_price_as_it_was(end, step, who, answerer, open_one, request):
    author, other = request.getfixturevalue(who), request.getfixturevalue(answerer)
    by, wrong = (author, other) if step == "withdraw_proposal" else (other, author)
    before, proposal = open_one(author)
    with refused(Forbidden):
        end(proposal.pk, by=wrong)
    with clock.at(timedelta(hours=5)) as now:
        end(proposal.pk, message="No.", by=by)
    after = fresh(before)
    proposal.refresh_from_db()
    assert proposal.status == {"reject_proposal": "REJECTED", "withdraw_proposal": "WITHDRAWN"}[step]
    assert (after.status, after.waiting_on) == (Status.AWAITING_CLIENT_APPROVAL, Side.CLIENT)
    assert (after.final_cost, after.admin_markup_percentage, after.price_version) == (
        before.final_cost,
        before.admin_markup_percentage,
        before.price_version,
    )
    assert after.due_at == now + timedelta(hours=72)
    assert Price.objects.count() == 1
    assert trail(after)[1:] == [(step, by, None, "No.")]


@pytest.mark.parametrize("answer", [
    lambda n, by: counter_proposal(n, amount=OFFER, by=by),
    lambda n, by: accept_proposal(n, by=by),
])  # fmt: skip
@pytest.mark.parametrize("who", ["ada", "pricer"])
def test_nobody_answers_himself_nor_a_colleague_his_own_side(answer, who, open_one, boss, request):
    author = request.getfixturevalue(who)
    _, proposal = open_one(author)
    for by in [author] + ([boss] if who == "pricer" else []):
        with refused(Forbidden):
            answer(proposal.pk, by)


ANSWERS = [
    lambda n, by: counter_proposal(n, amount=OFFER, by=by),
    lambda n, by: accept_proposal(n, by=by),
    lambda n, by: reject_proposal(n, by=by),
    lambda n, by: withdraw_proposal(n, by=by),
]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("ended", ["countered", "accepted", "repriced"])
def test_what_is_answered_cannot_be_answered_again(answer, ended, open_one, ada, pricer):
    request, proposal = open_one(ada)
    match ended:
        case "countered":
            counter_proposal(proposal.pk, amount=OFFER, by=pricer)
        case "accepted":
            accept_proposal(proposal.pk, by=pricer)
        case "repriced":
            set_final_cost(request.pk, markup=Decimal(1), by=pricer)
    for by in (ada, pricer):
        with refused(Conflict, "already_answered"):
            answer(proposal.pk, by)


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_stranger_knows_of_no_negotiation(answer, open_one, ada, eve, tunde, make_admin):
    _, proposal = open_one(ada)
    clerk = make_admin()
    for by in (eve, tunde, clerk):
        with refused(Missing):
            answer(proposal.pk, by)
    viewer = make_admin("viewer")
    with refused(Forbidden):
        answer(proposal.pk, viewer)


def test_the_thread_is_kept(open_one, ada, pricer):
    request, first = open_one(ada)
    second = counter_proposal(first.pk, amount=Decimal(21000), by=pricer)
    accept_proposal(second.pk, by=ada)
    rows = PriceNegotiation.objects.filter(service_request=request).values_list("proposed_amount", "status")
    assert list(rows) == [(OFFER, "COUNTERED"), (Decimal(21000), "ACCEPTED")]
