"""A serviceman's standing: let in, turned down, suspended, reinstated. Needs the codename approve_servicemen."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import Q

from core import clock
from core.errors import Conflict, Forbidden, Invalid, Missing
from core.models import User
from marketplace import notices
from marketplace.enums import OPEN, Approval, IssueKind, NotificationType, OfferAnswer, Side
from marketplace.models import Category, Issue, Offer, ServicemanProfile, ServiceRequest
from marketplace.services.assignment import pass_on
from marketplace.services.workflow import advance, require_reason


def approve_serviceman(
    user_id: int, *, category_id: int | None = None, by: User, reason: str = ""
) -> ServicemanProfile:
    """From now on jobs of his category, or of `category_id`, may be offered to him.

    Raises Forbidden, Missing, Conflict unless pending or rejected with a confirmed e-mail and a category, Invalid
    naming `category_id`.
    """
    was = (Approval.PENDING, Approval.REJECTED)
    with transaction.atomic():
        profile = _judge(user_id, Approval.APPROVED, was=was, reason=reason, category_id=category_id, by=by)
        _tell(NotificationType.SERVICEMAN_APPROVED, profile, by=by)
    return profile


def reject_serviceman(user_id: int, *, reason: str, by: User) -> ServicemanProfile:
    """Turn an application down, saying why. Raises Forbidden, Missing, Conflict unless pending, Invalid."""
    reason = require_reason(reason)
    with transaction.atomic():
        profile = _judge(user_id, Approval.REJECTED, was=(Approval.PENDING,), reason=reason, by=by)
        _tell(NotificationType.SERVICEMAN_REJECTED, profile, by=by)
    return profile


def suspend_serviceman(user_id: int, *, reason: str, by: User) -> ServicemanProfile:
    """No new offers, open offers lapse, and each accepted job waits on an admin with an issue.

    Raises Forbidden, Missing, Conflict unless he is approved, Invalid without a reason.
    """
    with transaction.atomic():
        his = ServiceRequest.objects.filter(Q(serviceman=user_id) | Q(backup_serviceman=user_id), status__in=OPEN)
        held = list(his.select_for_update(of=("self",)).order_by("id"))
        _lock_profiles(user_id, held)
        profile = _judge(user_id, Approval.SUSPENDED, was=(Approval.APPROVED,), reason=require_reason(reason), by=by)
        # Whoever offered him a job since had to lock his profile first, and is seen now.
        if his.exclude(pk__in=[request.pk for request in held]).exists():
            raise Conflict("He was offered a job this very moment: try again.", code="try_again")
        for request in held:
            if request.serviceman_id != user_id:
                Offer.objects.end(request, OfferAnswer.LAPSED, serviceman=profile.user, reason=reason)
                advance(request, ServiceRequest.drop_backup, by=by, reason=f"The backup was suspended: {reason}")
            elif request.accepted_at is None:
                pass_on(request, ServiceRequest.lapse, OfferAnswer.LAPSED, by=None, reason="Suspended.")
            elif not request.issues.filter(kind=IssueKind.OTHER, resolved_at=None).exists():
                message = f"The serviceman was suspended: {reason}"
                issue = Issue.objects.create(
                    request=request, kind=IssueKind.OTHER, message=message, raised_by=by, raised_by_role=Side.ADMIN
                )
                advance(request, ServiceRequest.raise_issue, by=by, reason=message, tell={"issue_id": issue.pk})
        _tell(NotificationType.SERVICEMAN_SUSPENDED, profile, by=by)
    return profile


def reinstate_serviceman(user_id: int, *, reason: str, by: User) -> ServicemanProfile:
    """He may be offered work again; what he lost stays lost. Raises Forbidden, Missing, Conflict unless suspended."""
    with transaction.atomic():
        profile = _judge(user_id, Approval.APPROVED, was=(Approval.SUSPENDED,), reason=require_reason(reason), by=by)
        _tell(NotificationType.SERVICEMAN_REINSTATED, profile, by=by)
    return profile


def _tell(event: NotificationType, profile: ServicemanProfile, *, by: User) -> None:
    """Tell him of the decision just saved; the notice keeps the row of the history that has its reason."""
    decisions = profile.history.order_by("-history_id").values_list("history_id", flat=True)
    notices.announce(event, profile.user, by=by, profile_history_id=decisions.first())


def _lock_profiles(user_id: int, held: Collection[ServiceRequest]) -> None:
    """His profile and those of the backups his jobs may go to, in the order in which an assignment locks them too."""
    everybody = {user_id, *(request.backup_serviceman_id for request in held if request.backup_serviceman_id)}
    list(ServicemanProfile.objects.select_for_update(of=("self",)).filter(user_id__in=everybody).order_by("user_id"))


def _judge(
    user_id: int,
    approval: Approval,
    *,
    was: Collection[Approval],
    reason: str,
    category_id: int | None = None,
    by: User,
) -> ServicemanProfile:
    """The profile, locked, with its new standing and who gave it why."""
    if not by.has_perm("marketplace.approve_servicemen"):
        raise Forbidden("Only an admin who may approve servicemen can do this.")
    profile = (
        ServicemanProfile.objects.select_for_update(of=("self",)).select_related("user").filter(user_id=user_id).first()
    )
    if profile is None:
        raise Missing("There is no such serviceman.")
    if profile.approval not in was:
        raise Conflict(f"He is {profile.get_approval_display().lower()} now.", code="wrong_status")
    if approval is Approval.APPROVED and not profile.user.is_email_verified:
        detail = "He has not confirmed his e-mail address: ask him to open the link we sent him."
        raise Conflict(detail, code="email_not_verified")
    if category_id is not None:
        if not Category.objects.filter(pk=category_id, is_active=True).exists():
            raise Invalid("There is no such category.", code="unknown_category", field="category_id")
        profile.category_id = category_id
    if approval is Approval.APPROVED and profile.category_id is None:
        raise Conflict("He named no category: choose one for him.", code="category_missing", field="category_id")
    profile.approval, profile.approval_reason = approval, reason
    profile.approval_by, profile.approval_at = by, clock.now()
    profile._history_user, profile._change_reason = by, reason  # type: ignore[attr-defined]
    profile.save()
    return profile
