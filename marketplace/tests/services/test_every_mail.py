"""A mail of every type, through the queue, a real worker and a real mail server: once, whole, to the right person."""

import re
from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from django_q.models import OrmQ

from core import clock
from marketplace.enums import NotificationType as T
from marketplace.models import BankAccount, Issue, Notification, Payment, Payout, PriceNegotiation, Rating, Refund
from marketplace.notices import announce
from marketplace.services.notifications import send_revenue_report
from marketplace.tests.services.test_smtp import server, sink  # noqa: F401  (fixtures)
from marketplace.tests.workers import sweep

pytestmark = [pytest.mark.trust, pytest.mark.django_db(transaction=True)]

TO = {
    "EMAIL_VERIFICATION": ("ada", "Confirm your e-mail address"),
    "WELCOME": ("ada", "Welcome to Serviceman"),
    "PASSWORD_RESET": ("ada", "Reset your password"),
    "PASSWORD_CHANGED": ("ada", "Your password was changed"),
    "SERVICEMAN_APPLICATION": ("boss", "New application"),
    "SERVICEMAN_APPROVED": ("tunde", "Application approved"),
    "SERVICEMAN_REJECTED": ("tunde", "Application declined"),
    "SERVICEMAN_SUSPENDED": ("tunde", "Account suspended"),
    "SERVICEMAN_REINSTATED": ("tunde", "Account reinstated"),
    "BOOKING_CONFIRMED": ("ada", "Booking confirmed: Plumbing on "),
    "PAYMENT_RECEIVED": ("boss", "Payment received: ₦2,000.00 for "),
    "EMERGENCY_ALERT": ("boss", "Emergency: Plumbing on "),
    "SERVICEMAN_ASSIGNED": ("tunde", "New job offer: Plumbing on "),
    "BACKUP_OPPORTUNITY": ("bola", "Backup opportunity: Plumbing on "),
    "OFFER_WITHDRAWN": ("eve", "Offer withdrawn: Plumbing on "),
    "OFFER_LAPSED": ("eve", "Offer lapsed: Plumbing on "),
    "SERVICEMAN_ACCEPTED": ("ada boss", "Serviceman found: Plumbing on |Offer accepted: Plumbing on "),
    "SERVICEMAN_DECLINED": ("boss", "Offer not answered: Plumbing on "),
    "SERVICEMAN_CHANGED": ("ada", "Serviceman changed: Plumbing on "),
    "COST_ESTIMATE_READY": ("boss", "Estimate ready: ₦20,000.00 for "),
    "FINAL_COST_SET": ("ada", "Price ready: ₦22,000.00 for Plumbing "),
    "NEGOTIATION_MESSAGE": ("boss", "Price proposed: ₦18,000.00 for "),
    "SERVICEMAN_CONSULTED": ("tunde", "Question about the price: Plumbing "),
    "SERVICEMAN_ANSWERED": ("boss", "Serviceman's answer about ₦18,000.00 for "),
    "PRICE_APPROVED": ("boss", "Price approved: ₦22,000.00 for "),
    "PAYMENT_CONFIRMED": ("tunde boss", "Payment confirmed: "),
    "PAYMENT_RECEIPT": ("ada", "Payment receipt: ₦22,000.00 for Plumbing "),
    "WORK_STARTED": ("ada", "Work started: Plumbing "),
    "JOB_COMPLETED": ("boss", "Job completed: Plumbing "),
    "JOB_CONFIRMED": ("ada tunde", "Job confirmed: how was your plumbing |Job confirmed: you have earned ₦20,000.00"),
    "WORK_RETURNED": ("tunde", "Work returned: Plumbing "),
    "REQUEST_CANCELLED": ("ada boss", "Request cancelled: Plumbing on "),
    "RESCHEDULED": ("ada tunde bola boss", "Rescheduled: (your plumbing|Plumbing) "),
    "ISSUE_RAISED": ("boss", "Issue raised: Plumbing "),
    "ISSUE_RESOLVED": ("ada", "Issue resolved: Plumbing "),
    "RATING_RECEIVED": ("tunde", "Rating received: Plumbing "),
    "ACTION_REMINDER": ("ada", "Reminder: the agreed price is not paid yet "),
    "ACTION_OVERDUE": ("boss", "Overdue: the price must be set "),
    "INSPECTION_OVERDUE": ("tunde boss", "Inspection overdue: Plumbing on "),
    "MONEY_AT_RISK": ("boss", "Money at risk: ₦2,000.00 for "),
    "REFUND_SENT": ("ada", "Refund sent: ₦1,500.00 for Plumbing "),
    "PAYOUT_SENT": ("tunde", "Payout sent: ₦20,000.00"),
    "BANK_ACCOUNT_CHANGED": ("tunde", "Bank account changed"),
    "REVENUE_REPORT": ("boss", "Revenue report: ₦0.00 in the day of "),
    "ANNOUNCEMENT": ("bola", "We are closed on Friday"),
}
"""To whom each type goes below, and how its subject begins."""


