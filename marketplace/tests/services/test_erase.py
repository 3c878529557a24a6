"""Erasing a person: no word of theirs is left in any table, every kobo is, and nothing open is lost."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.files.base import ContentFile
from django.db import connection
from django.db.models import BinaryField, CharField, JSONField, TextField

from core import clock
from core.errors import Conflict, DomainError
from core.models import IdempotencyKey, RefreshToken, User
from marketplace.models import (
    Attachment,
    BankAccount,
    LedgerLine,
    Notification,
    Payment,
    Refund,
    ServicemanProfile,
    UnavailableDate,
    WebhookEvent,
)
from marketplace.services import accounts, assignment, issues, negotiations, ratings, refunds, requests
from marketplace.services.privacy import TRACES, erase, open_obligations
from marketplace.tests.books import enter

pytestmark = pytest.mark.django_db

HERS = "quokka"
"""Stands in every word of hers, and in no other."""


def places(word: str) -> set[str]:
    """Every column of every table that holds it."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for column, value in zip(columns, row, strict=True):
                    text = (
                        bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)
                    )
                    if word in text.lower():
                        found.add(f"{table}.{column}")
    return found


def money():
    """What the books and the records of money say."""
    return (
        list(LedgerLine.objects.order_by("pk").values_list("account", "amount_kobo", "serviceman")),
        list(Payment.objects.order_by("pk").values_list("paystack_reference", "amount", "status", "service_request")),
        list(Refund.objects.order_by("pk").values_list("payment", "amount", "status")),
    )


@pytest.fixture
def zora(make_client):
    fields = {"first_name": HERS.title(), "phone_number": "+2348031230000", "address": f"1 {HERS} Street"}
    person = make_client(HERS, **fields)
    accounts.update_profile(user=person, by=person, first_name="Zora", last_name=HERS, address=f"2 {HERS} Street")
    return User.objects.get(pk=person.pk)


@pytest.fixture
def lived(zora, boss, tunde, request_in, settings, tmp_path):
    """Three bookings of hers, with all that she wrote, and with what others keep of her."""
    settings.MEDIA_ROOT = tmp_path
    hers = {"client": zora, "client_address": f"3 {HERS} Street", "service_description": f"The {HERS} leaks."}

    haggled = enter(request_in("AWAITING_CLIENT_APPROVAL", **hers))
    proposal = negotiations.propose_price(haggled.pk, amount=Decimal(21000), message=f"{HERS} pays less", by=zora)
    negotiations.reject_proposal(proposal.pk, by=boss)
    issue = issues.raise_issue(haggled.pk, kind="OTHER", message=f"{HERS} waits", by=zora)
    issues.resolve_issue(haggled.pk, issue.pk, resolution="Talked.", by=boss)
    requests.add_note(haggled.pk, text=f"{HERS} is kind", by=boss)
    requests.cancel(haggled.pk, reason=f"{HERS} moved", by=zora)

    early = enter(request_in("PENDING_ADMIN_ASSIGNMENT", **hers))
    day = clock.today() + timedelta(days=9)
    requests.reschedule(early.pk, booking_date=day, reason=f"{HERS} travels", by=zora)
    requests.cancel(early.pk, reason=f"{HERS} stays away", by=zora)
    refunds.waive(Refund.objects.get().pk, reason="The client agreed.", by=boss)

    done = enter(request_in("COMPLETED", **hers))
    ratings.rate(done.pk, rating=5, review=f"{HERS} is glad", by=zora)
    picture = ContentFile(b"\x89PNG", name=f"{HERS}.png")
    Attachment.objects.create(
        request=done, uploaded_by=tunde, kind="JOB", file=picture, content_type="image/png", size=4, sha256="0" * 64
    )

    event = {"sha256": "1" * 64, "reference": done.payments.first().paystack_reference}
    WebhookEvent.objects.create(body=b'{"customer": {"email": "%s@example.com"}}' % HERS.encode(), **event)
    RefreshToken.objects.create(user=zora, expires_at=clock.now())
    key = {"method": "POST", "path": "/", "key": "k", "body_sha256": "0" * 64}
    IdempotencyKey.objects.create(user=zora, body=f'{{"client": "{HERS}"}}'.encode(), **key)
    LogEntry.objects.log_actions(boss.pk, [zora], CHANGE, change_message=f"Renamed {HERS}", single_object=True)
    return done


def test_no_word_of_hers_is_left_in_any_table(lived, zora, django_capture_on_commit_callbacks):
    written = places(HERS)
    assert len(written) >= 20, written
    picture = Attachment.objects.get().file
    with django_capture_on_commit_callbacks(execute=True):
        erase(user=zora, by=zora)
    assert places(HERS) == set()
    assert places("+2348031230000") == set()
    assert not picture.storage.exists(picture.name)
    assert not Notification.objects.filter(user=zora).exists()


def test_every_kobo_and_the_work_are_left(lived, zora, boss):
    before = money()
    erase(user=zora, by=zora)
    assert money() == before
    lived.refresh_from_db()
    assert (lived.status, lived.client_id, lived.rating.rating) == ("COMPLETED", zora.pk, 5)
    assert lived.history.latest().step == "rate"
    assert ServicemanProfile.objects.get(user=lived.serviceman).rating == 5


