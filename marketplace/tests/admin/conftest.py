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
def a_row_each(another_of_each: Callable[..., Any], ada: User, tunde: User) -> dict[type[Model], Model]:
    """One row of every model the console shows."""
    rows: dict[type[Model], Model] = another_of_each(0, client=ada, serviceman=tunde)
    return rows


@pytest.fixture
def another_of_each(request_in: Any, boss: User) -> Callable[..., dict[type[Model], Model]]:
    """`another_of_each(3, client=ada, serviceman=tunde)`: a row more of every model, around two requests of theirs."""

    def another_of_each(number: int, *, client: User, serviceman: User) -> dict[type[Model], Model]:
        done = request_in("COMPLETED", client=client, serviceman=serviceman)
        talks = request_in("NEGOTIATING", client=client, serviceman=serviceman)
        kept = {type(row): row for row in _rows(number, done, talks, boss) if type(row) is not Task}
        kept |= {Success: Success.objects.get(id=f"a{number:031}"), Failure: Failure.objects.get(id=f"b{number:031}")}
        assert set(kept) == set(admin.site._registry), "A model of the console has no row here."
        return kept

    return another_of_each


def _rows(number: int, done: models.ServiceRequest, talks: models.ServiceRequest, boss: User) -> list[Model]:
    client, serviceman = done.client, done.serviceman
    assert serviceman is not None
    now = clock.now()
    day = now.date() - timedelta(days=number)
    payment = done.payments.all()[0]
    proposal = talks.negotiations.all()[0]
    batch = models.PayoutBatch.objects.create(prepared_by=boss)
    entry = models.LedgerEntry.objects.create(
        kind="booking_fee_in", request=done, payment=payment, dedupe_key=f"x{number}"
    )
    line = models.LedgerLine.objects.create(entry=entry, account="BANK", amount_kobo=100)
    models.LedgerLine.objects.create(entry=entry, account="SERVICEMAN_PAYABLE", amount_kobo=-100, serviceman=serviceman)
    run = models.ReconciliationRun.objects.create(start=day, end=day, by=boss)
    async_task("marketplace.tasks.send_due_emails")
    task = {"func": "marketplace.tasks.purge", "args": (1,), "started": now, "stopped": now}
    return [
        done,
        boss,
        Group.objects.get_or_create(name=f"viewer{number or ''}")[0],
        models.Category.objects.create(name=f"Trade {number}", description="Work.") if number else done.category,
        client.client_profile,
        serviceman.serviceman_profile,
        payment,
        proposal,
        done.prices.all()[0],
        done.offers.all()[0],
        batch,
        models.Payout.objects.create(
            batch=batch, serviceman=serviceman, amount=100, reference=f"payout-{number:04}-test"
        ),
        entry,
        line,
        run,
        bookings.add_note(done.pk, text="Nice people.", by=boss),
        models.Consultation.objects.create(
            negotiation=proposal, serviceman=serviceman, asked_by=boss, question="Enough?"
        ),
        models.UnavailableDate.objects.create(serviceman=serviceman, date=now.date()),
        models.Issue.objects.create(request=talks, kind="OTHER", message="Hm.", raised_by=boss, raised_by_role="ADMIN"),
        models.Refund.objects.create(payment=payment, amount=100, reason="Kind."),
        models.Receipt.objects.create(number=number + 1, payment=payment),
        models.Dispute.objects.create(payment=payment, paystack_id=f"{number + 1}", amount_kobo=1, due_at=now),
        models.WebhookEvent.objects.create(
            sha256=f"{number:064}", body=b'{"event": "charge.success"}', event="charge.success"
        ),
        models.BankAccount.objects.create(
            serviceman=serviceman, account_number="0123456789", bank_code="058", account_name="TUNDE BELLO"
        ),
        models.Rating.objects.create(
            service_request=done, client=client, serviceman=serviceman, rating=4, review="Fine."
        ),
        models.Notification.objects.create(
            user=client, notification_type="ANNOUNCEMENT", title="Hello", message="Hello.", service_request=done
        ),
        models.DailyRevenue.objects.create(day=day),
        models.BusinessSettings.objects.get_or_create(pk=1)[0],
        models.ReconciliationDifference.objects.create(
            run=run, kind="missing", reference="r", payment=payment, next_step="Ask Paystack"
        ),
        models.Attachment.objects.create(
            request=done,
            uploaded_by=client,
            kind="JOB",
            file="gone.png",
            content_type="image/png",
            size=1,
            sha256="0" * 64,
        ),
        RefreshToken.objects.create(user=client, expires_at=now + timedelta(days=1)),
        ThrottleHit.objects.create(key=f"k{number}", expires_at=now),
        IdempotencyKey.objects.create(user=client, method="POST", path="/", key=f"k{number}", body_sha256="0" * 64),
        Task.objects.create(id=f"a{number:031}", name="good", success=True, result="fine", **task),
        Task.objects.create(id=f"b{number:031}", name="bad", success=False, result="Traceback\nBoom", **task),
        Schedule.objects.create(name=f"Purge {number or ''}".strip(), func="marketplace.tasks.purge"),
        OrmQ.objects.latest("pk"),
    ]
