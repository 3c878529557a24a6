"""Accounts: registering, proving an e-mail address, passwords, profiles, and letting servicemen in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from core import auth, clock, tokens
from core.errors import Conflict, Forbidden, Invalid
from core.models import Role, User
from marketplace import notices
from marketplace.enums import Approval, NotificationType
from marketplace.models import Category, ClientProfile, ServicemanProfile

OPEN_TO_ALL = (Role.CLIENT, Role.SERVICEMAN)
"""The sides a stranger may join. Admins are made in the console."""
USER_FIELDS = frozenset({"first_name", "last_name", "phone_number"})
PROFILE_FIELDS: dict[str, frozenset[str]] = {
    Role.CLIENT: frozenset({"address"}),
    Role.SERVICEMAN: frozenset({"bio", "years_of_experience", "is_available", "category_id"}),
    Role.ADMIN: frozenset(),
}
"""What a person of each side may say of himself, besides USER_FIELDS."""
LONGEST_PASSWORD = 128
ATTEMPTS = 5
"""How often a username drawn for somebody may turn out taken meanwhile."""


# --- Joining


def register(
    *,
    email: str,
    password: str | None,
    user_type: str,
    first_name: str = "",
    last_name: str = "",
    phone_number: str = "",
    username: str = "",
    **profile: Any,
) -> User:
    """Open an account and mail the verification. A serviceman then waits for approval.

    Without a password nobody can sign in until one is set by the link of a mail. `profile` is what that side may say
    of itself. Raises Invalid naming the field.
    """
    if user_type not in OPEN_TO_ALL:
        raise Invalid("Register as CLIENT or SERVICEMAN.", field="user_type")
    _require_own_fields(user_type, profile)
    user = User(
        email=email,
        username=username.lower(),
        user_type=user_type,
        first_name=first_name,
        last_name=last_name,
        phone_number=phone_number,
    )
    if password is not None:
        _require_good(password, user, field="password")
    if "category_id" in profile:
        _require_category(profile["category_id"])
    user.password = make_password(password)
    user._history_user = user  # type: ignore[attr-defined]
    with transaction.atomic():
        _save_new(user)
        _make_profile(user, profile)
        notices.announce(NotificationType.EMAIL_VERIFICATION, user, by=None)
    return user


def _save_new(user: User) -> None:
    """Save a new account, whoever takes its name meanwhile. Raises Invalid email_taken or username_taken."""
    chosen = bool(user.username)
    for _ in range(ATTEMPTS):
        if User.objects.filter(email=user.email).exists():
            raise Invalid("There is an account with this e-mail address.", code="email_taken", field="email")
        if chosen and User.objects.filter(username=user.username).exists():
            raise Invalid("This username is taken.", code="username_taken", field="username")
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError:
            if not chosen:
                user.username = ""  # draw another
            continue
        return
    raise Conflict("Somebody else is registering under this name. Try again.")


def _make_profile(user: User, fields: dict[str, Any]) -> None:
    profile: ClientProfile | ServicemanProfile = (
        ClientProfile(user=user) if user.is_client else ServicemanProfile(user=user, approval=Approval.PENDING)
    )
    for name, value in fields.items():
        setattr(profile, name, value)
    _save(profile, by=user)


# --- The e-mail address


def verify_email(*, token: str) -> User:
    """The token of the mail proves the address; servicemen are now shown to whoever approves them.

    Raises Invalid token_invalid.
    """
    with transaction.atomic():
        user = tokens.verify_email.read(token, lock=True)
        user.is_email_verified = True
        _save(user, by=user)
        notices.announce(NotificationType.WELCOME, user, by=None, dedupe="first")
        profile = ServicemanProfile.objects.filter(user=user, approval=Approval.PENDING).first()
        if profile:
            _apply(user)
    return user


def resend_verification(*, email: str) -> None:
    """Mail the verification again, if there is such an account and it needs it. Says nothing either way."""
    user = User.objects.filter(email=email, is_active=True, is_email_verified=False).first()
    if user:
        notices.announce(NotificationType.EMAIL_VERIFICATION, user, by=None)


def _apply(user: User) -> None:
    notices.announce(NotificationType.SERVICEMAN_APPLICATION, user, by=user)


# --- Signing in, and passwords


def sign_in(*, name: str, password: str) -> User:
    """Whoever has this e-mail address or username, and this password. Raises Unauthenticated bad_credentials.

    The answer is the same, and takes as long, whether or not there is such an account.
    """
    user = authenticate(username=name, password=password)
    if not isinstance(user, User):
        raise auth.Unauthenticated("E-mail address or password are wrong.", code="bad_credentials")
    User.objects.filter(pk=user.pk).update(last_login=clock.now())
    return user


def request_password_reset(*, email: str) -> None:
    """Mail a link for a new password, if there is such an account. Says nothing either way."""
    user = User.objects.filter(email=email, is_active=True).first()
    if user:
        notices.announce(NotificationType.PASSWORD_RESET, user, by=None)


def reset_password(*, token: str, password: str) -> User:
    """Set the password with the token of the mail; every older token and session ends.

    Raises Invalid token_invalid, or naming `password`; the token then still works.
    """
    with transaction.atomic():
        user = tokens.reset_password.read(token, lock=True)
        return _set_password(user, password, field="password")


def change_password(*, user: User, current_password: str, new_password: str) -> User:
    """Set a new password, knowing the old one; every older token and session ends.

    Raises Invalid wrong_password naming `current_password`, or naming `new_password`.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
        if not locked.check_password(current_password):
            raise Invalid("This is not your password.", code="wrong_password", field="current_password")
        return _set_password(locked, new_password, field="new_password")


