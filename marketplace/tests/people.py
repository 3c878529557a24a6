"""The people of the tests, what they book, and how they call: a pytest plugin, so that tests of both apps have them.

- `ada` a client, `eve` another who must see nothing of hers; `tunde` and `bola` approved plumbers; `boss` a superuser.
- `make_client("kemi")`, `make_serviceman("sani")`, `make_admin("dispatcher")`: more of them.
- `request_in(status, **fields)`: a request of ada's that has come as far as `status`, with the rows that belong to it.
- `as_(ada).post(path, {...})`: the API in JSON with her token; `as_()` is a stranger. `console(boss)`: the console.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

if TYPE_CHECKING:
    from core.models import User
    from marketplace.models import Category, ServiceRequest

PASSWORD = "Str0ng-enough"
"""Everybody's."""
JSON = "application/json"

MakePerson = Callable[..., "User"]
RequestIn = Callable[..., "ServiceRequest"]


class Caller(Client):
    """Django's test client, speaking JSON for one person."""

    def __init__(self, token: str = "", **kwargs: Any) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        super().__init__(headers={"accept": JSON, **headers}, **kwargs)

    def post(self, path: str, data: Any = None, content_type: str = JSON, **rest: Any) -> Any:  # type: ignore[override]
        """JSON, unless another content type is asked for (`django.test.client.MULTIPART_CONTENT` for files)."""
        return super().post(path, {} if data is None else data, content_type=content_type, **rest)

    def put(self, path: str, data: Any = "", content_type: str = JSON, **rest: Any) -> Any:  # type: ignore[override]
        """JSON."""
        return super().put(path, data, content_type=content_type, **rest)

    def patch(self, path: str, data: Any = "", content_type: str = JSON, **rest: Any) -> Any:  # type: ignore[override]
        """JSON."""
        return super().patch(path, data, content_type=content_type, **rest)

    def delete(self, path: str, data: Any = "", content_type: str = JSON, **rest: Any) -> Any:  # type: ignore[override]
        """JSON."""
        return super().delete(path, data, content_type=content_type, **rest)


@pytest.fixture
def as_() -> Callable[..., Caller]:
    """`as_(ada)` calls the API with her token, `as_()` without any; keywords go to the test client."""

    def as_(person: User | None = None, **kwargs: Any) -> Caller:
        from core import auth

        return Caller(auth.access_for(person), **kwargs) if person else Caller(**kwargs)

    return as_


@pytest.fixture
def console() -> Callable[..., Client]:
    """`console(boss)` is signed in to the console as that admin."""

    def console(person: User, **kwargs: Any) -> Client:
        client = Client(**kwargs)
        client.force_login(person)
        return client

    return console


@pytest.fixture
def plumbing(db: None) -> Category:
    """A trade that can be booked."""
    from marketplace.models import Category

    return Category.objects.create(name="Plumbing", description="Pipes, taps and drains.")


@pytest.fixture
def make_person(db: None) -> MakePerson:
    """`make_person("kemi", "CLIENT", **fields)`: an account with a confirmed e-mail, kemi@example.com."""

    def make_person(name: str, user_type: str = "CLIENT", **fields: Any) -> User:
        from core.models import User

        given = {"first_name": name.title(), "last_name": "Okoro", "is_email_verified": True} | fields
        email = given.pop("email", f"{name}@example.com")
        return User.objects.create_user(None, email, given.pop("password", PASSWORD), user_type=user_type, **given)

    return make_person


@pytest.fixture
def make_client(make_person: MakePerson) -> MakePerson:
    """`make_client("kemi", **fields)`: a client with a profile."""

    def make_client(name: str, **fields: Any) -> User:
        from marketplace.models import ClientProfile

        address = fields.pop("address", "12 Allen Avenue, Ikeja, Lagos")
        person = make_person(name, "CLIENT", **fields)
        ClientProfile.objects.create(user=person, address=address)
        return person

    return make_client


@pytest.fixture
def make_serviceman(make_person: MakePerson, plumbing: Category) -> MakePerson:
    """`make_serviceman("sani", profile={"approval": "PENDING"}, **fields)`: a plumber, approved by default."""

    def make_serviceman(name: str, *, profile: dict[str, Any] | None = None, **fields: Any) -> User:
        from marketplace.models import ServicemanProfile

        person = make_person(name, "SERVICEMAN", **fields)
        standing = {"category": plumbing, "approval": "APPROVED", "years_of_experience": 8} | (profile or {})
        ServicemanProfile.objects.create(user=person, **standing)
        return person

    return make_serviceman


