"""One's own account."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Status
from pydantic import Field, create_model

from core import throttles
from core.api import (
    PROBLEMS,
    Answer,
    Day,
    Flag,
    Id,
    Moment,
    Page,
    PageOf,
    PageQuery,
    Phone,
    Query,
    Router,
    Schema,
    created,
    idempotent,
    not_sent,
    paginate,
)
from core.auth import person, serviceman
from core.clock import LAGOS
from marketplace.api.schemas.accounts import Address, Bio, Name, Password, UserOut, Years, user_out
from marketplace.api.schemas.common import Call, example
from marketplace.services import accounts, availability, privacy

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


# --- The days on which a serviceman does not work

AT_ONCE = 366
"""How many days can be named in one call."""


class DatesIn(Schema):
    dates: Annotated[list[Day], Field(min_length=1, max_length=AT_ONCE)]

    model_config = example(dates=["2026-12-24", "2026-12-25"])


class DatesQuery(Schema):
    date: Annotated[list[Day], Field(min_length=1, max_length=AT_ONCE, description="Repeat it for several days.")]


class BlockedOut(Answer):
    """A day on which he does not work."""

    date: Day

    model_config = example(date="2026-12-24")


@router.get(
    "/unavailable-dates/",
    auth=serviceman,
    response={200: Page[BlockedOut], **PROBLEMS},
    summary="Days on which I do not work",
)
def list_unavailable_dates(request: Call, query: Query[PageQuery]) -> PageOf:
    """From today on, the nearest first."""
    rows = availability.blocked_dates(request.auth.pk)
    return paginate(request, rows, ordering="date", limit=query.limit, cursor=query.cursor)


@router.post(
    "/unavailable-dates/",
    auth=serviceman,
    response={201: Page[BlockedOut], **PROBLEMS},
    summary="Block days",
)
@idempotent
def add_unavailable_dates(request: Call, data: DatesIn) -> Status[Any]:
    """No new job is offered to me on these days; jobs I have accepted stay mine. Answers the first page of all of them.

    A day that is blocked already stays so.
    """
    availability.block_dates(data.dates, by=request.auth)
    return created(request, _first_page(request), "/api/me/unavailable-dates/")


@router.delete(
    "/unavailable-dates/", auth=serviceman, response={204: None, **PROBLEMS}, summary="Work on these days again"
)
def remove_unavailable_dates(request: Call, query: Query[DatesQuery]) -> Status[None]:
    """Days that were not blocked are passed over."""
    availability.free_dates(query.date, by=request.auth)
    return Status(204, None)


def _first_page(request: Call) -> PageOf:
    return paginate(request, availability.blocked_dates(request.auth.pk), ordering="date")


# --- All that is kept about me

_EXPORTED: dict[str, Any] = {trace.name: (list[dict[str, Any]], ...) for trace in privacy.TRACES if trace.shown}
PersonalDataOut = create_model("PersonalDataOut", __base__=Answer, exported_at=(Moment, ...), **_EXPORTED)
"""Every row that is about the caller, by what it is; amounts in kobo where a name says so, else naira."""


@router.get("/export/", response={200: PersonalDataOut, **PROBLEMS}, summary="All my personal data")
def export_me(request: Call) -> dict[str, Any]:
    """Everything that is kept about the caller, in one document: account, bookings, messages, payments."""
    return {
        name: [{column: _written(value) for column, value in row.items()} for row in rows]
        if isinstance(rows, list)
        else rows
        for name, rows in privacy.personal_data(request.auth).items()
    }


@router.delete("/", response={204: None, **PROBLEMS}, summary="Erase my account")
def erase_me(request: Call) -> Status[None]:
    """For good: names, addresses, messages and pictures go, and nobody can sign in again.

    What was paid, earned and returned is kept under a pseudonym, as the books must be. Refused with 409
    open_obligations, naming them, while work or money is open.
    """
    privacy.erase(user=request.auth, by=request.auth)
    return Status(204, None)


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(LAGOS).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:.2f}" if isinstance(value, Decimal) else value
