"""What the tests of the console share: a row of every model, and how a dialog is submitted."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django_q.models import Failure, OrmQ, Schedule, Success, Task
from django_q.tasks import async_task

from core import clock
from core.models import IdempotencyKey, RefreshToken, ThrottleHit, User
from marketplace import models
from marketplace.services import requests as bookings


@pytest.fixture
def open_dialog() -> Callable[..., Any]:
    """`open_dialog(client, record, "assign", reason="...")`: POST with values, GET without."""

    def call(client: Client, record: Model | type[Model], name: str, *, method: str = "post", **values: Any) -> Any:
        meta = record._meta
        url = f"admin:{meta.app_label}_{meta.model_name}_{name}"
        path = reverse(url, args=[] if isinstance(record, type) else [record.pk])
        headers = {"HX-Request": "true"}
        if method == "get":
            return client.get(path, headers=headers)
        return client.post(path, {"_form_submitted": "on", **values}, headers=headers)

    return call


@pytest.fixture
def said() -> Callable[[Client], list[str]]:
    """The messages the next page shows, without the links they end in."""

    def read(client: Client) -> list[str]:
        shown = client.get(reverse("admin:index")).context["messages"]
        return [re.sub(r" <a [^>]*>Show [^<]*</a>$", "", str(message)) for message in shown]

    return read


@pytest.fixture
def a_row_each(request_in: Any, boss: User, ada: User, tunde: User, plumbing: Any) -> dict[type[Model], Model]:
    """One row of every model the console shows."""
    done = request_in("COMPLETED")
    talks = request_in("NEGOTIATING")
    now = clock.now()
    payment = done.payments.first()
    proposal = talks.negotiations.first()
    batch = models.PayoutBatch.objects.create(prepared_by=boss)
    payout = models.Payout.objects.create(batch=batch, serviceman=tunde, amount=100, reference="payout-0001-test")
    entry = models.LedgerEntry.objects.create(kind="booking_fee_in", request=done, payment=payment, dedupe_key="x")
    line = models.LedgerLine.objects.create(entry=entry, account="BANK", amount_kobo=100)
    models.LedgerLine.objects.create(entry=entry, account="SERVICEMAN_PAYABLE", amount_kobo=-100, serviceman=tunde)
    run = models.ReconciliationRun.objects.create(start=now.date(), end=now.date())
    async_task("marketplace.tasks.send_due_emails")
    task = {"func": "marketplace.tasks.purge", "args": (1,), "started": now, "stopped": now}
    rows: list[Model] = [
        done,
        boss,
        Group.objects.get_or_create(name="viewer")[0],
        plumbing,
        ada.client_profile,
        tunde.serviceman_profile,
        payment,
        proposal,
        done.prices.first(),
        done.offers.first(),
        batch,
        payout,
        entry,
        line,
        run,
        bookings.add_note(done.pk, text="Nice people.", by=boss),
        models.Consultation.objects.create(negotiation=proposal, serviceman=tunde, asked_by=boss, question="Enough?"),
        models.UnavailableDate.objects.create(serviceman=tunde, date=now.date()),
        models.Issue.objects.create(request=talks, kind="OTHER", message="Hm.", raised_by=boss, raised_by_role="ADMIN"),
        models.Refund.objects.create(payment=payment, amount=100, reason="Kind."),
        models.Receipt.objects.create(number=1, payment=payment),
        models.Dispute.objects.create(payment=payment, paystack_id="1", amount_kobo=1, due_at=now),
        models.WebhookEvent.objects.create(
            sha256="0" * 64, body=b'{"event": "charge.success"}', event="charge.success"
        ),
        models.BankAccount.objects.create(
            serviceman=tunde, account_number="0123456789", bank_code="058", account_name="TUNDE BELLO"
        ),
        models.Rating.objects.create(service_request=done, client=ada, serviceman=tunde, rating=4, review="Fine."),
        models.Notification.objects.create(
            user=ada, notification_type="ANNOUNCEMENT", title="Hello", message="Hello.", service_request=done
        ),
        models.DailyRevenue.objects.create(day=now.date()),
        models.BusinessSettings.objects.create(pk=1),
        models.ReconciliationDifference.objects.create(
            run=run, kind="missing", reference="r", payment=payment, next_step="Ask Paystack"
        ),
        models.Attachment.objects.create(
            request=done,
            uploaded_by=ada,
            kind="JOB",
            file="gone.png",
            content_type="image/png",
            size=1,
            sha256="0" * 64,
        ),
        RefreshToken.objects.create(user=ada, expires_at=now + timedelta(days=1)),
        ThrottleHit.objects.create(key="k", expires_at=now),
        IdempotencyKey.objects.create(user=ada, method="POST", path="/", key="k", body_sha256="0" * 64),
        Task.objects.create(id="a" * 32, name="good", success=True, result="fine", **task),
        Task.objects.create(id="b" * 32, name="bad", success=False, result="Traceback\nBoom", **task),
        Schedule.objects.create(name="Purge", func="marketplace.tasks.purge"),
        OrmQ.objects.get(),
    ]
    kept = {type(row): row for row in rows if type(row) is not Task}
    kept |= {Success: Success.objects.get(success=True), Failure: Failure.objects.get(success=False)}
    assert set(kept) == set(admin.site._registry), "A model of the console has no row here."
    return kept
