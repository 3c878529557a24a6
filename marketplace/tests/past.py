"""A marketplace with a past, in bulk: 10,000 requests with what hangs on them, or ten times as many. PostgreSQL only.

What waits is the same 1,000 requests at either size: it is the past that grows, at 144 bookings a day. The first rows
come from Django; the others are copies of what is closed, each set under numbers of its own and one span earlier.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import DateField, DateTimeField, Model

from core import clock
from core.models import User
from marketplace import models
from marketplace.enums import OPEN

REQUESTS, CLOSED, COPIES = 10_000, 9_000, 10
EVERY = timedelta(minutes=10)
"""Between two bookings."""
FIRST, STEP = 10_000_000, 100_000
"""The number of the first row of each table, and what lies between it and its copies."""
MEN = 200
UNIQUE = {"email", "username", "phone_number", "code", "paystack_reference", "dedupe_key"}
SHARED = {"serviceman_id", "backup_serviceman_id", "category_id", "recorded_by_id", "history_user_id"}
"""Numbers that stay as they are in a copy."""

History = models.ServiceRequest.history.model
PER_REQUEST: dict[type[Model], float] = {
    User: 1 / 5,
    models.ServiceRequest: 1,
    History: 4,
    models.Offer: 1,
    models.Issue: 1 / 100,
    models.Payment: 2,
    models.Refund: 1 / 50,
    models.Notification: 4,
    models.LedgerEntry: 2,
    models.LedgerLine: 4,
}
"""In an order that foreign keys allow."""


def build(boss: User) -> None:
    """The 10,000."""
    trades = [models.Category.objects.create(name=f"Trade {n}") for n in range(8)]
    men = [User(id=FIRST // 10 + n, **_person(f"man{n}", "SERVICEMAN")) for n in range(MEN)]
    User.objects.bulk_create(men)
    rows: dict[type[Model], list[Any]] = {model: [] for model in PER_REQUEST}
    for k in range(REQUESTS):
        _add(rows, k, trades[k % 8].pk, men[k % MEN].pk, boss.pk)
    for model, made in rows.items():
        model._default_manager.bulk_create(made, batch_size=5_000)


def grow() -> None:
    """Ten times as many, by copying what is closed."""
    with connection.cursor() as cursor:
        for number in range(1, COPIES + 1):
            for model, per in PER_REQUEST.items():
                columns = list(model._meta.concrete_fields)
                values = ", ".join(_copied(model, field, number) for field in columns)
                names = ", ".join(f'"{field.column}"' for field in columns)
                table, pk = model._meta.db_table, model._meta.pk.column
                last = FIRST + int(CLOSED * per) - 1
                cursor.execute(
                    f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE {pk} BETWEEN {FIRST} AND {last}"
                )


def tidy() -> None:
    """What autovacuum does to a real one."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _copied(model: type[Model], field: Any, number: int) -> str:
    column = f'"{field.column}"'
    numbered = field.primary_key or field.is_relation or (model is History and field.column == "id")
    if numbered and field.column not in SHARED:
        return f"{column} - {number * STEP}"
    if isinstance(field, DateTimeField):
        return f"{column} - interval '{number * CLOSED * EVERY.total_seconds():.0f} seconds'"
    if isinstance(field, DateField):
        return f"{column} - {number * CLOSED * EVERY // timedelta(days=1)}"
    if field.column in UNIQUE:
        return (
            f"overlay({column} placing '{number:02}' from 4 for 2)" if model is not User else f"'{number}' || {column}"
        )
    return column


def _person(name: str, side: str) -> dict[str, Any]:
    last = ("Obi", "Bello", "Nwosu", "Ade", "Eze", "Okafor", "Balogun", "Danjuma")[len(name) % 8]
    return {
        "username": name, "email": f"{name}@example.com", "user_type": side, "first_name": name.title(),
        "last_name": last, "is_email_verified": True,
    }  # fmt: skip


