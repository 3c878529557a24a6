"""A request that nobody touches: what the clock alone does to it in twenty days, each thing once.

The timelines are written by hand. A key is the time since the request came into its status, after which the next run
of the periodic jobs does what stands there: `step: ...` is a step in the history, the rest a notice and its readers.
Beside it stand the queues: where admins and jobs find the request after each deadline, before anything is done of it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django_q.models import OrmQ

from core import clock
from marketplace.enums import Status
from marketplace.models import Issue, Notification, Refund, ServiceRequest
from marketplace.schedules import SCHEDULES
from marketplace.services.issues import resolve_issue
from marketplace.tests.trail import fresh, offers

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
"""A Monday, nine in the morning in Lagos."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RUNS = [
    *(part * 30 * MINUTE + MINUTE for part in range(6)),
    *(hour * HOUR + MINUTE for hour in range(3, 32)),
    *(half * 12 * HOUR + MINUTE for half in range(3, 41)),
]
"""When the jobs run: a minute after each half hour, then hour, then half day, for twenty days."""
JOBS = [job for job in SCHEDULES if not job.task.endswith("generate_revenue_report")]
"""Every periodic job but the reports, which are about no request."""

Timeline = dict[timedelta, list[str]]
Queues = dict[timedelta, str]
"""Where a request stands from then on, just before the jobs run; at first nowhere, unless it says AT_FIRST."""
AT_FIRST = timedelta()


QUEUES = [
    "to_assign",
    "to_price",
    "unanswered",
    "inspection_overdue",
    "to_verify",
    "overdue",
    "to_lapse",
    "to_expire",
    "to_chase",
    "to_give_up",
]
"""Where the admins find a request, or the jobs do."""
GIVE_UP = 14 * DAY
RESOLVED_AFTER = 5 * DAY
CANCELLED_BY_CLOCK = ["REQUEST_CANCELLED: ada bola boss dispatcher pricing tunde", "step: cancel"]
UNANSWERED_PRICE = {
    72 * HOUR: ["ACTION_OVERDUE: boss pricing", "ACTION_REMINDER: ada"],
    14 * DAY: CANCELLED_BY_CLOCK,
}
UNANSWERED_QUEUES = {
    72 * HOUR: "overdue to_chase",
    84 * HOUR: "overdue",
    GIVE_UP: "overdue to_give_up",
    GIVE_UP + 12 * HOUR: "",
}

