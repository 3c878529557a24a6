"""A letter of every type about people and jobs that do not exist: for previews, and to look at all of them at once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from core import clock
from core.models import Role, User
from marketplace.analytics import Revenue
from marketplace.enums import IssueKind, PaymentStatus, PaymentType, Side, Status
from marketplace.enums import NotificationType as T
from marketplace.models import (
    BankAccount,
    Category,
    Consultation,
    Issue,
    Notification,
    Payment,
    Payout,
    Rating,
    ServicemanProfile,
    ServiceRequest,
)
from marketplace.notices.announcing import written
from marketplace.notices.notice import Notice
from marketplace.notices.occasions import Occasion
from marketplace.notices.report import Report
from marketplace.notices.rows import Letter
from marketplace.notices.table import EVENTS
from marketplace.notices.words import HAVE_WORDS

WORDS = "The pipe behind the wall is broken as well, so it takes a second visit."
SAID = {
    T.BACKUP_OPPORTUNITY: "The gate is behind the filling station; ring twice.",
    T.ISSUE_RAISED: "The tap drips again since yesterday.",
    T.ISSUE_RESOLVED: "The serviceman comes once more, at no cost.",
    T.JOB_CONFIRMED: "We have looked at it together, and it works.",
    T.NEGOTIATION_MESSAGE: "Without the second visit it can be done for this.",
    T.RATING_RECEIVED: "Came on time, worked cleanly, and the tap is dry.",
    T.REQUEST_CANCELLED: "The family is travelling that week.",
    T.RESCHEDULED: "The family is travelling that week.",
    T.SERVICEMAN_ASSIGNED: "The gate is behind the filling station; ring twice.",
    T.SERVICEMAN_DECLINED: "I have another job that day.",
    T.SERVICEMAN_APPROVED: "Welcome! Your first jobs will be close to Ikeja.",
    T.SERVICEMAN_REINSTATED: "We have talked with both clients, and it is settled.",
    T.SERVICEMAN_REJECTED: "Please send us the certificate of your trade.",
    T.SERVICEMAN_SUSPENDED: "Two clients waited for you in vain.",
    T.SERVICEMAN_CONSULTED: "Would you do it for less if the client buys the pipe?",
    T.SERVICEMAN_ANSWERED: "Yes, if the pipe is there when I come.",
    T.WORK_RETURNED: "The tap is fine now, but the pipe below it still drips.",
}
FEE, ESTIMATE, PRICE, PROPOSED = Decimal("2000.00"), Decimal("20000.00"), Decimal("22500.00"), Decimal("18000.00")
AMOUNTS = {T.REFUND_SENT: FEE, T.PAYOUT_SENT: ESTIMATE, T.REVENUE_REPORT: Decimal("1245000.00"), T.MONEY_AT_RISK: PRICE}
UNPRICED = ("confirm_booking_fee", "expire", "assign", "accept", "decline", "lapse", "withdraw", "reassign")
"""Events that come before there is an estimate."""
PERSONAL = {
    T.EMAIL_VERIFICATION: Role.CLIENT,
    T.WELCOME: Role.CLIENT,
    T.PASSWORD_RESET: Role.CLIENT,
    T.PASSWORD_CHANGED: Role.CLIENT,
    T.ANNOUNCEMENT: Role.CLIENT,
    T.SERVICEMAN_APPLICATION: Role.ADMIN,
    T.SERVICEMAN_APPROVED: Role.SERVICEMAN,
    T.SERVICEMAN_REJECTED: Role.SERVICEMAN,
    T.SERVICEMAN_SUSPENDED: Role.SERVICEMAN,
    T.SERVICEMAN_REINSTATED: Role.SERVICEMAN,
    T.PAYOUT_SENT: Role.SERVICEMAN,
    T.BANK_ACCOUNT_CHANGED: Role.SERVICEMAN,
    T.REVENUE_REPORT: Role.ADMIN,
}
"""Types that are about no request, and who reads the sample."""


def sample_letters(kind: T | str) -> list[Letter]:
    """A letter for each line of the table that sends this type, each to somebody it would go to."""
    return [_letter(event, notice) for event, notices in EVENTS.items() for notice in notices if notice.type == kind]


def sample_letter(kind: T | str) -> Letter:
    """The first of them."""
    return sample_letters(kind)[0]


def _letter(event: str, notice: Notice) -> Letter:
    people = {
        Role.CLIENT: User(pk=1, first_name="Ada", last_name="Obi", user_type=Role.CLIENT),
        Role.SERVICEMAN: User(pk=2, first_name="Tunde", last_name="Bello", user_type=Role.SERVICEMAN),
        Role.ADMIN: User(pk=3, first_name="Ngozi", last_name="Eze", user_type=Role.ADMIN),
    }
    role = PERSONAL.get(notice.type) or _role(event, notice, people)
    request = None if notice.type in PERSONAL else _request(event, people, role)
    occasion = Occasion(event, request, None, _facts(notice))
    return Letter(
        notification=Notification(user=people[role], **written(notice, occasion)),
        reader=people[role],
        request=request,
        records=_records(event, request, people),
        words=SAID.get(notice.type, WORDS) if notice.quotes or notice.type in HAVE_WORDS else "",
        token="sample",  # noqa: S106  (opens nothing)
    )


def _role(event: str, notice: Notice, people: dict[Role, User]) -> Role:
    """Whose copy the sample is."""
    if notice.type == T.ISSUE_RESOLVED:
        return Role.CLIENT
    told = set(notice.to.people(Occasion(event, _request(event, people), None, {"lost": 5})))
    return Role.CLIENT if 1 in told else Role.SERVICEMAN if told & {2, 4, 5} else Role.ADMIN


def _facts(notice: Notice) -> dict[str, Any]:
    return {
        "amount": AMOUNTS.get(notice.type, PROPOSED),
        "lost": 5,
        "was": clock.today() + timedelta(days=1),
        "side": Side.ADMIN,
        "why": "LATE",
        "is_emergency": "lifted" not in notice.title,
        "period": "week",
        "start": clock.today() - timedelta(days=13),
        "end": clock.today() - timedelta(days=7),
        "title": "We are closed on Friday 25 December",
        "message": "Our office is closed on Friday 25 December.\n\nEmergencies are looked after as always.",
    }


def _request(event: str, people: dict[Role, User], waits_for: Role = Role.CLIENT) -> ServiceRequest:
    now = clock.now()
    side, status = {
        Role.CLIENT: (Side.CLIENT, Status.AWAITING_PAYMENT),
        Role.SERVICEMAN: (Side.SERVICEMAN, Status.PAYMENT_CONFIRMED),
        Role.ADMIN: (Side.ADMIN, Status.SERVICEMAN_INSPECTED),
    }[waits_for]
    request = ServiceRequest(
        pk=0,
        code="SR-7K3Q9",
        client=people[Role.CLIENT],
        serviceman=people[Role.SERVICEMAN],
        backup_serviceman_id=4,
        category=Category(pk=1, name="Plumbing"),
        booking_date=clock.today() + timedelta(days=2),
        initial_booking_fee=FEE,
        client_address="Flat 3, 12 Allen Avenue, opposite First Bank, Ikeja, Lagos",
        service_description="The kitchen tap drips, and the pipe below it is wet.",
        estimate_notes="New cartridge and a metre of pipe.",
        estimated_days=1,
        completion_notes="Cartridge and pipe replaced; dry.",
        accepted_at=now,
        due_at=now + timedelta(hours=12),
        waiting_on=side,
        status=status,
    )
    if event not in UNPRICED:
        request.serviceman_estimated_cost = ESTIMATE
        request.final_cost = PROPOSED if event == "accept_proposal" else PRICE
    return request


def _records(event: str, request: ServiceRequest | None, people: dict[Role, User]) -> dict[str, Any]:
    man = people[Role.SERVICEMAN]
    trade = request.category if request else Category(pk=1, name="Plumbing")
    payment = Payment(
        service_request=request,
        payment_type=PaymentType.INITIAL_BOOKING if event in UNPRICED else PaymentType.FINAL_PAYMENT,
        amount=FEE if event in UNPRICED else PRICE,
        status=PaymentStatus.SUCCESSFUL,
        received_kobo=2250000,
        paystack_reference=f"SR-7K3Q9-{'I' if event in UNPRICED else 'F'}-6f1d0c9a42",
        paid_at=clock.now(),
    )
    return {
        "payment": payment,
        "lost": man,
        "going_back": FEE if event == "cancel" else 0,
        "consultation": Consultation(question="Could you do it for less?", answer=WORDS, minimum_amount=PROPOSED),
        "issue": Issue(kind=IssueKind.QUALITY, message=WORDS),
        "rating": Rating(rating=4, review=WORDS),
        "payout": Payout(serviceman=man, amount=ESTIMATE, reference="PO-2026-0047"),
        "bank_account": BankAccount(serviceman=man, account_number="0123456789", account_name="TUNDE BELLO"),
        "profile": ServicemanProfile(user=man, category=trade, rating=Decimal("4.70")),
        "report": Report(
            now=Revenue(
                collected=Decimal("1245000.00"),
                booking_fees=Decimal("145000.00"),
                final_payments=Decimal("1100000.00"),
                payments=83,
                refunded=Decimal("7000.00"),
                gateway_fees=Decimal("24350.00"),
                platform_revenue=Decimal("238000.00"),
                earned=Decimal("980000.00"),
            ),
            before=Revenue(
                collected=Decimal("1100000.00"),
                booking_fees=Decimal("131000.00"),
                final_payments=Decimal("969000.00"),
                payments=79,
                refunded=Decimal("12000.00"),
                gateway_fees=Decimal("22100.00"),
                platform_revenue=Decimal("219500.00"),
                earned=Decimal("860000.00"),
            ),
            payable=Decimal("412000.00"),
            payable_before=Decimal("390500.00"),
        ),
    }
