"""Who should do a job: ranked with reasons a person can check."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from marketplace.models import Category, Offer, Rating, ServicemanProfile, ServiceRequest, UnavailableDate
from marketplace.services.assignment import suggest
from marketplace.services.standing import reinstate_serviceman, suspend_serviceman

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(request_in):
    return request_in("PENDING_ADMIN_ASSIGNMENT")


@pytest.fixture
def rated(request_in, ada):
    """`rated(person, 5, 4)`: those ratings, each of a job of his own."""

    def rated(person, *stars, **fields):
        for star in stars:
            job = request_in("COMPLETED", serviceman=person)
            Rating.objects.create(service_request=job, client=ada, serviceman=person, rating=star, **fields)
        ServicemanProfile.objects.recompute(person.pk)

    return rated


def names(waiting, **more):
    return [s.profile.user.first_name for s in suggest([waiting], **more)[waiting.pk]]


def test_only_those_who_can_do_it(waiting, make_serviceman, request_in):
    roofing = Category.objects.create(name="Roofing", description="-")
    make_serviceman("sani")
    make_serviceman("pending", profile={"approval": "PENDING"})
    make_serviceman("away", profile={"is_available": False})
    make_serviceman("roofer", profile={"category": roofing})
    make_serviceman("gone", is_active=False)
    make_serviceman("unverified", is_email_verified=False)
    UnavailableDate.objects.create(serviceman=make_serviceman("blocked"), date=waiting.booking_date)
    Offer.objects.create(request=waiting, serviceman=make_serviceman("no"), rank="PRIMARY", answer="DECLINED")
    Offer.objects.create(request=waiting, serviceman=make_serviceman("silent"), rank="PRIMARY", answer="LAPSED")
    assert set(names(waiting, limit=50)) == {"Sani", "Tunde", "Bola", "Silent"}


def test_one_five_does_not_beat_forty_that_are_nearly_fives(waiting, tunde, bola, rated):
    rated(bola, 5)
    rated(tunde, *[5] * 32, *[4] * 8)
    ServicemanProfile.objects.update(total_jobs_completed=0)
    assert names(waiting)[:2] == ["Tunde", "Bola"]
    scores = {s.profile.user_id: s.score for s in suggest([waiting])[waiting.pk]}
    assert scores[tunde.pk] == pytest.approx((5 * 4 + 192) / 45)
    assert scores[bola.pk] == pytest.approx((5 * 4 + 5) / 6)


def test_hidden_ratings_do_not_count(waiting, tunde, bola, rated):
    rated(tunde, 1, 1, 1, hidden_at=clock.now())
    rated(tunde, 5)
    ServicemanProfile.objects.update(total_jobs_completed=0)
    best = suggest([waiting])[waiting.pk][0]
    assert (best.profile.user, best.score) == (tunde, pytest.approx(25 / 6))
    assert "Rated 5.00 by 1" in best.reasons


def test_before_anybody_is_rated_all_are_worth_the_same(waiting, tunde, bola):
    assert [s.score for s in suggest([waiting])[waiting.pk]] == [4, 4]


def test_where_ratings_are_poor_a_newcomer_is_no_better(waiting, tunde, bola, rated):
    rated(tunde, 2, 4)
    ServicemanProfile.objects.update(total_jobs_completed=0)
    assert [s.score for s in suggest([waiting])[waiting.pk]] == [3, 3]


def test_whom_the_client_asked_for_comes_first_and_it_says_so(request_in, tunde, bola, rated):
    rated(bola, 5, 5, 5)
    rated(tunde, 1)
    waiting = request_in("PENDING_ADMIN_ASSIGNMENT", preferred_serviceman=tunde)
    best = suggest([waiting])[waiting.pk][0]
    assert (best.profile.user, best.reasons[0]) == (tunde, "Asked for by the client")


def test_a_busy_man_comes_later(waiting, request_in, tunde, bola):
    request_in("IN_PROGRESS", serviceman=tunde)
    request_in("COMPLETED", serviceman=bola)
    best, second = suggest([waiting])[waiting.pk]
    assert (best.profile.user, second.profile.user) == (bola, tunde)
    assert "No open job" in best.reasons
    assert "1 open job" in second.reasons


def test_who_often_declines_comes_later(waiting, request_in, tunde, bola):
    for answer in ("DECLINED", "ACCEPTED", "WITHDRAWN", "DECLINED"):
        Offer.objects.create(request=request_in("CANCELLED"), serviceman=tunde, rank="PRIMARY", answer=answer)
    second = suggest([waiting])[waiting.pk][1]
    assert (second.profile.user, second.score) == (tunde, pytest.approx(3.25))
    assert "Declined 3 of 4 offers" in second.reasons


def test_what_was_taken_from_him_is_no_answer_of_his(waiting, request_in, tunde, bola):
    for answer in ("TAKEN_BACK", "CLOSED", None):
        Offer.objects.create(request=request_in("CANCELLED"), serviceman=tunde, rank="PRIMARY", answer=answer)
    best = suggest([waiting])[waiting.pk][0]
    assert (best.profile.user, best.score) == (tunde, 4)
    assert not any("offer" in reason for reason in best.reasons)


def test_who_does_not_answer_comes_later_too(waiting, request_in, tunde, bola):
    asked = {"rank": "PRIMARY", "respond_by": clock.now()}
    late = {"answer": "LAPSED", "answered_at": clock.now() + timedelta(seconds=1)}
    for answer in (late, late, {"answer": "ACCEPTED"}, {"answer": "DECLINED"}):
        Offer.objects.create(request=request_in("CANCELLED"), serviceman=tunde, **asked, **answer)
    Offer.objects.create(request=request_in("CANCELLED"), serviceman=bola, **asked, **late)
    second, third = suggest([waiting], limit=9)[waiting.pk]
    assert (second.profile.user, second.score) == (tunde, pytest.approx(3.25))
    assert second.reasons[-2:] == ["Declined 1 of 2 offers", "Did not answer 2 offers"]
    assert (third.profile.user, third.score, third.reasons[-1]) == (bola, 3, "Did not answer 1 offer")


def test_an_offer_that_ended_with_a_suspension_was_not_left_unanswered(waiting, request_in, tunde, boss):
    request_in("ASSIGNED_TO_SERVICEMAN")
    suspend_serviceman(tunde.pk, reason="Complaints.", by=boss)
    reinstate_serviceman(tunde.pk, reason="Cleared.", by=boss)
    mine = next(each for each in suggest([waiting])[waiting.pk] if each.profile.user == tunde)
    assert not any("answer" in reason for reason in mine.reasons)


def test_the_reasons_are_those_an_admin_checks(waiting, tunde, bola):
    best = suggest([waiting])[waiting.pk][0]
    assert best.reasons == [
        "Plumbing",
        f"Free on {waiting.booking_date:%-d %b}",
        "Not rated yet",
        "0 jobs done",
        "No open job",
    ]


def test_ties_are_broken_the_same_way_every_time(waiting, tunde, bola):
    assert names(waiting) == ["Tunde", "Bola"]
    assert names(waiting, limit=1) == ["Tunde"]


def test_nobody_waits_nobody_is_suggested(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert suggest([]) == {}


def test_the_statements_do_not_grow_with_servicemen_or_requests(
    waiting, request_in, make_serviceman, tunde, bola, rated
):
    def statements(requests):
        with CaptureQueriesContext(connection) as asked:
            ranked = suggest(requests)
            [reason for found in ranked.values() for s in found for reason in (*s.reasons, s.profile.user.name)]
        assert all(len(found) == min(5, ServicemanProfile.objects.count()) for found in ranked.values())
        return len(asked)

    make_serviceman("third")
    few = statements([waiting])
    for number in range(57):
        make_serviceman(f"man-{number}")
    rated(tunde, 5, 4)
    more = [request_in("PENDING_ADMIN_ASSIGNMENT", booking_date=clock.today() + timedelta(days=d)) for d in range(9)]
    assert ServicemanProfile.objects.count() == 60
    assert statements([waiting, *more]) == few <= 6
    assert ServiceRequest.objects.to_assign().count() == 10
