"""An event's notices: to whom, once each, in the step's own transaction, and in a fixed number of statements."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from core import clock
from core.tests.race import at_once
from marketplace.enums import NotificationType as T
from marketplace.enums import Side
from marketplace.models import Issue, Notification, Payment, Refund
from marketplace.notices import announce
from marketplace.notices.letters import render_email
from marketplace.notices.words import words_of
from marketplace.services.assignment import accept_job, assign_serviceman, decline_job, reassign_serviceman
from marketplace.services.negotiations import answer_consultation, consult_serviceman
from marketplace.services.requests import cancel, reschedule
from marketplace.services.standing import (
    approve_serviceman,
    reinstate_serviceman,
    reject_serviceman,
    suspend_serviceman,
)

pytestmark = pytest.mark.django_db


def told(*, event=None):
    """(type, first name) of every notice, in order."""
    rows = Notification.objects.order_by("id").select_related("user")
    return [(row.notification_type, row.user.first_name) for row in rows if event in (None, row.facts.get("event"))]


@pytest.fixture
def dispatcher(make_admin):
    return make_admin("dispatcher", name="dispatcher")


@pytest.fixture
def pricer(make_admin):
    return make_admin("pricing", name="pricer")


@pytest.fixture
def accountant(make_admin):
    return make_admin("finance", name="accountant")


@pytest.fixture
def clerk(make_admin):
    return make_admin(name="clerk")


@pytest.fixture
def office(boss, dispatcher, pricer, accountant, clerk):
    """A superuser, one of each role, and one who may do nothing."""


# --- Who


def test_admins_are_told_by_what_they_may_do(request_in, office):
    announce("submit_estimate", request_in("SERVICEMAN_INSPECTED"), by=None)
    announce("raise_issue", request_in("IN_PROGRESS"), by=None)
    announce(T.MONEY_AT_RISK, request_in("IN_PROGRESS"), by=None, amount="2000.00", why="LATE")
    assert told() == [
        ("COST_ESTIMATE_READY", "Ngozi"),
        ("COST_ESTIMATE_READY", "Pricer"),
        ("ISSUE_RAISED", "Ngozi"),
        ("ISSUE_RAISED", "Dispatcher"),
        ("MONEY_AT_RISK", "Ngozi"),
        ("MONEY_AT_RISK", "Accountant"),
    ]


def test_a_permission_given_by_hand_counts(request_in, clerk):
    clerk.user_permissions.add(Permission.objects.get(codename="price", content_type__app_label="marketplace"))
    announce("submit_estimate", request_in("SERVICEMAN_INSPECTED"), by=None)
    assert ("COST_ESTIMATE_READY", "Clerk") in told()


def test_admins_whose_account_is_closed_are_not_told(request_in, pricer, boss):
    type(pricer).objects.filter(pk__in=[pricer.pk, boss.pk]).update(is_active=False)
    assert announce("submit_estimate", request_in("SERVICEMAN_INSPECTED"), by=None) == []


def test_a_client_with_a_stray_permission_is_no_admin(request_in, eve):
    eve.user_permissions.add(Permission.objects.get(codename="price", content_type__app_label="marketplace"))
    announce("submit_estimate", request_in("SERVICEMAN_INSPECTED"), by=None)
    assert [name for _, name in told()] == ["Ngozi"]


def test_one_person_gets_one_row_of_a_type(request_in, make_admin):
    make_admin("dispatcher", "finance", name="both")
    announce("confirm_booking_fee", request_in("PENDING_ADMIN_ASSIGNMENT"), by=None)
    assert told().count(("PAYMENT_RECEIVED", "Both")) == 1


@pytest.mark.parametrize(
    ("event", "status", "who"),
    [
        ("cancel", "IN_PROGRESS", "client"),
        ("cancel", "IN_PROGRESS", "boss"),
        ("reschedule", "ASSIGNED_TO_SERVICEMAN", "client"),
        ("reschedule", "ASSIGNED_TO_SERVICEMAN", "boss"),
        ("accept", "ASSIGNED_TO_SERVICEMAN", "serviceman"),
        ("start_work", "IN_PROGRESS", "serviceman"),
        ("submit_estimate", "SERVICEMAN_INSPECTED", "boss"),
        ("raise_issue", "IN_PROGRESS", "boss"),
    ],
)
def test_nobody_is_told_what_he_did_himself(request_in, boss, event, status, who):
    request = request_in(status)
    by = boss if who == "boss" else getattr(request, who)
    announce(event, request, by=by, side=Side.ADMIN, was="2026-11-24")
    assert by not in {row.user for row in Notification.objects.select_related("user")}


def test_he_is_told_of_his_own_password_and_bank_account(ada, tunde):
    announce(T.PASSWORD_CHANGED, ada, by=ada)
    announce(T.BANK_ACCOUNT_CHANGED, tunde, by=tunde)
    assert told() == [("PASSWORD_CHANGED", "Ada"), ("BANK_ACCOUNT_CHANGED", "Tunde")]


def test_the_other_side_of_a_proposal_is_told(request_in, ada, boss, pricer):
    request = request_in("NEGOTIATING")
    facts = {"negotiation_id": 1, "amount": "18000.00"}
    for event in ("propose_price", "counter", "reject_proposal", "withdraw_proposal", "accept_proposal"):
        announce(event, request, by=ada, **facts)
        assert told(event=event) == [("NEGOTIATION_MESSAGE", "Ngozi"), ("NEGOTIATION_MESSAGE", "Pricer")]
        Notification.objects.all().delete()
        announce(event, request, by=boss, **facts)
        assert {name for _, name in told(event=event)} == {"Ada"}
    assert told(event="accept_proposal") == [("NEGOTIATION_MESSAGE", "Ada"), ("FINAL_COST_SET", "Ada")]


def test_who_raised_an_issue_is_told_of_its_end(request_in, boss, tunde):
    request = request_in("IN_PROGRESS")
    issue = Issue.objects.create(
        request=request, kind="SAFETY", message="A wire.", raised_by=tunde, raised_by_role="SERVICEMAN"
    )
    announce("resolve_issue", request, by=boss, issue_id=issue.pk)
    assert told() == [("ISSUE_RESOLVED", "Tunde")]


def test_a_reminder_goes_to_whoever_must_act(request_in):
    announce(T.ACTION_REMINDER, request_in("AWAITING_PAYMENT"), by=None)
    announce(T.ACTION_REMINDER, request_in("PAYMENT_CONFIRMED"), by=None)
    announce(T.ACTION_REMINDER, request_in("SERVICEMAN_INSPECTED"), by=None)  # an admin is told that it is overdue
    assert told() == [("ACTION_REMINDER", name) for name in ("Ada", "Tunde")]
    assert "₦22,000.00" in Notification.objects.get(user__first_name="Ada").message


def test_a_backup_who_stays_is_not_told_that_he_lost(request_in, make_serviceman, bola):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    sani = make_serviceman("sani")
    request.serviceman, lost = sani, request.serviceman_id
    announce("reassign", request, by=None, lost=lost, lost_backup=bola.pk)
    assert told().count(("OFFER_WITHDRAWN", "Tunde")) == 1
    assert ("OFFER_WITHDRAWN", "Bola") not in told()


def test_records_that_hang_on_a_request_find_it(request_in, ada, boss):
    payment = Payment.objects.get(service_request=request_in("PENDING_ADMIN_ASSIGNMENT"))
    refund = Refund.objects.create(payment=payment, amount=Decimal("2000.00"), reason="Cancelled.")
    announce(T.REFUND_SENT, refund, by=boss)
    row = Notification.objects.get()
    assert (row.user, row.service_request, row.facts["amount"]) == (ada, payment.service_request, "2000.00")
    assert row.facts["refund_id"] == refund.pk


# --- With the real steps


def test_assigning_tells_both_and_alerts_them_in_an_emergency(request_in, boss, tunde, bola):
    request = request_in("PENDING_ADMIN_ASSIGNMENT", is_emergency=True)
    assign_serviceman(request.pk, serviceman_id=tunde.pk, backup_id=bola.pk, by=boss)
    assert told() == [
        ("SERVICEMAN_ASSIGNED", "Tunde"),
        ("BACKUP_OPPORTUNITY", "Bola"),
        ("EMERGENCY_ALERT", "Tunde"),
        ("EMERGENCY_ALERT", "Bola"),
    ]


def test_reassigning_after_acceptance_tells_four(request_in, boss, tunde, make_serviceman):
    request, sani = request_in("SERVICEMAN_INSPECTED"), make_serviceman("sani")
    reassign_serviceman(request.pk, serviceman_id=sani.pk, replaces=tunde.pk, reason="Ill.", by=boss)
    assert told() == [
        ("SERVICEMAN_ASSIGNED", "Sani"),
        ("OFFER_WITHDRAWN", "Tunde"),
        ("OFFER_WITHDRAWN", "Bola"),
        ("SERVICEMAN_CHANGED", "Ada"),
    ]
    assert "Ill." not in "".join(Notification.objects.values_list("message", flat=True))


def test_reassigning_before_acceptance_does_not_bother_the_client(request_in, boss, tunde, make_serviceman):
    request, sani = request_in("ASSIGNED_TO_SERVICEMAN"), make_serviceman("sani")
    reassign_serviceman(request.pk, serviceman_id=sani.pk, replaces=tunde.pk, reason="Ill.", by=boss)
    assert "Ada" not in {name for _, name in told()}


def test_declining_passes_it_on(request_in, tunde, dispatcher):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    decline_job(request.pk, reason="Away.", by=tunde)
    assert told() == [
        ("SERVICEMAN_ASSIGNED", "Bola"),
        ("SERVICEMAN_DECLINED", "Ngozi"),
        ("SERVICEMAN_DECLINED", "Dispatcher"),
    ]
    assert "has gone to the backup" in Notification.objects.get(user=dispatcher).message


def test_accepting_tells_client_and_dispatch(request_in, tunde, office):
    accept_job(request_in("ASSIGNED_TO_SERVICEMAN").pk, by=tunde)
    assert told() == [
        ("SERVICEMAN_ACCEPTED", "Ada"),
        ("SERVICEMAN_ACCEPTED", "Ngozi"),
        ("SERVICEMAN_ACCEPTED", "Dispatcher"),
    ]


def test_moving_to_a_near_date_alerts(request_in, ada, tunde):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    reschedule(request.pk, booking_date=clock.today() + timedelta(days=1), reason="Sooner.", by=ada)
    assert told() == [
        ("RESCHEDULED", "Tunde"),
        ("RESCHEDULED", "Bola"),
        ("RESCHEDULED", "Ngozi"),
        ("EMERGENCY_ALERT", "Tunde"),
        ("EMERGENCY_ALERT", "Bola"),
        ("EMERGENCY_ALERT", "Ngozi"),
    ]


# --- What a row keeps


def test_a_row_keeps_ids_and_amounts_and_no_names(request_in, boss, ada, tunde):
    request = request_in("IN_PROGRESS", client_address="5 Broad Street, Lagos")
    cancel(request.pk, reason="Ada Obi of 5 Broad Street called, 08031234501.", by=boss)
    assert Notification.objects.count() == 3
    for row in Notification.objects.all():
        kept = f"{row.title} {row.message} {row.facts}"
        for name in ("Ada", "Obi", "Tunde", "Ngozi", "Broad Street", "0803", "@"):
            assert name not in kept


def test_the_reason_is_shown_from_where_it_is_kept(request_in, boss, ada):
    request = request_in("IN_PROGRESS")
    cancel(request.pk, reason="The house was sold.", by=boss)
    rows = list(Notification.objects.all())
    assert words_of(rows) == dict.fromkeys((row.pk for row in rows), "The house was sold.")
    assert not any("sold" in f"{row.message}{row.facts}" for row in rows)


def test_what_was_decided_about_him_is_quoted_from_that_decision(make_serviceman, boss):
    sani = make_serviceman("sani", profile={"approval": "PENDING"})
    said = {
        reject_serviceman: "No papers.",
        approve_serviceman: "Welcome after all.",
        suspend_serviceman: "Two clients waited in vain.",
        reinstate_serviceman: "He had been in hospital.",
    }
    for decide, reason in said.items():
        decide(sani.pk, reason=reason, by=boss)
    rows = list(Notification.objects.filter(user=sani).order_by("id"))
    assert [words_of([row]).get(row.pk) for row in rows] == list(said.values())
    assert words_of(rows) == dict(zip((row.pk for row in rows), said.values(), strict=True))
    assert all(reason in render_email(row)[1] for row, reason in zip(rows, said.values(), strict=True))


def test_an_approval_without_a_word_quotes_none(make_serviceman, boss):
    sani = make_serviceman("sani", profile={"approval": "PENDING"})
    approve_serviceman(sani.pk, by=boss)
    assert words_of(Notification.objects.filter(user=sani)) == {}


def test_a_job_offered_twice_quotes_each_offer(request_in, tunde, bola, boss):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    assign_serviceman(request.pk, serviceman_id=tunde.pk, backup_id=bola.pk, notes="Bring a ladder.", by=boss)
    swap = {"reason": "Ill.", "by": boss}
    reassign_serviceman(
        request.pk, serviceman_id=bola.pk, backup_id=tunde.pk, replaces=tunde.pk, notes="The ladder is there.", **swap
    )
    reassign_serviceman(request.pk, serviceman_id=tunde.pk, replaces=bola.pk, **swap)
    kinds = ("SERVICEMAN_ASSIGNED", "BACKUP_OPPORTUNITY")
    rows = list(Notification.objects.filter(notification_type__in=kinds).order_by("id"))
    words = words_of(rows)
    assert [(row.notification_type, row.user.first_name, words.get(row.pk)) for row in rows] == [
        ("SERVICEMAN_ASSIGNED", "Tunde", "Bring a ladder."),
        ("BACKUP_OPPORTUNITY", "Bola", "Bring a ladder."),
        ("SERVICEMAN_ASSIGNED", "Bola", "The ladder is there."),
        ("BACKUP_OPPORTUNITY", "Tunde", "The ladder is there."),
        ("SERVICEMAN_ASSIGNED", "Tunde", None),
    ]


def test_a_backup_who_moves_up_reads_the_note_of_his_offer(request_in, tunde, bola, boss):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    assign_serviceman(request.pk, serviceman_id=tunde.pk, backup_id=bola.pk, notes="Bring a ladder.", by=boss)
    decline_job(request.pk, reason="Away.", by=tunde)
    row = Notification.objects.get(user=bola, notification_type="SERVICEMAN_ASSIGNED")
    assert words_of([row]) == {row.pk: "Bring a ladder."}


def test_an_answer_is_mailed_with_its_own_minimum(request_in, tunde, boss):
    proposal = request_in("NEGOTIATING").open_proposal
    for amount in (19_000, 17_000):
        consult_serviceman(proposal.pk, message="Less?", by=boss)
        answer_consultation(proposal.pk, message="Well.", minimum_amount=Decimal(amount), by=tunde)
    mails = [render_email(row)[1] for row in Notification.objects.filter(user=boss).order_by("id")]
    assert [("₦19,000.00" in mail, "₦17,000.00" in mail) for mail in mails] == [(True, False), (False, True)]


def test_an_amount_is_kept_as_it_was(request_in, boss):
    request = request_in("AWAITING_CLIENT_APPROVAL")
    announce("set_final_cost", request, by=boss)
    type(request).objects.filter(pk=request.pk).update(final_cost=None)
    row = Notification.objects.get()
    assert row.facts["amount"] == "22000.00"
    assert "₦22,000.00" in row.title


def test_braces_in_other_peoples_words_are_only_braces(ada, boss):
    announce(T.ANNOUNCEMENT, None, by=boss, user_ids=[ada.pk], title="{code} {x!r}", message="{0} {} }{")
    row = Notification.objects.get()
    assert (row.title, row.message) == ("{code} {x!r}", "{0} {} }{")


def test_a_long_trade_does_not_break_the_title(request_in, plumbing):
    plumbing.name = "P" * 100
    plumbing.save()
    announce("start_work", request_in("IN_PROGRESS", booking_date=clock.today()), by=None)
    assert len(Notification.objects.get().title) <= 200


def test_an_unknown_event_is_a_mistake_that_shows(request_in):
    with pytest.raises(KeyError):
        announce("no_such_step", request_in(), by=None)


# --- With the step


def test_rows_and_their_jobs_vanish_with_the_step(request_in):
    request = request_in("IN_PROGRESS")
    with transaction.atomic():
        announce("start_work", request, by=None)
        assert OrmQ.objects.count() == Notification.objects.count() == 1
        transaction.set_rollback(True)
    assert not OrmQ.objects.exists()
    assert not Notification.objects.exists()


def test_each_row_has_its_job(request_in):
    rows = announce("confirm_booking_fee", request_in("PENDING_ADMIN_ASSIGNMENT", is_emergency=True), by=None)
    jobs = [each.task for each in OrmQ.objects.all()]
    assert {task["func"] for task in jobs} == {"marketplace.tasks.send_notification_email"}
    assert sorted(task["args"][0] for task in jobs) == sorted(row.pk for row in rows)
    assert len({task["id"] for task in jobs}) == len(rows) == 3


@pytest.mark.parametrize("event", ["confirm_booking_fee", "cancel", "confirm_final_payment", "raise_issue"])
def test_the_number_of_statements_does_not_grow_with_the_admins(request_in, make_admin, event):
    request = request_in("PAYMENT_CONFIRMED", is_emergency=True)

    def statements():
        fresh = type(request).objects.get(pk=request.pk)
        with CaptureQueriesContext(connection) as captured, transaction.atomic():
            announce(event, fresh, by=None, reason="Why.", side="SYSTEM", payment_id=1)
        return len(captured)

    one = statements()
    for number in range(30):
        make_admin("dispatcher", "finance", "pricing", name=f"admin{number}")
    Notification.objects.all().delete()
    assert statements() == one <= 7
    assert Notification.objects.count() > 30


# --- Once


def test_a_key_tells_each_person_once(request_in, dispatcher):
    request = request_in("ASSIGNED_TO_SERVICEMAN", accepted=True)
    assert len(announce(T.INSPECTION_OVERDUE, request, by=None, dedupe="7:1")) == 3
    assert announce(T.INSPECTION_OVERDUE, request, by=None, dedupe="7:1") == []
    assert len(announce(T.INSPECTION_OVERDUE, request, by=None, dedupe="7:2")) == 3
    assert (Notification.objects.count(), OrmQ.objects.count()) == (6, 6)


def test_a_newcomer_is_told_although_the_others_were(request_in, make_admin):
    request = request_in("ASSIGNED_TO_SERVICEMAN", accepted=True)
    announce(T.INSPECTION_OVERDUE, request, by=None, dedupe="7:1")
    make_admin("dispatcher", name="newcomer")
    rows = announce(T.INSPECTION_OVERDUE, request, by=None, dedupe="7:1")
    assert [row.user.first_name for row in rows] == ["Newcomer"]


@pytest.mark.django_db(transaction=True)
def test_two_at_once_tell_each_person_once(request_in):
    request = request_in("ASSIGNED_TO_SERVICEMAN", accepted=True)

    def tell(_):
        with transaction.atomic():
            return announce(T.INSPECTION_OVERDUE, request, by=None, dedupe="7:1")

    at_once(tell, 8)
    assert Notification.objects.count() == 2


@pytest.mark.parametrize(("name", "inside"), [("Plumbing", "plumbing"), ("CCTV and alarms", "CCTV and alarms")])
def test_a_trade_is_small_inside_a_sentence_and_large_in_a_title(name, inside, request_in, plumbing, boss, tunde):
    plumbing.name = name
    plumbing.save()
    record = request_in("PENDING_ADMIN_ASSIGNMENT")
    assign_serviceman(record.pk, serviceman_id=tunde.pk, by=boss)
    told = Notification.objects.get(user=tunde)
    assert f": {name} on" in told.title
    assert f"A {inside} job on" in told.message
