import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management.base import SystemCheckError

from core import checks

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "DEBUG": False,
    "SECRET_KEY": "Zb3-" + "q8Lw0vXn" * 7,
    "JWT_SIGNING_KEY": "Yd5-" + "r7Kx1uMp" * 7,
    "ALLOWED_HOSTS": ["api.example.com"],
    "SITE_URL": "https://api.example.com",
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "PAYSTACK_SECRET_KEY": "sk_live_4f9a1c7be2d05386",
    "PAYSTACK_WEBHOOK_SECRET": "sk_live_4f9a1c7be2d05386",
    "PAYSTACK_BASE_URL": "https://api.paystack.co",
    "PAYSTACK_SANDBOX": False,
    "DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql"}},
}


@pytest.fixture
def found(monkeypatch):
    """The ids the check finds in a good production environment with these changes."""

    def found(**changes):
        for name, value in (GOOD | changes).items():
            monkeypatch.setattr(checks.settings, name, value)
        messages = checks.check_environment()
        assert all(message.hint for message in messages)
        return [message.id for message in messages]

    return found


def test_a_good_environment_passes(found):
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"SECRET_KEY": "short"}, "core.E002"),
        ({"SECRET_KEY": "a" * 60}, "core.E002"),
        ({"SECRET_KEY": "django-insecure-" + GOOD["SECRET_KEY"]}, "core.E002"),
        ({"SECRET_KEY": "development-only-" + "0" * 48}, "core.E002"),
        ({"JWT_SIGNING_KEY": ""}, "core.E003"),
        ({"JWT_SIGNING_KEY": "short"}, "core.E003"),
        ({"JWT_SIGNING_KEY": GOOD["SECRET_KEY"]}, "core.E003"),
        ({"PAYSTACK_SECRET_KEY": ""}, "core.E004"),
        ({"PAYSTACK_SECRET_KEY": "sk_test_sandbox"}, "core.E004"),
        ({"PAYSTACK_SECRET_KEY": "pk_live_4f9a1c7be2d05386"}, "core.E004"),
        ({"PAYSTACK_WEBHOOK_SECRET": "x"}, "core.E004"),
        ({"ALLOWED_HOSTS": []}, "core.E005"),
        ({"ALLOWED_HOSTS": ["*"]}, "core.E005"),
        ({"ALLOWED_HOSTS": ["api.example.com", "*"]}, "core.E005"),
        ({"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}, "core.E006"),
        ({"EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend"}, "core.E006"),
        ({"PAYSTACK_SANDBOX": True}, "core.E007"),
        ({"PAYSTACK_BASE_URL": "http://paystack.example.com"}, "core.E008"),
        ({"AUTH_RATE_LIMIT": "five"}, "core.E001"),
        ({"AUTH_ADDRESS_RATE_LIMIT": "5 per minute"}, "core.E001"),
        ({"SITE_URL": "http://api.example.com"}, "core.W001"),
        ({"DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3"}}}, "core.W002"),
    ],
)
def test_each_fault_is_found(found, changes, expected):
    assert found(**changes) == [expected]
    if expected.startswith("core.E"):
        with pytest.raises(SystemCheckError, match="HINT"):
            checks.refuse_unsafe_start()
    else:
        checks.refuse_unsafe_start()


def test_a_paystack_on_this_machine_may_be_plain_http(found):
    assert found(PAYSTACK_BASE_URL="http://127.0.0.1:9000") == []


def test_development_needs_none_of_it(found):
    assert found(DEBUG=True, SECRET_KEY="x", ALLOWED_HOSTS=[], PAYSTACK_SANDBOX=True) == []
    assert found(DEBUG=True, AUTH_RATE_LIMIT="x") == ["core.E001"]


# --- The real thing: each program that serves or works, in a process of its own

PRODUCTION = {
    "PATH": os.environ["PATH"],
    # Static files are collected when the image is built, not here.
    "PYTHONWARNINGS": "ignore:No directory at",
    "SECRET_KEY": GOOD["SECRET_KEY"],
    "JWT_SIGNING_KEY": GOOD["JWT_SIGNING_KEY"],
    "ALLOWED_HOSTS": "api.example.com",
    "SITE_URL": "https://api.example.com",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
    "EMAIL_URL": "smtp://127.0.0.1:9",
    "PAYSTACK_SECRET_KEY": GOOD["PAYSTACK_SECRET_KEY"],
}
PROGRAMS = {
    "wsgi": ["-c", "import core.wsgi"],
    "asgi": ["-c", "import core.asgi"],
    "manage.py check": ["manage.py", "check"],
    "manage.py check --deploy": ["manage.py", "check", "--deploy", "--fail-level", "WARNING"],
    "manage.py qcluster": ["manage.py", "qcluster", "--run-once"],
}
BACK_OFF = "from django.conf import settings; print(settings.EMAIL_RETRY_BASE_SECONDS)"


def start(program, **changes):
    environment = {name: value for name, value in (PRODUCTION | changes).items() if value is not None}
    command = [sys.executable, *PROGRAMS.get(program, ["-c", program])]
    return subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif((ROOT / ".env").exists(), reason="a .env would fill what the test leaves out")
@pytest.mark.parametrize("program", PROGRAMS)
def test_no_program_starts_without_its_secrets(program):
    done = start(program, JWT_SIGNING_KEY=None)
    assert done.returncode != 0
    assert "core.E003" in done.stderr
    assert "HINT" in done.stderr


@pytest.mark.trust
@pytest.mark.skipif((ROOT / ".env").exists(), reason="a .env would fill what the test leaves out")
@pytest.mark.parametrize(
    "changes",
    [
        {"SECRET_KEY": None},
        {"SECRET_KEY": ""},
        {"SECRET_KEY": "weak"},
        {"JWT_SIGNING_KEY": "weak"},
        {"PAYSTACK_SECRET_KEY": None},
        {"ALLOWED_HOSTS": None},
        {"ALLOWED_HOSTS": "*"},
        {"EMAIL_URL": None},
        {"AUTH_RATE_LIMIT": "many"},
        {"PAYSTACK_BASE_URL": "http://paystack.example.com"},
    ],
    ids=str,
)
def test_no_web_process_starts_in_an_unsafe_environment(changes):
    assert start("wsgi", **changes).returncode != 0


@pytest.mark.skipif((ROOT / ".env").exists(), reason="a .env would fill what the test leaves out")
def test_a_good_environment_starts_and_deploys_without_a_warning():
    assert start("wsgi").stderr == ""
    done = start("manage.py check --deploy")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues" in done.stdout


@pytest.mark.skipif((ROOT / ".env").exists(), reason="a .env would fill what the test leaves out")
@pytest.mark.parametrize(("given", "seconds"), [(None, "30"), ("2", "2"), ("0", ""), ("-5", ""), ("soon", "")])
def test_the_back_off_of_mails_is_whole_seconds_and_never_none(given, seconds):
    done = start(BACK_OFF, DJANGO_SETTINGS_MODULE="core.settings", EMAIL_RETRY_BASE_SECONDS=given)
    assert done.stdout.strip() == seconds
    assert (done.returncode == 0) == bool(seconds)
