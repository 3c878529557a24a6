"""Every step that has an endpoint, called in every status by everybody: the table of the workflow, over HTTP.

Who may never call an operation is refused before anything is looked at (401, 403); for all others the services' own
table says what comes: 404 for what is not theirs to know, 409 before 403, and only its open cells answer 2xx. A
refusal is a problem document and writes nothing; whatever a cell did is undone before the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from core import clock
from core.errors import Conflict, Forbidden, Missing
from marketplace.models import ServiceRequest
from marketplace.tests.bank import Bank
from marketplace.tests.people import Caller
from marketplace.tests.test_service_table import SERVICES, STAGES, at_stage, everybody, expected, facts_of, undone
from marketplace.tests.test_workflow_table import CODENAMES, TABLE, Row, allowed, cast, codename_of

__all__ = ["at_stage", "cast", "everybody"]  # fixtures

pytestmark = pytest.mark.django_db

CALLERS = {
    "nobody": "",
    "owner": "C",
    "other client": "C",
    "assigned": "S",
    "backup": "S",
    "other serviceman": "S",
    "admin with": "A",
    "admin without": "A",
    "superuser": "A",
}
"""Who calls, and in which role."""
Ids = dict[str, Any]


@dataclass(frozen=True)
class Endpoint:
    """How a step is asked for, by the API's own table: `who` are the roles that it names, `good` what it answers."""

    who: str
    method: str
    path: str
    body: Callable[[ServiceRequest, Ids], dict[str, Any]] = lambda r, x: {}
    good: int = 200


OF_A_REQUEST = "/api/service-requests/{request}/"
RESPOND = "/api/negotiations/{proposal}/respond/"
ASSIGN = "/api/admin/assign-serviceman/"
INITIALIZE = "/api/payments/initialize/"


def because(r: ServiceRequest, x: Ids) -> dict[str, Any]:
    return {"reason": "No."}


ENDPOINTS = {
    "accept": Endpoint("S", "post", f"{OF_A_REQUEST}accept/"),
    "decline": Endpoint("S", "post", f"{OF_A_REQUEST}decline/", because),
    "withdraw": Endpoint("S", "post", f"{OF_A_REQUEST}withdraw/", because),
    "estimate": Endpoint("S", "post", f"{OF_A_REQUEST}estimate/", lambda r, x: {"amount": "9.00"}),
    "approve": Endpoint("C", "post", f"{OF_A_REQUEST}approve/", lambda r, x: {"price_version": r.price_version}),
    "start": Endpoint("S", "post", f"{OF_A_REQUEST}start/"),
    "complete": Endpoint("S", "post", f"{OF_A_REQUEST}complete/"),
    "verify": Endpoint("A", "post", f"{OF_A_REQUEST}verify-completion/"),
    "return": Endpoint("A", "post", f"{OF_A_REQUEST}return-to-work/", because),
    "cancel": Endpoint("C A", "post", f"{OF_A_REQUEST}cancel/", because),
    "reschedule": Endpoint(
        "C A",
        "post",
        f"{OF_A_REQUEST}reschedule/",
        lambda r, x: {"booking_date": (clock.today() + timedelta(days=5)).isoformat(), "reason": "Rain."},
    ),
    "raise issue": Endpoint(
        "C S A", "post", f"{OF_A_REQUEST}issues/", lambda r, x: {"kind": "OTHER", "message": "?"}, 201
    ),
    "resolve issue": Endpoint(
        "A", "post", f"{OF_A_REQUEST}issues/{{issue}}/resolve/", lambda r, x: {"resolution": "Talked."}
    ),
    "soft delete": Endpoint("C A", "delete", OF_A_REQUEST, good=204),
    "propose": Endpoint(
        "C A",
        "post",
        "/api/negotiations/",
        lambda r, x: {"service_request_id": r.pk, "proposed_amount": "7.00", "message": "Less?"},
        201,
    ),
    "counter": Endpoint("C A", "post", RESPOND, lambda r, x: {"action": "counter", "proposed_amount": "7.00"}),
    "accept proposal": Endpoint("C A", "post", RESPOND, lambda r, x: {"action": "accept"}),
    "reject proposal": Endpoint("C A", "post", RESPOND, lambda r, x: {"action": "reject"}),
    "withdraw proposal": Endpoint("C A", "post", RESPOND, lambda r, x: {"action": "withdraw"}),
    "consult": Endpoint(
        "A", "post", "/api/negotiations/{proposal}/check-with-serviceman/", lambda r, x: {"message": "Less?"}
    ),
    "answer": Endpoint("S", "post", "/api/negotiations/{proposal}/serviceman-answer/", lambda r, x: {"message": "No."}),
    "rate": Endpoint("C", "post", "/api/ratings/", lambda r, x: {"service_request_id": r.pk, "rating": 5}, 201),
    "assign": Endpoint("A", "post", ASSIGN, lambda r, x: {"service_request_id": r.pk, "serviceman_id": x["sani"]}),
    "reassign": Endpoint(
        "A",
        "post",
        ASSIGN,
        lambda r, x: {
            "service_request_id": r.pk,
            "serviceman_id": x["sani"],
            "replaces": x["tunde"],
            "reason": "Ill.",
        },
    ),
    "final cost": Endpoint(
        "A",
        "patch",
        "/api/admin/update-final-cost/",
        lambda r, x: {"service_request_id": r.pk, "admin_markup_percentage": "5.00"},
    ),
    "emergency": Endpoint(
        "A", "patch", "/api/admin/service-requests/{request}/emergency/", lambda r, x: {"is_emergency": True}
    ),
    "pay booking fee": Endpoint(
        "C",
        "post",
        INITIALIZE,
        lambda r, x: {"service_request_id": r.pk, "payment_type": "INITIAL_BOOKING"},
        201,
    ),
    "pay": Endpoint(
        "C", "post", INITIALIZE, lambda r, x: {"service_request_id": r.pk, "payment_type": "FINAL_PAYMENT"}, 201
    ),
}
PAYING = {"pay booking fee": Row("0", "", "C"), "pay": Row("5b", "", "C")}
"""Opening a checkout is no step of the workflow, yet its API says when it is due."""
ROWS = {name: TABLE[SERVICES[name][0]] if name in SERVICES else PAYING[name] for name in ENDPOINTS}
HTTP = {Missing: 404, Conflict: 409, Forbidden: 403}


