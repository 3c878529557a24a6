"""One's own account."""

from django.http import HttpRequest

from core import throttles
from core.api import PROBLEMS, Flag, Id, Phone, Router, Schema, idempotent, not_sent
from core.auth import person
from marketplace.api.schemas.accounts import Address, Bio, Name, Password, UserOut, Years, user_out
from marketplace.api.schemas.common import example
from marketplace.services import accounts

router = Router(tags=["Me"], auth=person)


class ProfileIn(Schema):
    """Only what is sent changes. Clients have an address; the last four are servicemen's."""

    first_name: Name = not_sent()
    last_name: Name = not_sent()
    phone_number: Phone = not_sent()
    address: Address = not_sent()
    bio: Bio = not_sent()
    years_of_experience: Years | None = not_sent()
    is_available: Flag = not_sent()
    category_id: Id = not_sent()

    model_config = example(first_name="Ada", phone_number="08031234501")


class ChangePasswordIn(Schema):
    current_password: Password
    new_password: Password

    model_config = example(current_password="Str0ng-enough", new_password="Even-str0nger")  # noqa: S106


@router.get("/", response={200: UserOut, **PROBLEMS}, summary="My account")
def me(request: HttpRequest) -> dict[str, object]:
    """The account with its profile."""
    return user_out(request.auth)  # type: ignore[attr-defined]


@router.patch("/", response={200: UserOut, **PROBLEMS}, summary="Change my account")
def update_me(request: HttpRequest, data: ProfileIn) -> dict[str, object]:
    """A serviceman who changes his category needs approval again."""
    user = request.auth  # type: ignore[attr-defined]
    return user_out(accounts.update_profile(user=user, by=user, **data.given()))


@router.post("/change-password/", response={200: UserOut, **PROBLEMS}, summary="Change my password")
@idempotent
def change_password(request: HttpRequest, data: ChangePasswordIn) -> dict[str, object]:
    """Every token and session ends, that of this call too: sign in again with the new password."""
    user = request.auth  # type: ignore[attr-defined]
    # Whoever found a phone unlocked must not guess the password either.
    throttles.check("change-password", account=user.pk)
    user = accounts.change_password(user=user, current_password=data.current_password, new_password=data.new_password)
    return user_out(user)
