"""Whom each event tells: the words of the table held against the people who are really told, and nobody else.

Every step is really taken, and the rows it leaves are read back: line by line they must be for the people whom TELLS
names, and never for him who took it. Around them stand all whom no line means: another client and another serviceman,
both with every permission by mistake, an admin for each permission, one who may only look, and one who has left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from core import clock
from core.models import User
from marketplace.enums import NotificationType as T
from marketplace.models import Issue, Notification, Payout, Refund, ServiceRequest
from marketplace.notices import announce
from marketplace.services import (
    assignment,
    issues,
    negotiations,
    notifications,
    payments,
    pricing,
    ratings,
    standing,
    work,
)
from marketplace.services import requests as services
from marketplace.services.payments.checkout import new_payment
from marketplace.tests.gateway import proof
from marketplace.tests.notices.test_table import TELLS
from marketplace.tests.test_service_table import undone
from marketplace.tests.test_workflow_table import CODENAMES, NUMBERS

pytestmark = pytest.mark.django_db

SUPERUSER = "boss"
DESK = {"3": "price", "4": "price", "5a": "price", "5b": "price", "8": "verify"}
"""Whose work an admin's turn is, by status; elsewhere it is that of those who assign."""
EVEN_HIMSELF = {
    "EMAIL_VERIFICATION",
    "WELCOME",
    "PASSWORD_RESET",
    "PASSWORD_CHANGED",
    "SERVICEMAN_APPROVED",
    "SERVICEMAN_REJECTED",
    "SERVICEMAN_SUSPENDED",
    "SERVICEMAN_REINSTATED",
    "PAYOUT_SENT",
    "BANK_ACCOUNT_CHANGED",
    "ANNOUNCEMENT",
}
"""What a person must hear of his own account, also when it was done in his name."""


@dataclass
class World:
    """One request and everybody around it; `name` is how the tables here call a person."""

    people: dict[str, User]
    request: ServiceRequest | None
    since: int
    losers: frozenset[str] = frozenset()
    raiser: str = ""

    def __getattr__(self, name: str) -> User:
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def pk(self) -> int:
        assert self.request
        return self.request.pk

    @property
    def proposal(self) -> int:
        assert self.request
        assert self.request.open_proposal
        return self.request.open_proposal.pk

    def name_of(self, user: User | None) -> str:
        return next((name for name, person in self.people.items() if person == user), "")

    def mean(self, word: str) -> set[str]:
        """Who a word of TELLS is, now."""
        now = ServiceRequest.objects.get(pk=self.pk) if self.request else None
        if word == "desk" and now:
            number = next(number for number, status in NUMBERS.items() if status == now.status)
            word = DESK.get(number, "assign")
        if word in CODENAMES:
            return {word, SUPERUSER}
        return {
            "client": lambda: {self.name_of(now.client)},
            "serviceman": lambda: {self.name_of(now.serviceman)} - {""},
            "backup": lambda: {self.name_of(now.backup_serviceman)} - {""},
            "loser": lambda: set(self.losers),
            "raiser": lambda: {self.raiser},
            "raisers": lambda: {self.raiser} - {""},
            "person": lambda: {"musa"},
            "chosen": lambda: {"eve", "sani"},
        }[word]()


@dataclass(frozen=True)
class Case:
    """An event as it happens: from which status, who does it (empty: the system), how, and which lines then speak."""

    event: str
    status: str
    by: str
    do: Callable[[World, User | None], object]
    lines: tuple[int, ...] | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    losers: tuple[str, ...] = ()
    raiser: str = ""
    after: timedelta = timedelta()

    @property
    def name(self) -> str:
        return f"{self.event} at {self.status or '-'} by {self.by or 'the system'}" + (
            f" {sorted(self.fields)}" if self.fields else ""
        )


PHONE = {"on_behalf": True, "reason": "By phone."}
EMERGENCY = {"is_emergency": True}
LATE = timedelta(hours=13)


def pay(kind: str, **said: Any) -> Callable[[World, User | None], object]:
    def pay(w: World, by: User | None) -> object:
        payment = new_payment(w.request, kind)
        return payments.apply(payment.paystack_reference, proof(payment, **said))

    return pay


def move(days: int) -> Callable[[World, User | None], object]:
    return lambda w, by: services.reschedule(
        w.pk, booking_date=clock.today() + timedelta(days=days), reason="Rain.", by=by
    )


