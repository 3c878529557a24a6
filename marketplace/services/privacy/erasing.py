"""Erasing a person, when they wish it and nothing is open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import Q, QuerySet, Sum

from core.errors import Conflict
from core.models import User
from marketplace.enums import OPEN, Account, DisputeStatus, PaymentStatus, PayoutStatus, RefundStatus
from marketplace.models import (
    Attachment,
    Dispute,
    LedgerLine,
    Payment,
    Payout,
    Refund,
    ServicemanProfile,
    ServiceRequest,
)
from marketplace.services.privacy.traces import ERASED, TRACES, of


def open_obligations(user: User) -> list[str]:
    """What must end before a person can be erased, in words; empty when nothing is open."""
    jobs = ServiceRequest.objects.filter(of("client", "serviceman", "backup_serviceman")(user), status__in=OPEN)
    codes = list(jobs.order_by("pk").values_list("code", flat=True))
    theirs = {"payment__service_request__client": user}
    refunds = Refund.objects.filter(**theirs).exclude(status__in=(RefundStatus.PROCESSED, RefundStatus.WAIVED))
    disputes = Dispute.objects.filter(**theirs, status=DisputeStatus.OPEN)
    payments = Payment.objects.filter(service_request__client=user, status=PaymentStatus.PENDING, outcome=None)
    held = LedgerLine.objects.filter(account=Account.CLIENT, entry__request__client=user)
    owed = LedgerLine.objects.filter(account=Account.SERVICEMAN_PAYABLE, serviceman=user)
    payouts = Payout.objects.filter(serviceman=user).exclude(status__in=(PayoutStatus.PAID, PayoutStatus.REVERSED))
    found = (
        (len(codes), f"open job ({', '.join(codes[:3])}{' ...' if len(codes) > 3 else ''})"),
        (payments.count(), "payment under way"),
        (refunds.count(), "refund to be made"),
        (disputes.count(), "dispute with the bank"),
        (_is_due(held), "payment that we hold"),
        (_is_due(owed), "payout that we owe"),
        (payouts.count(), "payout under way"),
    )
    return [f"{count} {words}" if count == 1 else f"{count} x {words}" for count, words in found if count]


def _is_due(lines: QuerySet[LedgerLine]) -> int:
    return int(bool(lines.aggregate(kobo=Sum("amount_kobo"))["kobo"]))


def erase(*, user: User, by: User) -> None:
    """Overwrite or delete everything of TRACES for good. Nobody can sign in to the account again.

    The deed itself is kept, in the account's history. Raises Conflict open_obligations naming what is open, or
    last_superuser.
    """
    with transaction.atomic():
        # The account first, here and everywhere. Who books for it waits, or was seen below.
        user = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        _require_another_superuser(user)
        # An assignment locks the profile of whom it offers a job, and offers none to who is not available.
        ServicemanProfile.objects.filter(user=user).update(is_available=False)
        if is_open := open_obligations(user):
            detail = f"The account cannot be erased yet: {'; '.join(is_open)}."
            raise Conflict(detail, code="open_obligations")
        for picture in Attachment.objects.filter(of("uploaded_by", "request__client")(user)):
            transaction.on_commit(partial(picture.file.delete, save=False))
        for trace in TRACES:
            if trace.is_deleted:
                trace.rows(user).delete()
            elif trace.emptied:
                trace.rows(user).update(**trace.emptied)
        log = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk))
        log.update(object_repr=ERASED, change_message="")
        _become_nobody(user, by=by)
        with _open_histories():
            _erase_histories(user)


def _require_another_superuser(user: User) -> None:
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    if user.is_superuser and not others.exists():
        raise Conflict("Nobody could manage the platform then: make another superuser first.", code="last_superuser")


def _become_nobody(user: User, *, by: User) -> None:
    """An account under a pseudonym that nobody can sign in to."""
    user.first_name = user.last_name = user.phone_number = ""
    user.email, user.username = _pseudonym(user)
    user.is_active = user.is_email_verified = user.is_superuser = user.is_staff = False
    user.set_unusable_password()
    user.token_version += 1
    user.groups.clear()
    user.user_permissions.clear()
    user._history_user = by  # type: ignore[attr-defined]
    user._change_reason = "Erased as the person wished."  # type: ignore[attr-defined]
    user.save()


def _pseudonym(user: User) -> tuple[str, str]:
    name = f"erased-{user.pk}"
    # A domain that will never be: RFC 2606.
    return f"{name}@erased.invalid", name


def _erase_histories(user: User) -> None:
    histories = set()
    for trace in TRACES:
        versions = trace.versions(user)
        if versions is not None:
            histories.add(versions.model)
            if trace.emptied:
                versions.update(**trace.emptied)
    email, username = _pseudonym(user)
    User.history.model.objects.filter(id=user.pk).update(email=email, username=username)
    # The reasons they gave, and those given in their name; but for the deed itself, in the history of the account.
    for history in histories:
        theirs = Q(history_user=user)
        if hasattr(history, "on_behalf_of"):
            theirs |= Q(on_behalf_of=user)
        own = Q(id=user.pk) if history is User.history.model else Q(pk__in=())
        history.objects.filter(theirs).exclude(own).update(history_change_reason="")


@contextmanager
def _open_histories() -> Iterator[None]:
    """PostgreSQL holds the histories append-only, but for a transaction that says that it erases."""

    def say(word: str) -> None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('serviceman.erasure', %s, true)", [word])

    say("on")
    yield
    say("off")
