"""People as others see them."""

from __future__ import annotations

from typing import Any

from core.api import Answer
from core.models import User
from marketplace.api.schemas.common import Stars, example
from marketplace.models import Category


class CategoryRef(Answer):
    """A trade by name."""

    id: int
    name: str

    model_config = example(id=1, name="Plumbing")


class PersonOut(Answer):
    """A client as the other parties of a request see him."""

    id: int
    name: str
    phone_number: str | None

    model_config = example(id=7, name="Ada Obi", phone_number="+2348031234501")


class ServicemanRef(PersonOut):
    """A serviceman as the other parties of a request see him."""

    rating: Stars

    model_config = example(id=12, name="Tunde Bello", phone_number=None, rating="4.67")


def category_ref(category: Category) -> dict[str, Any]:
    """A category in an answer about something else."""
    return {"id": category.pk, "name": category.name}


def person_out(user: User, *, with_phone: bool) -> dict[str, Any]:
    """A person's id and name, and the phone number for whoever may call."""
    return {"id": user.pk, "name": user.name, "phone_number": user.phone_number if with_phone else None}


def serviceman_ref(user: User | None, *, with_phone: bool) -> dict[str, Any] | None:
    """A serviceman of a request; his profile was selected with him."""
    if user is None:
        return None
    profile = getattr(user, "serviceman_profile", None)
    return person_out(user, with_phone=with_phone) | {"rating": profile.rating if profile else 0}