def book(w: World, by: User | None) -> object:
    return services.book(
        category_id=w.tunde.serviceman_profile.category_id,
        booking_date=clock.today() + timedelta(days=3),
        client_address="12 Allen Avenue",
        service_description="It drips.",
        by=by,
    )


def assign(w: World, by: User | None) -> object:
    return assignment.assign_serviceman(w.pk, serviceman_id=w.sani.pk, backup_id=w.musa.pk, by=by)


def reassign(backup: str) -> Callable[[World, User | None], object]:
    return lambda w, by: assignment.reassign_serviceman(
        w.pk, serviceman_id=w.sani.pk, backup_id=w.people[backup].pk, replaces=w.tunde.pk, reason="Ill.", by=by
    )


def raised(w: World) -> Issue:
    return Issue.objects.create(
        request=w.request, kind="SAFETY", message="!", raised_by=w.people[w.raiser], raised_by_role="CLIENT"
    )


def cancel_with_an_issue(w: World, by: User | None) -> object:
    raised(w)
    return services.cancel(w.pk, reason="No.", by=by)


def resolve(w: World, by: User | None) -> object:
    row = raised(w)
    return issues.resolve_issue(w.pk, row.pk, resolution="Talked.", by=by)


def answer(w: World, by: User | None) -> object:
    w.request.open_proposal.consultations.create(serviceman=w.tunde, asked_by=w.price, question="Less?")
    return negotiations.answer_consultation(w.proposal, message="No.", by=by)


def of_musa(event: str) -> Callable[[World, User | None], object]:
    return lambda w, by: announce(event, w.musa, by=by)


def stands_as(approval: str, judge: Callable[..., object], **given: Any) -> Callable[[World, User | None], object]:
    def stands_as(w: World, by: User | None) -> object:
        profile = w.musa.serviceman_profile
        profile.approval = approval
        profile.save()
        return judge(w.musa.pk, by=by, **given)

    return stands_as


def send_back(w: World, by: User | None) -> object:
    refund = Refund.objects.create(payment=w.request.payments.first(), amount=Decimal(1), reason="Late.")
    return announce(T.REFUND_SENT, refund, by=by)


def pay_out(w: World, by: User | None) -> object:
    return announce(T.PAYOUT_SENT, Payout.objects.create(serviceman=w.musa, amount=Decimal(1), reference="PO-1"), by=by)


ASSIGNED = {"accepted": True}
ON_THE_CLIENT = {"waiting_on": "CLIENT"}
"""With NEGOTIATING: it was an admin who proposed."""

