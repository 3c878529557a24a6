"""Who is told: people of the request, and admins by what they may do, all admins of an event in one statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.contrib.auth.models import Permission
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q

from core.models import Role, User
from marketplace.enums import Status
from marketplace.models import Issue
from marketplace.notices.occasions import Occasion

PREFIX = "may_"


@dataclass(frozen=True)
class Audience:
    """`people` by user id, and every active admin who holds one of the codenames of `may` (superusers hold all)."""

    people: Callable[[Occasion], Iterable[int | None]] = lambda _: ()
    may: Callable[[Occasion], Iterable[str]] = lambda _: ()
    even_himself: bool = False
    """Whether a person is told what he did himself, such as a new password: it may not have been he."""

    def members(self, occasion: Occasion, holders: Mapping[str, Iterable[int]]) -> list[int]:
        """User ids, each once; `holders` says which admins hold which codename."""
        found = [user_id for user_id in self.people(occasion) if user_id]
        found += [user_id for codename in self.may(occasion) for user_id in holders[codename]]
        himself = None if self.even_himself or occasion.by is None else occasion.by.pk
        return [user_id for user_id in dict.fromkeys(found) if user_id != himself]


def holders_of(codenames: Iterable[str]) -> dict[str, list[int]]:
    """Active admins by codename of the marketplace's permissions, through groups or their own; in one statement."""
    wanted = sorted(set(codenames))
    if not wanted:
        return {}

    def held(codename: str) -> Q:
        permission = Permission.objects.filter(codename=codename, content_type__app_label="marketplace")
        by_group, by_hand = permission.filter(group__user=OuterRef("pk")), permission.filter(user=OuterRef("pk"))
        return Q(is_superuser=True) | Q(Exists(by_group)) | Q(Exists(by_hand))

    rights = {f"{PREFIX}{name}": ExpressionWrapper(held(name), output_field=BooleanField()) for name in wanted}
    rows = (
        User.objects.filter(is_active=True, user_type=Role.ADMIN)
        .annotate(**rights)
        .filter(reduce(or_, (Q(**{name: True}) for name in rights)))
        .order_by("pk")
        .values("pk", *rights)
    )
    admins = list(rows)
    return {name: [admin["pk"] for admin in admins if admin[f"{PREFIX}{name}"]] for name in wanted}


def admins(*codenames: str) -> Audience:
    """Admins who may do one of these."""
    return Audience(may=lambda _: codenames)


def parties(*names: str, may: tuple[str, ...] = ()) -> Audience:
    """People of the request, by the names of its columns, and admins who may."""
    return Audience(people=lambda o: [getattr(o.request, f"{name}_id", None) for name in names], may=lambda _: may)


def _who_raised_it(o: Occasion) -> Iterable[int | None]:
    return Issue.objects.filter(pk=o.facts.get("issue_id") or 0).values_list("raised_by_id", flat=True)


def _raisers(o: Occasion) -> Iterable[int | None]:
    return o.facts.get("raisers") or ()


def _losers(o: Occasion) -> Iterable[int | None]:
    still = (o.request.serviceman_id, o.request.backup_serviceman_id) if o.request else ()
    return [user_id for user_id in (o.facts.get("lost"), o.facts.get("lost_backup")) if user_id not in still]


def _the_desk(o: Occasion) -> Iterable[str]:
    return (DESKS.get(o.request.status if o.request else "", "assign"),)


DESKS: Mapping[str, str] = {
    Status.SERVICEMAN_INSPECTED: "price",
    Status.AWAITING_CLIENT_APPROVAL: "price",
    Status.NEGOTIATING: "price",
    Status.AWAITING_PAYMENT: "price",
    Status.WORK_COMPLETED: "verify",
}
"""Which admins look after a request at a status; elsewhere those who may assign."""

CLIENT, SERVICEMAN, BACKUP = parties("client"), parties("serviceman"), parties("backup_serviceman")
SERVICEMEN = parties("serviceman", "backup_serviceman")
SERVICEMEN_AND_DISPATCH = parties("serviceman", "backup_serviceman", may=("assign",))
LOSERS = Audience(people=_losers)
WHO_RAISED_IT = Audience(people=_who_raised_it)
RAISERS = Audience(people=_raisers)
"""Whose issues end with the request."""
THE_PERSON = Audience(people=lambda o: [o.person_id], even_himself=True)
CHOSEN = Audience(people=lambda o: o.facts.get("user_ids") or (), even_himself=True)

DISPATCH, PRICING, VERIFIERS, FINANCE = admins("assign"), admins("price"), admins("verify"), admins("settle")
MONEY_AND_DISPATCH = admins("assign", "settle")
APPROVERS = admins("approve_servicemen")
THE_DESK = Audience(may=_the_desk)
