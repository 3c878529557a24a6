"""The table of notices, transcribed by hand from the workflow, held against the steps, the types and the templates."""

import inspect
from pathlib import Path

import pytest
from django.conf import settings

from marketplace.enums import NotificationType
from marketplace.models import ServiceRequest
from marketplace.notices import EVENTS, MAIL_TASK
from marketplace.notices.announcing import TITLE_LENGTH
from marketplace.notices.rows import LOOKS, ROWS

CLIENT, SERVICEMAN, BACKUP, LOSER, PERSON = "client", "serviceman", "backup_serviceman", "loser", "person"

TELLS = {
    "book": [],
    "confirm_booking_fee": ["PAYMENT_RECEIVED assign settle", "BOOKING_CONFIRMED client", "EMERGENCY_ALERT assign"],
    "expire": ["REQUEST_CANCELLED client"],
    "assign": ["SERVICEMAN_ASSIGNED serviceman", "BACKUP_OPPORTUNITY backup", "EMERGENCY_ALERT backup serviceman"],
    "reassign": [
        "SERVICEMAN_ASSIGNED serviceman",
        "BACKUP_OPPORTUNITY backup",
        "EMERGENCY_ALERT backup serviceman",
        "OFFER_WITHDRAWN loser",
        "SERVICEMAN_CHANGED client",
    ],
    "accept": ["SERVICEMAN_ACCEPTED client", "SERVICEMAN_ACCEPTED assign"],
    "decline": ["SERVICEMAN_ASSIGNED serviceman", "SERVICEMAN_DECLINED assign"],
    "lapse": ["SERVICEMAN_ASSIGNED serviceman", "SERVICEMAN_DECLINED assign", "OFFER_LAPSED loser"],
    "withdraw": ["SERVICEMAN_ASSIGNED serviceman", "SERVICEMAN_DECLINED assign", "SERVICEMAN_CHANGED client"],
    "submit_estimate": ["COST_ESTIMATE_READY price"],
    "set_final_cost": ["FINAL_COST_SET client"],
    "propose_price": ["NEGOTIATION_MESSAGE price", "NEGOTIATION_MESSAGE client"],
    "counter": ["NEGOTIATION_MESSAGE price", "NEGOTIATION_MESSAGE client"],
    "reject_proposal": ["NEGOTIATION_MESSAGE price", "NEGOTIATION_MESSAGE client"],
    "withdraw_proposal": ["NEGOTIATION_MESSAGE price", "NEGOTIATION_MESSAGE client"],
    "accept_proposal": ["NEGOTIATION_MESSAGE price", "NEGOTIATION_MESSAGE client", "FINAL_COST_SET client"],
    "approve_price": ["PRICE_APPROVED price"],
    "confirm_final_payment": [
        "PAYMENT_CONFIRMED assign settle",
        "PAYMENT_CONFIRMED serviceman",
        "PAYMENT_RECEIPT client",
    ],
    "start_work": ["WORK_STARTED client"],
    "mark_work_completed": ["JOB_COMPLETED verify"],
    "verify_completion": ["JOB_CONFIRMED client", "JOB_CONFIRMED serviceman"],
    "return_to_work": ["WORK_RETURNED serviceman"],
    "cancel": [
        "REQUEST_CANCELLED client",
        "REQUEST_CANCELLED backup serviceman",
        "REQUEST_CANCELLED cancel",
        "REQUEST_CANCELLED raisers",
    ],
    "reschedule": [
        "RESCHEDULED client",
        "RESCHEDULED assign backup serviceman",
        "EMERGENCY_ALERT assign backup serviceman",
    ],
    "flag_emergency": ["EMERGENCY_ALERT backup serviceman", "EMERGENCY_ALERT backup serviceman"],
    "drop_backup": [],
    "consult": ["SERVICEMAN_CONSULTED serviceman"],
    "answer": ["SERVICEMAN_ANSWERED price"],
    "soft_delete": [],
    "raise_issue": ["ISSUE_RAISED verify"],
    "resolve_issue": ["ISSUE_RESOLVED raiser"],
    "rate": ["RATING_RECEIVED serviceman"],
    "EMAIL_VERIFICATION": ["EMAIL_VERIFICATION person"],
    "WELCOME": ["WELCOME person"],
    "PASSWORD_RESET": ["PASSWORD_RESET person"],
    "PASSWORD_CHANGED": ["PASSWORD_CHANGED person"],
    "SERVICEMAN_APPLICATION": ["SERVICEMAN_APPLICATION approve_servicemen"],
    "SERVICEMAN_APPROVED": ["SERVICEMAN_APPROVED person"],
    "SERVICEMAN_REJECTED": ["SERVICEMAN_REJECTED person"],
    "SERVICEMAN_SUSPENDED": ["SERVICEMAN_SUSPENDED person"],
    "SERVICEMAN_REINSTATED": ["SERVICEMAN_REINSTATED person"],
    "ACTION_REMINDER": [
        "ACTION_REMINDER client",
        "ACTION_REMINDER client",
        "ACTION_REMINDER serviceman",
    ],
    "ACTION_OVERDUE": ["ACTION_OVERDUE desk"],
    "INSPECTION_OVERDUE": ["INSPECTION_OVERDUE serviceman", "INSPECTION_OVERDUE assign"],
    "MONEY_AT_RISK": ["MONEY_AT_RISK settle"],
    "REFUND_SENT": ["REFUND_SENT client"],
    "PAYOUT_SENT": ["PAYOUT_SENT person"],
    "BANK_ACCOUNT_CHANGED": ["BANK_ACCOUNT_CHANGED person"],
    "REVENUE_REPORT": ["REVENUE_REPORT settle"],
    "ANNOUNCEMENT": ["ANNOUNCEMENT chosen"],
}
"""Event -> type and whom it tells, in words; test_audiences lets every event happen and looks who is told."""