def test_nobody_can_sign_in_again_and_the_deed_is_recorded(lived, zora, as_):
    caller = as_(zora)
    erase(user=zora, by=zora)
    assert caller.get("/api/me/").status_code == 401
    left = User.objects.get(pk=zora.pk)
    assert (left.email, left.username, left.is_active) == (
        f"erased-{zora.pk}@erased.invalid",
        f"erased-{zora.pk}",
        False,
    )
    assert not left.has_usable_password()
    deed = left.history.latest()
    assert (deed.history_change_reason, deed.history_user) == ("Erased as the person wished.", left)


def test_others_keep_what_is_theirs(lived, zora, tunde):
    told = Notification.objects.filter(user=tunde).count()
    assert told
    erase(user=zora, by=zora)
    assert Notification.objects.filter(user=tunde).count() == told
    assert lived.history.exists()
    assert User.objects.get(pk=tunde.pk).first_name == "Tunde"


@pytest.fixture
def sani(make_serviceman, request_in, boss):
    """A serviceman who has declined a job, and who never earned anything."""
    person = make_serviceman("sani", profile={"bio": f"{HERS} of pipes"}, last_name=HERS)
    UnavailableDate.objects.create(serviceman=person, date=clock.today())
    account = BankAccount.objects.create(
        serviceman=person, account_number="0123456789", bank_code="058", account_name=f"SANI {HERS.upper()}"
    )
    account.account_name = f"S. {HERS}"
    account.save()
    offered = request_in("ASSIGNED_TO_SERVICEMAN", serviceman=person)
    assignment.decline_job(offered.pk, reason=f"{HERS} is ill", by=person)
    return person


def test_a_serviceman_s_words_and_bank_account_go_and_he_is_offered_nothing(sani, boss, request_in):
    assert len(places(HERS)) >= 7
    erase(user=sani, by=sani)
    assert places(HERS) == set()
    assert places("0123456789") == set()
    assert not UnavailableDate.objects.filter(serviceman=sani).exists()
    assert not ServicemanProfile.objects.listed().filter(user=sani).exists()
    waiting = request_in("PENDING_ADMIN_ASSIGNMENT")
    with pytest.raises(DomainError):
        assignment.assign_serviceman(waiting.pk, serviceman_id=sani.pk, by=boss)


# --- What is open


@pytest.mark.parametrize("status", ["AWAITING_BOOKING_FEE", "NEGOTIATING", "PAYMENT_CONFIRMED", "WORK_COMPLETED"])
def test_an_open_job_must_end_first_whoever_s_it_is(status, request_in, ada):
    request = enter(request_in(status))
    for person in filter(None, (ada, request.serviceman, request.backup_serviceman)):
        with pytest.raises(Conflict, match=f"1 open job \\({request.code}\\)") as refused:
            erase(user=person, by=person)
        assert refused.value.code == "open_obligations"
    assert User.objects.get(pk=ada.pk).first_name == "Ada"


def test_money_on_its_way_back_must_have_arrived(request_in, ada, boss):
    request = enter(request_in("PENDING_ADMIN_ASSIGNMENT"))
    requests.cancel(request.pk, reason="Moved", by=ada)
    assert open_obligations(ada) == ["1 refund to be made"]
    refunds.waive(Refund.objects.get().pk, reason="Agreed.", by=boss)
    assert open_obligations(ada) == []


def test_money_that_is_held_without_a_reason_must_be_returned(request_in, ada):
    request = enter(request_in("AWAITING_CLIENT_APPROVAL"))
    payment = request.payments.get()
    requests.cancel(request.pk, reason="Moved", by=ada)
    Payment.objects.filter(pk=payment.pk).update(outcome="DUPLICATE")
    second = Payment.objects.create(
        service_request=request, payment_type="INITIAL_BOOKING", amount=2000, status="SUCCESSFUL", outcome="LATE",
        paystack_reference="again",
    )  # fmt: skip
    enter(request)
    assert second.ledger_entries.exists()
    assert open_obligations(ada) == ["1 payment that we hold"]


def test_what_a_serviceman_earned_must_be_paid_out(request_in, tunde):
    enter(request_in("COMPLETED"))
    assert open_obligations(tunde) == ["1 payout that we owe"]


def test_the_last_superuser_stays(boss):
    with pytest.raises(Conflict) as refused:
        erase(user=boss, by=boss)
    assert refused.value.code == "last_superuser"
    User.objects.create_superuser(None, "next@example.com", "Str0ng-enough")
    erase(user=boss, by=boss)
    left = User.objects.get(pk=boss.pk)
    assert (left.is_staff, left.is_superuser, left.groups.exists()) == (False, False, False)


# --- No place is forgotten

WORDS = (CharField, TextField, JSONField, BinaryField)
KEPT = {
    # Written by the platform, by admins about the platform, or codes of ours and Paystack's.
    "core.IdempotencyKey", "core.ThrottleHit", "marketplace.BusinessSettings", "marketplace.Category",
    "marketplace.DailyRevenue", "marketplace.Dispute", "marketplace.LedgerEntry", "marketplace.LedgerLine",
    "marketplace.Payment", "marketplace.Payout", "marketplace.Price", "marketplace.ReconciliationDifference",
    "marketplace.ReconciliationRun", "marketplace.Receipt", "marketplace.PayoutBatch",
}  # fmt: skip


def test_every_table_with_words_is_erased_or_kept_on_purpose():
    traced = {trace.model._meta.label for trace in TRACES if trace.emptied or trace.is_deleted}
    with_words = {
        model._meta.label
        for model in apps.get_models()
        if model._meta.app_label in ("core", "marketplace") and not model.__name__.startswith("Historical")
        if any(isinstance(column, WORDS) for column in model._meta.fields)
    }
    assert with_words <= traced | KEPT, with_words - traced - KEPT