def _add(rows: dict[type[Model], list[Any]], k: int, trade: int, man: int, boss: int) -> None:
    at = clock.now() - (REQUESTS - k) * EVERY
    is_open = k >= CLOSED
    status = OPEN[k % len(OPEN)] if is_open else "CANCELLED" if k % 8 == 0 else "COMPLETED"
    pk, client = FIRST + k, FIRST + k // 5
    if k % 5 == 0:
        phone = f"0000{70_000_000 + k}"
        rows[User].append(User(id=client, phone_number=phone, date_joined=at, **_person(f"client{k}", "CLIENT")))
    due = clock.now() + timedelta(hours=k % 40 - 10) if is_open else None
    request = models.ServiceRequest(
        id=pk, code=f"SR-00{k:05}", status=status, client_id=client, category_id=trade, created_at=at, updated_at=at,
        serviceman_id=None if status in OPEN[:2] else man, booking_date=(at + timedelta(days=4)).date(),
        is_emergency=k % 20 == 0, initial_booking_fee=2000, client_address="12 Allen Avenue, Ikeja",
        service_description="The kitchen tap drips.", status_since=at, due_at=due,
        waiting_on=("ADMIN", "CLIENT")[k // 10 % 2] if is_open else "NOBODY", is_deleted=not is_open and k % 100 == 7,
        deleted_at=at if not is_open and k % 100 == 7 else None,
        final_cost=20_000, accepted_at=at if k % 3 else None,
    )  # fmt: skip
    rows[models.ServiceRequest].append(request)
    values = {field.attname: getattr(request, field.attname) for field in request._meta.concrete_fields}
    steps = ("book", "confirm_booking_fee", "assign", "cancel" if status == "CANCELLED" else "verify_completion")
    for n, step in enumerate(steps):
        when = at + n * timedelta(hours=6)
        rows[History].append(
            History(history_id=FIRST + 4 * k + n, history_date=when, history_type="~", step=step, **values)
        )
        told = {"sent_to_email": True, "is_read": bool(n)} if k < REQUESTS - 20 else {}
        given_up = {"sent_to_email": False, "parked_at": when} if n == 3 and k % 1000 == 5 else {}
        rows[models.Notification].append(
            models.Notification(
                id=FIRST + 4 * k + n,
                user_id=client,
                notification_type="JOB_CONFIRMED",
                title="Done",
                message="Done.",
                service_request_id=pk,
                created_at=when,
                next_try_at=when,
                dedupe_key=f"m: 00{k}-{n}",
                **told | given_up,
            )
        )
    if not is_open:
        rows[models.Offer].append(
            models.Offer(id=pk, request_id=pk, serviceman_id=man, rank="PRIMARY", answer="ACCEPTED", sent_at=at)
        )
    if k % 100 == 0:
        settled = {} if is_open else {"resolved_at": at, "resolution": "Talked."}
        raised = {"kind": "OTHER", "message": "Hm.", "raised_by_id": client, "raised_by_role": "CLIENT"}
        rows[models.Issue].append(models.Issue(id=FIRST + k // 100, request_id=pk, created_at=at, **raised, **settled))
    _add_money(rows, k, at, status, boss)


def _add_money(rows: dict[type[Model], list[Any]], k: int, at: Any, status: str, boss: int) -> None:
    late, by_hand = k % 200 == 3, k >= REQUESTS - 10
    paid = {"status": "SUCCESSFUL", "outcome": "APPLIED", "paid_at": at}
    final = paid if status == "COMPLETED" else {"status": "FAILED"}
    final = paid | {"outcome": "LATE"} if late else final
    if by_hand:
        final = {"status": "PENDING", "channel": "MANUAL", "evidence": "Teller 1", "recorded_by_id": boss}
    for n, (kind, facts) in enumerate((("INITIAL_BOOKING", paid), ("FINAL_PAYMENT", final))):
        pk, about = FIRST + 2 * k + n, {"created_at": at, "updated_at": at}
        rows[models.Payment].append(
            models.Payment(
                id=pk,
                service_request_id=FIRST + k,
                payment_type=kind,
                amount=2000,
                received_kobo=200_000,
                paystack_reference=f"sm-00-{k:05}-{n}",
                **about,
                **facts,
            )
        )
        rows[models.LedgerEntry].append(
            models.LedgerEntry(
                id=pk,
                kind=("booking_fee_in", "final_payment_in")[n],
                request_id=FIRST + k,
                payment_id=pk,
                dedupe_key=f"in-00-{pk}",
                happened_at=at,
                posted_at=at,
            )
        )
        for m, (account, sign) in enumerate((("GATEWAY_CLEARING", 1), (("REVENUE_BOOKING_FEE", "CLIENT")[n], -1))):
            rows[models.LedgerLine].append(
                models.LedgerLine(
                    id=FIRST + 4 * k + 2 * n + m, entry_id=pk, account=account, amount_kobo=sign * 200_000
                )
            )
    if k % 50 == 3:
        rows[models.Refund].append(
            models.Refund(
                id=FIRST + k // 50,
                payment_id=FIRST + 2 * k + 1,
                amount=100,
                status="PROCESSED",
                reason="Kind.",
                created_at=at,
                updated_at=at,
                sent_at=at,
                processed_at=at,
            )
        )
