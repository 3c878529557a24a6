"""What the workers run: the fixed names, the sweeps, and the schedules that start them."""

import inspect
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.core.management import call_command
from django_q.models import OrmQ, Schedule

from core import clock
from core.errors import Missing
from marketplace import paystack, tasks
from marketplace.enums import PaymentType
from marketplace.models import Notification, Payment, Rating, Refund, ServicemanProfile, WebhookEvent
from marketplace.schedules import SCHEDULES
from marketplace.services.notifications import send_announcement
from marketplace.services.payments.checkout import new_payment
from marketplace.tests.trail import fresh

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("send_notification_email", ["notification_id"]),
        ("send_bulk_notifications", ["user_ids", "notification_data"]),
        ("verify_payment_status", ["payment_id"]),
        ("check_overdue_inspections", []),
        ("update_serviceman_ratings", []),
        ("generate_revenue_report", ["period"]),
        ("send_due_emails", []),
    ],
)
def test_the_agreed_names_are_there(name, parameters):
    assert list(inspect.signature(getattr(tasks, name)).parameters) == parameters


# --- Schedules


def test_every_schedule_starts_a_job_that_exists():
    for job in SCHEDULES:
        module, _, name = job.task.rpartition(".")
        inspect.signature(getattr(import_module(module), name)).bind(*job.args)
    assert len({job.name for job in SCHEDULES}) == len(SCHEDULES)


def test_migrating_installs_them_and_again_changes_nothing():
    Schedule.objects.all().delete()
    Schedule.objects.create(name="gone", func="marketplace.tasks.gone")
    call_command("migrate", verbosity=0)
    installed = set(Schedule.objects.values_list("pk", "name", "next_run"))
    assert {name for _, name, _ in installed} == {job.name for job in SCHEDULES}
    call_command("migrate", verbosity=0)
    assert set(Schedule.objects.values_list("pk", "name", "next_run")) == installed


# --- Messages


def test_a_mail_is_sent_by_its_id(ada, mailoutbox):
    row = Notification.objects.create(user=ada, notification_type="WELCOME", title="Welcome", message="Hello.")
    assert tasks.send_notification_email(row.pk) == "SENT"
    assert tasks.send_notification_email(row.pk) == "NOT_OURS"
    assert tasks.send_notification_email(0) == "NOT_OURS"
    assert len(mailoutbox) == 1


def test_many_are_told_by_their_ids(ada, eve, request_in):
    request = request_in()
    data = {"notification_type": "ANNOUNCEMENT", "title": "T", "message": "M", "service_request_id": request.pk}
    assert tasks.send_bulk_notifications([ada.pk, eve.pk], data) == 2
    assert set(Notification.objects.values_list("user", "service_request")) == {
        (ada.pk, request.pk),
        (eve.pk, request.pk),
    }
    assert OrmQ.objects.count() == 2


def test_a_redelivered_job_tells_nobody_again(ada, eve, request_in):
    data = {"notification_type": "ANNOUNCEMENT", "title": "T", "message": "M"}
    with clock.at(datetime(2026, 3, 2, 12, tzinfo=UTC)):
        assert tasks.send_bulk_notifications([ada.pk], data) == 1
        assert tasks.send_bulk_notifications([ada.pk], dict(reversed(data.items()))) == 0
        assert tasks.send_bulk_notifications([ada.pk, eve.pk], data) == 1  # only her whom it had not reached
        for other in ({"title": "U"}, {"message": "N"}, {"service_request_id": request_in().pk}):
            assert tasks.send_bulk_notifications([ada.pk], data | other) == 1
    with clock.at(datetime(2026, 3, 3, 12, tzinfo=UTC)):
        assert tasks.send_bulk_notifications([ada.pk], data) == 1
    assert OrmQ.objects.count() == Notification.objects.count() == 6


def test_what_is_said_twice_on_purpose_is_told_twice(ada, boss):
    data = {"notification_type": "ANNOUNCEMENT", "title": "T", "message": "M"}
    for token, expected in (("a", 1), ("a", 0), ("b", 1)):
        assert tasks.send_bulk_notifications([ada.pk], data | {"dedupe": token}) == expected
    for _ in range(2):
        assert len(send_announcement([ada.pk], title="T", message="M", by=boss)) == 1