TIMELINES: dict[str, tuple[dict[str, Any], Timeline, Queues]] = {
    "AWAITING_BOOKING_FEE": (
        {},
        {24 * HOUR: ["REQUEST_CANCELLED: ada", "step: expire"]},
        {24 * HOUR: "overdue to_expire", 25 * HOUR: ""},
    ),
    "PENDING_ADMIN_ASSIGNMENT": (
        {},
        {4 * HOUR: ["ACTION_OVERDUE: boss dispatcher"]},
        {AT_FIRST: "to_assign", 4 * HOUR: "to_assign overdue to_chase", 5 * HOUR: "to_assign overdue"},
    ),
    "PENDING_ADMIN_ASSIGNMENT emergency": (
        {"is_emergency": True},
        {30 * MINUTE: ["ACTION_OVERDUE: boss dispatcher"]},
        {AT_FIRST: "to_assign", 30 * MINUTE: "to_assign overdue to_chase", HOUR: "to_assign overdue"},
    ),
    # The backup's own twelve hours begin when he is promoted, a minute past the hour; so does the admins' time.
    "ASSIGNED_TO_SERVICEMAN": (
        {},
        {
            12 * HOUR: [
                "OFFER_LAPSED: tunde",
                "SERVICEMAN_ASSIGNED: bola",
                "SERVICEMAN_DECLINED: boss dispatcher",
                "step: lapse",
            ],
            25 * HOUR: ["OFFER_LAPSED: bola", "SERVICEMAN_DECLINED: boss dispatcher", "step: lapse"],
            30 * HOUR: ["ACTION_OVERDUE: boss dispatcher"],
        },
        {
            AT_FIRST: "unanswered",
            12 * HOUR: "unanswered overdue to_lapse",
            13 * HOUR: "unanswered",
            25 * HOUR: "unanswered overdue to_lapse",
            26 * HOUR: "to_assign",
            30 * HOUR: "to_assign overdue to_chase",
            31 * HOUR: "to_assign overdue",
        },
    ),
    "ASSIGNED_TO_SERVICEMAN emergency": (
        {"is_emergency": True},
        {
            30 * MINUTE: [
                "OFFER_LAPSED: tunde",
                "SERVICEMAN_ASSIGNED: bola",
                "SERVICEMAN_DECLINED: boss dispatcher",
                "step: lapse",
            ],
            90 * MINUTE: ["OFFER_LAPSED: bola", "SERVICEMAN_DECLINED: boss dispatcher", "step: lapse"],
            150 * MINUTE: ["ACTION_OVERDUE: boss dispatcher"],
        },
        {
            AT_FIRST: "unanswered",
            30 * MINUTE: "unanswered overdue to_lapse",
            60 * MINUTE: "unanswered",
            90 * MINUTE: "unanswered overdue to_lapse",
            120 * MINUTE: "to_assign",
            150 * MINUTE: "to_assign overdue to_chase",
            180 * MINUTE: "to_assign overdue",
        },
    ),
    "ASSIGNED_TO_SERVICEMAN accepted": (
        {"accepted": True},
        {24 * HOUR: ["INSPECTION_OVERDUE: boss dispatcher tunde"]},
        {24 * HOUR: "inspection_overdue overdue to_chase", 25 * HOUR: "inspection_overdue overdue"},
    ),
    "SERVICEMAN_INSPECTED": (
        {},
        {12 * HOUR: ["ACTION_OVERDUE: boss pricing"]},
        {AT_FIRST: "to_price", 12 * HOUR: "to_price overdue to_chase", 13 * HOUR: "to_price overdue"},
    ),
    "AWAITING_CLIENT_APPROVAL": ({}, UNANSWERED_PRICE, UNANSWERED_QUEUES),
    "NEGOTIATING on us": (
        {},
        {24 * HOUR: ["ACTION_OVERDUE: boss pricing"], 14 * DAY: CANCELLED_BY_CLOCK},
        {
            AT_FIRST: "to_price",
            24 * HOUR: "to_price overdue to_chase",
            25 * HOUR: "to_price overdue",
            GIVE_UP: "to_price overdue to_give_up",
            GIVE_UP + 12 * HOUR: "",
        },
    ),
    "NEGOTIATING on the client": (
        {"waiting_on": "CLIENT"},
        {24 * HOUR: ["ACTION_OVERDUE: boss pricing", "ACTION_REMINDER: ada"], 14 * DAY: CANCELLED_BY_CLOCK},
        {
            24 * HOUR: "overdue to_chase",
            25 * HOUR: "overdue",
            GIVE_UP: "overdue to_give_up",
            GIVE_UP + 12 * HOUR: "",
        },
    ),
    "AWAITING_PAYMENT": ({}, UNANSWERED_PRICE, UNANSWERED_QUEUES),
    # Booked for the ninth: till that day ends in Lagos, fifteen hours after the time of START. The next run is then.
    "PAYMENT_CONFIRMED": (
        {},
        {8 * DAY: ["ACTION_OVERDUE: boss dispatcher", "ACTION_REMINDER: tunde"]},
        {8 * DAY: "overdue to_chase", 8 * DAY + 12 * HOUR: "overdue"},
    ),
    "PAYMENT_CONFIRMED today": (
        {"booking_date": START.date()},
        {24 * HOUR: ["ACTION_OVERDUE: boss dispatcher", "ACTION_REMINDER: tunde"]},
        {24 * HOUR: "overdue to_chase", 25 * HOUR: "overdue"},
    ),
    "IN_PROGRESS": (
        {},
        {7 * DAY: ["ACTION_OVERDUE: boss dispatcher", "ACTION_REMINDER: tunde"]},
        {7 * DAY: "overdue to_chase", 7 * DAY + 12 * HOUR: "overdue"},
    ),
    "WORK_COMPLETED": (
        {},
        {24 * HOUR: ["ACTION_OVERDUE: boss dispatcher"]},
        {AT_FIRST: "to_verify", 24 * HOUR: "to_verify overdue to_chase", 25 * HOUR: "to_verify overdue"},
    ),
    "ASSIGNED_TO_SERVICEMAN backup away": (
        {},
        {
            12 * HOUR: ["OFFER_LAPSED: tunde", "SERVICEMAN_DECLINED: boss dispatcher", "step: lapse"],
            17 * HOUR: ["ACTION_OVERDUE: boss dispatcher"],
        },
        {
            AT_FIRST: "unanswered",
            12 * HOUR: "unanswered overdue to_lapse",
            13 * HOUR: "to_assign",
            17 * HOUR: "to_assign overdue to_chase",
            18 * HOUR: "to_assign overdue",
        },
    ),
    # An open issue keeps all reminders back.
    "PENDING_ADMIN_ASSIGNMENT issue": ({}, {}, {AT_FIRST: "to_assign", 4 * HOUR: "to_assign overdue"}),
    "ASSIGNED_TO_SERVICEMAN accepted, issue": ({"accepted": True}, {}, {24 * HOUR: "inspection_overdue overdue"}),
    "SERVICEMAN_INSPECTED issue": ({}, {}, {AT_FIRST: "to_price", 12 * HOUR: "to_price overdue"}),
    "PAYMENT_CONFIRMED issue": ({}, {}, {8 * DAY: "overdue"}),
    "IN_PROGRESS issue": ({}, {}, {7 * DAY: "overdue"}),
    "WORK_COMPLETED issue": ({}, {}, {AT_FIRST: "to_verify", 24 * HOUR: "to_verify overdue"}),
    "AWAITING_PAYMENT issue resolved": (
        {},
        {RESOLVED_AFTER: ["ACTION_OVERDUE: boss pricing", "ACTION_REMINDER: ada"], 14 * DAY: CANCELLED_BY_CLOCK},
        {
            72 * HOUR: "overdue",
            RESOLVED_AFTER: "overdue to_chase",
            RESOLVED_AFTER + 12 * HOUR: "overdue",
            GIVE_UP: "overdue to_give_up",
            GIVE_UP + 12 * HOUR: "",
        },
    ),
    "COMPLETED": ({}, {}, {}),
    "CANCELLED": ({}, {}, {}),
}


