"""Who calls: bearer tokens by role for the API, and passwords.

As ``auth=`` of an operation: `client`, `serviceman`, `admin`, `person` (anyone signed in),
``admin_who("marketplace.assign")`` and ``roles(Role.CLIENT, Role.ADMIN, permission="marketplace.cancel")``, whose
permission binds admins only. `request.auth` is then the User.

A sign-in makes a family of tokens: short-lived access tokens, and refresh tokens of which each works once. All die
with `User.token_version` (password change, reset, deactivation, ...), with the role, and with the family (logout, or
a refresh token used twice).
"""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Exists, F
from django.http import HttpRequest
from ninja.security.http import HttpAuthBase
from ninja_jwt import tokens
from ninja_jwt.backends import TokenBackend
from ninja_jwt.exceptions import TokenBackendError, TokenError
from ninja_jwt.settings import api_settings

from core import clock
from core.errors import DomainError, Forbidden
from core.models import RefreshToken, Role, User


class Unauthenticated(DomainError):
    """401: no token, or one that is no longer good."""

    status = 401
    code = "token_invalid"


# --- Passwords


class MixedPasswordValidator:
    """A password needs upper case, lower case and a digit."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError unless all three are there."""
        if not (re.search(r"[^\W\d_]", password) and password != password.lower() and password != password.upper()):
            raise ValidationError("Use upper case and lower case letters.", code="password_not_mixed")
        if not re.search(r"\d", password):
            raise ValidationError("Use at least one digit.", code="password_without_digit")

    def get_help_text(self) -> str:
        """Shown beside password fields."""
        return "Your password must hold upper case letters, lower case letters and a digit."


# --- Tokens


class _Backend(TokenBackend):
    """Signs and checks; times are checked by `_OurToken`, on the project's clock."""

    def decode(self, token: str, verify: bool = True) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                self.signing_key,
                algorithms=[self.algorithm],
                issuer=self.issuer,
                options={"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_signature": verify},
            )
        except (jwt.InvalidTokenError, ValueError, RecursionError) as problem:
            raise TokenBackendError(str(problem)) from problem


class _OurToken(tokens.Token):
    """A token of Ninja JWT on the project's clock."""

    @property
    def current_time(self) -> datetime:
        return clock.now()

    @current_time.setter
    def current_time(self, machine_time: datetime) -> None:
        """The library would put the machine's time here."""

    def get_token_backend(self) -> TokenBackend:
        return _Backend(api_settings.ALGORITHM, api_settings.SIGNING_KEY, issuer=api_settings.ISSUER)


class _Access(_OurToken):
    token_type = "access"  # noqa: S105
    lifetime = api_settings.ACCESS_TOKEN_LIFETIME


class _Refresh(_OurToken):
    token_type = "refresh"  # noqa: S105
    lifetime = api_settings.REFRESH_TOKEN_LIFETIME


@dataclass(frozen=True)
class TokenPair:
    """What a sign-in hands out."""

    access: str
    refresh: str


def issue(user: User) -> TokenPair:
    """A new pair, the first of its family: one sign-in on one device."""
    return _pair(user, uuid.uuid4())


def rotate(refresh: str) -> TokenPair:
    """A new pair for a refresh token, which works this once. Used again, it ends its family. Raises Unauthenticated."""
    claims = _read(_Refresh, refresh)
    pair = None
    with transaction.atomic():
        row = (
            RefreshToken.objects.select_for_update(of=("self",))
            .filter(~_ended(claims), jti=claims["jti"], expires_at__gt=clock.now())
            .first()
        )
        if row and row.used_at:
            _end_family(row.family)
        elif row and (user := User.objects.filter(**_still(claims)).first()):
            row.used_at = clock.now()
            row.save(update_fields=["used_at"])
            pair = _pair(user, row.family)
    # Raised outside, so that the end of the family is committed.
    if pair is None:
        raise Unauthenticated("This refresh token is no longer good. Sign in again.")
    return pair


def owner_id(refresh: str) -> int:
    """Whose refresh token this is, used or not. Raises Unauthenticated."""
    return int(_read(_Refresh, refresh)[api_settings.USER_ID_CLAIM])


def sign_out(user: User, refresh: str) -> None:
    """End the family of this refresh token of `user`, access tokens too. Raises Unauthenticated on a strange one."""
    claims = _read(_Refresh, refresh)
    row = RefreshToken.objects.filter(jti=claims["jti"], user=user).first()
    if row is None:
        raise Unauthenticated("This is not a refresh token of yours.")
    _end_family(row.family)


