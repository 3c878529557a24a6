"""A person's own account, as he sees it himself."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from core.api import Answer, Line, Text, Whole
from core.models import Role, User
from marketplace.api.schemas.common import Stars, example, example_of
from marketplace.api.schemas.people import CategoryRef, category_ref
from marketplace.enums import Approval
from marketplace.models import ClientProfile, ServicemanProfile

Name = Annotated[str, Line(150, blank=True)]
Address = Annotated[str, Line(500, blank=True)]
Bio = Annotated[str, Text(2000, blank=True)]
Years = Annotated[Whole, Field(ge=0, le=70)]
Password = Annotated[str, Field(min_length=1, max_length=128)]
"""Its strength is judged by the service, which knows whose it is."""

REFUSED = (Approval.REJECTED, Approval.SUSPENDED)


class ClientProfileOut(Answer):
    """A client's own profile."""

    address: str


class ServicemanProfileOut(Answer):
    """A serviceman's own profile. `rejection_reason` is empty unless he was rejected or suspended."""

    category: CategoryRef | None
    bio: str
    years_of_experience: int | None
    is_available: bool
    approval: Approval
    rejection_reason: str
    rating: Stars
    total_jobs_completed: int


class UserOut(Answer):
    """An account with its profile; admins have none."""

    id: int
    email: str
    username: str
    first_name: str
    last_name: str
    phone_number: str
    user_type: Role
    is_email_verified: bool
    profile: ClientProfileOut | ServicemanProfileOut | None

    model_config = example(
        id=7,
        email="ada@example.com",
        username="ada",
        first_name="Ada",
        last_name="Obi",
        phone_number="+2348031234501",
        user_type="CLIENT",
        is_email_verified=True,
        profile={"address": "12 Allen Avenue, Ikeja, Lagos"},
    )


class TokensOut(Answer):
    """A token pair: `access` for a quarter of an hour, `refresh` for one exchange within two weeks."""

    access: str
    refresh: str

    model_config = example(access="eyJhbGciOi...", refresh="eyJhbGciOi...")


class SessionOut(TokensOut):
    """A token pair and whose it is."""

    user: UserOut

    model_config = example(**example_of(TokensOut), user=example_of(UserOut))


def user_out(user: User) -> dict[str, Any]:
    """An account in an answer to its owner."""
    return _account_out(user) | {"profile": _profile_out(user)}


def serviceman_user_out(profile: ServicemanProfile) -> dict[str, Any]:
    """A serviceman's account in an answer to an admin; user and category were selected with the profile."""
    return _account_out(profile.user) | {"profile": _serviceman_profile_out(profile)}


def _account_out(user: User) -> dict[str, Any]:
    names = ("email", "username", "first_name", "last_name", "phone_number", "user_type", "is_email_verified")
    return {"id": user.pk, **{name: getattr(user, name) for name in names}}


def _profile_out(user: User) -> dict[str, Any] | None:
    if user.is_client:
        client = ClientProfile.objects.filter(user=user).first()
        return {"address": client.address if client else ""}
    if not user.is_serviceman:
        return None
    return _serviceman_profile_out(
        ServicemanProfile.objects.select_related("category").filter(user=user).first() or ServicemanProfile()
    )


def _serviceman_profile_out(profile: ServicemanProfile) -> dict[str, Any]:
    names = ("bio", "years_of_experience", "is_available", "approval", "rating", "total_jobs_completed")
    return {name: getattr(profile, name) for name in names} | {
        "category": category_ref(profile.category) if profile.category else None,
        "rejection_reason": profile.approval_reason if profile.approval in REFUSED else "",
    }