@dataclass
class Life:
    """What became of one request."""

    timeline: Timeline
    queues: Queues
    end: tuple[str, str]
    offers: list[str]


LIVES: dict[str, Life] = {}
"""All of them are left alone together, once for the tests of a process: the jobs are the slow part."""


def run_jobs(since: datetime, now: datetime) -> None:
    """Every job of the schedules that is due: those by the minute, and those by the day whose hour has come."""
    for job in JOBS:
        if isinstance(job.every, str):
            with clock.at(since + timedelta(microseconds=1)):
                if job.next_run() > now:
                    continue
        module, _, name = job.task.rpartition(".")
        getattr(import_module(module), name)(*job.args)


@pytest.fixture
def lives(
    request_in: Any, make_serviceman: Any, make_admin: Any, ada: Any, boss: Any, mailoutbox: Any
) -> dict[str, Life]:
    """Every request of TIMELINES, left alone for twenty days."""
    if LIVES:
        return LIVES
    for role in ("dispatcher", "pricing", "finance"):
        make_admin(role)
    away = make_serviceman("sani", profile={"is_available": False})
    with clock.at(START):
        requests = {}
        for name, (fields, *_) in TIMELINES.items():
            backup = {"backup_serviceman": away} if name.endswith("backup away") else {}
            request = requests[name] = request_in(name.split()[0], **fields, **backup)
            if "issue" in name:
                Issue.objects.create(request=request, kind="OTHER", message="!", raised_by=ada, raised_by_role="CLIENT")
    timelines: dict[str, Timeline] = {name: {} for name in requests}
    stood: dict[str, Queues] = {name: {} for name in requests}
    before, last = START, 0
    for run in RUNS:
        if run == RESOLVED_AFTER + MINUTE:
            with clock.at(START + RESOLVED_AFTER):
                issue = Issue.objects.get(request=requests["AWAITING_PAYMENT issue resolved"])
                resolve_issue(issue.request_id, issue.pk, resolution="Talked.", by=boss)
            last = Notification.objects.latest("pk").pk
        with clock.at(START + run):
            _look_where_they_stand(requests, run - MINUTE, stood)
            run_jobs(before, START + run)
        before = START + run
        news = list(Notification.objects.filter(pk__gt=last).select_related("user"))
        last = max([last, *(row.pk for row in news)])
        assert not [row for row in news if row.service_request_id is None]
        for name, request in requests.items():
            if happened := _happened(request, START + run, news):
                timelines[name][run - MINUTE] = happened
    _was_mailed(mailoutbox)
    # The system counts as the client: after an inspection the booking fee is kept.
    assert not Refund.objects.exists()
    for name, request in requests.items():
        after = fresh(request)
        LIVES[name] = Life(
            timeline=timelines[name],
            queues=stood[name],
            end=(after.status, after.cancelled_by_role),
            offers=[f"{man.first_name} {rank} {answer}" for man, rank, answer in offers(request)],
        )
    return LIVES


