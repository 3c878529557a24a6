"""Every list costs the same number of statements at 1, 20 and 100 rows, for each audience."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from marketplace.models import (
    Attachment,
    Category,
    Consultation,
    Issue,
    Payment,
    PriceNegotiation,
    Rating,
    Refund,
    ServiceRequest,
    UnavailableDate,
)
from marketplace.notices import announce

SIZES = (1, 20, 100)


@pytest.fixture
def full_request(request_in, tunde, boss):
    """One more request with everything that can hang on one: payments, refund, issue, proposal, question, note."""

    def full_request(number):
        request = request_in("NEGOTIATING", preferred_serviceman=tunde)
        proposal = PriceNegotiation.objects.get(service_request=request)
        Consultation.objects.create(negotiation=proposal, serviceman=tunde, asked_by=boss, question="For less?")
        Issue.objects.create(
            request=request, kind="OTHER", message="Late.", raised_by=tunde, raised_by_role="SERVICEMAN"
        )
        payment = Payment.objects.get(service_request=request)
        Refund.objects.create(payment=payment, amount=Decimal(1), reason="Late.")

    return full_request


@pytest.fixture
def paid_request(request_in, tunde):
    def paid_request(number):
        request_in("PENDING_ADMIN_ASSIGNMENT", preferred_serviceman=tunde)

    return paid_request


@pytest.fixture
def rated_job(request_in, ada, tunde):
    def rated_job(number):
        Rating.objects.create(service_request=request_in("COMPLETED"), client=ada, serviceman=tunde, rating=5)

    return rated_job


@pytest.fixture
def another_serviceman(make_serviceman):
    def another_serviceman(number):
        person = make_serviceman(f"man{number}")
        UnavailableDate.objects.create(serviceman=person, date=clock.today())

    return another_serviceman


@pytest.fixture
def another_category(plumbing):
    def another_category(number):
        Category.objects.create(name=f"Trade {number}", description="Work.")

    return another_category


@pytest.fixture
def another_proposal(request_in, ada):
    request = request_in("NEGOTIATING")

    def another_proposal(number):
        PriceNegotiation.objects.filter(service_request=request).update(status="REJECTED")
        PriceNegotiation.objects.create(service_request=request, proposed_by=ada, proposed_amount=number + 1)

    return another_proposal


@pytest.fixture
def another_step(request_in):
    request = request_in("IN_PROGRESS")

    def another_step(number):
        request._step = "raise_issue"
        request._history_user = request.client
        request.save()

    return another_step


@pytest.fixture
def another_picture(request_in, ada, tunde):
    request = request_in("IN_PROGRESS")

    def another_picture(number):
        row = {"kind": "JOB", "file": f"{number}.jpg", "content_type": "image/jpeg", "size": 1, "sha256": "0" * 64}
        Attachment.objects.create(request=request, uploaded_by=(ada, tunde)[number % 2], **row)

    return another_picture


@pytest.fixture
def another_day_off(tunde):
    def another_day_off(number):
        UnavailableDate.objects.create(serviceman=tunde, date=clock.today() + timedelta(days=number))

    return another_day_off


@pytest.fixture
def another_message(request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN")

    def another_message(number):
        """Somebody's words are shown with it, from where the history keeps them."""
        announce("cancel", request, by=None, reason="The road is flooded.", side="SYSTEM")

    return another_message


LISTS = [
    ("/api/service-requests/", "ada", "full_request", 7),
    ("/api/service-requests/", "tunde", "full_request", 7),
    ("/api/service-requests/", "bola", "full_request", 7),
    ("/api/service-requests/", "boss", "full_request", 7),
    ("/api/service-requests/", "dispatcher", "full_request", 9),
    ("/api/service-requests/summary/", "ada", "full_request", 2),
    ("/api/service-requests/{first}/timeline/", "ada", "another_step", 7),
    ("/api/service-requests/{first}/timeline/", "tunde", "another_step", 7),
    ("/api/service-requests/{first}/attachments/", "ada", "another_picture", 3),
    ("/api/me/unavailable-dates/", "tunde", "another_day_off", 2),
    ("/api/admin/pending-assignments/", "boss", "paid_request", 12),
    ("/api/admin/pricing-review/", "boss", "full_request", 7),
    ("/api/negotiations/?request_id={first}", "ada", "another_proposal", 3),
    ("/api/ratings/", "stranger", "rated_job", 1),
    ("/api/servicemen/", "stranger", "another_serviceman", 1),
    ("/api/categories/", "stranger", "another_category", 1),
    ("/api/categories/{category}/servicemen/", "stranger", "another_serviceman", 2),
    ("/api/admin/servicemen/", "boss", "another_serviceman", 2),
    ("/api/admin/analytics/servicemen/", "boss", "another_serviceman", 2),
    ("/api/admin/analytics/categories/", "boss", "another_category", 2),
    ("/api/payments/", "ada", "paid_request", 2),
    ("/api/payments/", "boss", "paid_request", 2),
    ("/api/payments/", "finance", "paid_request", 4),
    ("/api/notifications/", "ada", "another_message", 3),
    ("/api/notifications/?is_read=false", "boss", "another_message", 3),
]
"""Path, who asks, what makes a row, and the statements: the caller's token is one, an admin's rights two."""


def lists_of(document):
    """The paths of an OpenAPI document whose answer is a page: items and next."""

    def models(schema):
        name = schema.get("$ref", "").rpartition("/")[2]
        yield document["components"]["schemas"][name] if name else schema
        for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            yield from models(part)

    return {
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        for response in operation["responses"].values()
        for content in response.get("content", {}).values()
        if any({"items", "next"} <= set(model.get("properties", ())) for model in models(content["schema"]))
    }


def test_every_list_of_the_contract_is_measured(as_):
    found = lists_of(as_().get("/api/openapi.json").json())
    assert len(found) >= 14
    measured = {path.partition("?")[0].replace("{first}", "{request_id}") for path, *_ in LISTS}
    assert found - {path.replace("{category}", "{category_id}") for path in measured} == set()


@pytest.mark.parametrize(("path", "who", "row", "statements"), LISTS)
def test_a_list_costs_the_same_however_many_rows(as_, request, make_admin, plumbing, path, who, row, statements):
    add_row = request.getfixturevalue(row)
    if who in ("dispatcher", "finance"):
        caller = as_(make_admin(who))
    else:
        caller = as_() if who == "stranger" else as_(request.getfixturevalue(who))
    is_list, cost, made = "summary" not in path, {}, 0
    for size in SIZES:
        while made < size:
            add_row(made)
            made += 1
        first = ServiceRequest.objects.order_by("id").values_list("pk", flat=True).first()
        address = path.format(first=first, category=plumbing.pk)
        if is_list:
            address += ("&" if "?" in address else "?") + "limit=100"
        with CaptureQueriesContext(connection) as captured:
            answer = caller.get(address)
        assert answer.status_code == 200, answer.content
        if is_list:
            assert len(answer.json()["items"]) >= min(size, 100)
        cost[size] = len(captured)
    assert cost == dict.fromkeys(SIZES, statements)
