"""What became of a refund and of a chargeback, seen to in the console by finance."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.urls import reverse

from core import clock
from marketplace.models import Dispute
from marketplace.sandbox import store
from marketplace.services import payments, refunds

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance(make_admin):
    return make_admin("finance", name="funke")


@pytest.fixture
def paid(gateway, request_in, ada):
    """A booking fee that was really paid at the sandbox."""
    payment, _ = payments.initialize(request_in("AWAITING_BOOKING_FEE").pk, payment_type="INITIAL_BOOKING", by=ada)
    gateway.choose(payment.authorization_url)
    return payments.settle(payment.paystack_reference)


@pytest.fixture
def approved(paid, boss):
    with transaction.atomic():
        due = refunds.owe(paid, amount=paid.amount, reason="Cancelled.", by=None)
    return refunds.approve(due.pk, by=boss)


def test_a_refund_is_followed_and_given_an_account_until_it_arrives(
    console, finance, open_dialog, said, gateway, approved
):
    client = console(finance)
    gateway.scenario(refund="needs-attention")
    open_dialog(client, approved, "send")
    said(client)
    gateway.settle()
    open_dialog(client, approved, "follow")
    assert said(client) == ["Paystack's answer is recorded."]
    approved.refresh_from_db()
    assert approved.status == "NEEDS_ATTENTION"
    page = client.get(reverse("admin:marketplace_refund_change", args=[approved.pk])).content.decode()
    assert "Give the client" in page

    for values, words in (
        ({"account_number": "12", "bank_id": "9"}, "An account number (NUBAN) has 10 digits."),
        ({"account_number": "0123456789", "bank_id": "GTB"}, "id of a bank is a number."),
    ):
        assert words in open_dialog(client, approved, "provide_account", **values).content.decode()
    approved.refresh_from_db()
    assert approved.status == "NEEDS_ATTENTION"

    open_dialog(client, approved, "provide_account", account_number="0123456789", bank_id="9")
    assert said(client) == ["Paystack has the account and tries again."]
    gateway.settle()
    open_dialog(client, approved, "follow")
    approved.refresh_from_db()
    assert approved.status == "PROCESSED"
    said(client)
    open_dialog(client, approved, "follow")
    assert said(client) == ["This refund is processed."]


def test_money_that_was_never_ours_cannot_be_kept(console, finance, open_dialog, said, paid):
    payment = type(paid).objects.get(pk=paid.pk)
    type(paid).objects.filter(pk=payment.pk).update(outcome="DUPLICATE")
    payment.refresh_from_db()
    with transaction.atomic():
        due = refunds.owe(payment, amount=Decimal(2000), reason="Paid twice.", by=None)
    client = console(finance)
    open_dialog(client, due, "waive", reason="Let us keep it.")
    assert said(client) == ["This money was never ours to keep."]
    due.refresh_from_db()
    assert due.status == "DUE"


def test_a_refund_asked_for_by_hand_waits_for_a_colleague(console, finance, make_admin, open_dialog, said, paid):
    make_admin("finance", name="femi")
    with transaction.atomic():
        due = refunds.owe(paid, amount=Decimal(500), reason="Kind.", by=finance)
    client = console(finance)
    open_dialog(client, due, "approve")
    assert said(client) == ["You asked for it: somebody else must approve it."]
    due.refresh_from_db()
    assert due.status == "DUE"


@pytest.fixture
def dispute(paid):
    """A chargeback that Paystack has told us of."""
    charge = store.charge(reference=paid.paystack_reference)
    row = store.open_dispute(of=charge, amount=charge["amount"], due_at=(clock.now() + timedelta(days=2)).isoformat())
    payments.record_dispute(row["id"])
    return Dispute.objects.get()


def test_what_was_done_about_a_chargeback_is_written_down(console, finance, make_admin, open_dialog, said, dispute):
    client = console(finance)
    assert "This field is required." in open_dialog(client, dispute, "write_down").content.decode()
    open_dialog(client, dispute, "write_down", note_text="Sent the job's pictures.")
    assert said(client) == ["Written down."]
    dispute.refresh_from_db()
    assert dispute.note == "Sent the job's pictures."
    assert open_dialog(console(make_admin("dispatcher")), dispute, "write_down", note_text="x").status_code == 403


def test_paystack_is_asked_how_a_chargeback_stands(console, finance, open_dialog, said, dispute):
    client = console(finance)
    store.resolve_dispute(int(dispute.paystack_id), "merchant-accepted")
    open_dialog(client, dispute, "ask_paystack")
    assert said(client) == ["Paystack's answer is recorded."]
    dispute.refresh_from_db()
    assert dispute.status == "RESOLVED"