CASES = [
    Case("book", "", "ada", book),
    Case("confirm_booking_fee", "0", "", pay("INITIAL_BOOKING"), (0, 1)),
    Case("confirm_booking_fee", "0", "", pay("INITIAL_BOOKING"), fields=EMERGENCY),
    Case("expire", "0", "", lambda w, by: payments.expire(w.pk), after=timedelta(hours=25)),
    Case("assign", "1", "assign", assign, (0, 1)),
    Case("assign", "1", SUPERUSER, assign, fields=EMERGENCY),
    Case("reassign", "2", "assign", reassign("musa"), (0, 1, 3), losers=("tunde", "bola")),
    Case("reassign", "3", "assign", reassign("musa"), (0, 1, 3, 4), losers=("tunde", "bola")),
    Case("reassign", "7", SUPERUSER, reassign("bola"), fields=EMERGENCY, losers=("tunde",)),
    Case("accept", "2", "tunde", lambda w, by: assignment.accept_job(w.pk, by=by)),
    Case("accept", "2", "assign", lambda w, by: assignment.accept_job(w.pk, by=by, **PHONE)),
    Case("decline", "2", "tunde", lambda w, by: assignment.decline_job(w.pk, reason="Far.", by=by)),
    Case("decline", "2", SUPERUSER, lambda w, by: assignment.decline_job(w.pk, by=by, **PHONE)),
    Case("lapse", "2", "", lambda w, by: assignment.lapse_offer(w.pk), losers=("tunde",), after=LATE),
    Case("withdraw", "5b", "tunde", lambda w, by: assignment.withdraw_from_job(w.pk, reason="Ill.", by=by)),
    Case("withdraw", "6", "assign", lambda w, by: assignment.withdraw_from_job(w.pk, by=by, **PHONE)),
    Case(
        "submit_estimate",
        "2",
        "tunde",
        lambda w, by: work.submit_estimate(w.pk, amount=Decimal(9), by=by),
        fields=ASSIGNED,
    ),
    Case("set_final_cost", "3", "price", lambda w, by: pricing.set_final_cost(w.pk, markup=Decimal(5), by=by)),
    Case("propose_price", "4", "ada", lambda w, by: negotiations.propose_price(w.pk, amount=Decimal(7), by=by), (0,)),
    Case(
        "propose_price", "5b", "price", lambda w, by: negotiations.propose_price(w.pk, amount=Decimal(7), by=by), (1,)
    ),
    Case(
        "counter",
        "5a",
        "price",
        lambda w, by: negotiations.counter_proposal(w.proposal, amount=Decimal(7), by=by),
        (1,),
    ),
    Case(
        "counter",
        "5a",
        "ada",
        lambda w, by: negotiations.counter_proposal(w.proposal, amount=Decimal(7), by=by),
        (0,),
        ON_THE_CLIENT,
    ),
    Case("reject_proposal", "5a", "price", lambda w, by: negotiations.reject_proposal(w.proposal, by=by), (1,)),
    Case(
        "reject_proposal",
        "5a",
        "ada",
        lambda w, by: negotiations.reject_proposal(w.proposal, by=by),
        (0,),
        ON_THE_CLIENT,
    ),
    Case("withdraw_proposal", "5a", "ada", lambda w, by: negotiations.withdraw_proposal(w.proposal, by=by), (0,)),
    Case(
        "withdraw_proposal",
        "5a",
        "price",
        lambda w, by: negotiations.withdraw_proposal(w.proposal, by=by),
        (1,),
        ON_THE_CLIENT,
    ),
    Case("accept_proposal", "5a", "price", lambda w, by: negotiations.accept_proposal(w.proposal, by=by), (1, 2)),
    Case(
        "accept_proposal",
        "5a",
        "ada",
        lambda w, by: negotiations.accept_proposal(w.proposal, by=by),
        (0,),
        ON_THE_CLIENT,
    ),
    Case("approve_price", "4", "ada", lambda w, by: pricing.approve_price(w.pk, price_version=1, by=by)),
    Case("approve_price", "4", "assign", lambda w, by: pricing.approve_price(w.pk, price_version=1, by=by, **PHONE)),
    Case("confirm_final_payment", "5b", "", pay("FINAL_PAYMENT")),
    Case("start_work", "6", "tunde", lambda w, by: work.start_work(w.pk, by=by)),
    Case("mark_work_completed", "7", "tunde", lambda w, by: work.mark_work_completed(w.pk, by=by)),
    Case("verify_completion", "8", "verify", lambda w, by: work.verify_completion(w.pk, by=by)),
    Case("return_to_work", "8", "verify", lambda w, by: work.return_to_work(w.pk, reason="Wet.", by=by)),
    *(
        Case("cancel", status, by, lambda w, by: services.cancel(w.pk, reason="No.", by=by))
        for status, by in (("0", "ada"), ("2", "ada"), ("7", "cancel"), ("8", SUPERUSER))
    ),
    Case(
        "cancel",
        "5b",
        "",
        lambda w, by: services.cancel(w.pk, reason="Silence.", by=None),
        after=timedelta(days=14, hours=1),
    ),
    Case("reschedule", "2", "ada", move(30), (0, 1)),
    Case("reschedule", "6", "assign", move(1)),
    Case("flag_emergency", "2", "assign", lambda w, by: services.flag_emergency(w.pk, is_emergency=True, by=by), (0,)),
    Case(
        "flag_emergency",
        "7",
        SUPERUSER,
        lambda w, by: services.flag_emergency(w.pk, is_emergency=False, by=by),
        (1,),
        EMERGENCY,
    ),
    Case("consult", "5a", "price", lambda w, by: negotiations.consult_serviceman(w.proposal, message="Less?", by=by)),
    Case("answer", "5a", "tunde", answer),
    Case("soft_delete", "9", "ada", lambda w, by: services.soft_delete(w.pk, by=by)),
    *(
        Case("raise_issue", "7", by, lambda w, by: issues.raise_issue(w.pk, kind="OTHER", message="?", by=by))
        for by in ("ada", "tunde", "verify")
    ),
    *(Case("cancel", "7", "cancel", cancel_with_an_issue, raiser=raiser) for raiser in ("ada", "tunde", "stranger")),
    Case(
        "drop_backup",
        "2",
        "approve_servicemen",
        lambda w, by: standing.suspend_serviceman(w.bola.pk, reason="Complaints.", by=by),
    ),
    *(Case("resolve_issue", "7", "verify", resolve, raiser=raiser) for raiser in ("ada", "tunde", "finance", "verify")),
    Case("rate", "9", "ada", lambda w, by: ratings.rate(w.pk, rating=5, by=by)),
    *(Case(event, "", by, of_musa(event)) for event in ("EMAIL_VERIFICATION", "WELCOME") for by in ("", "musa")),
    *(Case(event, "", by, of_musa(event)) for event in ("PASSWORD_RESET", "PASSWORD_CHANGED") for by in ("", "musa")),
    Case("SERVICEMAN_APPLICATION", "", "musa", of_musa("SERVICEMAN_APPLICATION")),
    Case("SERVICEMAN_APPROVED", "", "approve_servicemen", stands_as("PENDING", standing.approve_serviceman)),
    Case(
        "SERVICEMAN_REJECTED",
        "",
        "approve_servicemen",
        stands_as("PENDING", standing.reject_serviceman, reason="No papers."),
    ),
    Case(
        "SERVICEMAN_SUSPENDED", "", "approve_servicemen", stands_as("APPROVED", standing.suspend_serviceman, reason="?")
    ),
    Case(
        "SERVICEMAN_REINSTATED",
        "",
        SUPERUSER,
        stands_as("SUSPENDED", standing.reinstate_serviceman, reason="We have talked."),
    ),
    *(
        Case(event, status, "", lambda w, by: services.chase(w.pk), lines, fields, after=timedelta(days=13))
        for event, status, lines, fields in (
            ("ACTION_REMINDER", "4", (0,), {}),
            ("ACTION_REMINDER", "5b", (0,), {}),
            ("ACTION_REMINDER", "6", (2,), {}),
            ("ACTION_REMINDER", "7", (2,), {}),
            *(("ACTION_OVERDUE", status, None, {}) for status in ("1", "3", "4", "5a", "5b", "6", "7", "8")),
            ("INSPECTION_OVERDUE", "2", None, ASSIGNED),
        )
    ),
    # Nobody chases the unpaid: yet the line is there.
    Case("ACTION_REMINDER", "0", "", lambda w, by: announce(T.ACTION_REMINDER, w.request, by=None), (1,)),
    Case("MONEY_AT_RISK", "5b", "", pay("FINAL_PAYMENT", amount_kobo=1)),
    Case("MONEY_AT_RISK", "6", "", pay("FINAL_PAYMENT")),
    Case("REFUND_SENT", "8", "refund", send_back),
    Case("PAYOUT_SENT", "", "pay_out", pay_out),
    *(Case("BANK_ACCOUNT_CHANGED", "", by, of_musa("BANK_ACCOUNT_CHANGED")) for by in ("", "musa")),
    Case("REVENUE_REPORT", "", "", lambda w, by: notifications.send_revenue_report("day")),
    *(
        Case(
            "ANNOUNCEMENT",
            "",
            by,
            lambda w, by: notifications.send_announcement([w.eve.pk, w.sani.pk], title="Hi", message="Hi.", by=by),
        )
        for by in ("announce", SUPERUSER)
    ),
]


