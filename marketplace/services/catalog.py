"""Trades that can be booked, added and edited by admins who may."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from core.errors import Forbidden, Invalid, Missing
from core.models import User
from marketplace.models import Category

FIELDS = ("name", "description", "icon_url", "is_active")


def create_category(
    *, name: str, description: str, icon_url: str | None = None, is_active: bool = True, by: User
) -> Category:
    """Add a trade. Raises Invalid name_taken for a name that exists, whatever its case."""
    _require_right(by)
    category = Category(name=name, description=description, icon_url=icon_url, is_active=is_active)
    return _save(category, by=by)


def update_category(category_id: int, *, by: User, **changes: Any) -> Category:
    """Change some of name, description, icon_url, is_active. Requests of an inactive trade go on; it takes no new ones.

    Raises Missing, Invalid name_taken.
    """
    _require_right(by)
    if unknown := set(changes) - set(FIELDS):
        raise Invalid("A category has no such field.", field=min(unknown))
    with transaction.atomic():
        category = Category.objects.select_for_update().filter(pk=category_id).first()
        if category is None:
            raise Missing("There is no such category.")
        for name, value in changes.items():
            setattr(category, name, value)
        return _save(category, by=by)


def _require_right(by: User) -> None:
    if not by.has_perm("marketplace.manage_catalog"):
        raise Forbidden("Only an admin who may manage the catalog edits categories.")


def _save(category: Category, *, by: User) -> Category:
    category._history_user = by  # type: ignore[attr-defined]
    try:
        with transaction.atomic():
            category.save()
    except IntegrityError as taken:
        # The name is all that is unique of a category, and asking beforehand would leave a race.
        raise Invalid("There is a category of that name.", code="name_taken", field="name") from taken
    return category
