"""The people of the demo: admins of each role, servicemen of each trade, clients; all on a reserved mail domain."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import cycle
from random import Random
from typing import Any, Final, NamedTuple

from django.contrib.auth.models import Group

from core import clock, tokens
from core.models import Role, User
from marketplace.management.demo import names, words
from marketplace.management.demo.acts import Cast
from marketplace.management.demo.names import Name
from marketplace.management.demo.stories import HISTORY_DAYS
from marketplace.management.demo.trades import TRADES, Trade
from marketplace.models import UnavailableDate
from marketplace.services import accounts, catalog, standing

DOMAIN: Final = "demo.example.com"
"""Reserved: mail to it reaches nobody."""
BEGAN: Final = timedelta(days=HISTORY_DAYS + 10)
UNCONFIRMED_CLIENTS: Final = 2


class Desk(NamedTuple):
    """An admin of the demo, and the role he has; the superuser has none."""

    mailbox: str
    name: Name
    role: str


DESKS: Final = (
    Desk("boss", Name("Amaka", "Okonjo"), ""),
    Desk("dispatcher", Name("Segun", "Alade"), "dispatcher"),
    Desk("pricing", Name("Zainab", "Waziri"), "pricing"),
    Desk("finance", Name("Ekaette", "Inyang"), "finance"),
    Desk("viewer", Name("Hassan", "Tukur"), "viewer"),
)


def gather(rng: Random, *, clients: int, now: datetime) -> Cast:
    """Make everybody, at different times before the first booking."""
    began = now - BEGAN
    with clock.at(began):
        admins = {desk.mailbox: _admin(desk) for desk in DESKS}
        categories = {t.name: _category(t, by=admins["boss"]) for t in TRADES}
    known = names.names(rng, clients + sum(t.men for t in TRADES) + 3)
    cast = Cast(
        boss=admins["boss"],
        dispatcher=admins["dispatcher"],
        pricing=admins["pricing"],
        finance=admins["finance"],
        clients=[],
        categories=categories,
    )
    for trade in TRADES:
        for _ in range(trade.men):
            person = _serviceman(rng, known.pop(), trade, cast, at=began + timedelta(hours=rng.uniform(1, 60)))
            with clock.at(began + timedelta(days=rng.uniform(3, 8))):
                standing.approve_serviceman(person.pk, by=cast.dispatcher)
            cast.people[person.pk] = person
    _applicants(rng, known, cast, now=now)
    for number in range(clients):
        joined = began + timedelta(days=rng.uniform(5, 9.5))
        person = _client(rng, known.pop(), number, at=joined, confirmed=number < clients - UNCONFIRMED_CLIENTS)
        cast.clients += [person] if person.is_email_verified else []
    _days_off(rng, cast, now=now)
    return cast


def _category(trade: Trade, *, by: User) -> int:
    return catalog.create_category(name=trade.name, description=trade.description, by=by).pk


def _admin(desk: Desk) -> User:
    email, (first, last) = f"{desk.mailbox}@{DOMAIN}", desk.name
    if not desk.role:
        return User.objects.create_superuser(None, email, None, first_name=first, last_name=last)
    person = User.objects.create_user(
        None, email, None, first_name=first, last_name=last, user_type=Role.ADMIN, is_staff=True, is_email_verified=True
    )
    person.groups.set([Group.objects.get(name=desk.role)])
    return person


def _client(rng: Random, name: Name, number: int, *, at: datetime, confirmed: bool) -> User:
    with clock.at(at):
        person = _registered(rng, name, Role.CLIENT, 100 + number, address=names.address(rng))
    return _confirmed(person, at=at + timedelta(minutes=rng.uniform(2, 300))) if confirmed else person


def _serviceman(rng: Random, name: Name, trade: Trade, cast: Cast, *, at: datetime) -> User:
    with clock.at(at):
        person = _registered(
            rng,
            name,
            Role.SERVICEMAN,
            rng.randint(1000, 9999),
            category_id=cast.categories[trade.name],
            bio=rng.choice(trade.bios),
            years_of_experience=rng.randint(3, 22),
        )
    return _confirmed(person, at=at + timedelta(minutes=rng.uniform(2, 300)))


def _registered(rng: Random, name: Name, role: Role, number: int, **profile: Any) -> User:
    """Without a password: they all get one together, in the end."""
    return accounts.register(
        email=f"{name.mailbox}@{DOMAIN}",
        password=None,
        user_type=role,
        first_name=name.first,
        last_name=name.last,
        phone_number=names.phone(rng, number),
        **profile,
    )


def _confirmed(person: User, *, at: datetime) -> User:
    """He has followed the link of the mail."""
    with clock.at(at):
        return accounts.verify_email(token=tokens.verify_email.make(person))


def _applicants(rng: Random, known: list[Name], cast: Cast, *, now: datetime) -> None:
    """Two who wait for an answer, one who was refused."""
    refused = _serviceman(rng, known.pop(), TRADES[1], cast, at=now - timedelta(days=30))
    with clock.at(now - timedelta(days=28)):
        standing.reject_serviceman(refused.pk, reason=words.APPLICATION_REFUSED, by=cast.dispatcher)
    for hours, trade in ((52, TRADES[4]), (7, TRADES[0])):
        _serviceman(rng, known.pop(), trade, cast, at=now - timedelta(hours=hours))


def _days_off(rng: Random, cast: Cast, *, now: datetime) -> None:
    """Some servicemen have blocked days of the coming weeks."""
    for person, start in zip(cycle(list(cast.people.values())[::3]), (12, 15, 19, 26), strict=False):
        first = clock.day_of(now) + timedelta(days=start + rng.randint(0, 2))
        days = {first, first + timedelta(days=1)}
        blocked = UnavailableDate.objects.filter(serviceman=person).values_list("date", flat=True)
        UnavailableDate.objects.bulk_create(
            UnavailableDate(serviceman=person, date=day) for day in sorted(days - set(blocked))
        )
