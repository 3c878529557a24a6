"""Joining, signing in, and proving who one is. Each path allows so many calls a minute by address and by account."""

from typing import Annotated, Literal, Self

from django.http import HttpRequest
from pydantic import Field, model_validator

from core import auth, throttles, tokens
from core.api import (
    PROBLEMS,
    Answer,
    Email,
    Id,
    Line,
    Phone,
    Router,
    Schema,
    Status,
    created,
    throttled,
)
from core.errors import Invalid
from core.models import User
from marketplace.api.schemas.accounts import (
    Address,
    Bio,
    Name,
    Password,
    SessionOut,
    TokensOut,
    UserOut,
    Years,
    user_out,
)
from marketplace.api.schemas.common import example
from marketplace.services import accounts

router = Router(tags=["Sign-in"])

Token = Annotated[str, Field(min_length=1, max_length=2000)]
FOR_ONE_SIDE = ("address", "category_id", "bio", "years_of_experience")


class RegisterIn(Schema):
    email: Email
    password: Password
    user_type: Literal["CLIENT", "SERVICEMAN"]
    first_name: Name = ""
    last_name: Name = ""
    phone_number: Phone = ""
    username: Annotated[str, Field(pattern=r"^(?:[A-Za-z0-9._-]{3,40})?$")] = ""
    address: Address = ""
    category_id: Id | None = None
    bio: Bio = ""
    years_of_experience: Years | None = None

    model_config = example(
        email="ada@example.com",
        password="Str0ng-enough",  # noqa: S106
        user_type="CLIENT",
        first_name="Ada",
        last_name="Obi",
        phone_number="08031234501",
        address="12 Allen Avenue, Ikeja, Lagos",
    )


class LoginIn(Schema):
    """One of `email`, which may also hold the username, and `username`. An empty one counts as not sent."""

    email: Annotated[str, Line(254, blank=True)] = ""
    username: Annotated[str, Line(150, blank=True)] = ""
    password: Password
    otp: Annotated[str, Field(pattern=r"^[0-9]{6,8}$")] | None = Field(
        None, description="The code of an account with a second factor; of no account so far."
    )

    model_config = example(email="ada@example.com", password="Str0ng-enough")  # noqa: S106

    @model_validator(mode="after")
    def one_name(self) -> Self:
        if bool(self.email) == bool(self.username):
            raise Invalid("Send your e-mail address, or your username.", field="email")
        return self


class RefreshIn(Schema):
    refresh: Token

    model_config = example(refresh="eyJhbGciOi...")


class TokenIn(Schema):
    token: Token

    model_config = example(token="WzcsMTc5NTM...")  # noqa: S106


class EmailIn(Schema):
    email: Email

    model_config = example(email="ada@example.com")


class ResetIn(TokenIn):
    password: Password

    model_config = example(token="WzcsMTc5NTM...", password="Str0ng-enough")  # noqa: S106


class SentOut(Answer):
    """Says the same whoever asks."""

    detail: str

    model_config = example(detail="If there is such an account, an e-mail is on its way.")


SENT = {"detail": "If there is such an account, an e-mail is on its way."}


def _session(user: User) -> dict[str, object]:
    pair = auth.issue(user)
    return {"access": pair.access, "refresh": pair.refresh, "user": user_out(user)}


@router.post("/register/", response={201: UserOut, **PROBLEMS}, summary="Open an account")
@throttled("register")
def register(request: HttpRequest, data: RegisterIn) -> Status:
    """Mails the verification. Servicemen wait for approval after that."""
    throttles.check("register", account=data.email)
    # What is left empty is nobody's; what is filled in must belong to the side that joins.
    own = {name: value for name in FOR_ONE_SIDE if (value := getattr(data, name)) not in ("", None)}
    user = accounts.register(**data.model_dump(exclude=set(FOR_ONE_SIDE)), **own)
    return created(request, user_out(user), "/api/me/")


@router.post("/login/", response={200: SessionOut, **PROBLEMS}, summary="Sign in")
@throttled("login")
def login(request: HttpRequest, data: LoginIn) -> dict[str, object]:
    """By e-mail address or username. The access token carries `user_type`; unverified people may sign in."""
    name = data.email or data.username
    account = User.objects.named(name)
    # One limit for a person's address and username; for names of nobody too, so that limits tell nothing.
    throttles.check("login", account=account.pk if account else name)
    return _session(accounts.sign_in(name=name, password=data.password))


@router.post("/refresh/", response={200: TokensOut, **PROBLEMS}, summary="Exchange a refresh token")
@throttled("refresh")
def refresh(request: HttpRequest, data: RefreshIn) -> auth.TokenPair:
    """Each refresh token works once. One that is used again ends every token of that sign-in."""
    throttles.check("refresh", account=auth.owner_id(data.refresh))
    return auth.rotate(data.refresh)


@router.post("/logout/", auth=auth.person, response={204: None, **PROBLEMS}, summary="Sign out")
@throttled("logout")
def logout(request: HttpRequest, data: RefreshIn) -> Status:
    """Ends every token of this sign-in, access tokens included; other devices stay signed in."""
    throttles.check("logout", account=request.auth.pk)  # type: ignore[attr-defined]
    try:
        auth.sign_out(request.auth, data.refresh)  # type: ignore[attr-defined]
    except auth.Unauthenticated as refusal:
        raise Invalid(refusal.detail, code="token_invalid", field="refresh") from refusal
    return Status(204, None)


@router.post("/verify-email/", response={200: UserOut, **PROBLEMS}, summary="Prove the e-mail address")
@throttled("verify-email")
def verify_email(request: HttpRequest, data: TokenIn) -> dict[str, object]:
    """With the token of the mail, which works once."""
    throttles.check("verify-email", account=tokens.verify_email.owner_id(data.token))
    return user_out(accounts.verify_email(token=data.token))


@router.post("/resend-verification/", response={202: SentOut, **PROBLEMS}, summary="Mail the verification again")
@throttled("resend-verification")
def resend_verification(request: HttpRequest, data: EmailIn) -> Status:
    """Answers the same whoever asks."""
    throttles.check("resend-verification", account=data.email)
    accounts.resend_verification(email=data.email)
    return Status(202, SENT)


@router.post("/forgot-password/", response={202: SentOut, **PROBLEMS}, summary="Mail a link for a new password")
@throttled("forgot-password")
def forgot_password(request: HttpRequest, data: EmailIn) -> Status:
    """Answers the same whoever asks."""
    throttles.check("forgot-password", account=data.email)
    accounts.request_password_reset(email=data.email)
    return Status(202, SENT)


@router.post("/reset-password/", response={200: UserOut, **PROBLEMS}, summary="Set a new password")
@throttled("reset-password")
def reset_password(request: HttpRequest, data: ResetIn) -> dict[str, object]:
    """With the token of the mail, which works once. Every older token and session ends."""
    throttles.check("reset-password", account=tokens.reset_password.owner_id(data.token))
    return user_out(accounts.reset_password(token=data.token, password=data.password))