def _set_password(user: User, password: str, *, field: str) -> User:
    _require_good(password, user, field=field)
    user.set_password(password)
    _save(user, by=user)  # which ends every token and session, as any new password does
    tell_of_new_password(user)
    return user


def tell_of_new_password(user: User) -> None:
    """Whoever set it, its owner hears of it: it may not have been he. In the transaction that saves it."""
    notices.announce(NotificationType.PASSWORD_CHANGED, user, by=None)


def _require_good(password: str, user: User, *, field: str) -> None:
    if len(password) > LONGEST_PASSWORD:
        raise Invalid(f"A password has at most {LONGEST_PASSWORD} characters.", code="password_long", field=field)
    try:
        validate_password(password, user)
    except ValidationError as problem:
        raise Invalid(" ".join(problem.messages), code="password_weak", field=field) from problem


# --- Profiles


def update_profile(*, user: User, by: User, **changes: Any) -> User:
    """Change some of what a person says of himself. A serviceman who changes his trade needs approval again.

    Raises Forbidden for somebody else's, Invalid naming the field.
    """
    if by.pk != user.pk:
        raise Forbidden("This is somebody else's profile.")
    own = {name: value for name, value in changes.items() if name not in USER_FIELDS}
    _require_own_fields(user.user_type, own)
    with transaction.atomic():
        # The account before the profile, here and everywhere.
        user = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
        if _set(user, {name: value for name, value in changes.items() if name in USER_FIELDS}):
            _save(user, by=by)
        if own:
            _update_own_profile(user, own)
    return User.objects.get(pk=user.pk)


def _update_own_profile(user: User, changes: dict[str, Any]) -> None:
    if user.is_client:
        client = ClientProfile.objects.select_for_update(of=("self",)).get_or_create(user=user)[0]
        if _set(client, changes):
            _save(client, by=user)
        return
    profile = ServicemanProfile.objects.select_for_update(of=("self",)).get_or_create(user=user)[0]
    moves = "category_id" in changes and changes["category_id"] != profile.category_id
    if moves:
        _require_category(changes["category_id"])
    if not _set(profile, changes):
        return
    # A new trade is a new application, but no way out of a suspension.
    applies = moves and profile.approval != Approval.SUSPENDED
    if applies:
        profile.approval, profile.approval_reason = Approval.PENDING, ""
        profile.approval_by, profile.approval_at = None, None
    _save(profile, by=user, reason="Changed the trade." if moves else "")
    if applies and user.is_email_verified:
        _apply(user)


def _require_own_fields(user_type: str, given: dict[str, Any]) -> None:
    strange = sorted(name for name in given if name not in PROFILE_FIELDS[user_type])
    if strange:
        raise Invalid(f"A {Role(user_type).label.lower()} has no such field.", field=strange[0])


def _require_category(category_id: int | None) -> None:
    if category_id is None or not Category.objects.filter(pk=category_id, is_active=True).exists():
        raise Invalid("There is no such category.", code="unknown_category", field="category_id")


def _set(record: User | ClientProfile | ServicemanProfile, changes: dict[str, Any]) -> bool:
    """Give a record these values; whether any of them is new."""
    new = {name: value for name, value in changes.items() if getattr(record, name) != value}
    for name, value in new.items():
        setattr(record, name, value)
    return bool(new)


def _save(record: User | ClientProfile | ServicemanProfile, *, by: User, reason: str = "") -> None:
    """Save with who and why in the history; simple-history would keep both on the instance for the next save."""
    record._history_user, record._change_reason = by, reason  # type: ignore[union-attr]
    try:
        record.save()
    finally:
        del record._history_user, record._change_reason  # type: ignore[union-attr]