@pytest.fixture
def make_admin(make_person: MakePerson) -> MakePerson:
    """`make_admin("dispatcher")`: staff in that group and no other; `make_admin()` is in none and may do nothing."""

    def make_admin(*roles: str, name: str = "", **fields: Any) -> User:
        from django.contrib.auth.models import Group

        person = make_person(name or "-".join(roles) or "clerk", "ADMIN", is_staff=True, **fields)
        person.groups.set([Group.objects.get(name=role) for role in roles])
        return person

    return make_admin


@pytest.fixture(autouse=True, scope="session")
def _roles_outlive_a_flush() -> Iterator[None]:
    """A test with real transactions empties every table when it ends, and with them what the migrations wrote."""
    from django.apps import apps
    from django.db.models.signals import post_migrate

    def restore(using: str = "default", **_: Any) -> None:
        from django.contrib.auth.models import Group

        if not Group.objects.using(using).exists():
            _make_roles_again()

    sender = apps.get_app_config("marketplace")
    post_migrate.connect(restore, sender=sender, dispatch_uid="roles of the tests")
    yield
    post_migrate.disconnect(sender=sender, dispatch_uid="roles of the tests")


def _make_roles_again() -> None:
    """The groups and their rights, as the migration makes them."""
    from django.apps import apps

    modules = {config: config.models_module for config in apps.get_app_configs()}
    import_module("marketplace.migrations.0002_roles").make_roles(apps, None)
    for config, module in modules.items():
        config.models_module = module  # the migration leaves it as it is among historical models


@pytest.fixture
def ada(make_client: MakePerson) -> User:
    """A client."""
    return make_client("ada", last_name="Obi", phone_number="+2348031234501")


@pytest.fixture
def eve(make_client: MakePerson) -> User:
    """Another client, who must see nothing of ada's."""
    return make_client("eve", last_name="Nwosu", phone_number="+2348031234502")


@pytest.fixture
def tunde(make_serviceman: MakePerson) -> User:
    """An approved plumber."""
    return make_serviceman("tunde", last_name="Bello", phone_number="+2348031234503")


@pytest.fixture
def bola(make_serviceman: MakePerson) -> User:
    """Another approved plumber."""
    return make_serviceman("bola", last_name="Ade", phone_number="+2348031234504")


@pytest.fixture
def boss(db: None) -> User:
    """An admin who may do everything."""
    from core.models import User

    return User.objects.create_superuser(None, "boss@example.com", PASSWORD, first_name="Ngozi", last_name="Eze")


@pytest.fixture
def request_in(ada: User, tunde: User, bola: User, boss: User, plumbing: Category) -> RequestIn:
    """`request_in("IN_PROGRESS", **fields)`: ada's request at that status, tunde's job (bola is the backup).

    Rows belong to it as if every step had been taken: payments, offers, prices, an open proposal. `accepted=True`
    with ASSIGNED_TO_SERVICEMAN says tunde has said yes. Amounts: fee 2,000, estimate 20,000, price 22,000 naira.
    """

    def request_in(
        status: str = "AWAITING_BOOKING_FEE", *, accepted: bool | None = None, **fields: Any
    ) -> ServiceRequest:
        return _request_in(status, accepted, fields, {"client": ada, "category": plumbing}, (tunde, bola), boss)

    return request_in