TEMPLATES = Path(settings.BASE_DIR) / "templates" / "emails"


def steps_of_the_workflow():
    return {name for name, member in inspect.getmembers(ServiceRequest) if hasattr(member, "_django_fsm")}


def test_every_step_has_its_line():
    assert len(steps_of_the_workflow()) > 25
    assert steps_of_the_workflow() | {"book"} == {event for event in EVENTS if event.islower()}


@pytest.mark.parametrize("event", TELLS)
def test_an_event_tells_what_the_workflow_says(event):
    assert [notice.type.value for notice in EVENTS[event]] == [line.split()[0] for line in TELLS[event]]


def test_no_event_is_forgotten_here():
    assert set(TELLS) == set(EVENTS)


def test_every_type_is_sent_by_an_event():
    assert {notice.type for notices in EVENTS.values() for notice in notices} == set(NotificationType)


def test_every_type_has_both_templates_and_no_template_is_left_over():
    wanted = {f"{kind.value.lower()}.{part}" for kind in NotificationType for part in ("html", "txt")}
    assert {path.name for path in TEMPLATES.iterdir()} == wanted | {"base.html", "base.txt"}


def test_every_type_has_its_look_and_no_row_is_unknown():
    assert set(LOOKS) == set(NotificationType)
    assert {name for look in LOOKS.values() for name in look.rows.split()} <= set(ROWS)


@pytest.mark.parametrize("event", EVENTS)
def test_titles_begin_with_plain_words(event):
    for notice in EVENTS[event]:
        assert notice.title[0].isupper() or notice.title == "{title}"
        assert len(notice.title) < TITLE_LENGTH / 2


def test_a_type_whose_words_are_about_an_amount_keeps_it():
    for notices in EVENTS.values():
        for notice in notices:
            assert ("{amount}" in notice.title + notice.message) == (notice.amount is not None), notice


def test_the_job_that_is_queued_exists():
    module, _, name = MAIL_TASK.rpartition(".")
    assert module == "marketplace.tasks"
    from marketplace import tasks

    assert callable(getattr(tasks, name))