@pytest.fixture
def people(
    ada: User, eve: User, tunde: User, bola: User, boss: User, make_serviceman: Any, make_admin: Any
) -> dict[str, User]:
    """Everybody by name: an admin for each codename, who may otherwise only look, and those whom nothing is for."""
    views = Permission.objects.filter(content_type__app_label="marketplace", codename__startswith="view_")
    rights = Permission.objects.filter(content_type__app_label="marketplace", codename__in=CODENAMES)
    found = {"ada": ada, "eve": eve, "tunde": tunde, "bola": bola, SUPERUSER: boss}
    found |= {name: make_serviceman(name) for name in ("sani", "musa", "stranger")}
    for codename in CODENAMES:
        found[codename] = make_admin(name=codename)
        found[codename].user_permissions.add(*views, rights.get(codename=codename))
    found |= {"viewer": make_admin("viewer"), "finance": make_admin(name="finance"), "gone": make_admin(name="gone")}
    for stray in ("eve", "stranger", "gone"):
        found[stray].user_permissions.set(rights)
    User.objects.filter(pk=found["gone"].pk).update(is_active=False)
    return {name: User.objects.get(pk=person.pk) for name, person in found.items()}


@pytest.fixture
def happens(people: dict[str, User], request_in: Any) -> Callable[[Case], World]:
    """The world after a case has happened in it."""

    def happens(case: Case) -> World:
        fields = dict(case.fields)
        request = request_in(NUMBERS[case.status], **fields) if case.status else None
        if fields == ON_THE_CLIENT:
            request.negotiations.update(proposed_by=people["price"])
            request = ServiceRequest.objects.get(pk=request.pk)
        last = Notification.objects.order_by("pk").values_list("pk", flat=True).last() or 0
        world = World(people, request, last, frozenset(case.losers), case.raiser)
        with clock.at(clock.now() + case.after):
            case.do(world, people.get(case.by))
        return world

    return happens