def end_sessions(user: User) -> None:
    """End every token and every console session of `user` now."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(token_version=F("token_version") + 1)
        RefreshToken.objects.filter(user=user, revoked_at=None).update(revoked_at=clock.now())
    user.refresh_from_db(fields=["token_version"])


def purge() -> int:
    """Forget refresh tokens past their time; how many rows went."""
    return RefreshToken.objects.filter(expires_at__lte=clock.now()).delete()[0]


def access_for(user: User, family: uuid.UUID | None = None) -> str:
    """An access token for `user` as he is now; of a family of its own unless one is named."""
    return str(_signed(_Access, user, family or uuid.uuid4()))


def _signed(kind: type[_OurToken], user: User, family: uuid.UUID) -> _OurToken:
    token = kind()
    token[api_settings.USER_ID_CLAIM] = user.pk
    token["user_type"], token["tv"], token["family"] = user.user_type, user.token_version, family.hex
    return token


def _pair(user: User, family: uuid.UUID) -> TokenPair:
    refresh = _signed(_Refresh, user, family)
    RefreshToken.objects.create(
        jti=uuid.UUID(refresh["jti"]),
        family=family,
        user=user,
        created_at=clock.now(),
        expires_at=clock.now() + _Refresh.lifetime,
    )
    return TokenPair(access_for(user, family), str(refresh))


def _ended(claims: dict[str, Any]) -> Exists:
    """Whether anything of the token's family was revoked: one such row ends the family for good."""
    return Exists(RefreshToken.objects.filter(family=claims["family"]).exclude(revoked_at=None))


def _end_family(family: uuid.UUID) -> None:
    RefreshToken.objects.filter(family=family, revoked_at=None).update(revoked_at=clock.now())


CLAIMS = {api_settings.USER_ID_CLAIM: int, "user_type": str, "tv": int, "family": str, "jti": str}
"""What each of our tokens says, besides its times."""


def _read(kind: type[_OurToken], text: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = kind(text).payload
    except TokenError as problem:
        raise Unauthenticated("The token is not valid, or its time is over.") from problem
    if not all(isinstance(claims.get(name), type_) for name, type_ in CLAIMS.items()):
        raise Unauthenticated("The token is not one of ours.")
    return claims


# The same as `_still` and not `_ended`.
_CALLER = """
    SELECT * FROM core_user WHERE id = %s AND token_version = %s AND user_type = %s AND is_active
    AND NOT EXISTS (SELECT 1 FROM core_refreshtoken WHERE family = %s AND revoked_at IS NOT NULL)
"""


def _still(claims: dict[str, Any]) -> dict[str, Any]:
    """What must still hold of the user for a token to count."""
    return {
        "pk": claims[api_settings.USER_ID_CLAIM],
        "is_active": True,
        "token_version": claims["tv"],
        "user_type": claims["user_type"],
    }


def user_of(access: str) -> User | None:
    """The person an access token stands for, in one statement; None when its user or family has ended it.

    Written out, since every call of the API begins here: Django takes six times as long to put this together.
    """
    claims = _read(_Access, access)
    family = RefreshToken._meta.get_field("family").get_db_prep_value(claims["family"], connection)
    facts = [claims[name] for name in (api_settings.USER_ID_CLAIM, "tv", "user_type")]
    return next(iter(User.objects.raw(_CALLER, [*facts, family])), None)


# --- Bearer authentication by role


class Bearer(HttpAuthBase):
    """An access token of a person in one of `roles`; an admin among them needs `permission` too, if one is named."""

    openapi_scheme = "bearer"
    openapi_bearerFormat = "JWT"  # noqa: N815 - OpenAPI spells it so

    def __init__(self, *allowed: Role, permission: str | None = None) -> None:
        super().__init__()
        self.allowed = frozenset(allowed)
        self.permission = permission

    def __call__(self, request: HttpRequest) -> User:
        """The caller. Raises Unauthenticated or Forbidden."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated(
                "Sign in first: send the access token as 'Authorization: Bearer ...'.", code="token_missing"
            )
        user = user_of(token.strip())
        if user is None:
            raise Unauthenticated("The session of this token has ended. Sign in again.")
        if user.user_type not in self.allowed:
            raise Forbidden(f"This is not for a {user.get_user_type_display().lower()} to do.")
        if self.permission and user.is_admin and not user.has_perm(self.permission):
            raise Forbidden("Your role in the backoffice does not include this.")
        request.user = user
        return user


def roles(*allowed: Role, permission: str | None = None) -> Bearer:
    """``auth=roles(Role.CLIENT, Role.ADMIN, permission="marketplace.cancel")``: the permission binds admins only."""
    return Bearer(*allowed, permission=permission)


def admin_who(permission: str) -> Bearer:
    """``auth=admin_who("marketplace.assign")``: an admin who holds the permission, else 403 not_yours_to_do."""
    return Bearer(Role.ADMIN, permission=permission)


person = Bearer(*Role)
client = Bearer(Role.CLIENT)
serviceman = Bearer(Role.SERVICEMAN)
admin = Bearer(Role.ADMIN)
