"""The page of a request: what it shows to whom, in a fixed number of statements."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from core import clock
from marketplace.enums import Status
from marketplace.models import (
    Attachment,
    Dispute,
    Notification,
    Payment,
    Refund,
    WebhookEvent,
)
from marketplace.services import assignment, negotiations, requests, work

pytestmark = pytest.mark.django_db


def path_of(record):
    return reverse("admin:marketplace_servicerequest_change", args=[record.pk])


@pytest.mark.parametrize("status", list(Status))
def test_it_opens_in_every_status_and_says_who_must_act(status, console, boss, request_in):
    record = request_in(status)
    answer = console(boss).get(path_of(record))
    assert answer.status_code == 200
    assert (answer.context["next_step"] is None) == (status in ("COMPLETED", "CANCELLED"))
    if answer.context["next_step"]:
        assert answer.context["next_step"]["side"] == record.waiting_on
        assert f"{answer.context['next_step']['who']}</b> must act" in answer.content.decode()
    stages = [stage["state"] for stage in answer.context["ladder"]]
    assert stages == sorted(stages, key=["done", "current", "todo"].index)


def test_the_timeline_tells_every_step_with_actor_for_whom_change_and_reason(console, boss, request_in, tunde, bola):
    record = request_in("PENDING_ADMIN_ASSIGNMENT")
    assignment.assign_serviceman(record.pk, serviceman_id=tunde.pk, by=boss)
    assignment.accept_job(record.pk, by=boss, on_behalf=True, reason="Told us on the phone.")
    work.submit_estimate(record.pk, amount=Decimal(15000), by=tunde)
    requests.add_note(record.pk, text="Nice people.", by=boss)
    shown = console(boss).get(path_of(record)).context["timeline"]
    steps = {happening.title: happening for happening in shown}
    assert (steps["Accepted by the serviceman"].actor, steps["Accepted by the serviceman"].for_whom) == (
        "Ngozi Eze",
        "Tunde Bello",
    )
    assert steps["Accepted by the serviceman"].words == "Told us on the phone."
    estimate = steps["Estimate submitted"]
    assert ("Status", "Assigned to serviceman", "Serviceman inspected") in estimate.changes
    assert ("Estimate", "-", "₦15,000.00") in estimate.changes
    assert steps["Note"].words == "Nice people."
    assert any("Paid: Booking fee of ₦2,000.00" in title for title in steps)
    assert any(title.startswith("New job offer: told Tunde") for title in steps)
    assert [h.at for h in shown] == sorted((h.at for h in shown), reverse=True)


def test_who_may_not_see_the_ledger_or_events_sees_no_trace_of_them(console, boss, make_admin, request_in):
    record = request_in("IN_PROGRESS")
    reference = record.payments.first().paystack_reference
    WebhookEvent.objects.create(sha256="0" * 64, body=b"{}", event="charge.success", reference=reference)
    finance = console(make_admin("finance")).get(path_of(record))
    viewer = console(make_admin("viewer")).get(path_of(record))
    assert "Paystack reported charge.success" in finance.content.decode()
    assert "Paystack reported" not in viewer.content.decode()
    assert "entries" in finance.context["money"]
    assert "entries" not in viewer.context["money"]


def test_the_margin_is_shown_also_when_it_is_negative(console, boss, request_in):
    record = request_in("AWAITING_CLIENT_APPROVAL", final_cost=Decimal("19000.00"), admin_markup_percentage=None)
    html = console(boss).get(path_of(record)).content.decode()
    assert "-₦1,000.00" in html
    assert "-5.00 %" in html


def test_a_mail_that_failed_is_seen(console, boss, request_in, ada):
    record = request_in("IN_PROGRESS")
    Notification.objects.create(
        user=ada,
        notification_type="WORK_STARTED",
        title="Hi",
        message="Hi",
        service_request=record,
        last_error="421 busy",
    )
    answer = console(boss).get(path_of(record))
    assert answer.context["failed"] == 1
    assert "421 busy" in answer.content.decode()


def test_a_mail_that_merely_waits_is_no_alarm(console, boss, request_in, ada):
    record = request_in("IN_PROGRESS")
    mail = {"user": ada, "notification_type": "WORK_STARTED", "title": "Hi", "message": "Hi", "service_request": record}
    Notification.objects.create(**mail)
    assert console(boss).get(path_of(record)).context["failed"] == 0
    Notification.objects.create(**mail, parked_at=record.created_at, attempts=8)
    assert console(boss).get(path_of(record)).context["failed"] == 1


def test_the_timeline_tells_proposals_money_by_hand_disputes_pictures_and_mails(
    console, boss, make_admin, request_in, ada, tunde
):
    record = request_in("AWAITING_CLIENT_APPROVAL")
    negotiations.propose_price(record.pk, amount=Decimal(18000), message="Can you do 18,000?", by=ada)
    proposal = record.negotiations.get()
    negotiations.counter_proposal(proposal.pk, amount=Decimal(20000), message="20,000 then.", by=boss)
    by_hand = Payment.objects.create(
        service_request=record, payment_type="FINAL_PAYMENT", amount=5, channel="MANUAL", evidence="GTB 0911",
        paystack_reference="by-hand", recorded_by=boss, approved_by=boss, paid_at=clock.now(), status="SUCCESSFUL",
        outcome="LATE",
    )  # fmt: skip
    Refund.objects.create(
        payment=by_hand, amount=5, reason="Late.", approved_by=boss, approved_at=clock.now(), requested_by=boss
    )
    Dispute.objects.create(payment=by_hand, paystack_id="1", amount_kobo=500, reason="Not mine.")
    Attachment.objects.create(request=record, uploaded_by=ada, kind="JOB", file="a.png", size=1, sha256="0" * 64)
    mail = {"user": ada, "notification_type": "WORK_STARTED", "title": "Hi", "message": "Hi", "service_request": record}
    Notification.objects.create(**mail, sent_to_email=True, email_sent_at=clock.now(), attempts=1)
    Notification.objects.create(**mail, parked_at=clock.now(), attempts=8, last_error="550 no such box")
    told = {each.title: each for each in console(boss).get(path_of(record)).context["timeline"]}
    assert ("Proposal", "-", "₦18,000.00") in told["Another price proposed"].changes
    assert ("Proposal", "-", "₦20,000.00") in told["Counter-proposal"].changes
    assert told["Counter-proposal"].words == "20,000 then."
    recorded = told["Recorded by hand: Final payment of ₦5.00"]
    assert (recorded.actor, recorded.words) == ("Ngozi Eze", "GTB 0911")
    assert told["Paid: Final payment of ₦5.00 (late)"].actor == "approval of Ngozi Eze"
    assert told["Refund approved: ₦5.00 of the final payment"].actor == "Ngozi Eze"
    assert told["Disputed by the bank: ₦5.00"].words == "Open. Not mine."
    assert told["Picture added: the job"].actor == "Ada Obi"
    assert told["Work started: e-mail sent to Ada Obi"].kind == "mail"
    lost = told["Work started: e-mail to Ada Obi given up after 8 tries"]
    assert (lost.words, lost.kind) == ("550 no such box", "trouble")
    dispatcher = make_admin("dispatcher")
    dispatcher.groups.clear()
    dispatcher.user_permissions.set(Permission.objects.filter(codename__in=["view_servicerequest", "view_payment"]))
    seen = {each.title: each for each in console(dispatcher).get(path_of(record)).context["timeline"]}
    assert not any(title.startswith(("Refund", "Disputed", "Work started")) for title in seen)
    assert not seen["Counter-proposal"].changes