def _look_where_they_stand(requests: dict[str, ServiceRequest], when: timedelta, stood: dict[str, Queues]) -> None:
    """Note the queues of every request whose place has changed since they were looked at last."""
    rows = ServiceRequest.objects
    found = {queue: getattr(rows, queue)() for queue in QUEUES}
    ids = {queue: set(found[queue].values_list("pk", flat=True)) for queue in QUEUES}
    for name, request in requests.items():
        now = " ".join(queue for queue in QUEUES if request.pk in ids[queue])
        if now != next(reversed(stood[name].values()), ""):
            stood[name][when] = now


def _happened(request: ServiceRequest, moment: datetime, news: list[Notification]) -> list[str]:
    """The steps of one request at a moment, and who was told what of it."""
    rows = list(request.history.filter(history_date=moment))
    assert not [row for row in rows if row.history_user_id]
    told: dict[str, list[str]] = {}
    for row in news:
        if row.service_request_id == request.pk:
            told.setdefault(row.notification_type, []).append(row.user.email.partition("@")[0])
    return sorted(
        [f"step: {row.step}" for row in rows] + [f"{kind}: {' '.join(sorted(to))}" for kind, to in told.items()]
    )


def _was_mailed(mailoutbox: list[Any]) -> None:
    """Every notice was queued for the mail once, and mailed once: the sweep also finds what no worker took."""
    rows = Notification.objects.all()
    assert rows.count() == rows.filter(sent_to_email=True).count() == len(mailoutbox)
    queued = Counter(job.task["args"] for job in OrmQ.objects.all())
    assert queued == {(row.pk,): 1 for row in rows}


def test_no_status_is_left_out():
    assert {queue for *_, queues in TIMELINES.values() for queue in " ".join(queues.values()).split()} == set(QUEUES)
    assert {name.split()[0] for name in TIMELINES} == set(Status)
    assert sorted(set(RUNS)) == RUNS
    assert RUNS[-1] == 20 * DAY + MINUTE


@pytest.mark.parametrize("name", TIMELINES)
def test_the_clock_does_what_the_workflow_says_and_no_more(name, lives):
    _, expected, queues = TIMELINES[name]
    assert lives[name].timeline == expected
    assert lives[name].queues == queues


@pytest.mark.parametrize("name", TIMELINES)
def test_a_request_ends_where_the_clock_has_brought_it(name, lives):
    steps = [what for when in TIMELINES[name][1].values() for what in when]
    if "step: cancel" in steps or "step: expire" in steps:
        assert lives[name].end == ("CANCELLED", "SYSTEM")
    elif "step: lapse" in steps:
        assert lives[name].end == ("PENDING_ADMIN_ASSIGNMENT", "")
    else:
        assert lives[name].end[0] == name.split()[0]


def test_every_offer_that_lapsed_is_kept(lives):
    assert lives["ASSIGNED_TO_SERVICEMAN"].offers == ["Tunde PRIMARY LAPSED", "Bola PRIMARY LAPSED"]
    assert lives["ASSIGNED_TO_SERVICEMAN backup away"].offers == ["Tunde PRIMARY LAPSED", "Sani BACKUP TAKEN_BACK"]
    assert lives["AWAITING_PAYMENT"].offers == ["Tunde PRIMARY ACCEPTED", "Bola BACKUP CLOSED"]
