"""GET /api/service-requests/ and its summary."""

from datetime import timedelta

import pytest

from core import clock
from marketplace.services import assignment, issues

PATH = "/api/service-requests/"


def ids(caller, query=""):
    answer = caller.get(f"{PATH}{query}")
    assert answer.status_code == 200, answer.content
    return [item["id"] for item in answer.json()["items"]]


def test_a_client_lists_her_own_newest_first(as_, ada, eve, request_in):
    first, second = request_in("AWAITING_BOOKING_FEE"), request_in("IN_PROGRESS")
    request_in("IN_PROGRESS", client=eve)
    assert ids(as_(ada)) == [second.pk, first.pk]


def test_a_serviceman_lists_his_jobs_and_those_he_is_next_in_line_for(as_, tunde, bola, make_serviceman, request_in):
    own, other = request_in("IN_PROGRESS"), request_in("ASSIGNED_TO_SERVICEMAN", backup_serviceman=None)
    assert ids(as_(tunde)) == [other.pk, own.pk]
    assert ids(as_(bola)) == [own.pk]
    assert ids(as_(make_serviceman("sani"))) == []


def test_a_dead_offer_leaves_the_list(as_, tunde, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    assignment.decline_job(request.pk, reason="I am ill.", by=tunde)
    assert ids(as_(tunde)) == []


def test_an_admin_lists_all_if_he_may_view(as_, boss, make_admin, eve, request_in):
    mine, hers = request_in("IN_PROGRESS"), request_in("COMPLETED", client=eve)
    assert ids(as_(boss)) == ids(as_(make_admin("viewer"))) == [hers.pk, mine.pk]
    assert as_(make_admin()).get(PATH).status_code == 403


def test_deleted_ones_are_in_nobodys_list(as_, ada, boss, request_in):
    request_in("COMPLETED", is_deleted=True, deleted_at=clock.now())
    assert ids(as_(ada)) == ids(as_(boss)) == []


def test_each_reader_sees_his_own_side_of_every_row(as_, ada, tunde, bola, boss, request_in):
    request_in("AWAITING_PAYMENT")
    (row,) = as_(tunde).get(PATH).json()["items"]
    assert (row["final_cost"], row["serviceman_estimated_cost"]) == (None, "20000.00")
    (row,) = as_(ada).get(PATH).json()["items"]
    assert (row["final_cost"], row["serviceman_estimated_cost"]) == ("22000.00", None)
    (row,) = as_(bola).get(PATH).json()["items"]
    assert (row["final_cost"], row["serviceman_estimated_cost"], row["available_actions"]) == (None, None, [])
    (row,) = as_(boss).get(PATH).json()["items"]
    assert (row["final_cost"], row["serviceman_estimated_cost"]) == ("22000.00", "20000.00")


def test_a_row_says_what_the_request_itself_says(as_, ada, tunde, bola, boss, request_in):
    request = request_in("NEGOTIATING")
    for person in (ada, tunde, bola, boss):
        (row,) = as_(person).get(PATH).json()["items"]
        assert row == as_(person).get(f"{PATH}{request.pk}/").json()


def test_status_may_be_repeated(as_, ada, request_in):
    paid, working, _ = request_in("PAYMENT_CONFIRMED"), request_in("IN_PROGRESS"), request_in("COMPLETED")
    assert ids(as_(ada), "?status=IN_PROGRESS") == [working.pk]
    assert ids(as_(ada), "?status=IN_PROGRESS&status=PAYMENT_CONFIRMED") == [working.pk, paid.pk]


def test_filters_by_emergency_category_and_booking_date(as_, ada, request_in):
    soon = request_in("IN_PROGRESS", is_emergency=True, booking_date=clock.today())
    later = request_in("IN_PROGRESS")
    assert ids(as_(ada), "?is_emergency=true") == [soon.pk]
    assert ids(as_(ada), "?is_emergency=false") == [later.pk]
    assert ids(as_(ada), f"?category_id={later.category_id}") == [later.pk, soon.pk]
    assert ids(as_(ada), "?category_id=999999") == []
    today, week = clock.today(), clock.today() + timedelta(days=7)
    assert ids(as_(ada), f"?to={today}") == [soon.pk]
    assert ids(as_(ada), f"?from={week}") == [later.pk]
    assert ids(as_(ada), f"?from={today}&to={week}") == [later.pk, soon.pk]


def test_filters_by_change(as_, ada, request_in):
    old = request_in("IN_PROGRESS")
    with clock.at(timedelta(hours=1)):
        moment = clock.now().isoformat()
        new = request_in("IN_PROGRESS")
    assert ids(as_(ada), f"?updated_since={moment}") == [new.pk]
    assert ids(as_(ada), f"?updated_since={old.updated_at.isoformat()}") == [new.pk, old.pk]


def test_filters_by_overdue(as_, ada, request_in):
    with clock.at(timedelta(days=-30)):
        late = request_in("IN_PROGRESS")
        over = request_in("COMPLETED")
    fine = request_in("IN_PROGRESS")
    assert ids(as_(ada), "?is_overdue=true") == [late.pk]
    assert ids(as_(ada), "?is_overdue=false") == [fine.pk, over.pk]


def test_waiting_on_me_is_what_my_side_must_do(as_, ada, tunde, bola, boss, request_in):
    to_approve, working = request_in("AWAITING_CLIENT_APPROVAL"), request_in("IN_PROGRESS")
    to_check = request_in("WORK_COMPLETED")
    assert ids(as_(ada), "?waiting_on=me") == [to_approve.pk]
    assert ids(as_(tunde), "?waiting_on=me") == [working.pk]
    assert ids(as_(bola), "?waiting_on=me") == []
    assert ids(as_(boss), "?waiting_on=me") == [to_check.pk]
    issues.raise_issue(working.pk, kind="SAFETY", message="A cable is bare.", by=ada)
    assert ids(as_(tunde), "?waiting_on=me") == []
    assert ids(as_(boss), "?waiting_on=me") == [to_check.pk, working.pk]


@pytest.mark.parametrize("ordering", ["created_at", "-created_at", "updated_at", "booking_date", "-due_at"])
def test_pages_neither_skip_nor_repeat_while_rows_arrive(as_, ada, request_in, ordering):
    before = {request_in("IN_PROGRESS").pk for _ in range(5)}
    seen, path = [], f"{PATH}?ordering={ordering}&limit=2"
    while path:
        page = as_(ada).get(path).json()
        seen += [item["id"] for item in page["items"]]
        if len(seen) == 2:
            request_in("IN_PROGRESS")
        path = page["next"]
        assert path is None or path.startswith(PATH)
    assert before <= set(seen)
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?status=NOPE", "status.0"),
        ("?is_emergency=1", "is_emergency"),
        ("?category_id=x", "category_id"),
        ("?waiting_on=ADMIN", "waiting_on"),
        ("?is_overdue=", "is_overdue"),
        ("?from=yesterday", "from"),
        ("?from=2026-11-22&to=2026-11-21", "to"),
        ("?updated_since=2026-11-22", "updated_since"),
        ("?ordering=client", "ordering"),
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?cursor=forged", "cursor"),
        ("?stauts=IN_PROGRESS", "stauts"),
        ("?from_day=2026-11-22", "from_day"),
    ],
)
def test_a_bad_query_is_422_naming_its_key(as_, ada, query, field):
    answer = as_(ada).get(f"{PATH}{query}")
    assert answer.status_code == 422, answer.content
    assert [error["loc"] for error in answer.json()["errors"]] == [field]


def test_the_summary_counts_by_status(as_, ada, tunde, bola, boss, eve, request_in):
    request_in("AWAITING_CLIENT_APPROVAL")
    request_in("COMPLETED")
    with clock.at(timedelta(days=-30)):
        request_in("IN_PROGRESS")
    summary = as_(ada).get(f"{PATH}summary/").json()
    assert len(summary["by_status"]) == 12
    counts = {status: count for status, count in summary["by_status"].items() if count}
    assert counts == {"AWAITING_CLIENT_APPROVAL": 1, "COMPLETED": 1, "IN_PROGRESS": 1}
    assert (summary["waiting_on_me"], summary["overdue"]) == (1, 1)
    assert as_(tunde).get(f"{PATH}summary/").json()["waiting_on_me"] == 1
    assert as_(bola).get(f"{PATH}summary/").json()["waiting_on_me"] == 0
    assert as_(boss).get(f"{PATH}summary/").json()["overdue"] == 1
    nothing = as_(eve).get(f"{PATH}summary/").json()
    assert set(nothing["by_status"].values()) == {0}
