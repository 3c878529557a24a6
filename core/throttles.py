"""So many attempts in a period and no more, by account and by client address, in however many processes.

Counted where all processes see it: in Redis or Memcached when that is the cache, else (and whenever the cache is away)
in the database. A window begins with its first attempt.

    @router.post("/login/", ...)
    @throttled("login")                                  # by address, before the body is read
    def login(request, data: LoginIn):
        throttles.check("login", account=data.email)     # by account
"""

import hashlib
import ipaddress
import logging
import math
import re
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.http import HttpRequest

from core import clock
from core.errors import DomainError
from core.models import ThrottleHit

logger = logging.getLogger(__name__)

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_RATE = re.compile(r"([1-9][0-9]{0,5})/(s|sec|second|m|min|minute|h|hour|d|day)")
_COUNTING_CACHES = ("redis", "memcached")
"""Caches whose incr is atomic and which all processes share; Django's other backends are neither or one."""


class TooMany(DomainError):
    """429: wait `retry_after` seconds."""

    status = 429
    code = "too_many_requests"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many attempts. Try again in {retry_after} seconds.")
        self.retry_after = retry_after


@lru_cache
def parse_rate(rate: str) -> tuple[int, int]:
    """Attempts and seconds of "5/min". Raises ImproperlyConfigured."""
    if not (match := _RATE.fullmatch(rate.strip())):
        raise ImproperlyConfigured(f"{rate!r} is no rate: write it like 5/min, 100/hour or 1000/day.")
    return int(match[1]), SECONDS[match[2][0]]


def check(scope: str, *, account: str | int | None = None, address: str | None = None) -> None:
    """Count one attempt in `scope` for the account, the address or both. Raises TooMany beyond the limits."""
    for kind, who, rate in (
        ("address", address, settings.AUTH_ADDRESS_RATE_LIMIT),
        ("account", account, settings.AUTH_RATE_LIMIT),
    ):
        if who is not None:
            # Hashed: a table of limits is no place for people's addresses.
            digest = hashlib.sha256(f"{kind}\n{str(who).strip().lower()}".encode()).hexdigest()[:40]
            _count(f"throttle:{scope}:{digest}", *parse_rate(rate))


def throttled[View: Callable[..., object]](scope: str) -> Callable[[View], View]:
    """Limit an operation by the caller's address, once the token is checked and before the body is."""

    def mark(view: View) -> View:
        view.throttle_scope = scope  # type: ignore[attr-defined]
        return view

    return mark


def address_of(request: HttpRequest) -> str:
    """The client's address: what our outermost proxy saw, whatever the caller wrote into X-Forwarded-For.

    An IPv6 caller owns a whole /64, so that is counted as one.
    """
    direct = request.META.get("REMOTE_ADDR", "")
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    proxies = settings.NUM_PROXIES
    text = forwarded[-min(proxies, len(forwarded))] if proxies and forwarded else direct
    return _network(text) or _network(direct) or "unknown"


def _network(text: str) -> str:
    for candidate in (text, text.rpartition(":")[0].strip("[]")):  # some proxies add the port
        try:
            address = ipaddress.ip_address(candidate)
        except ValueError:
            continue
        if isinstance(address, ipaddress.IPv6Address):
            if address.ipv4_mapped:
                return str(address.ipv4_mapped)
            return str(ipaddress.ip_network((address, 64), strict=False))
        return str(address)
    return ""


def _count(key: str, limit: int, seconds: int) -> None:
    backend = settings.CACHES["default"]["BACKEND"].lower()
    counted = None
    if any(name in backend for name in _COUNTING_CACHES):
        try:
            counted = _count_in_cache(key, seconds)
        except Exception as problem:  # noqa: BLE001 - whatever the cache's driver raises, the limit holds
            logger.warning("The cache is away, counting in the database: %s", type(problem).__name__)
    count, left = counted or _count_in_database(key, limit, seconds)
    if count > limit:
        raise TooMany(max(1, math.ceil(left)))


def _count_in_cache(key: str, seconds: int) -> tuple[int, float]:
    now = clock.now().timestamp()
    start: float = cache.get_or_set(f"{key}:start", now, timeout=seconds) or now
    # The counter carries its window's start: one that outlives its time for want of an expiry counts for nobody.
    window = f"{key}:{start!r}"
    cache.add(window, 0, timeout=2 * seconds)
    return cache.incr(window), start + seconds - now


def _count_in_database(key: str, limit: int, seconds: int) -> tuple[int, float]:
    now = clock.now()
    with transaction.atomic():
        end = now + timedelta(seconds=seconds)
        hit, _ = ThrottleHit.objects.select_for_update().get_or_create(
            key=key, defaults={"count": 0, "expires_at": end}
        )
        if hit.expires_at <= now:
            hit.count, hit.expires_at = 0, end
        if hit.count <= limit:
            hit.count += 1
            hit.save()
    return hit.count, (hit.expires_at - now).total_seconds()


def purge() -> int:
    """Forget windows that are over; how many rows went."""
    return ThrottleHit.objects.filter(expires_at__lte=clock.now()).delete()[0]
