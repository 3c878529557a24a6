"""Every list and page of the console takes as many statements at 1 row as at 20 or 100."""

import pytest
from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import User
from marketplace.models import (
    Attachment,
    BusinessSettings,
    Consultation,
    Dispute,
    Issue,
    LedgerEntry,
    LedgerLine,
    Note,
    Notification,
    Offer,
    Payment,
    Price,
    PriceNegotiation,
    Refund,
    ServiceRequest,
    WebhookEvent,
)

pytestmark = pytest.mark.django_db

EVERYWHERE = 3
"""Session, account, and the counts of all queues: what each page costs that has a sidebar."""
LISTS = {model._meta.model_name: 1 for model in admin.site._registry} | {
    "ledgerentry": 2,  # the lines of the entries
    "servicerequest": 2,  # the categories to filter by
    "servicemanprofile": 2,  # the same
    "group": 3,  # counted twice, being Django's own
    "businesssettings": None,  # has no list
}
PAGES = {
    "index": 11,
    "money_at_risk": 7,
    "insight_revenue": 3,
    "insight_operations": 19,
    "insight_servicemen": 1,
    "insight_categories": 1,
    "insight_ratings": 1,
    "insight_workflow": 1,
    "email_previews": 0,
}
TRAILS = {model._meta.model_name: 3 for model in admin.site._registry if hasattr(model, "history")} | {
    "clientprofile": 4,
    "servicemanprofile": 4,
}
"""The row, how many versions, and the versions with whoever made them; of a profile the name, too."""
REQUEST_PAGE = 19


SUGGESTING = [
    (ServiceRequest, "client"),
    (Payment, "service_request"),
    (Refund, "payment"),
    (ServiceRequest, "category"),
    (LedgerEntry, "refund"),
    (LedgerEntry, "payout"),
    (LedgerEntry, "reverses"),
    (Consultation, "negotiation"),
    (User, "groups"),
]
"""A field of each model that has suggestions."""


def cost(client, path, query=None):
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path, query)
    assert answer.status_code == 200, path
    return len(captured), answer


@pytest.fixture
def grow(another_of_each, make_client, make_serviceman):
    """`grow(20)`: so many rows of every model."""
    made = []

    def grow(size):
        while (number := len(made)) < size:
            client, man = make_client(f"client{number}"), make_serviceman(f"man{number}")
            made.append(another_of_each(number, client=client, serviceman=man))

    return grow


def name_of(model):
    return f"{model._meta.app_label}_{model._meta.model_name}"


def test_a_list_costs_the_same_however_many_rows(console, boss, grow, request_in):
    client, costs = console(boss), {}
    for size in (1, 20):
        grow(size)
        client.get(reverse("admin:index"))
        for model in admin.site._registry:
            if model is BusinessSettings:
                continue
            count, answer = cost(client, reverse(f"admin:{name_of(model)}_changelist"))
            assert len(answer.context["cl"].result_list) >= size
            costs.setdefault(model._meta.model_name, []).append(count - EVERYWHERE)
    assert costs == {model: [count] * 2 for model, count in LISTS.items() if count}
    while ServiceRequest.objects.count() < 100:
        request_in("ASSIGNED_TO_SERVICEMAN")
    count, answer = cost(client, reverse("admin:marketplace_servicerequest_changelist"))
    assert (len(answer.context["cl"].result_list), count - EVERYWHERE) == (50, LISTS["servicerequest"])


def test_a_page_about_many_rows_costs_the_same_however_many(console, boss, grow):
    client, costs = console(boss), {}
    pages = ["index", *(name for _, name, _ in settings.UNFOLD["SITE_VIEWS"])]
    for size in (1, 20):
        grow(size)
        client.get(reverse("admin:index"))
        for page in pages:
            costs.setdefault(page, []).append(cost(client, reverse(f"admin:{page}"))[0] - EVERYWHERE)
    assert costs == {page: [count] * 2 for page, count in PAGES.items()}