def _request_in(
    status: str,
    accepted: bool | None,
    fields: dict[str, Any],
    booked: dict[str, Any],
    servicemen: tuple[User, User],
    admin: User,
) -> ServiceRequest:
    from core import clock
    from marketplace import deadlines
    from marketplace.enums import Side, Status
    from marketplace.models import ServiceRequest

    state = Status(status)
    ladder = list(Status)[:-1]
    # A cancelled request was cancelled before anything was paid, unless `fields` say otherwise.
    stage = ladder.index(state) if state in ladder else 0
    accepted = stage > ladder.index(Status.ASSIGNED_TO_SERVICEMAN) if accepted is None else accepted
    now = clock.now()
    values: dict[str, Any] = booked | {
        "status": state,
        "booking_date": clock.today() + timedelta(days=7),
        "initial_booking_fee": Decimal("2000.00"),
        "client_address": "12 Allen Avenue, Ikeja, Lagos",
        "service_description": "The kitchen tap drips.",
        "status_since": now,
    }
    if stage >= ladder.index(Status.ASSIGNED_TO_SERVICEMAN):
        first = fields.get("serviceman", servicemen[0])
        values |= {"serviceman": first, "backup_serviceman": next(man for man in servicemen if man != first)}
        values |= {"accepted_at": now} if accepted else {}
    if stage >= ladder.index(Status.SERVICEMAN_INSPECTED):
        values |= {"serviceman_estimated_cost": Decimal("20000.00"), "inspection_completed_at": now}
        values |= {"estimate_notes": "New cartridge.", "estimated_days": 1}
    if stage >= ladder.index(Status.AWAITING_CLIENT_APPROVAL):
        values |= {"final_cost": Decimal("22000.00"), "admin_markup_percentage": Decimal("10.00"), "price_version": 1}
    if stage >= ladder.index(Status.WORK_COMPLETED):
        values |= {"work_completed_at": now, "completion_notes": "Dry."}
    if state == Status.CANCELLED:
        values |= {"cancelled_by_role": Side.CLIENT, "cancellation_reason": "Not needed.", "cancelled_at": now}
    values |= fields
    waiting_on = deadlines.who_must_act(state, answer_from=Side.ADMIN if state == Status.NEGOTIATING else None)
    due_at = deadlines.due_at(
        state,
        since=values["status_since"],
        accepted=bool(values.get("accepted_at")),
        is_emergency=values.get("is_emergency", False),
        booking_date=values["booking_date"],
        terms=deadlines.Terms(),
    )
    give_up_at = deadlines.give_up_at(state, since=values["status_since"], terms=deadlines.Terms())
    waits = {"waiting_on": waiting_on, "due_at": due_at, "give_up_at": give_up_at}
    request = ServiceRequest.objects.create(**waits | values)
    _rows_of(request, stage, admin)
    return ServiceRequest.objects.get(pk=request.pk)


def _rows_of(request: ServiceRequest, stage: int, admin: User) -> None:
    """What the steps up to `stage` would have left besides the request itself."""
    from marketplace.enums import OfferAnswer, OfferRank, Side, Status
    from marketplace.models import Offer, Price, PriceNegotiation

    ladder = list(Status)
    if stage >= ladder.index(Status.PENDING_ADMIN_ASSIGNMENT):
        _paid(request, "INITIAL_BOOKING", request.initial_booking_fee)
    if request.serviceman:
        answer = {"answer": OfferAnswer.ACCEPTED, "answered_at": request.accepted_at} if request.accepted_at else {}
        respond_by = request.accepted_at or request.due_at
        Offer.objects.create(
            request=request, serviceman=request.serviceman, rank=OfferRank.PRIMARY, respond_by=respond_by, **answer
        )
        if request.backup_serviceman:
            Offer.objects.create(request=request, serviceman=request.backup_serviceman, rank=OfferRank.BACKUP)
    if request.final_cost is not None and request.serviceman_estimated_cost is not None:
        Price.objects.create(
            request=request,
            version=request.price_version,
            estimate=request.serviceman_estimated_cost,
            markup=request.admin_markup_percentage,
            final=request.final_cost,
            by=admin,
            agreed_at=request.status_since if stage >= ladder.index(Status.AWAITING_PAYMENT) else None,
        )
    if request.status == Status.NEGOTIATING:
        by = request.client if request.waiting_on == Side.ADMIN else admin
        PriceNegotiation.objects.create(
            service_request=request, proposed_by=by, proposed_amount=Decimal("18000.00"), message="Can you do 18,000?"
        )
    if stage >= ladder.index(Status.PAYMENT_CONFIRMED) and request.final_cost is not None:
        _paid(request, "FINAL_PAYMENT", request.final_cost)


def _paid(request: ServiceRequest, payment_type: str, amount: Decimal) -> None:
    from marketplace.models import Payment

    Payment.objects.create(
        service_request=request,
        payment_type=payment_type,
        amount=amount,
        paystack_reference=f"test-{request.pk}-{payment_type.lower().replace('_', '-')}",
        status="SUCCESSFUL",
        outcome="APPLIED",
        price_version=request.price_version if payment_type == "FINAL_PAYMENT" else 0,
        received_kobo=int(amount * 100),
        paid_at=request.status_since,
    )
