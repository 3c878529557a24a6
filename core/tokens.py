"""Tokens for links in mails: single-use, short-lived, for one user and one purpose, and stored nowhere.

The signature covers what using the token changes, so that use ends it, and so do a new password or another e-mail.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.utils.crypto import constant_time_compare

from core import clock
from core.errors import Invalid
from core.models import User


@dataclass(frozen=True)
class Purpose:
    """What a kind of token is for: `state` is what must not have changed since, `seconds` how long it lives."""

    name: str
    state: Callable[[User], tuple[object, ...]]
    seconds: Callable[[], int]

    def make(self, user: User) -> str:
        """A token for `user`."""
        claims = [user.pk, int(clock.now().timestamp()), self._digest(user)]
        return signing.dumps(claims, salt=self._salt)

    def read(self, token: str, *, lock: bool = False) -> User:
        """The user of `token`, with the row locked if asked (inside a transaction). Raises Invalid token_invalid."""
        refusal = Invalid(
            "This link is not valid any more: it was used, its time is over, or it was cut short. Ask for a new one.",
            code="token_invalid",
            field="token",
        )
        try:
            pk, made_at, digest = signing.loads(token, salt=self._salt)
            age = clock.now().timestamp() - made_at
        except (signing.BadSignature, ValueError, TypeError) as problem:
            raise refusal from problem
        # Without the key: rows that refer to the user may be written meanwhile, or locks would form a ring.
        people = User.objects.select_for_update(of=("self",), no_key=True) if lock else User.objects.all()
        user = people.filter(pk=pk, is_active=True).first()
        if user is None or age > self.seconds() or not constant_time_compare(digest, self._digest(user)):
            raise refusal
        return user

    def owner_id(self, token: str) -> int | None:
        """Whose token this is, good or not; None when it is nobody's."""
        try:
            return int(signing.loads(token, salt=self._salt)[0])
        except (signing.BadSignature, ValueError, TypeError, LookupError):
            return None

    @property
    def _salt(self) -> str:
        return f"core.tokens.{self.name}"

    def _digest(self, user: User) -> str:
        state = (user.pk, user.email, user.password, user.token_version, *self.state(user))
        return hashlib.sha256(repr(state).encode()).hexdigest()


verify_email = Purpose(
    "verify_email", lambda user: (user.is_email_verified,), lambda: settings.EMAIL_VERIFICATION_TIMEOUT
)
reset_password = Purpose("reset_password", lambda user: (), lambda: settings.PASSWORD_RESET_TIMEOUT)
