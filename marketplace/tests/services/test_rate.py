"""The client says how it was, once; means are exact and come from rows."""

from decimal import Decimal

import pytest

from core.errors import Conflict, Forbidden, Invalid, Missing
from marketplace.models import Rating, ServicemanProfile
from marketplace.services.ratings import moderate_rating, rate, reply_to_rating
from marketplace.tests.trail import fresh, refused, trail

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(request_in):
    return request_in("COMPLETED")


def mean(person):
    return ServicemanProfile.objects.get(user=person).rating


def test_it_counts_for_the_serviceman(done, ada, tunde, bola):
    row = rate(done.pk, rating=4, review="Clean work.", by=ada)
    assert (row.service_request, row.client, row.serviceman) == (done, ada, tunde)
    assert (row.rating, row.review, row.hidden_at, row.reply) == (4, "Clean work.", None, "")
    assert (mean(tunde), mean(bola)) == (Decimal("4.00"), Decimal("0.00"))
    assert fresh(done).is_rated
    assert (fresh(done).status, fresh(done).updated_at > done.updated_at) == ("COMPLETED", True)
    assert trail(done) == [("rate", ada, None, "")]


def test_the_mean_is_plain_and_rounded_half_up(request_in, ada, tunde):
    for stars in (5, 4, 4, 5, 5, 5, 5, 4):  # 4.625
        rate(request_in("COMPLETED").pk, rating=stars, by=ada)
    assert mean(tunde) == Decimal("4.63")
    rate(request_in("COMPLETED").pk, rating=1, by=ada)  # 38 / 9
    assert mean(tunde) == Decimal("4.22")
    assert ServicemanProfile.objects.get(user=tunde).total_jobs_completed == 9


def test_once(done, ada):
    rate(done.pk, rating=5, by=ada)
    with refused(Conflict, "already_rated"):
        rate(done.pk, rating=1, by=ada)


@pytest.mark.parametrize("stars", [0, 6, -1, 99])
def test_it_refuses_what_is_not_one_to_five(done, ada, stars):
    with refused(Invalid, "out_of_range", field="rating"):
        rate(done.pk, rating=stars, by=ada)


def test_nobody_else_rates(done, eve, tunde, boss):
    with refused(Missing):
        rate(done.pk, rating=5, by=eve)
    for by in (tunde, boss):
        with refused(Forbidden):
            rate(done.pk, rating=5, by=by)


def test_a_hidden_rating_does_not_count_and_counts_again_when_shown(request_in, ada, tunde, make_admin):
    dispatcher = make_admin("dispatcher")
    rate(request_in("COMPLETED").pk, rating=5, by=ada)
    bad = rate(request_in("COMPLETED").pk, rating=1, by=ada)
    with refused(Invalid, "reason_required", field="reason"):
        moderate_rating(bad.pk, hide=True, reason="", by=dispatcher)
    moderate_rating(bad.pk, hide=True, reason="Abuse.", by=dispatcher)
    bad.refresh_from_db()
    assert (bad.hidden_by, bad.hidden_reason, mean(tunde)) == (dispatcher, "Abuse.", Decimal("5.00"))
    assert [r.rating for r in Rating.objects.visible()] == [5]
    moderate_rating(bad.pk, hide=False, reason="", by=dispatcher)
    assert mean(tunde) == Decimal("3.00")


def test_only_who_may_verify_hides(done, ada, tunde, make_admin):
    row = rate(done.pk, rating=1, by=ada)
    for by in (ada, tunde, make_admin("pricing")):
        with refused(Forbidden):
            moderate_rating(row.pk, hide=True, reason="x", by=by)


def test_he_replies_once(done, ada, tunde, bola, boss):
    row = rate(done.pk, rating=3, by=ada)
    for by in (bola, ada, boss):
        with refused(Forbidden):
            reply_to_rating(row.pk, reply="Thanks.", by=by)
    with refused(Invalid, field="reply"):
        reply_to_rating(row.pk, reply=" ", by=tunde)
    assert reply_to_rating(row.pk, reply="Thanks.", by=tunde).replied_at
    with refused(Conflict, "already_replied"):
        reply_to_rating(row.pk, reply="Thanks!", by=tunde)
    with refused(Missing):
        reply_to_rating(987654, reply="Thanks.", by=tunde)


def test_nobody_replies_to_what_is_hidden(done, ada, tunde, boss):
    row = rate(done.pk, rating=3, by=ada)
    moderate_rating(row.pk, hide=True, reason="x", by=boss)
    with refused(Missing):
        reply_to_rating(row.pk, reply="Thanks.", by=tunde)