def told(world: World, event: str) -> list[tuple[str, set[str]]]:
    """What was told whom of an event, line by line: rows of one line share their words."""
    rows = Notification.objects.filter(pk__gt=world.since, facts__event=event).order_by("pk").select_related("user")
    lines = groupby(rows, key=lambda row: (row.notification_type, row.title, row.message))
    return [(kind, {world.name_of(row.user) for row in group}) for (kind, *_), group in lines]


def meant(world: World, case: Case) -> list[tuple[str, set[str]]]:
    """The same by the words of TELLS: everybody once a type, and nobody who did it himself."""
    lines = [TELLS[case.event][number] for number in case.lines] if case.lines is not None else TELLS[case.event]
    found: list[tuple[str, set[str]]] = []
    for kind, *words in (line.split() for line in lines):
        audience = {name for word in words for name in world.mean(word)}
        audience -= {name for other, names in found for name in names if other == kind}
        if case.event not in EVEN_HIMSELF:
            audience -= {case.by}
        if audience:
            found.append((kind, audience))
    return found


def test_an_event_tells_exactly_whom_the_workflow_says(happens):
    wrong = []
    for case in CASES:
        with undone():
            world = happens(case)
            came, right = told(world, case.event), meant(world, case)
            if came != right:
                wrong.append((case.name, came, right))
    assert not wrong, wrong


def test_every_line_of_the_table_is_spoken_by_a_case():
    spoken = {
        (case.event, number)
        for case in CASES
        for number in (range(len(TELLS[case.event])) if case.lines is None else case.lines)
    }
    assert spoken == {(event, number) for event, lines in TELLS.items() for number in range(len(lines))}
    assert {case.event for case in CASES} == set(TELLS)


def test_every_word_of_the_table_has_its_people(people, request_in):
    world = World(people, request_in("ASSIGNED_TO_SERVICEMAN"), 0, frozenset({"sani"}), "ada")
    for word in {word for lines in TELLS.values() for line in lines for word in line.split()[1:]}:
        assert world.mean(word), word


def test_whoever_does_it_is_not_told_so(people, request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN", is_emergency=True)
    issue = Issue.objects.create(
        request=request, kind="SAFETY", message="!", raised_by=people["stranger"], raised_by_role="SERVICEMAN"
    )
    facts = {
        "lost": people["sani"].pk,
        "lost_backup": people["musa"].pk,
        "issue_id": issue.pk,
        "user_ids": [people["eve"].pk],
        "amount": "1.00",
        "side": "ADMIN",
        "was": "2026-11-24",
        **dict.fromkeys(("promoted", "had_accepted", "became_emergency"), True),
    }
    heard: dict[str, set[str]] = {}
    for event, lines in TELLS.items():
        about = people["musa"] if "person" in " ".join(lines) else request

        def listeners(by: User | None, event: str = event, about: Any = about) -> set[int]:
            return {row.user_id for row in announce(event, about, by=by, **facts)}

        # Whoever hears of it when the system does it, or the client.
        ears = listeners(None) | listeners(people["ada"])
        for name, person in people.items():
            if person.pk in ears and person.pk in listeners(person):
                heard.setdefault(event, set()).add(name)
    assert heard == {event: {"eve" if event == "ANNOUNCEMENT" else "musa"} for event in EVEN_HIMSELF}
