"""What the workers run: the fixed names, the sweeps, and the schedules that start them."""

import inspect
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.core.management import call_command
from django_q.models import OrmQ, Schedule

from core import clock
from core.errors import Missing
from marketplace import tasks
from marketplace.models import Notification, Payment, Rating, ServicemanProfile
from marketplace.schedules import SCHEDULES
from marketplace.services.notifications import send_announcement
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