def right(name: str, stage: str, caller: str) -> int:
    """What the design says of one cell."""
    endpoint, role = ENDPOINTS[name], CALLERS[caller]
    if not role:
        return 401
    if role not in endpoint.who.split() or caller == "admin without":
        return 403
    if name in PAYING:
        seen = expected("cancel", stage, caller) is not Missing
        refused = allowed(PAYING[name], stage.split(maxsplit=1)[0], caller, facts_of(stage)) if seen else Missing
    else:
        refused = expected(name, stage, caller)
    return HTTP[refused] if refused else endpoint.good


@pytest.fixture
def callers(everybody, make_admin) -> tuple[dict[str, Any], Callable[[str, str], Caller]]:
    """Who plays, and `caller(who, codename)`: his voice, an admin's being that of one with or without the codename."""
    from core import auth

    people = everybody("")
    views = Permission.objects.filter(content_type__app_label="marketplace", codename__startswith="view_")
    rights = Permission.objects.filter(content_type__app_label="marketplace", codename__in=CODENAMES)
    voices = {(who, ""): Caller(auth.access_for(people[who]) if role else "") for who, role in CALLERS.items()}
    for codename in {codename_of(row) for row in ROWS.values()} - {""}:
        for who, held in (
            ("admin with", rights.filter(codename=codename)),
            ("admin without", rights.exclude(codename=codename)),
        ):
            admin = make_admin(name=f"{who.replace(' ', '-')}-{codename}")
            admin.user_permissions.set([*views, *held])
            voices[who, codename] = Caller(auth.access_for(admin))
    return people, lambda who, codename: voices.get((who, codename)) or voices[who, ""]


def ask(name: str, request: ServiceRequest, ids: Ids, caller: Caller, **more: Any) -> tuple[int, bool]:
    """How one call was answered, and whether it wrote anything; all of it is undone."""
    endpoint, writes = ENDPOINTS[name], []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            writes.append(sql)
        return execute(sql, params, many, context)

    with undone(), connection.execute_wrapper(watch):
        path = endpoint.path.format(request=request.pk, **ids)
        answer = getattr(caller, endpoint.method)(path, endpoint.body(request, ids) | more)
        if answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json", answer.content
            assert answer.json()["status"] == answer.status_code
            assert answer.json()["code"]
    return answer.status_code, bool(writes)


@pytest.mark.parametrize("stage", STAGES)
def test_a_step_is_open_in_the_cells_of_the_table_and_in_no_other(stage, callers, at_stage):
    people, caller = callers
    wrong, cells = [], 0
    with Bank().holding():
        for issue in (False, True):
            with undone():
                request, ids = at_stage(stage, people, issue=issue)
                ids["tunde"] = people["assigned"].pk
                for name in ENDPOINTS:
                    if issue != (name == "resolve issue"):
                        continue
                    for who in CALLERS:
                        cells += 1
                        came, wrote = ask(name, request, ids, caller(who, codename_of(ROWS[name])))
                        should = right(name, stage, who)
                        if (came, wrote) != (should, should < 400):
                            wrong.append((name, who, came, should, wrote))
    assert not wrong, wrong
    assert cells == 28 * 9


def test_the_shape_is_looked_at_after_the_role_and_before_the_request(callers, at_stage):
    people, caller = callers
    wrong = []
    request, ids = at_stage("3", people, issue=False)
    ids["tunde"] = people["assigned"].pk
    for name, endpoint in ENDPOINTS.items():
        with_body = endpoint.method != "delete" and endpoint.body(request, ids)
        for who, role in CALLERS.items():
            gate = right(name, "3", who) if not role or role not in endpoint.who or who == "admin without" else 422
            if with_body:
                came, wrote = ask(name, request, ids, caller(who, codename_of(ROWS[name])), surprise=1)
                if (came, wrote) != (gate, False):
                    wrong.append((name, who, came, gate, wrote))
    assert not wrong, wrong


def test_every_service_of_the_path_has_its_endpoint_and_every_cell_its_number():
    assert set(ENDPOINTS) == set(SERVICES) | set(PAYING)
    answers = {right(name, stage, who) for name in ENDPOINTS for stage in STAGES for who in CALLERS}
    assert answers == {200, 201, 204, 401, 403, 404, 409}
    # Each step is open to somebody somewhere.
    assert all(any(right(name, stage, who) < 300 for stage in STAGES for who in CALLERS) for name in ENDPOINTS)
