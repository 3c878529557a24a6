"""Every operation of the contract, called by everybody: who is answered, and how the others are refused.

An operation without a row fails. The request is ada's and tunde's, with bola next in line; each cell is undone before
the next. Steps of the workflow have a table of their own for every other state: test_step_table.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import MULTIPART_CONTENT
from django.utils.http import urlencode

from core import auth, clock, tokens
from core.models import User
from core.tests.test_pictures import drawn
from marketplace.api import api
from marketplace.models import Issue, Notification, Rating
from marketplace.tests.bank import Bank
from marketplace.tests.books import enter
from marketplace.tests.people import PASSWORD
from marketplace.tests.test_service_table import undone

pytestmark = pytest.mark.django_db

CALLERS = (
    "nobody", "unverified client", "owner", "other client", "assigned", "other serviceman", "backup",
    "admin without a role", "superuser",
)  # fmt: skip
Ids = dict[str, Any]
Body = Callable[[Ids], dict[str, Any] | None]


def nothing(x: Ids) -> None:
    return None


@dataclass(frozen=True)
class Row:
    """What each of CALLERS hears, of a request in `state`; `body` is what is sent, and a query for GET and DELETE."""

    answers: str
    state: str = "IN_PROGRESS"
    body: Body = nothing
    accepted: bool | None = None


def of(**given: Any) -> Body:
    return lambda x: given


def reason(x: Ids) -> dict[str, Any]:
    return {"reason": "It rains."}


def days(key: str, ahead: int) -> Body:
    return lambda x: {key: [(clock.today() + timedelta(days=ahead)).isoformat()]}


ONE, MANY = "/api/service-requests/{request}/", "/api/service-requests/"
TALK = "/api/negotiations/{proposal}/"
PUBLIC = "200 200 200 200 200 200 200 200 200"
PARTIES = "401 200 200 200 200 200 200 403 200"
ADMINS = "401 403 403 403 403 403 403 403 200"
SIGNED_IN = "401 200 200 200 200 200 200 200 200"

ROWS: dict[str, Row] = {
    # --- Public
    "GET /api/config/": Row(PUBLIC),
    "GET /api/categories/": Row(PUBLIC),
    "GET /api/categories/{category}/": Row(PUBLIC),
    "GET /api/categories/{category}/servicemen/": Row(PUBLIC),
    "GET /api/servicemen/": Row(PUBLIC),
    "GET /api/servicemen/{man}/": Row(PUBLIC),
    "GET /api/ratings/": Row(PUBLIC, body=lambda x: {"serviceman_id": x["man"]}),
    "POST /api/auth/register/": Row(
        "201 201 201 201 201 201 201 201 201",
        body=of(email="new@example.com", password=PASSWORD, user_type="CLIENT"),
    ),
    "POST /api/auth/login/": Row(PUBLIC, body=of(email="ada@example.com", password=PASSWORD)),
    "POST /api/auth/refresh/": Row(PUBLIC, body=lambda x: {"refresh": x["refresh"]}),
    "POST /api/auth/verify-email/": Row(PUBLIC, body=lambda x: {"token": x["verify"]}),
    "POST /api/auth/resend-verification/": Row(
        "202 202 202 202 202 202 202 202 202", body=of(email="kemi@example.com")
    ),
    "POST /api/auth/forgot-password/": Row("202 202 202 202 202 202 202 202 202", body=of(email="ada@example.com")),
    "POST /api/auth/reset-password/": Row(PUBLIC, body=lambda x: {"token": x["reset"], "password": "New-passw0rd"}),
    # Signed by Paystack, and nobody else has the key.
    "POST /api/payments/webhook/": Row("401 401 401 401 401 401 401 401 401", body=of(event="charge.success")),
    # --- One's own account
    "POST /api/auth/logout/": Row("401 422 204 422 422 422 422 422 422", body=lambda x: {"refresh": x["refresh"]}),
    "GET /api/me/": Row(SIGNED_IN),
    "PATCH /api/me/": Row(SIGNED_IN, body=of(first_name="New")),
    "POST /api/me/change-password/": Row(SIGNED_IN, body=of(current_password=PASSWORD, new_password="New-passw0rd")),
    "GET /api/me/export/": Row(SIGNED_IN),
    # Whoever has an open job, is next in line for one, or is the last superuser cannot be erased.
    "DELETE /api/me/": Row("401 204 409 204 409 204 409 204 409"),
    "GET /api/me/unavailable-dates/": Row("401 403 403 403 200 200 200 403 403"),
    "POST /api/me/unavailable-dates/": Row("401 403 403 403 201 201 201 403 403", body=days("dates", 3)),
    "DELETE /api/me/unavailable-dates/": Row("401 403 403 403 204 204 204 403 403", body=days("date", 3)),
    "GET /api/notifications/": Row(SIGNED_IN),
    "GET /api/notifications/unread-count/": Row(SIGNED_IN),
    "PATCH /api/notifications/mark-all-read/": Row(SIGNED_IN),
    "PATCH /api/notifications/{notification}/read/": Row("401 404 200 404 404 404 404 404 404"),
    # --- Requests
    f"POST {MANY}": Row(
        "401 403 201 201 403 403 403 403 403",
        body=lambda x: {
            "category_id": x["category"],
            "booking_date": (clock.today() + timedelta(days=5)).isoformat(),
            "client_address": "12 Allen Avenue",
            "service_description": "The tap drips.",
        },
    ),
    f"GET {MANY}": Row(PARTIES),
    f"GET {MANY}summary/": Row(PARTIES),
    f"GET {ONE}": Row("401 404 200 404 200 404 200 403 200"),
    f"GET {ONE}timeline/": Row("401 404 200 404 200 404 200 403 200"),
    f"GET {ONE}price-sheet/": Row("401 404 200 404 200 404 200 403 200", state="AWAITING_PAYMENT"),
    f"GET {ONE}attachments/": Row("401 404 200 404 200 404 200 403 200"),
    f"POST {ONE}attachments/": Row(
        "401 403 201 404 201 404 403 403 201",
        body=lambda x: {"kind": "JOB", "file": SimpleUploadedFile("tap.jpg", drawn())},
    ),
    f"POST {ONE}accept/": Row("401 403 403 403 200 404 403 403 403", "ASSIGNED_TO_SERVICEMAN", accepted=False),
    f"POST {ONE}decline/": Row("401 403 403 403 200 404 403 403 403", "ASSIGNED_TO_SERVICEMAN", reason, accepted=False),
    f"POST {ONE}withdraw/": Row("401 403 403 403 200 404 403 403 403", "ASSIGNED_TO_SERVICEMAN", reason, accepted=True),
    f"POST {ONE}estimate/": Row(
        "401 403 403 403 200 404 403 403 403", "ASSIGNED_TO_SERVICEMAN", of(amount="20000.00"), accepted=True
    ),
    f"POST {ONE}approve/": Row(
        "401 403 200 404 403 403 403 403 403", "AWAITING_CLIENT_APPROVAL", lambda x: {"price_version": x["version"]}
    ),
    f"POST {ONE}start/": Row("401 403 403 403 200 404 403 403 403", "PAYMENT_CONFIRMED"),
    f"POST {ONE}complete/": Row("401 403 403 403 200 404 403 403 403", "IN_PROGRESS"),
    f"POST {ONE}verify-completion/": Row("401 403 403 403 403 403 403 403 200", "WORK_COMPLETED"),
    f"POST {ONE}return-to-work/": Row("401 403 403 403 403 403 403 403 200", "WORK_COMPLETED", reason),
    f"GET {ONE}cancellation-preview/": Row("401 404 200 404 403 403 403 403 200", "PAYMENT_CONFIRMED"),
    f"POST {ONE}cancel/": Row("401 403 200 404 403 403 403 403 200", "PAYMENT_CONFIRMED", reason),
    f"POST {ONE}reschedule/": Row(
        "401 403 200 404 403 403 403 403 200",
        "PENDING_ADMIN_ASSIGNMENT",
        lambda x: {"booking_date": (clock.today() + timedelta(days=5)).isoformat(), "reason": "Rain."},
    ),
    f"POST {ONE}issues/": Row("401 403 201 404 201 404 403 403 201", body=of(kind="OTHER", message="?")),
    f"POST {ONE}issues/{{issue}}/resolve/": Row("401 403 403 403 403 403 403 403 200", body=of(resolution="Talked.")),
    f"DELETE {ONE}": Row("401 403 204 404 403 403 403 403 204", "AWAITING_BOOKING_FEE"),
    # --- Money
    "POST /api/payments/initialize/": Row(
        "401 403 201 404 403 403 403 403 403",
        "AWAITING_PAYMENT",
        lambda x: {"service_request_id": x["request"], "payment_type": "FINAL_PAYMENT"},
    ),
    "GET /api/payments/": Row("401 200 200 200 403 403 403 403 200"),
    "GET /api/payments/{payment}/": Row("401 404 200 404 403 403 403 403 200"),
    "GET /api/payments/verify/{reference}/": Row("401 404 200 404 403 403 403 403 200"),
    # --- The price
    "POST /api/negotiations/": Row(
        "401 403 201 404 403 403 403 403 201",
        "AWAITING_CLIENT_APPROVAL",
        lambda x: {"service_request_id": x["request"], "proposed_amount": "21000.00", "message": "Less?"},
    ),
    "GET /api/negotiations/": Row(
        "401 404 200 404 403 403 403 403 200", "NEGOTIATING", lambda x: {"request_id": x["request"]}
    ),
    f"GET {TALK}": Row("401 404 200 404 403 403 403 403 200", "NEGOTIATING"),
    f"POST {TALK}respond/": Row("401 403 403 404 403 403 403 403 200", "NEGOTIATING", of(action="accept")),
    f"POST {TALK}check-with-serviceman/": Row(
        "401 403 403 403 403 403 403 403 200", "NEGOTIATING", of(message="Less?")
    ),
    f"POST {TALK}serviceman-answer/": Row(
        "401 403 403 403 200 404 404 403 403", "NEGOTIATING", of(message="That is enough.")
    ),
    # --- Ratings
    "POST /api/ratings/": Row(
        "401 403 201 404 403 403 403 403 403", "COMPLETED", lambda x: {"service_request_id": x["request"], "rating": 5}
    ),
    "POST /api/ratings/{rating}/reply/": Row("401 403 403 403 200 403 403 403 403", body=of(reply="Thank you.")),
    # --- The backoffice
    "POST /api/categories/": Row("401 403 403 403 403 403 403 403 201", body=of(name="Roofs", description="Tiles.")),
    "PATCH /api/categories/{category}/": Row("401 403 403 403 403 403 403 403 200", body=of(name="Pipes")),
    "GET /api/admin/pending-assignments/": Row(ADMINS, "PENDING_ADMIN_ASSIGNMENT"),
    "POST /api/admin/assign-serviceman/": Row(
        ADMINS,
        "PENDING_ADMIN_ASSIGNMENT",
        lambda x: {"service_request_id": x["request"], "serviceman_id": x["sani"]},
    ),
    "GET /api/admin/pricing-review/": Row(ADMINS, "SERVICEMAN_INSPECTED"),
    "PATCH /api/admin/update-final-cost/": Row(
        ADMINS,
        "SERVICEMAN_INSPECTED",
        lambda x: {"service_request_id": x["request"], "admin_markup_percentage": "10.00"},
    ),
    "PATCH /api/admin/service-requests/{request}/emergency/": Row(ADMINS, body=of(is_emergency=True)),
    "GET /api/admin/servicemen/": Row(ADMINS),
    "POST /api/admin/servicemen/{applicant}/approve/": Row(ADMINS),
    "POST /api/admin/servicemen/{applicant}/reject/": Row(ADMINS, body=reason),
    "POST /api/admin/notifications/": Row(
        "401 403 403 403 403 403 403 403 202",
        body=lambda x: {"user_ids": [x["ada"]], "title": "Hello", "message": "Hello."},
    ),
    "GET /api/admin/analytics/revenue/": Row(ADMINS),
    "GET /api/admin/analytics/operations/": Row(ADMINS),
    "GET /api/admin/analytics/servicemen/": Row(ADMINS),
    "GET /api/admin/analytics/categories/": Row(ADMINS),
}


@pytest.fixture
def world(request_in, ada, eve, tunde, bola, boss, make_client, make_serviceman, make_admin, settings, tmp_path):
    """`world(row)`: the ids of a request in its state, and who calls."""
    settings.MEDIA_ROOT = tmp_path
    people = {
        "nobody": None,
        "unverified client": make_client("kemi", is_email_verified=False),
        "owner": ada,
        "other client": eve,
        "assigned": tunde,
        "other serviceman": make_serviceman("sani"),
        "backup": bola,
        "admin without a role": make_admin(),
        "superuser": boss,
    }
    applicant = make_serviceman("yemi", profile={"approval": "PENDING"})
    done = enter(request_in("COMPLETED"))
    rating = Rating.objects.create(service_request=done, client=ada, serviceman=tunde, rating=4)
    note = Notification.objects.create(user=ada, notification_type="ANNOUNCEMENT", title="Hello", message="Hello.")

    def world(row: Row) -> tuple[Ids, dict[str, User | None]]:
        request = request_in(row.state, accepted=row.accepted)
        issue = Issue.objects.create(
            request=request, kind="SAFETY", message="!", raised_by=ada, raised_by_role="CLIENT"
        )
        if row.state == "WORK_COMPLETED":
            Issue.objects.all().delete()
        proposal = request.open_proposal
        if proposal:
            proposal.consultations.create(serviceman=tunde, asked_by=boss, question="Less?")
        payment = request.payments.first()
        ids = {
            "request": request.pk,
            "version": request.price_version,
            "issue": issue.pk,
            "proposal": proposal.pk if proposal else 0,
            "payment": payment.pk if payment else 0,
            "reference": payment.paystack_reference if payment else "none",
            "category": request.category_id,
            "man": tunde.pk,
            "sani": people["other serviceman"].pk,
            "applicant": applicant.pk,
            "rating": rating.pk,
            "notification": note.pk,
            "ada": ada.pk,
            "refresh": auth.issue(ada).refresh,
            "verify": tokens.verify_email.make(people["unverified client"]),
            "reset": tokens.reset_password.make(ada),
        }
        return ids, people

    with Bank().holding():
        yield world


@pytest.mark.parametrize("operation", ROWS)
def test_everybody_hears_what_the_table_says(operation, world, as_):
    row = ROWS[operation]
    method, path = operation.split()
    ids, people = world(row)
    heard = []
    for name in CALLERS:
        cache.clear()
        body = row.body(ids)
        with undone():
            caller, address = as_(people[name]) if people[name] else as_(), path.format(**ids)
            if body and "file" in body:
                answer = caller.post(address, body, content_type=MULTIPART_CONTENT)
            elif method in ("GET", "DELETE"):
                answer = getattr(caller, method.lower())(address + (f"?{urlencode(body, doseq=True)}" if body else ""))
            else:
                answer = getattr(caller, method.lower())(address, body or {})
        heard.append(answer.status_code)
        assert answer.status_code < 400 or answer["Content-Type"] == "application/problem+json"
    assert " ".join(map(str, heard)) == row.answers


def test_every_operation_of_the_contract_has_a_row():
    contract = {
        (method.upper(), "/".join("{}" if part.startswith("{") else part for part in path.split("/")))
        for path, operations in api.get_openapi_schema()["paths"].items()
        for method in operations
    }
    rows = set()
    for operation in ROWS:
        method, path = operation.split()
        rows.add((method, "/".join("{}" if part.startswith("{") else part for part in path.split("/"))))
    assert rows == contract