# --- Deadlines


def test_overdue_inspections_are_told_once(request_in, tunde, boss):
    request = request_in("ASSIGNED_TO_SERVICEMAN", accepted=True)
    assert tasks.check_overdue_inspections() == 0
    with clock.at(timedelta(hours=25)):
        assert tasks.check_overdue_inspections() == 1
        assert tasks.check_overdue_inspections() == 0
    assert list(Notification.objects.order_by("id").values_list("notification_type", "user")) == [
        ("INSPECTION_OVERDUE", tunde.pk),
        ("INSPECTION_OVERDUE", boss.pk),
    ]
    assert fresh(request).status == "ASSIGNED_TO_SERVICEMAN"


def test_other_deadlines_are_chased_once(request_in, ada, boss):
    request_in("AWAITING_PAYMENT")
    request_in("SERVICEMAN_INSPECTED")
    with clock.at(timedelta(hours=73)):
        assert tasks.check_overdue_inspections() == 0
        assert tasks.chase_deadlines() == 2
        assert tasks.chase_deadlines() == 0
    assert sorted(Notification.objects.values_list("notification_type", "user")) == sorted(
        [("ACTION_REMINDER", ada.pk), ("ACTION_OVERDUE", boss.pk), ("ACTION_OVERDUE", boss.pk)]
    )


def test_unanswered_offers_lapse(request_in, bola):
    request = request_in("ASSIGNED_TO_SERVICEMAN")
    assert tasks.lapse_offers() == 0
    with clock.at(timedelta(hours=13)):
        assert tasks.lapse_offers() == 1
    assert fresh(request).serviceman == bola


def test_unpaid_bookings_expire(request_in):
    request = request_in("AWAITING_BOOKING_FEE")
    assert tasks.expire_bookings() == 0
    with clock.at(timedelta(hours=25)):
        assert tasks.expire_bookings() == 1
    assert fresh(request).status == "CANCELLED"


def test_silence_ends_a_request_after_two_weeks(request_in, ada):
    request = request_in("AWAITING_CLIENT_APPROVAL")
    with clock.at(timedelta(days=13)):
        assert tasks.cancel_silent_requests() == 0
    with clock.at(timedelta(days=15)):
        assert tasks.cancel_silent_requests() == 1
    assert fresh(request).cancelled_by_role == "SYSTEM"
    assert "nobody answered for too long" in Notification.objects.get(user=ada).message


def test_what_one_row_refuses_does_not_stop_the_others(request_in, monkeypatch, caplog):
    first, second = request_in("AWAITING_BOOKING_FEE"), request_in("AWAITING_BOOKING_FEE")
    real = tasks.payments.expire

    def expire(pk):
        if pk == first.pk:
            raise ZeroDivisionError
        return real(pk)

    monkeypatch.setattr(tasks.payments, "expire", expire)
    with clock.at(timedelta(hours=25)):
        assert tasks.expire_bookings() == 1
    assert (fresh(first).status, fresh(second).status) == ("AWAITING_BOOKING_FEE", "CANCELLED")
    assert "ZeroDivisionError" in caplog.text


# --- Paystack away, slow, or always saying no

AWAY = paystack.PaystackUnavailable("timed out")
REFUSED = paystack.PaystackRefused("unknown", "We cannot tell you.")


@pytest.fixture
def asks(monkeypatch):
    """`asks(error, only="reference")` makes Paystack answer so; gives the list of what it was asked about."""

    def asks(error, only=None):
        asked = []

        def answer(about):
            asked.append(about)
            raise error if only in (None, about) else paystack.NotFound("unknown", "No such thing.")

        monkeypatch.setattr(paystack, "verify", answer)
        monkeypatch.setattr(paystack, "fetch_refund", answer)
        return asked

    return asks


def three_payments(request_in):
    return [new_payment(request_in("AWAITING_BOOKING_FEE"), PaymentType.INITIAL_BOOKING) for _ in range(3)]


def three_refunds(request_in):
    for number in range(3):
        payment = Payment.objects.get(service_request=request_in("PENDING_ADMIN_ASSIGNMENT"))
        Refund.objects.create(payment=payment, amount=1, reason="x", status="SENT", paystack_refund_id=str(number))


