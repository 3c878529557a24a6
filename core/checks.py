"""What the environment must hold before anything is served: with DEBUG off, an unsafe start is refused."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import SystemCheckError

from core.throttles import parse_rate

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SILENT_MAIL = ("console", "dummy", "locmem")
PLACEHOLDERS = (
    "django-insecure",
    "development-only",
    "changeme",
    "change-me",
    "change_me",
    "example",
    "secret",
)


@checks.register(checks.Tags.security)
def check_environment(**_: Any) -> list[CheckMessage]:
    """Everything below; what only production needs is skipped under DEBUG."""
    return [*_rate_limits(), *([] if settings.DEBUG else [*_secrets(), *_addresses(), *_services()])]


def refuse_unsafe_start() -> None:
    """Raise SystemCheckError with every error and its hint. For servers, which do not run Django's checks."""
    if errors := [message for message in check_environment() if message.is_serious()]:
        raise SystemCheckError("The start is refused:\n\n" + "\n".join(str(error) for error in errors))


def is_weak(secret: str, *, shortest: int) -> bool:
    """Whether a secret is too short, too regular, or a placeholder somebody forgot."""
    return len(secret) < shortest or len(set(secret)) < 8 or secret.lower().startswith(PLACEHOLDERS)


def _rate_limits() -> Iterator[CheckMessage]:
    for name in ("AUTH_RATE_LIMIT", "AUTH_ADDRESS_RATE_LIMIT"):
        try:
            parse_rate(getattr(settings, name))
        except ImproperlyConfigured as problem:
            yield Error(f"{name}: {problem}", hint="Leave it out for 5/min.", id="core.E001")


def _secrets() -> Iterator[CheckMessage]:
    hint = "Make one: python -c 'import secrets; print(secrets.token_urlsafe(50))'"
    try:
        secret_key = settings.SECRET_KEY
    except ImproperlyConfigured:  # Django's own words for an empty one
        secret_key = ""
    if is_weak(secret_key, shortest=50):
        yield Error("SECRET_KEY is missing, a default or weak.", hint=hint, id="core.E002")
    if is_weak(settings.JWT_SIGNING_KEY, shortest=32):
        yield Error("JWT_SIGNING_KEY is missing, a default or weak.", hint=hint, id="core.E003")
    elif secret_key == settings.JWT_SIGNING_KEY:
        yield Error("JWT_SIGNING_KEY is the SECRET_KEY.", hint=hint, id="core.E003")
    key = settings.PAYSTACK_SECRET_KEY
    if not key.startswith(("sk_live_", "sk_test_")) or is_weak(key[8:], shortest=16):
        yield Error(
            "PAYSTACK_SECRET_KEY is missing, a default or weak.",
            hint="Copy it from Paystack's dashboard: Settings, API Keys & Webhooks.",
            id="core.E004",
        )
    if is_weak(settings.PAYSTACK_WEBHOOK_SECRET, shortest=16):
        yield Error(
            "PAYSTACK_WEBHOOK_SECRET is weak.",
            hint="Leave it out: Paystack signs its calls with the secret key.",
            id="core.E004",
        )


def _addresses() -> Iterator[CheckMessage]:
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        yield Error(
            "ALLOWED_HOSTS is empty or '*'.",
            hint="Name the hosts people type: ALLOWED_HOSTS=api.example.com",
            id="core.E005",
        )
    if urlsplit(settings.SITE_URL).scheme != "https":
        yield checks.Warning(
            f"SITE_URL is {settings.SITE_URL}: links in mails would not be private.",
            hint="Set it to the public https address: SITE_URL=https://api.example.com",
            id="core.W001",
        )


def _services() -> Iterator[CheckMessage]:
    if any(name in settings.EMAIL_BACKEND for name in SILENT_MAIL):
        yield Error(
            "EMAIL_URL sends no mail: verification and resets would never arrive.",
            hint="EMAIL_URL=smtp+tls://user:password@smtp.example.com:587",
            id="core.E006",
        )
    paystack = urlsplit(settings.PAYSTACK_BASE_URL)
    if settings.PAYSTACK_SANDBOX:
        yield Error(
            "The Paystack sandbox is mounted: anybody could pay with play money.",
            hint="PAYSTACK_SANDBOX follows from DEBUG and a missing key; do not set it.",
            id="core.E007",
        )
    elif paystack.scheme != "https" and paystack.hostname not in LOOPBACK:
        yield Error(
            "PAYSTACK_BASE_URL is not https: the secret key would travel in the clear.",
            hint="Leave it out for https://api.paystack.co.",
            id="core.E008",
        )
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        yield checks.Warning(
            "The database is SQLite: one writer at a time, and no second machine.",
            hint="DATABASE_URL=postgres://user:password@host:5432/serviceman",
            id="core.W002",
        )
