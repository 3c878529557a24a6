"""Money at risk: one page, a list a kind, each row with the one step that is next."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from core import clock
from marketplace.models import Dispute, Payment, Refund

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(console, boss):
    def page(who=None):
        answer = console(who or boss).get(reverse("admin:money_at_risk"))
        assert answer.status_code == 200
        return answer

    return page


def kinds(answer):
    return {kind["risk"].key: kind for kind in answer.context["kinds"]}


def pay(request, outcome=None, **fields):
    values = {"payment_type": "FINAL_PAYMENT", "amount": Decimal("22000.00"), "outcome": outcome} | fields
    values.setdefault("status", "FAILED" if outcome == "MISMATCH" else "SUCCESSFUL" if outcome else "PENDING")
    values.setdefault("paystack_reference", f"r-{Payment.objects.count()}")
    return Payment.objects.create(service_request=request, **values)


def the_line(answer, key):
    [line] = kinds(answer)[key]["lines"]
    return line


def test_nothing_at_risk_is_said(page):
    answer = page()
    assert answer.context["kinds"] == []
    assert "No money is at risk" in answer.content.decode()


@pytest.mark.parametrize(("outcome", "key"), [("LATE", "late"), ("DUPLICATE", "twice")])
def test_late_and_double_money_stands_with_the_next_step_of_its_refund(page, request_in, outcome, key):
    payment = pay(request_in("CANCELLED"), outcome)
    refund = Refund.objects.create(payment=payment, amount=22000, reason="Late.")
    for status, step in [
        ("DUE", "Approve the refund"),
        ("APPROVED", "Send the refund"),
        ("SENT", "Ask Paystack about the refund"),
        ("FAILED", "Approve the refund again"),
        ("NEEDS_ATTENTION", "Give the client&#x27;s account, or pay by hand"),
    ]:
        Refund.objects.update(status=status)
        answer = page()
        assert step in str(the_line(answer, key).next_step)
        assert f"/refund/{refund.pk}/" in str(the_line(answer, key).next_step)
        assert list(kinds(answer)) == [key]
    Refund.objects.update(status="PROCESSED")
    assert not page().context["kinds"]


@pytest.mark.parametrize(
    ("fields", "why", "step"),
    [
        ({"received_kobo": 2100000}, "₦1,000.00 too little", "Ask for its refund"),
        ({"received_kobo": 2200050}, "₦0.50 too much", "Ask for its refund"),
        ({"metadata": {"wrong": ["currency"], "said": {"currency": "USD"}}}, "In USD, not naira", "set it aside"),
        ({"metadata": {"wrong": ["domain"]}}, "Of another Paystack account or charge", "set it aside"),
    ],
)
def test_wrong_money_says_what_is_wrong_with_it(page, request_in, fields, why, step):
    pay(request_in("AWAITING_PAYMENT"), "MISMATCH", **fields)
    line = the_line(page(), "mismatch")
    assert line.why == why
    assert step in str(line.next_step)


def test_stuck_refunds(page, request_in):
    payment = request_in("CANCELLED", final_cost=None).payments.create(
        payment_type="INITIAL_BOOKING", amount=2000, status="SUCCESSFUL", outcome="APPLIED", paystack_reference="a"
    )
    now = clock.now()
    for fields, stuck in [
        ({"status": "FAILED"}, True),
        ({"status": "NEEDS_ATTENTION"}, True),
        ({"status": "APPROVED"}, False),
        ({"status": "APPROVED", "sending_at": now - timedelta(minutes=16)}, True),
        ({"status": "SENT", "sent_at": now - timedelta(days=9)}, False),
        ({"status": "PROCESSING", "sent_at": now - timedelta(days=11)}, True),
        ({"status": "DUE"}, False),
        ({"status": "PROCESSED"}, False),
    ]:
        Refund.objects.all().delete()
        Refund.objects.create(payment=payment, amount=2000, reason="Late.", **fields)
        assert ("stuck" in kinds(page())) == stuck, fields


def test_disputes_until_they_are_answered_or_written_about(page, request_in):
    payment = request_in("COMPLETED").applied_payment("FINAL_PAYMENT")
    dispute = Dispute.objects.create(
        payment=payment, paystack_id="358", amount_kobo=2200000, due_at=clock.now() + timedelta(days=2)
    )
    line = the_line(page(), "disputes")
    assert (line.amount, "Give evidence at Paystack" in str(line.next_step)) == ("₦22,000.00", True)
    Dispute.objects.update(status="RESOLVED")
    assert not page().context["kinds"]
    Dispute.objects.update(unexplained_kobo=50000)
    line = the_line(page(), "disputes")
    assert (line.amount, line.why) == ("₦500.00", "Taken beyond what was left")
    dispute.refresh_from_db()
    dispute.note = "Written off."
    dispute.save()
    assert not page().context["kinds"]


def test_checkouts_open_too_long(page, request_in):
    job = request_in("AWAITING_PAYMENT")
    payment = Payment.objects.filter(service_request=job, payment_type="FINAL_PAYMENT").first() or pay(job)
    Payment.objects.filter(pk=payment.pk).update(created_at=clock.now() - timedelta(hours=23))
    assert "checkouts" not in kinds(page())
    Payment.objects.filter(pk=payment.pk).update(gateway_status="ongoing")
    assert "Paystack says: ongoing" in the_line(page(), "checkouts").why
    Payment.objects.filter(pk=payment.pk).update(created_at=clock.now() - timedelta(hours=25), gateway_status="")
    assert "Check with Paystack" in str(the_line(page(), "checkouts").next_step)
    Payment.objects.filter(pk=payment.pk).update(outcome="SUPERSEDED")
    assert "checkouts" not in kinds(page())


def test_agreed_but_unpaid(page, request_in):
    job = request_in("AWAITING_PAYMENT")
    assert "unpaid" not in kinds(page())
    with clock.at(timedelta(hours=73)):
        line = the_line(page(), "unpaid")
    assert (line.amount, "Call the client" in str(line.next_step)) == ("₦22,000.00", True)
    assert f"/servicerequest/{job.pk}/" in str(line.next_step)


def test_the_card_and_the_badge_count_all_kinds(console, boss, page, request_in):
    payment = pay(request_in("CANCELLED"), "LATE")
    Dispute.objects.create(payment=payment, paystack_id="358", amount_kobo=2200000)
    with clock.at(timedelta(hours=1)):
        cards = {c["queue"].key: c for c in console(boss).get(reverse("admin:index")).context["queues"]}
    assert cards["at_risk"]["count"] == 2 == sum(kind["count"] for kind in page().context["kinds"])
    assert cards["at_risk"]["queue"].url == reverse("admin:money_at_risk")


def test_who_may_not_see_disputes_sees_the_rest(page, request_in, make_admin):
    payment = pay(request_in("CANCELLED"), "LATE")
    Dispute.objects.create(payment=payment, paystack_id="358", amount_kobo=2200000)
    assert set(kinds(page(make_admin("dispatcher")))) == {"late"}
    assert set(kinds(page(make_admin("finance")))) == {"late", "disputes"}


def test_strangers_are_kept_out(console, make_admin, client):
    path = reverse("admin:money_at_risk")
    assert console(make_admin()).get(path).status_code == 403
    assert client.get(path).status_code == 302