def test_suggestions_cost_the_same_however_many(console, boss, grow):
    """The two of the session, what is looked for and nothing else."""
    client, sizes = console(boss), (1, 20)
    for size in sizes:
        grow(size)
        for model, field in SUGGESTING:
            asked = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field}
            count, answer = cost(client, reverse("admin:autocomplete"), asked)
            assert len(answer.json()["results"]) >= size
            assert count <= 4, (field, size)


def test_a_trail_costs_the_same_however_long(console, boss, a_row_each):
    client, costs = console(boss), {}
    for model, row in a_row_each.items():
        if not hasattr(model, "history"):
            continue
        path = reverse(f"admin:{name_of(model)}_history", args=[row.pk])
        client.get(path)
        for size in (1, 20):
            for _ in range(size):
                row._history_user = boss
                row.save()
            costs.setdefault(model._meta.model_name, []).append(cost(client, path)[0] - EVERYWHERE)
    assert costs == {model: [count] * 2 for model, count in TRAILS.items()}


def more_of_everything(record, number, boss, tunde, bola):
    """What a request's page shows, once more."""
    about, ada = {"request": record}, record.client
    Note.objects.create(**about, author=boss, text="Call first.")
    Offer.objects.create(**about, serviceman=(tunde, bola)[number % 2], rank="BACKUP", answer="LAPSED")
    Price.objects.create(**about, version=number + 10, estimate=1, final=1, by=boss)
    settled = {"resolved_by": boss, "resolved_at": record.created_at, "resolution": "Fine."}
    Issue.objects.create(**about, kind="OTHER", message="Hm.", raised_by=ada, raised_by_role="CLIENT", **settled)
    proposal = PriceNegotiation.objects.create(
        service_request=record, proposed_by=ada, proposed_amount=1, status="REJECTED"
    )
    Consultation.objects.create(
        negotiation=proposal, serviceman=tunde, asked_by=boss, question="?", closed_at=record.created_at
    )
    payment = Payment.objects.create(
        service_request=record, payment_type="FINAL_PAYMENT", amount=1, status="FAILED", paystack_reference=f"r{number}"
    )
    Refund.objects.create(payment=payment, amount=1, reason="Late.", requested_by=boss, approved_by=boss)
    Dispute.objects.create(payment=payment, paystack_id=f"d{number}", amount_kobo=1)
    WebhookEvent.objects.create(sha256=f"{number:064}", body=b"{}", reference=payment.paystack_reference)
    Notification.objects.create(
        user=ada, notification_type="WORK_STARTED", title="Hi", message="Hi", service_request=record
    )
    Attachment.objects.create(**about, uploaded_by=ada, kind="JOB", file=f"{number}.png", size=1, sha256="0" * 64)
    entry = LedgerEntry.objects.create(kind="booking_fee_in", **about, payment=payment, dedupe_key=f"x{number}")
    LedgerLine.objects.create(entry=entry, account="BANK", amount_kobo=1)
    LedgerLine.objects.create(entry=entry, account="SERVICEMAN_PAYABLE", amount_kobo=-1, serviceman=tunde)
    record.serviceman, record.backup_serviceman = (tunde, bola)[number % 2], None
    record._history_user = (boss, ada)[number % 2]
    record._change_reason = "Again."
    record.save()


def test_the_page_of_a_request_costs_the_same_however_much_happened(console, boss, request_in, tunde, bola):
    record, client, made, costs = request_in("IN_PROGRESS"), console(boss), 0, []
    path = reverse("admin:marketplace_servicerequest_change", args=[record.pk])
    client.get(path)
    for size in (1, 20, 100):
        while made < size:
            more_of_everything(record, made, boss, tunde, bola)
            made += 1
        costs.append(cost(client, path)[0] - EVERYWHERE)
    assert costs == [REQUEST_PAGE] * 3
