import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from core import clock, throttles
from core.models import ThrottleHit
from core.tests.race import at_once

pytestmark = [pytest.mark.urls("core.tests.sample"), pytest.mark.django_db]
ROOT = Path(__file__).resolve().parents[2]


def allowed(times, **who):
    count = 0
    for _ in range(times):
        try:
            throttles.check("login", **who)
        except throttles.TooMany:
            continue
        count += 1
    return count


def test_five_a_minute_are_five():
    assert allowed(8, account="ada@example.com") == 5


def test_accounts_addresses_and_scopes_are_counted_apart():
    assert allowed(8, account="ada") == 5
    assert allowed(8, account="eve") == 5
    assert allowed(8, address="ada") == 5
    throttles.check("forgot-password", account="ada")


def test_an_account_is_one_however_it_is_written():
    assert allowed(3, account="ada@example.com") + allowed(5, account=" ADA@example.com ") == 5


def test_the_window_ends_when_retry_after_says():
    allowed(5, account="ada")
    with pytest.raises(throttles.TooMany) as refused:
        throttles.check("login", account="ada")
    assert 55 <= refused.value.retry_after <= 60
    with clock.at(timedelta(seconds=refused.value.retry_after)):
        assert allowed(8, account="ada") == 5


def test_refused_attempts_do_not_prolong_the_wait():
    allowed(5, account="ada")
    with clock.at(timedelta(seconds=50)):
        allowed(20, account="ada")
    with clock.at(timedelta(seconds=61)):
        assert allowed(1, account="ada") == 1


def test_an_operation_answers_429_with_retry_after(client):
    answers = [client.post("/api/limited/", {}, content_type="application/json") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429] * 2
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert answers[-1].json()["code"] == "too_many_requests"


def test_no_address_stands_in_the_table():
    throttles.check("login", account="ada@example.com", address="192.0.2.1")
    assert not any("ada" in hit.key or "192" in hit.key for hit in ThrottleHit.objects.all())


def test_limits_by_account_and_by_address_are_set_apart(settings):
    settings.AUTH_ADDRESS_RATE_LIMIT = "2/hour"
    assert allowed(5, address="192.0.2.1") == 2
    with pytest.raises(throttles.TooMany) as refused:
        throttles.check("login", address="192.0.2.1")
    assert refused.value.retry_after > 3000
    assert allowed(8, account="ada") == 5


@pytest.mark.parametrize(
    ("rate", "meaning"),
    [("5/min", (5, 60)), ("5/m", (5, 60)), ("100/hour", (100, 3600)), ("10/s", (10, 1)), (" 1/day ", (1, 86400))],
)
def test_rates_are_read(rate, meaning):
    assert throttles.parse_rate(rate) == meaning


@pytest.mark.parametrize(
    "rate", ["", "5", "5/", "/min", "0/min", "-5/min", "5/fortnight", "5.5/min", "five/min", "5/min/"]
)
def test_nonsense_is_no_rate(rate):
    with pytest.raises(ImproperlyConfigured):
        throttles.parse_rate(rate)


# --- Whose address


@pytest.mark.parametrize(
    ("proxies", "direct", "forwarded", "expected"),
    [
        (0, "192.0.2.1", "", "192.0.2.1"),
        (0, "192.0.2.1", "198.51.100.7", "192.0.2.1"),
        (1, "10.0.0.1", "198.51.100.7", "198.51.100.7"),
        (1, "10.0.0.1", "spoofed, 203.0.113.9, 198.51.100.7", "198.51.100.7"),
        (2, "10.0.0.1", "203.0.113.9, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        (2, "10.0.0.1", "198.51.100.7", "198.51.100.7"),
        (1, "10.0.0.1", "", "10.0.0.1"),
        (1, "10.0.0.1", "not an address", "10.0.0.1"),
        (1, "10.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        (1, "10.0.0.1", "[2001:db8:1:2::5]:4711", "2001:db8:1:2::/64"),
        (0, "2001:db8:1:2:aaaa::1", "", "2001:db8:1:2::/64"),
        (0, "::ffff:192.0.2.1", "", "192.0.2.1"),
        (0, "", "", "unknown"),
    ],
)
def test_the_address_is_what_our_outermost_proxy_saw(settings, proxies, direct, forwarded, expected):
    settings.NUM_PROXIES = proxies
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    assert throttles.address_of(RequestFactory().get("/", headers=headers, REMOTE_ADDR=direct)) == expected


@pytest.mark.parametrize("proxies", [0, 1])
def test_spoofing_buys_no_attempts(client, settings, proxies):
    settings.NUM_PROXIES = proxies
    tail = ", 198.51.100.7" if proxies else ""

    def attempt(number):
        headers = {"x-forwarded-for": f"203.0.113.{number}{tail}"}
        return client.post(
            "/api/limited/", {"amount": "1"}, content_type="application/json", headers=headers
        ).status_code

    assert [attempt(number) for number in range(9)].count(200) == 5


# --- Where it is counted


def test_a_cache_of_one_process_is_not_trusted():
    throttles.check("login", account="ada")
    assert ThrottleHit.objects.get().count == 1


@pytest.fixture
def shared_cache(settings):
    """Has the limits believe the cache is Redis; the local one counts as atomically within this process."""
    settings.CACHES = {"default": settings.CACHES["default"]}
    cache.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(throttles, "_COUNTING_CACHES", ("locmem",))
        yield cache
    cache.clear()


def test_a_shared_cache_counts_and_spares_the_database(shared_cache, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert allowed(8, account="ada") == 5


def test_with_the_cache_away_the_database_counts(settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
            "OPTIONS": {"socket_connect_timeout": 0.5},
        }
    }
    assert allowed(8, account="ada") == 5
    assert ThrottleHit.objects.get().count == 6


def test_purging_keeps_open_windows():
    throttles.check("login", account="ada")
    with clock.at(timedelta(seconds=30)):
        throttles.check("login", account="eve")
    with clock.at(timedelta(seconds=70)):
        assert throttles.purge() == 1


@pytest.mark.trust
@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_are_five():
    assert sum(at_once(lambda _: allowed(1, account="ada"), 50)) == 5


@pytest.mark.trust
@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_are_five_in_a_shared_cache(shared_cache):
    assert sum(at_once(lambda _: allowed(1, account="ada"), 50)) == 5


@pytest.mark.trust
@pytest.mark.django_db(transaction=True)
def test_control_counting_without_the_lock_lets_more_in(monkeypatch):
    from django.db import connection

    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer whatever we lock")
    monkeypatch.setattr("django.db.models.QuerySet.select_for_update", lambda rows, **_: rows)
    throttles.check("login", account="ada")
    assert sum(at_once(lambda _: allowed(1, account="ada"), 50)) > 4


@pytest.mark.trust
@pytest.mark.django_db(transaction=True)
def test_two_processes_share_one_limit(database_url):
    code = (
        "import django; django.setup()\n"
        "from core import throttles\n"
        "n = 0\n"
        "for _ in range(10):\n"
        "    try: throttles.check('login', account='ada'); n += 1\n"
        "    except throttles.TooMany: pass\n"
        "print(n)\n"
    )
    environment = os.environ | {"DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "core.settings"}
    both = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert sum(int(process.communicate(timeout=60)[0]) for process in both) == 5