def three_events(request_in):
    for payment in three_payments(request_in):
        body = f'{{"event": "charge.success", "data": {{"reference": "{payment.paystack_reference}"}}}}'
        WebhookEvent.objects.create(sha256=str(payment.pk).zfill(64), body=body.encode(), outcome="RETRY")


SWEEPS = pytest.mark.parametrize(
    ("rows", "sweep"),
    [
        (three_payments, tasks.check_payments),
        (three_refunds, tasks.check_refunds),
        (three_events, tasks.replay_events),
        (three_payments, tasks.expire_bookings),
    ],
)


@SWEEPS
def test_a_sweep_stops_when_paystack_is_away(request_in, asks, rows, sweep):
    rows(request_in)
    asked = asks(AWAY)
    with clock.at(timedelta(hours=25)):
        assert sweep() == 0
    assert len(asked) == 1


@SWEEPS
def test_a_sweep_ends_before_its_job_would_be_killed(request_in, asks, rows, sweep, monkeypatch):
    rows(request_in)
    asked = asks(REFUSED)
    monkeypatch.setattr(tasks, "SWEEP_SECONDS", 0)
    with clock.at(timedelta(hours=25)):
        sweep()
    assert len(asked) == 1


def test_a_sweep_and_one_call_of_paystack_fit_into_a_job(settings):
    assert settings.Q_CLUSTER["timeout"] > tasks.SWEEP_SECONDS + settings.PAYSTACK_TIMEOUT_SECONDS


def test_a_payment_paystack_always_refuses_stops_no_other_and_is_asked_ever_less_often(request_in, asks):
    bad, *_ = three_payments(request_in)
    asked = asks(REFUSED, only=bad.paystack_reference)
    for minutes in range(0, 24 * 60, 10):
        with clock.at(timedelta(minutes=minutes)):
            tasks.check_payments()
    assert len(set(asked)) == 3
    assert 3 < asked.count(bad.paystack_reference) < 20


def test_a_payment_paystack_never_answers_about_does_not_stand_before_the_others(request_in, asks):
    bad, *_ = three_payments(request_in)
    asked = asks(AWAY, only=bad.paystack_reference)
    with clock.at(timedelta(minutes=5)):
        assert tasks.check_payments() == 0
        assert tasks.check_payments() == 2
    assert asked.count(bad.paystack_reference) == 1


def test_nor_does_a_refund(request_in, asks):
    three_refunds(request_in)
    asked = asks(AWAY, only="0")
    with clock.at(timedelta(minutes=15)):
        assert tasks.check_refunds() == 0
        tasks.check_refunds()
    assert asked == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("rows", "sweep"), [(three_events, tasks.replay_events), (three_payments, tasks.expire_bookings)]
)
def test_nor_does_what_cannot_be_put_off(request_in, asks, rows, sweep):
    rows(request_in)
    asked = asks(AWAY, only=Payment.objects.earliest("pk").paystack_reference)
    with clock.at(timedelta(hours=25)):
        for _ in range(50):
            sweep()
    assert len(set(asked)) == 3


# --- Money and figures


def test_a_payment_is_verified_by_its_id(request_in):
    payment = Payment.objects.get(service_request=request_in("PENDING_ADMIN_ASSIGNMENT"))
    assert tasks.verify_payment_status(payment.pk) == "SUCCESSFUL"
    with pytest.raises(Missing):
        tasks.verify_payment_status(2**40)


def test_ratings_are_recomputed_from_the_rows(request_in, ada, tunde, bola):
    request = request_in("COMPLETED")
    Rating.objects.create(service_request=request, client=ada, serviceman=tunde, rating=4)
    ServicemanProfile.objects.filter(user=bola).update(rating=5, total_jobs_completed=9)
    assert tasks.update_serviceman_ratings() == 2
    figures = ServicemanProfile.objects.order_by("user_id").values_list("user", "rating", "total_jobs_completed")
    assert [(user, float(rating), jobs) for user, rating, jobs in figures] == [(tunde.pk, 4.0, 1), (bola.pk, 0.0, 0)]
