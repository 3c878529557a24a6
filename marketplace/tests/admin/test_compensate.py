"""Who began a job and lost it may be owed something, once, out of the platform's revenue."""

from decimal import Decimal

import pytest

from core.errors import Conflict, Forbidden, Invalid
from marketplace.enums import Account
from marketplace.models import LedgerLine, ServiceRequest
from marketplace.services import assignment, ledger, payouts, requests, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance(make_admin):
    return make_admin("finance", name="funke")


@pytest.fixture
def begun(request_in, tunde):
    job = request_in("PAYMENT_CONFIRMED")
    work.start_work(job.pk, by=tunde)
    return job


@pytest.fixture
def taken(begun, bola, boss, tunde):
    assignment.reassign_serviceman(begun.pk, serviceman_id=bola.pk, replaces=tunde.pk, reason="Ill", by=boss)
    return begun


def pay(job, man, by, amount="3000.00", reason="Half a day of work"):
    return payouts.compensate(job.pk, serviceman_id=man.pk, amount=Decimal(amount), reason=reason, by=by)


def test_who_lost_the_job_is_owed_what_finance_says(taken, tunde, finance):
    pay(taken, tunde, finance)
    assert ledger.balances()[Account.SERVICEMAN_PAYABLE] == -300000
    assert ledger.balances()[Account.REVENUE_MARKUP] == 300000
    assert LedgerLine.objects.get(account="SERVICEMAN_PAYABLE").serviceman == tunde
    with pytest.raises(Conflict):
        pay(taken, tunde, finance)


def test_a_cancelled_job_too(begun, tunde, boss, finance):
    with pytest.raises(Invalid):  # while it is his he earns it
        pay(begun, tunde, finance)
    requests.cancel(begun.pk, reason="Enough", by=boss)
    pay(begun, tunde, finance)
    assert ledger.balances()[Account.SERVICEMAN_PAYABLE] == -300000


def test_nobody_who_has_not_begun_it(taken, bola, finance, make_serviceman):
    for man in (bola, make_serviceman("sani")):
        with pytest.raises(Invalid) as refused:
            pay(taken, man, finance)
        assert "serviceman_id" in refused.value.errors


@pytest.mark.parametrize("wrong", [{"amount": "0"}, {"amount": "-1"}, {"reason": " "}])
def test_bad_input_writes_nothing(taken, tunde, finance, wrong):
    with pytest.raises(Invalid):
        pay(taken, tunde, finance, **wrong)
    assert not LedgerLine.objects.exists()


def test_only_finance(taken, tunde, make_admin):
    for role in ("dispatcher", "pricing", "viewer"):
        with pytest.raises(Forbidden):
            pay(taken, tunde, make_admin(role))


def test_the_console_offers_whom(console, finance, open_dialog, said, taken, tunde, bola):
    client = console(finance)
    form = open_dialog(client, taken, "compensate", method="get").content.decode()
    assert tunde.name in form
    assert bola.name not in form
    open_dialog(client, taken, "compensate", serviceman_id=tunde.pk, amount="3000", reason="Half a day")
    assert said(client) == ["Added to what he is owed."]
    assert ServiceRequest.objects.get(pk=taken.pk).ledger_entries.get().memo == "Half a day"


def test_it_is_not_offered_where_nobody_lost_anything(console, finance, open_dialog, said, request_in):
    client = console(finance)
    open_dialog(client, request_in("IN_PROGRESS"), "compensate", reason="x")
    assert said(client) == ["Nobody has begun this job and lost it."]
