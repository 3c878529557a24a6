"""What the database itself refuses, whoever writes: one case for each constraint, and none without a case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.db.models import CheckConstraint, ProtectedError, UniqueConstraint

from core.models import IdempotencyKey, User
from marketplace.models import (
    BusinessSettings,
    Category,
    Consultation,
    Issue,
    LedgerEntry,
    LedgerLine,
    Offer,
    Payment,
    Payout,
    Price,
    PriceNegotiation,
    Rating,
    Refund,
    ServicemanProfile,
    ServiceRequest,
    UnavailableDate,
)

pytestmark = pytest.mark.django_db

Case = Callable[[Any], object]


class World:
    """One request with everything that can hang on it."""

    ada: User
    tunde: User
    bola: User
    boss: User
    sani: User

    def __init__(self, request: ServiceRequest, people: dict[str, User]) -> None:
        self.request = request
        for name, person in people.items():
            setattr(self, name, person)

    def edit(self, **values: Any) -> None:
        """Write past every model and service."""
        ServiceRequest.objects.filter(pk=self.request.pk).update(**values)

    def pay(self, **values: Any) -> Payment:
        reference = f"ref-{Payment.objects.count()}"
        given = {"service_request": self.request, "payment_type": "FINAL_PAYMENT", "amount": 5} | values
        return Payment.objects.create(**{"paystack_reference": reference} | given)

    def offer(self, **values: Any) -> Offer:
        return Offer.objects.create(**{"request": self.request, "serviceman": self.sani, "rank": "BACKUP"} | values)

    def propose(self, **values: Any) -> PriceNegotiation:
        given = {"service_request": self.request, "proposed_by": self.ada, "proposed_amount": 5}
        return PriceNegotiation.objects.create(**given | values)

    def ask(self, **values: Any) -> Consultation:
        proposal = PriceNegotiation.objects.get()
        return Consultation.objects.create(
            **{"negotiation": proposal, "serviceman": self.tunde, "question": "?"} | values
        )

    def price(self, **values: Any) -> Price:
        return Price.objects.create(**{"request": self.request, "version": 7, "estimate": 5, "final": 5} | values)

    def rate(self, **values: Any) -> Rating:
        given = {"service_request": self.request, "client": self.ada, "serviceman": self.tunde, "rating": 5}
        return Rating.objects.create(**given | values)

    def issue(self, **values: Any) -> Issue:
        return Issue.objects.create(**{"request": self.request, "kind": "OTHER", "message": "?"} | values)

    def book_line(self, **values: Any) -> LedgerLine:
        entry, _ = LedgerEntry.objects.get_or_create(kind="x", dedupe_key="x")
        return LedgerLine.objects.create(**{"entry": entry, "account": "BANK", "amount_kobo": 5} | values)

    def refund(self, **values: Any) -> Refund:
        return Refund.objects.create(**{"payment": self.request.payments.first(), "amount": 5, "reason": "x"} | values)

    def remember(self) -> IdempotencyKey:
        return IdempotencyKey.objects.create(user=self.ada, method="POST", path="/", key="k", body_sha256="x")


def twice(act: Case) -> Case:
    """What may be done once."""

    def both(world: World) -> None:
        with transaction.atomic():
            act(world)
        act(world)

    return both


REFUSED: dict[str, list[Case]] = {
    "status_is_known": [lambda w: w.edit(status="LOST"), lambda w: w.edit(status="")],
    "waiting_on_is_known": [lambda w: w.edit(waiting_on="GODOT")],
    "deleted_if_and_only_if_when": [
        lambda w: w.edit(is_deleted=True),
        lambda w: w.edit(deleted_at=w.request.created_at),
    ],
    "backup_is_another_man": [lambda w: w.edit(backup_serviceman=w.tunde)],
    "markup_in_range": [
        lambda w: w.edit(admin_markup_percentage="100.01"),
        lambda w: w.edit(admin_markup_percentage=-1),
    ],
    "booking_fee_is_positive": [lambda w: w.edit(initial_booking_fee=0)],
    "estimate_is_positive": [lambda w: w.edit(serviceman_estimated_cost=0)],
    "final_cost_is_positive": [lambda w: w.edit(final_cost=0), lambda w: w.edit(final_cost="-0.01")],
    "payment_is_positive": [lambda w: w.pay(amount=0), lambda w: w.pay(amount=-5)],
    "payment_by_hand_has_evidence": [
        lambda w: w.pay(channel="MANUAL"),
        lambda w: w.pay(channel="MANUAL", evidence="Teller 4711"),
        lambda w: w.pay(channel="MANUAL", recorded_by=w.boss),
    ],
    "payment_status_is_known": [lambda w: w.pay(status="MAYBE")],
    "one_applied_payment": [twice(lambda w: w.pay(status="SUCCESSFUL", outcome="APPLIED"))],
    "one_open_payment": [twice(lambda w: w.pay())],
    "one_live_primary_offer": [
        lambda w: w.offer(rank="PRIMARY"),
        lambda w: w.offer(rank="PRIMARY", answer="ACCEPTED"),
    ],
    "one_live_offer_a_serviceman": [
        lambda w: w.offer(serviceman=w.tunde),
        lambda w: w.offer(serviceman=w.bola, answer="ACCEPTED"),
    ],
    "proposed_amount_is_positive": [lambda w: w.propose(proposed_amount=0, status="REJECTED")],
    "one_open_proposal": [lambda w: w.propose(), lambda w: w.propose(proposed_by=w.boss)],
    "one_open_question": [twice(lambda w: w.ask())],
    "one_price_a_version": [lambda w: w.price(version=1)],
    "price_is_positive": [lambda w: w.price(final=0), lambda w: w.price(estimate=0)],
    "price_markup_in_range": [lambda w: w.price(markup=101), lambda w: w.price(markup="-0.01")],
    "rating_1_to_5": [lambda w: w.rate(rating=0), lambda w: w.rate(rating=6)],
    "one_open_issue_of_a_kind": [twice(lambda w: w.issue())],
    "ledger_line_is_not_zero": [lambda w: w.book_line(amount_kobo=0)],
    "account_is_known": [lambda w: w.book_line(account="MATTRESS")],
    "refund_is_positive": [lambda w: w.refund(amount=0)],
    "refund_status_is_known": [lambda w: w.refund(status="MAYBE")],
    "payout_is_positive": [lambda w: Payout.objects.create(serviceman=w.tunde, amount=0, reference="p")],
    "one_row_of_settings": [lambda w: BusinessSettings.objects.create(pk=2)],
    "fees_are_positive": [
        lambda w: BusinessSettings.objects.create(pk=1, booking_fee=0),
        lambda w: BusinessSettings.objects.create(pk=1, emergency_booking_fee=-1),
    ],
    "default_markup_in_range": [lambda w: BusinessSettings.objects.create(pk=1, default_markup_percentage=101)],
    "approval_is_known": [lambda w: ServicemanProfile.objects.update(approval="PERHAPS")],
    "serviceman_rating_in_range": [
        lambda w: ServicemanProfile.objects.update(rating="5.01"),
        lambda w: ServicemanProfile.objects.update(rating="-0.01"),
    ],
    "unavailable_once_a_day": [
        twice(lambda w: UnavailableDate.objects.create(serviceman=w.tunde, date="2026-11-22")),
    ],
    "category_name_once_whatever_the_case": [lambda w: Category.objects.create(name="pLUMBING", description="-")],
    "staff_are_admins": [
        lambda w: User.objects.filter(pk=w.ada.pk).update(is_staff=True),
        lambda w: User.objects.filter(pk=w.tunde.pk).update(is_staff=True),
    ],
    "email_is_lower_case": [lambda w: User.objects.filter(pk=w.ada.pk).update(email="Ada@example.com")],
    "user_type_is_known": [lambda w: User.objects.filter(pk=w.ada.pk).update(user_type="GUEST")],
    "one_answer_per_idempotency_key": [twice(lambda w: w.remember())],
}

TAKEN: dict[str, Case] = {
    "a superseded checkout beside an open one": lambda w: [w.pay(outcome="SUPERSEDED"), w.pay()],
    "money that came twice, late and wrong": lambda w: [
        w.pay(status="SUCCESSFUL", outcome="APPLIED"),
        w.pay(status="SUCCESSFUL", outcome="DUPLICATE"),
        w.pay(status="SUCCESSFUL", outcome="DUPLICATE"),
        w.pay(status="SUCCESSFUL", outcome="LATE"),
        w.pay(status="FAILED", outcome="MISMATCH"),
        w.pay(status="FAILED"),
        w.pay(status="FAILED"),
    ],
    "dead offers of whoever has a live one": lambda w: [
        w.offer(serviceman=w.tunde, rank="PRIMARY", answer="LAPSED"),
        w.offer(serviceman=w.tunde, rank="PRIMARY", answer="LAPSED"),
        w.offer(serviceman=w.sani, rank="BACKUP"),
    ],
    "closed proposals, questions and issues": lambda w: [
        w.propose(status="REJECTED"),
        w.propose(status="COUNTERED"),
        w.issue(resolved_at=w.request.created_at),
        w.issue(),
        w.issue(kind="SAFETY"),
    ],
    "nobody to do it, with a backup or without": lambda w: [
        w.edit(serviceman=None),
        w.edit(backup_serviceman=None),
    ],
    "markup at its edges and none": lambda w: [
        w.edit(admin_markup_percentage=0),
        w.edit(admin_markup_percentage=100),
        w.edit(admin_markup_percentage=None, final_cost=None, serviceman_estimated_cost=None),
    ],
    "stars at their edges": lambda w: [w.rate(rating=1)],
}


@pytest.fixture
def world(request_in: Any, ada: User, tunde: User, bola: User, boss: User, make_serviceman: Any) -> World:
    """Haggling over a price; tunde has accepted the job and bola is the backup."""
    people = {"ada": ada, "tunde": tunde, "bola": bola, "boss": boss, "sani": make_serviceman("sani")}
    return World(request_in("NEGOTIATING"), people)


def constraints() -> dict[str, models.BaseConstraint]:
    return {
        constraint.name: constraint
        for app in ("core", "marketplace")
        for model in apps.get_app_config(app).get_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, CheckConstraint | UniqueConstraint)
    }


def test_every_constraint_has_its_case_and_every_case_its_constraint():
    assert set(REFUSED) == set(constraints())


@pytest.mark.parametrize(
    ("name", "case"), [pytest.param(n, c, id=f"{n}-{i}") for n, cases in REFUSED.items() for i, c in enumerate(cases)]
)
def test_the_database_refuses(name, case, world):
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        case(world)
    # SQLite names no partial index, only its columns.
    if connection.vendor == "postgresql" or isinstance(constraints()[name], CheckConstraint):
        assert name in str(caught.value)


@pytest.mark.parametrize("what", TAKEN)
def test_the_database_takes(what, world):
    TAKEN[what](world)


@pytest.mark.parametrize(
    ("model", "column", "value"),
    [
        (User, "email", lambda: "eve@example.com"),
        (Category, "name", lambda: "Plumbing"),
        (ServiceRequest, "code", lambda: ServiceRequest.objects.first().code),
        (Payment, "paystack_reference", lambda: "twice"),
        (Payout, "reference", lambda: "twice"),
        (LedgerEntry, "dedupe_key", lambda: "twice"),
    ],
)
def test_columns_that_are_one_of_a_kind(model, column, value, world, make_client):
    make_client("eve")
    assert model._meta.get_field(column).unique
    makers = {
        User: lambda **v: User.objects.create(user_type="CLIENT", username="other", **v),
        Category: lambda **v: Category.objects.create(description="-", **v),
        ServiceRequest: lambda **v: ServiceRequest.objects.create(
            client=world.ada,
            category=world.request.category,
            booking_date="2026-11-22",
            initial_booking_fee=1,
            client_address="-",
            service_description="-",
            **v,
        ),
        Payment: world.pay,
        Payout: lambda **v: Payout.objects.create(serviceman=world.tunde, amount=1, **v),
        LedgerEntry: lambda **v: LedgerEntry.objects.create(kind="x", **v),
    }
    taken = value()
    if not model.objects.filter(**{column: taken}).exists():
        makers[model](**{column: taken})
    with pytest.raises(IntegrityError), transaction.atomic():
        makers[model](**{column: taken})


def test_one_rating_a_request(world):
    world.rate()
    with pytest.raises(IntegrityError), transaction.atomic():
        world.rate()


@pytest.mark.parametrize("who", ["ada", "tunde", "bola", "boss"])
def test_nobody_with_a_trace_in_the_books_can_be_deleted(who, world):
    with pytest.raises(ProtectedError):
        getattr(world, who).delete()


def test_nothing_with_money_can_be_deleted_from_under_it(world):
    world.refund()
    for thing in (world.request, world.request.category, world.request.payments.first()):
        with pytest.raises(ProtectedError):
            thing.delete()


CASCADES = {
    ("ClientProfile", "user"),
    ("ServicemanProfile", "user"),
    ("UnavailableDate", "serviceman"),
    ("Notification", "user"),
    ("ReconciliationDifference", "run"),
}
"""What may go with its parent: none of it holds money."""


def test_deleting_cascades_only_where_no_money_is():
    found = {
        (model.__name__, field.name)
        for model in apps.get_app_config("marketplace").get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is models.CASCADE
    }
    assert found == CASCADES