@pytest.fixture
def everything_happens(request_in, ada, eve, tunde, bola, boss, workers):
    """Announce events until every type was sent. Eve is who lost an offer."""
    for kind in (T.EMAIL_VERIFICATION, T.WELCOME, T.PASSWORD_RESET, T.PASSWORD_CHANGED):
        announce(kind, ada, by=None)
    standing = (T.SERVICEMAN_APPLICATION, T.SERVICEMAN_APPROVED, T.SERVICEMAN_REJECTED)
    for kind in (*standing, T.SERVICEMAN_SUSPENDED, T.SERVICEMAN_REINSTATED):
        announce(kind, tunde, by=None)

    booked = request_in("PENDING_ADMIN_ASSIGNMENT", is_emergency=True)
    announce("confirm_booking_fee", booked, by=None)
    fee = Payment.objects.get(service_request=booked)
    announce(T.MONEY_AT_RISK, fee, by=None, why="LATE")
    announce(T.REFUND_SENT, Refund.objects.create(payment=fee, amount=1500, reason="x", status="SENT"), by=None)
    announce("lapse", booked, by=None, lost=eve.pk)

    offered = request_in("ASSIGNED_TO_SERVICEMAN")
    announce("reassign", offered, by=None, lost=eve.pk, had_accepted=True)
    announce("accept", offered, by=tunde)
    announce("reschedule", offered, by=None, was=clock.today() + timedelta(days=2))
    announce(T.INSPECTION_OVERDUE, offered, by=None)

    inspected = request_in("SERVICEMAN_INSPECTED")
    announce("submit_estimate", inspected, by=tunde)
    announce(T.ACTION_OVERDUE, inspected, by=None)
    announce("set_final_cost", request_in("AWAITING_CLIENT_APPROVAL"), by=boss)
    talks = request_in("NEGOTIATING")
    facts = {"negotiation_id": PriceNegotiation.objects.get(service_request=talks).pk, "amount": "18000.00"}
    announce("propose_price", talks, by=ada, **facts)
    announce("consult", talks, by=boss, **facts)
    announce("answer", talks, by=tunde, **facts)
    agreed = request_in("AWAITING_PAYMENT")
    announce("approve_price", agreed, by=ada)
    announce(T.ACTION_REMINDER, agreed, by=None)
    announce("confirm_final_payment", request_in("PAYMENT_CONFIRMED"), by=None)

    begun = request_in("IN_PROGRESS")
    announce("start_work", begun, by=tunde)
    announce("return_to_work", begun, by=boss)
    issue = Issue.objects.create(
        request=begun, kind="QUALITY", message="It drips.", raised_by=ada, raised_by_role="CLIENT"
    )
    announce("raise_issue", begun, by=ada, issue_id=issue.pk)
    announce("resolve_issue", begun, by=boss, issue_id=issue.pk)
    announce("mark_work_completed", request_in("WORK_COMPLETED"), by=tunde)
    done = request_in("COMPLETED")
    announce("verify_completion", done, by=boss)
    rating = Rating.objects.create(service_request=done, client=ada, serviceman=tunde, rating=5, review="Dry.")
    announce("rate", done, by=ada, rating_id=rating.pk)
    announce("cancel", request_in("CANCELLED"), by=None, side="SYSTEM")

    bank = {"account_number": "0123456789", "bank_code": "058", "account_name": "TUNDE BELLO"}
    announce(T.BANK_ACCOUNT_CHANGED, BankAccount.objects.create(serviceman=tunde, **bank), by=None)
    announce(T.PAYOUT_SENT, Payout.objects.create(serviceman=tunde, amount=20000, reference="PO-1-every-mail"), by=None)
    send_revenue_report("day")
    words = {"title": "We are closed on Friday", "message": "Emergencies are looked after as always."}
    announce(T.ANNOUNCEMENT, None, by=boss, user_ids=[bola.pk], **words)


def read(message):
    """Text and HTML of a mail that is multipart/alternative; a report carries its file around that."""
    if message.get_content_type() == "multipart/mixed":
        message, *files = message.iter_parts()
        assert [file.get_content_type() for file in files] == ["text/csv"]
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    return text.get_content(), html.get_content()


def test_a_mail_of_every_type_arrives_once_and_whole(everything_happens, sink, workers):  # noqa: F811
    rows = {row.pk: row for row in Notification.objects.select_related("user")}
    assert {row.notification_type for row in rows.values()} == set(T) == set(TO)
    cluster = workers.start()
    workers.eventually(lambda: not Notification.objects.filter(sent_to_email=False).exists(), "all mails")
    sweep()  # whatever it finds to send would come twice
    workers.eventually(lambda: not OrmQ.objects.exists(), "an empty queue")
    cluster.stop()

    came, readers = Counter(), defaultdict(set)
    for addresses, message, _ in sink.taken:
        row = rows[int(re.match(r"<notification-(\d+)-", message["Message-ID"])[1])]
        came[row.pk] += 1
        assert addresses == [message["To"]] == [row.user.email]
        subject = " ".join(message["Subject"].split())
        assert subject == row.title
        assert re.match(TO[row.notification_type][1], subject), (row.notification_type, subject)
        readers[row.notification_type].add(row.user.email.partition("@")[0])
        text, html = read(message)
        said = " ".join(row.message.split())
        assert said in " ".join(text.split())
        assert html.startswith(("<!", "<html"))
        assert re.search(r"https?://\S+", text)
    assert came == dict.fromkeys(rows, 1)
    assert readers == {kind: set(people.split()) for kind, (people, _) in TO.items()}
