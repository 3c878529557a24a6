"""Which requests stand in which queue, and who may know of which."""

from datetime import timedelta

import pytest

from core import clock
from marketplace.enums import Side, Status
from marketplace.models import Issue, Offer, ServiceRequest

pytestmark = pytest.mark.django_db

QUEUES = {
    "to_assign": {"PENDING_ADMIN_ASSIGNMENT"},
    "to_price": {"SERVICEMAN_INSPECTED", "NEGOTIATING"},
    "unanswered": {"ASSIGNED_TO_SERVICEMAN"},
    "to_verify": {"WORK_COMPLETED"},
    "inspection_overdue": set(),
    "overdue": set(),
    "to_chase": set(),
    "to_lapse": set(),
    "to_expire": set(),
}
LATE_QUEUES = QUEUES | {
    "overdue": set(Status) - {"COMPLETED", "CANCELLED"},
    "to_chase": set(Status) - {"COMPLETED", "CANCELLED", "AWAITING_BOOKING_FEE", "ASSIGNED_TO_SERVICEMAN"},
    "to_lapse": {"ASSIGNED_TO_SERVICEMAN"},
    "to_expire": {"AWAITING_BOOKING_FEE"},
}


@pytest.fixture
def one_of_each(request_in):
    return {status: request_in(status) for status in Status}


def statuses(queue):
    return set(getattr(ServiceRequest.objects, queue)().values_list("status", flat=True))


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_holds_its_statuses_in_time_and_late(queue, one_of_each):
    assert statuses(queue) == QUEUES[queue]
    with clock.at(timedelta(days=30)):
        assert statuses(queue) == LATE_QUEUES[queue]


def test_late_means_after_the_very_moment(request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    with clock.at(request.due_at):
        assert not ServiceRequest.objects.to_lapse().exists()
        assert not ServiceRequest.objects.get().is_overdue
    with clock.at(request.due_at + timedelta(microseconds=1)):
        assert ServiceRequest.objects.to_lapse().exists()
        assert ServiceRequest.objects.get().is_overdue


def test_an_accepted_offer_waits_for_the_inspection_instead(request_in):
    request_in("ASSIGNED_TO_SERVICEMAN", accepted=True)
    with clock.at(timedelta(days=30)):
        assert statuses("inspection_overdue") == statuses("to_chase") == {"ASSIGNED_TO_SERVICEMAN"}
        assert statuses("unanswered") == statuses("to_lapse") == set()


def test_a_proposal_that_waits_for_the_client_is_not_the_admins_to_price(request_in):
    request_in("NEGOTIATING", waiting_on=Side.CLIENT)
    assert statuses("to_price") == set()


def test_emergencies_come_first_and_then_the_longest_waiting(request_in):
    later = request_in("PENDING_ADMIN_ASSIGNMENT")
    with clock.at(-timedelta(hours=1)):
        earlier = request_in("PENDING_ADMIN_ASSIGNMENT")
    urgent = request_in("PENDING_ADMIN_ASSIGNMENT", is_emergency=True)
    assert list(ServiceRequest.objects.to_assign()) == [urgent, earlier, later]


def test_an_open_issue_pauses_the_chase_and_a_told_deadline_ends_it(request_in):
    request = request_in("IN_PROGRESS")
    with clock.at(timedelta(days=30)):
        assert ServiceRequest.objects.to_chase().exists()
        issue = Issue.objects.create(request=request, kind="OTHER", message="?")
        assert not ServiceRequest.objects.to_chase().exists()
        Issue.objects.filter(pk=issue.pk).update(resolved_at=clock.now())
        assert ServiceRequest.objects.to_chase().exists()
        ServiceRequest.objects.update(chased_for=request.due_at)
        assert not ServiceRequest.objects.to_chase().exists()
        ServiceRequest.objects.update(due_at=request.due_at + timedelta(hours=1))
        assert ServiceRequest.objects.to_chase().exists()


def test_silence_is_about_prices_alone(one_of_each):
    assert not ServiceRequest.objects.to_give_up().exists()
    with clock.at(timedelta(days=14, seconds=1)):
        silent = set(ServiceRequest.objects.to_give_up().values_list("status", flat=True))
    assert silent == {
        "AWAITING_CLIENT_APPROVAL",
        "NEGOTIATING",
        "AWAITING_PAYMENT",
    }


def test_who_may_know_of_what(request_in, ada, eve, tunde, bola, boss, make_serviceman, make_admin):
    sani = make_serviceman("sani")
    held, unoffered, gone = request_in("IN_PROGRESS"), request_in("PENDING_ADMIN_ASSIGNMENT"), request_in("COMPLETED")
    ServiceRequest.objects.filter(pk=gone.pk).update(is_deleted=True, deleted_at=clock.now())
    Offer.objects.create(request=unoffered, serviceman=sani, rank="PRIMARY", answer="DECLINED")
    sees = {
        ada: {held, unoffered},
        eve: set(),
        tunde: {held},
        bola: {held},
        sani: {unoffered},  # he lost it, and is told so
        boss: {held, unoffered, gone},
        make_admin("viewer"): {held, unoffered, gone},
        make_admin(): set(),
        None: {held, unoffered, gone},
    }
    assert {person: set(ServiceRequest.objects.visible_to(person)) for person in sees} == sees
    lists = sees | {sani: set(), boss: {held, unoffered}}
    for person in (ada, eve, tunde, bola, sani, boss):
        assert set(ServiceRequest.objects.listed_for(person)) == lists[person]


def test_an_answer_is_shown_in_a_fixed_number_of_statements(one_of_each, django_assert_num_queries):
    def show(requests):
        for r in requests:
            _ = (r.client.name, r.category.name, r.serviceman and r.serviceman.serviceman_profile.rating)
            _ = (r.open_issues, r.open_proposal, r.open_consultation, r.answer_from, r.is_rated, r.final_is_paid)
            _ = ([p.refunds.all() for p in r.payments.all()], list(r.offers.all()), list(r.prices.all()))

    with django_assert_num_queries(8):
        show(ServiceRequest.objects.with_parties())
    with django_assert_num_queries(8):
        show(ServiceRequest.objects.with_parties().filter(status__in=["NEGOTIATING", "WORK_COMPLETED"]))
