"""People who sign in, and the small records the platform keeps about calls."""

from __future__ import annotations

import re
import secrets
import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models.functions import Lower
from simple_history.models import HistoricalRecords

from core import clock


class Role(models.TextChoices):
    """Which of the three sides of the marketplace a person is on. Fixed at registration."""

    ADMIN = "ADMIN", "Admin"
    SERVICEMAN = "SERVICEMAN", "Serviceman"
    CLIENT = "CLIENT", "Client"


class TimeStamped(models.Model):
    """When a row was made and last saved, by the project's clock."""

    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Stamp `updated_at`, also when only some columns are written."""
        self.updated_at = clock.now()
        if (fields := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*fields, "updated_at"}
        super().save(*args, **kwargs)


class People(UserManager["User"]):
    """Makes accounts with a lower-case e-mail and a username taken from it."""

    def _prepared(self, email: str, username: str | None, extra: dict[str, Any]) -> tuple[str, str]:
        email = (email or "").strip().lower()
        if not email:
            raise ValueError("An account needs an e-mail address.")
        return email, username or self.free_username(email)

    def free_username(self, email: str) -> str:
        """A username nobody has, from the part of the e-mail before the @."""
        stem = re.sub(r"[^a-z0-9._-]", "", email.split("@", maxsplit=1)[0].lower())[:40] or "user"
        return stem if not self.filter(username=stem).exists() else f"{stem}-{secrets.token_hex(4)}"

    def create_user(  # type: ignore[override]
        self, username: str | None = None, email: str = "", password: str | None = None, **extra: Any
    ) -> User:
        """An account that cannot enter the console."""
        email, username = self._prepared(email, username, extra)
        return super().create_user(username, email, password, **extra)

    def create_superuser(  # type: ignore[override]
        self, username: str | None = None, email: str = "", password: str | None = None, **extra: Any
    ) -> User:
        """A verified ADMIN who may do everything; what `createsuperuser` calls."""
        extra["user_type"] = Role.ADMIN
        extra.setdefault("is_email_verified", True)
        email, username = self._prepared(email, username, extra)
        return super().create_superuser(username, email, password, **extra)

    def get_by_natural_key(self, username: str | None) -> User:
        """Whoever signs in with this name. Raises DoesNotExist."""
        if (user := self.named(username or "")) is None:
            raise self.model.DoesNotExist
        return user

    def named(self, name: str) -> User | None:
        """Whoever has this e-mail address, in any case, or this username; a phone's keyboard may write it "Ada"."""
        name = name.strip()
        if "@" in name:
            return self.filter(email=name.lower()).first()
        return self.filter(username=name).first() or self.filter(username=name.lower()).first()


class User(AbstractUser):
    """A person with an account: client, serviceman or admin. Signs in with the e-mail address or the username."""

    email = models.EmailField("e-mail address", unique=True)
    user_type = models.CharField("side", max_length=15, choices=Role)
    is_email_verified = models.BooleanField("e-mail verified", default=False)
    phone_number = models.CharField(max_length=20, blank=True, help_text="E.164, for example +2348031234567.")
    token_version = models.PositiveIntegerField(
        default=0, editable=False, help_text="Raised to end every token and session of this person at once."
    )

    REQUIRED_FIELDS: ClassVar[list[str]] = ["email", "user_type"]

    objects: ClassVar[People] = People()
    history = HistoricalRecords(excluded_fields=["password", "last_login"])

    class Meta:
        ordering = ("id",)
        constraints: ClassVar = [
            models.CheckConstraint(
                name="staff_are_admins", condition=models.Q(is_staff=False) | models.Q(user_type="ADMIN")
            ),
            models.CheckConstraint(name="email_is_lower_case", condition=models.Q(email=Lower("email"))),
            models.CheckConstraint(name="user_type_is_known", condition=models.Q(user_type__in=Role.values)),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the e-mail in lower case and the username filled, and end every session when the password is new."""
        self.email = self.email.strip().lower()
        if not self.username:
            self.username = User.objects.free_username(self.email)
        # Django sets `_password` while a new password waits to be saved, but not when it only hashes the old one anew.
        if getattr(self, "_password", None) is not None and not self._state.adding:
            self.token_version += 1
            if (fields := kwargs.get("update_fields")) is not None:
                kwargs["update_fields"] = {*fields, "token_version"}
        super().save(*args, **kwargs)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a console session must match: it ends with the tokens, not only with the password."""
        return f"{super()._get_session_auth_hash(secret=secret)}.{self.token_version}"  # type: ignore[misc]

    @property
    def name(self) -> str:
        """First and last name, or the username while they are empty."""
        return self.get_full_name() or self.username

    @property
    def short_name(self) -> str:
        """How strangers see a person: "Ada O."."""
        if not self.first_name:
            return "A client"
        return f"{self.first_name} {self.last_name[:1]}.".replace(" .", "")

    @property
    def is_admin(self) -> bool:
        """On the backoffice's side."""
        return self.user_type == Role.ADMIN

    @property
    def is_client(self) -> bool:
        """Books and pays."""
        return self.user_type == Role.CLIENT

    @property
    def is_serviceman(self) -> bool:
        """Does the work."""
        return self.user_type == Role.SERVICEMAN


class RefreshToken(models.Model):
    """One refresh token handed out. Works once; a second use ends its whole family (one sign-in on one device)."""

    jti = models.UUIDField(primary_key=True, default=uuid.uuid4)
    family = models.UUIDField(default=uuid.uuid4, db_index=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="refresh_tokens")
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.user_id} {self.created_at:%Y-%m-%d %H:%M}"


class ThrottleHit(models.Model):
    """One window of one limit, counted in the database when the cache cannot be trusted to count."""

    key = models.CharField(max_length=160, unique=True)
    count = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ("key",)

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"


class IdempotencyKey(models.Model):
    """The first answer to a POST that carried Idempotency-Key, replayed for 24 hours to whoever repeats it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="idempotency_keys")
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=255)
    key = models.CharField(max_length=255)
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(default=bytes)
    location = models.CharField(max_length=255, blank=True)
    content_type = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        ordering = ("-created_at",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "method", "path", "key"], name="one_answer_per_idempotency_key")
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.key}"
