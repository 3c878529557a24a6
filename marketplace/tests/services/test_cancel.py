"""Calling a request off, and what the client gets back: by stage and side."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from core.errors import Conflict, Forbidden, Invalid
from marketplace.enums import Side, Status
from marketplace.models import BusinessSettings, Consultation, Payment, Refund
from marketplace.services.pricing import approve_price
from marketplace.services.requests import cancel, cancellation_preview
from marketplace.tests.trail import fresh, offers, refused, trail

pytestmark = pytest.mark.django_db

FEE, FINAL = "INITIAL_BOOKING", "FINAL_PAYMENT"
NOTHING: dict[str, str] = {}
FEE_BACK, FINAL_BACK = {FEE: "DUE"}, {FINAL: "DUE"}

# (status, accepted, final price paid) -> what a client's and what an admin's cancelling returns
POLICY = {
    ("AWAITING_BOOKING_FEE", False, False): (NOTHING, NOTHING),
    ("PENDING_ADMIN_ASSIGNMENT", False, False): (FEE_BACK, FEE_BACK),
    ("ASSIGNED_TO_SERVICEMAN", False, False): (FEE_BACK, FEE_BACK),
    ("ASSIGNED_TO_SERVICEMAN", True, False): (NOTHING, FEE_BACK),
    ("SERVICEMAN_INSPECTED", True, False): (NOTHING, FEE_BACK),
    ("AWAITING_CLIENT_APPROVAL", True, False): (NOTHING, FEE_BACK),
    ("NEGOTIATING", True, False): (NOTHING, FEE_BACK),
    ("AWAITING_PAYMENT", True, False): (NOTHING, FEE_BACK),
    ("PAYMENT_CONFIRMED", True, True): (FINAL_BACK, FEE_BACK | FINAL_BACK),
    ("PENDING_ADMIN_ASSIGNMENT", False, True): (FINAL_BACK, FEE_BACK | FINAL_BACK),
    ("ASSIGNED_TO_SERVICEMAN", False, True): (FINAL_BACK, FEE_BACK | FINAL_BACK),
    ("IN_PROGRESS", True, True): ({FINAL: "REVIEW"}, {FEE: "REVIEW", FINAL: "REVIEW"}),
    ("WORK_COMPLETED", True, True): ({FINAL: "REVIEW"}, {FEE: "REVIEW", FINAL: "REVIEW"}),
}
AMOUNTS = {FEE: Decimal(2000), FINAL: Decimal(22_000)}


@pytest.fixture
def come_to(request_in):
    def come_to(status, accepted, final_paid):
        request = request_in(status, accepted=accepted)
        if final_paid and not request.final_is_paid:
            Payment.objects.create(
                service_request=request,
                payment_type=FINAL,
                amount=AMOUNTS[FINAL],
                status="SUCCESSFUL",
                outcome="APPLIED",
                paystack_reference="early",
            )
        return fresh(request)

    return come_to


@pytest.mark.parametrize("side", [Side.CLIENT, Side.ADMIN])
@pytest.mark.parametrize("stage", POLICY, ids=lambda stage: "-".join(map(str, stage)))
def test_it_returns_what_the_policy_says_and_the_preview_said_so(stage, side, come_to, ada, make_admin):
    request, by = come_to(*stage), ada if side == Side.CLIENT else make_admin("pricing")
    back = POLICY[stage][side == Side.ADMIN]
    preview = cancellation_preview(request, by=by)
    with clock.at(timedelta(hours=1)) as now:
        cancel(request.pk, reason="Not needed.", by=by)
    request = fresh(request)
    assert (request.status, request.waiting_on, request.due_at) == (Status.CANCELLED, Side.NOBODY, None)
    assert (request.cancelled_by_role, request.cancellation_reason, request.cancelled_at) == (side, "Not needed.", now)
    assert trail(request) == [("cancel", by, None, "Not needed.")]
    refunds = {r.payment.payment_type: (r.status, r.amount, r.reason, r.requested_by) for r in Refund.objects.all()}
    assert refunds == {kind: (status, AMOUNTS[kind], "Not needed.", by) for kind, status in back.items()}
    for line in preview:
        returned, for_review = (
            AMOUNTS[line.payment_type] * (back.get(line.payment_type) == s) for s in ("DUE", "REVIEW")
        )
        assert (line.returned, line.for_review) == (returned, for_review)
        assert line.kept == AMOUNTS[line.payment_type] - returned - for_review
    assert {line.payment_type for line in preview} == {p.payment_type for p in request.payments.all()}


@pytest.mark.parametrize("status", ["AWAITING_CLIENT_APPROVAL", "NEGOTIATING", "AWAITING_PAYMENT"])
def test_after_fourteen_days_of_silence_the_system_does_it_on_the_clients_account(status, request_in):
    request = request_in(status)
    with clock.at(request.status_since + timedelta(days=14) - timedelta(seconds=1)), refused(Conflict, "not_due"):
        cancel(request.pk, reason="Silence.", by=None)
    with clock.at(request.status_since + timedelta(days=14)):
        cancel(request.pk, reason="Silence.", by=None)
    assert fresh(request).cancelled_by_role == Side.SYSTEM
    assert trail(request) == [("cancel", None, None, "Silence.")]
    assert not Refund.objects.exists()  # the fee is kept, as when the client cancels


def test_the_days_of_silence_are_a_setting(request_in, ada):
    BusinessSettings.objects.create(pk=1, give_up_days=3)
    request = request_in("AWAITING_CLIENT_APPROVAL")
    approve_price(request.pk, price_version=1, by=ada)
    with clock.at(timedelta(days=3, minutes=1)):
        cancel(request.pk, reason="Silence.", by=None)


def test_the_system_cancels_nothing_else(request_in):
    for status in ("PENDING_ADMIN_ASSIGNMENT", "SERVICEMAN_INSPECTED", "PAYMENT_CONFIRMED", "WORK_COMPLETED"):
        request = request_in(status)
        with clock.at(timedelta(days=100)), refused(Forbidden):
            cancel(request.pk, reason="Silence.", by=None)


def test_nothing_stays_open_behind_it(request_in, ada, tunde, bola):
    request = request_in("NEGOTIATING")
    Consultation.objects.create(negotiation=request.open_proposal, serviceman=tunde, question="Less?")
    Payment.objects.create(service_request=request, payment_type=FINAL, amount=1, paystack_reference="open")
    with clock.at(clock.now()) as now:
        cancel(request.pk, reason="Not needed.", by=ada)
    request = fresh(request)
    assert [n.status for n in request.negotiations.all()] == ["REJECTED"]
    assert Consultation.objects.get().closed_at == now
    assert Payment.objects.get(paystack_reference="open").outcome == "SUPERSEDED"
    assert offers(request) == [(tunde, "PRIMARY", "ACCEPTED"), (bola, "BACKUP", "CLOSED")]


def test_an_unpaid_bookings_checkout_no_longer_counts(request_in, ada):
    request = request_in("AWAITING_BOOKING_FEE")
    Payment.objects.create(service_request=request, payment_type=FEE, amount=2000, paystack_reference="open")
    cancel(request.pk, reason="Not needed.", by=ada)
    assert Payment.objects.get().outcome == "SUPERSEDED"
    assert not Refund.objects.exists()


def test_what_finance_sent_back_before_is_not_owed_again(request_in, boss):
    request = request_in("PAYMENT_CONFIRMED")
    final = request.payments.get(payment_type=FINAL)
    Refund.objects.create(payment=final, amount=5000, status="PROCESSED", reason="Discount.")
    cancel(request.pk, reason="Not needed.", by=boss)
    assert Refund.objects.get(payment=final, status="DUE").amount == Decimal(17_000)


def test_it_needs_a_reason(request_in, ada, boss):
    request = request_in("NEGOTIATING")
    for by in (ada, boss):
        with refused(Invalid, "reason_required", field="reason"):
            cancel(request.pk, reason="  ", by=by)


def test_once_is_enough(request_in, ada):
    request = request_in("PENDING_ADMIN_ASSIGNMENT")
    cancel(request.pk, reason="Not needed.", by=ada)
    with refused(Conflict, "wrong_status"):
        cancel(request.pk, reason="Not needed.", by=ada)
    with refused(Conflict, "wrong_status"):
        cancellation_preview(fresh(request), by=ada)
    assert Refund.objects.count() == 1
