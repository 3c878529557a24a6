"""The pytest plugin that comes first: a fixed environment, and a database, before Django reads its settings.

Without DATABASE_URL a PostgreSQL of our own is started, shared by all workers, and gone afterwards. With a SQLite
DATABASE_URL the suite runs on a SQLite file (never in memory: threads would each see an empty database).
"""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from core.tests import postgres

# Nothing of the developer's shell or .env may reach a test: a live Paystack key least of all.
os.environ |= {
    "DEBUG": "True",
    "SECRET_KEY": "tests-only-" + "s" * 50,
    "JWT_SIGNING_KEY": "tests-only-" + "j" * 50,
    "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1],testserver",
    "SITE_URL": "http://127.0.0.1:8000",
    "FRONTEND_URL": "",
    "CACHE_URL": "locmemcache://",
    "EMAIL_URL": "memorymail://",
    "EMAIL_RETRY_BASE_SECONDS": "30",
    "DEFAULT_FROM_EMAIL": "Serviceman <no-reply@example.com>",
    "PAYSTACK_SECRET_KEY": "",
    "PAYSTACK_PUBLIC_KEY": "",
    "PAYSTACK_WEBHOOK_SECRET": "",
    # Closed on purpose: a test that needs Paystack points at the sandbox it started itself.
    "PAYSTACK_BASE_URL": "http://127.0.0.1:9",
    "CORS_ALLOWED_ORIGINS": "",
    "CSRF_TRUSTED_ORIGINS": "",
    "FILES_URL": "",
    "SENTRY_DSN": "",
    "NUM_PROXIES": "0",
    "TIME_ZONE": "Africa/Lagos",
    "SECURE_SSL_REDIRECT": "False",
    "AUTH_RATE_LIMIT": "5/min",
    "AUTH_ADDRESS_RATE_LIMIT": "5/min",
    "REQUIRE_ADMIN_2FA": "False",
}

_is_worker = "PYTEST_XDIST_WORKER" in os.environ
if not _is_worker:
    os.environ["TESTS_HOME"] = tempfile.mkdtemp(prefix="serviceman-")
HOME = Path(os.environ["TESTS_HOME"])
"""Everything the run writes: databases, uploads, the sandbox's state. Deleted at the end."""

_own_postgres = not _is_worker and not os.environ.get("DATABASE_URL")
if _own_postgres:
    os.environ["DATABASE_URL"] = postgres.url(HOME)
os.environ["SANDBOX_STATE"] = str(HOME / "paystack-sandbox.sqlite3")

_guard: "subprocess.Popen[bytes] | None" = None if _is_worker else postgres.guard(HOME)


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Settings that only tests have."""
    from django.conf import settings
    from hypothesis import settings as hypothesis

    # No deadline: an example may wait for a database, a neighbour or a collection of garbage.
    hypothesis.register_profile("usual", deadline=None, max_examples=50, print_blob=True)
    hypothesis.register_profile("long", deadline=None, max_examples=1000, print_blob=True)
    hypothesis.load_profile("usual")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MEDIA_ROOT = HOME / "media"
    # Static files straight from the packages: nobody runs collectstatic for a test.
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(HOME / "test.sqlite3")
        _let_sqlite_empty_what_is_append_only()


def _let_sqlite_empty_what_is_append_only() -> None:
    """A test with real transactions ends by emptying every table; SQLite does that by DELETE, which triggers refuse."""
    from django.db.backends.sqlite3.operations import DatabaseOperations

    flush = DatabaseOperations.execute_sql_flush

    def without_triggers(self: DatabaseOperations, sql_list: list[str]) -> None:
        with self.connection.cursor() as cursor:
            triggers = cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                cursor.execute(f'DROP TRIGGER "{name}"')
            flush(self, sql_list)
            for _, sql in triggers:
                cursor.execute(sql)

    DatabaseOperations.execute_sql_flush = without_triggers  # type: ignore[method-assign]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Before xdist starts its workers, which find this server by the environment."""
    if _own_postgres and not session.config.option.collectonly:
        postgres.start(HOME)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Leave nothing behind, and do not return before it is gone."""
    if _guard and _guard.stdin and not _guard.stdin.closed:
        _guard.stdin.close()
        _guard.wait(timeout=30)


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A worker a processor for the whole suite; none, hence no start-up time, for files, names or marks asked for."""
    asked = (argument.split("::")[0] for argument in config.invocation_params.args if not argument.startswith("-"))
    files = any(Path(argument).suffix == ".py" for argument in asked)
    # Races, browsers and figures want the machine for themselves.
    alone = config.option.markexpr.split(" ")[0] in ("trust", "browser", "bench", "long")
    return 0 if files or alone or config.option.keyword else min(os.cpu_count() or 1, 8)


@pytest.fixture
def database_url(django_db_setup: None) -> str:
    """The DATABASE_URL of the test database, for processes a test starts. They see only what is committed."""
    from django.db import connection

    at: dict[str, Any] = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    login = quote(at["USER"]) + (f":{quote(at['PASSWORD'])}" if at["PASSWORD"] else "")
    port = f":{at['PORT']}" if at["PORT"] else ""
    socket = f"?host={at['OPTIONS']['host']}" if at.get("OPTIONS", {}).get("host") else ""
    return f"postgres://{login}@{at['HOST']}{port}/{at['NAME']}{socket}"
