"""Asking the serviceman about an open proposal."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from core.errors import Conflict, Forbidden, Invalid, Missing
from marketplace.enums import Side, Status
from marketplace.models import Consultation
from marketplace.services.assignment import reassign_serviceman
from marketplace.services.negotiations import (
    accept_proposal,
    answer_consultation,
    consult_serviceman,
    counter_proposal,
    reject_proposal,
    withdraw_proposal,
)
from marketplace.services.pricing import set_final_cost
from marketplace.services.requests import cancel
from marketplace.tests.trail import fresh, refused, trail

pytestmark = pytest.mark.django_db


@pytest.fixture
def haggling(request_in):
    """The client has proposed 18,000."""
    return request_in("NEGOTIATING")


@pytest.fixture
def proposal(haggling):
    return haggling.open_proposal


@pytest.fixture
def pricer(make_admin):
    return make_admin("pricing")


def test_he_is_asked_and_the_request_waits_as_before(haggling, proposal, tunde, pricer):
    with clock.at(timedelta(hours=1)) as now:
        question = consult_serviceman(proposal.pk, message="Would you do it for 18?", by=pricer)
    assert (question.negotiation, question.serviceman, question.asked_by) == (proposal, tunde, pricer)
    assert (question.question, question.asked_at, question.answered_at) == ("Would you do it for 18?", now, None)
    request = fresh(haggling)
    assert (request.status, request.waiting_on, request.due_at) == (Status.NEGOTIATING, Side.ADMIN, haggling.due_at)
    assert request.open_consultation == question
    assert trail(request) == [("consult", pricer, None, "Would you do it for 18?")]


def test_he_answers_with_the_least_he_would_work_for(haggling, proposal, tunde, pricer):
    question = consult_serviceman(proposal.pk, message="18?", by=pricer)
    with clock.at(timedelta(hours=2)) as now:
        answer_consultation(proposal.pk, message="Not below 19.", minimum_amount=Decimal(19000), by=tunde)
    question.refresh_from_db()
    assert (question.answer, question.minimum_amount, question.answered_at) == ("Not below 19.", Decimal(19000), now)
    request = fresh(haggling)
    assert (request.waiting_on, request.open_consultation) == (Side.ADMIN, None)
    assert trail(request)[1:] == [("answer", tunde, None, "Not below 19.")]
    with refused(Conflict, "already_answered"):
        answer_consultation(proposal.pk, message="18 then.", by=tunde)


def test_asking_again_closes_the_question_before_it_and_keeps_both(proposal, tunde, pricer):
    first = consult_serviceman(proposal.pk, message="18?", by=pricer)
    with clock.at(timedelta(hours=1)) as now:
        second = consult_serviceman(proposal.pk, message="And 19?", by=pricer)
    first.refresh_from_db()
    assert (first.closed_at, first.answered_at) == (now, None)
    answer_consultation(proposal.pk, message="19 is fine.", by=tunde)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.answer, second.answer) == ("", "19 is fine.")


@pytest.mark.parametrize(
    "how", ["countered", "accepted", "rejected", "withdrawn", "repriced", "reassigned", "cancelled"]
)
def test_a_question_ends_with_its_proposal(how, haggling, proposal, ada, tunde, pricer, boss, make_serviceman):
    question = consult_serviceman(proposal.pk, message="18?", by=pricer)
    with clock.at(timedelta(hours=1)) as now:
        match how:
            case "countered":
                counter_proposal(proposal.pk, amount=Decimal(1), by=pricer)
            case "accepted":
                accept_proposal(proposal.pk, by=pricer)
            case "rejected":
                reject_proposal(proposal.pk, by=pricer)
            case "withdrawn":
                withdraw_proposal(proposal.pk, by=ada)
            case "repriced":
                set_final_cost(haggling.pk, markup=Decimal(1), by=pricer)
            case "reassigned":
                sani = make_serviceman("sani")
                reassign_serviceman(haggling.pk, serviceman_id=sani.pk, replaces=tunde.pk, reason="x", by=boss)
            case "cancelled":
                cancel(haggling.pk, reason="x", by=ada)
    question.refresh_from_db()
    assert question.closed_at == now
    with refused(Conflict):
        answer_consultation(proposal.pk, message="19.", by=tunde)


def test_only_whom_was_asked_answers(proposal, ada, bola, pricer, boss):
    consult_serviceman(proposal.pk, message="18?", by=pricer)
    for by in (bola, ada, boss):
        with refused(Missing):
            answer_consultation(proposal.pk, message="Yes.", by=by)


def test_only_who_may_price_asks(proposal, ada, eve, tunde, make_admin):
    for by, refusal in ((ada, Forbidden), (make_admin("dispatcher"), Forbidden), (eve, Missing), (tunde, Missing)):
        with refused(refusal):
            consult_serviceman(proposal.pk, message="18?", by=by)


def test_questions_and_answers_have_words_and_amounts_are_some(proposal, tunde, pricer):
    with refused(Invalid, field="message"):
        consult_serviceman(proposal.pk, message=" ", by=pricer)
    consult_serviceman(proposal.pk, message="18?", by=pricer)
    with refused(Invalid, field="message"):
        answer_consultation(proposal.pk, message="", by=tunde)
    for amount in ("0", "-1", "100000000"):
        with refused(Invalid, field="minimum_amount"):
            answer_consultation(proposal.pk, message="x", minimum_amount=Decimal(amount), by=tunde)


def test_a_question_to_whom_left_is_not_the_newcomers(haggling, proposal, tunde, bola, pricer, boss):
    consult_serviceman(proposal.pk, message="18?", by=pricer)
    reassign_serviceman(haggling.pk, serviceman_id=bola.pk, replaces=tunde.pk, reason="x", by=boss)
    with refused(Conflict, "offer_withdrawn"):
        answer_consultation(proposal.pk, message="19.", by=tunde)
    with refused(Missing):
        answer_consultation(proposal.pk, message="19.", by=bola)
    assert Consultation.objects.get().answer == ""
