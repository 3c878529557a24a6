"""What the background workers run: fetch, call one service for each row, and leave the next try to the row's own state.

A job may run twice, or again after a worker was killed; every service behind it can bear that.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction

from core.errors import DomainError, Missing
from marketplace.models import Payment, ServicemanProfile, ServiceRequest
from marketplace.paystack import PaystackError, PaystackUnavailable
from marketplace.services import assignment, notifications, payments, refunds, requests

log = logging.getLogger(__name__)

AT_ONCE = 200
"""Rows a sweep takes in one go; the rest is the next one's."""
SWEEP_SECONDS = 30
"""A sweep begins no other row after this time, so that it ends by itself before its job would be killed."""


# --- Messages


def send_notification_email(notification_id: int) -> str:
    """Send the e-mail of one notice."""
    return notifications.send_email(notification_id).name


def send_due_emails() -> int:
    """Send every e-mail that is owed and due: first tries whose job was lost, and later tries."""
    return notifications.send_due_emails()


def send_bulk_notifications(user_ids: list[int], notification_data: dict[str, Any]) -> int:
    """Tell many people the same, each once a day. To say the same again on purpose takes a `dedupe` of its own.

    `notification_data`: notification_type, title, message, service_request_id, dedupe.
    """
    return len(notifications.notify(user_ids, **notification_data))


def generate_revenue_report(period: str) -> int:
    """Mail finance the last full "day", "week" or "month", with its payments as a CSV; how many were told."""
    return len(notifications.send_revenue_report(period))


# --- Money


def verify_payment_status(payment_id: int) -> str:
    """Ask Paystack about one payment and apply the answer; its status afterwards."""
    payment = Payment.objects.filter(pk=payment_id).first()
    if payment is None:
        raise Missing("There is no such payment.")
    return payments.settle(payment.paystack_reference).status


def check_payments() -> int:
    """Ask Paystack about payments it has not told us of."""
    return _each(payments.to_check(), payments.settle)


def check_refunds() -> int:
    """Ask Paystack about refunds that are under way and it has not told us of."""
    return _each(refunds.to_settle(), refunds.settle)


def check_disputes() -> int:
    """Ask Paystack for chargebacks it has not told us of; how many are about payments of ours. Later, if it is away."""
    try:
        return payments.check_disputes()
    except PaystackError as problem:
        log.info("Chargebacks: %s", problem.code)
        return 0


def replay_events() -> int:
    """Act again on events that could not be acted on."""
    return _each(_shuffled(payments.to_replay()), _replay)


def expire_bookings() -> int:
    """End bookings whose fee was not paid in time."""
    return _each(_shuffled(_ids(ServiceRequest.objects.to_expire())), payments.expire)


# --- Deadlines


def check_overdue_inspections() -> int:
    """Tell servicemen and admins of inspections that are overdue, once each."""
    overdue = ServiceRequest.objects.inspection_overdue().values("pk")
    return _each(_ids(ServiceRequest.objects.to_chase().filter(pk__in=overdue)), requests.chase)


def chase_deadlines() -> int:
    """Remind who must act, and tell the admins, once for each deadline that has passed."""
    return _each(_ids(ServiceRequest.objects.to_chase()), requests.chase)


def lapse_offers() -> int:
    """End offers that nobody answered in time; the backup is next."""
    return _each(_ids(ServiceRequest.objects.to_lapse()), assignment.lapse_offer)


def cancel_silent_requests() -> int:
    """Cancel requests whose price nobody answered or paid for as long as the settings said when it was asked."""
    return _each(_ids(ServiceRequest.objects.to_give_up()), requests.give_up)


# --- Figures


def update_serviceman_ratings() -> int:
    """Recompute every serviceman's rating and jobs done from the rows."""
    people = list(ServicemanProfile.objects.order_by("user_id").values_list("user_id", flat=True))
    for user_id in people:
        with transaction.atomic():
            ServicemanProfile.objects.recompute(user_id)
    return len(people)


def _ids(rows: Any) -> list[int]:
    return list(rows.order_by("due_at", "pk").values_list("pk", flat=True)[:AT_ONCE])


def _shuffled(rows: list[int]) -> list[int]:
    """For rows that do not note a failed try: one that Paystack never answers about is not always the first."""
    return random.sample(rows, len(rows))


def _replay(event_id: int) -> None:
    """`payments.replay` keeps it to the event that Paystack did not answer; a sweep has to know."""
    away = PaystackUnavailable("No answer about an event.")
    if payments.replay(event_id).detail == away.detail:
        raise away


def _each(rows: Iterable[Any], act: Callable[[Any], object]) -> int:
    """Call a service for each row; how many it did. What one row refuses does not stop the others.

    Without Paystack, or after SWEEP_SECONDS, the rest waits for the next run: each call may hang until its time-out,
    and a sweep that holds a worker holds up the mails.
    """
    until, done = time.monotonic() + SWEEP_SECONDS, 0
    for row in rows:
        try:
            act(row)
            done += 1
        except PaystackUnavailable:
            log.warning("Paystack does not answer about %s: this sweep ends.", row)
            break
        except DomainError as refusal:
            log.info("%s: %s of %s", getattr(act, "__name__", "step"), refusal.code, row)
        except Exception:
            log.exception("A sweep could not do %s", row)
        if time.monotonic() > until:
            break
    return done
