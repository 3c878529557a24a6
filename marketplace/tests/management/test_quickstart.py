"""quickstart starts everything on an almost empty environment, and leaves nothing running behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from core import mail
from marketplace.management.processes import Child, Mailbox

PATIENCE_SECONDS = 90


class Run:
    """One quickstart, on a database and folders of the test's own."""

    def __init__(self, home: Path, port: int, *options: str) -> None:
        # Beyond these, only what says that coverage is counted.
        env = {n: value for n, value in os.environ.items() if n in ("PATH", "HOME") or n.startswith("COVERAGE_")}
        env |= {"DATABASE_URL": f"sqlite:///{home / 'db.sqlite3'}", "SANDBOX_STATE": str(home / "paystack.sqlite3")}
        command = [sys.executable, str(django_settings.BASE_DIR / "manage.py"), "quickstart", "--no-demo"]
        self.said, self.home = home / f"said-{time.monotonic_ns()}.txt", home
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [*command, "--port", str(port), "--var", str(home / "var"), *options],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def text(self) -> str:
        return self.said.read_text()

    def until(self, words: str) -> None:
        wait(lambda: words in self.text() or self.process.poll() is not None)
        assert words in self.text(), self.text()

    def end(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def others(self) -> list[int]:
        """Every living process that was given this test's database, whoever its parent is now."""
        mark = str(self.home).encode()
        found = []
        for entry in Path("/proc").iterdir():
            try:
                alive = entry.name.isdigit() and (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
                if alive and mark in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:  # gone meanwhile
                continue
        return [pid for pid in found if pid != self.process.pid]


def wait(for_it: Callable[[], object]) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not for_it() and time.monotonic() < give_up:
        time.sleep(0.1)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for survivors in /proc")
def test_it_serves_until_it_is_told_to_stop_or_a_child_dies(tmp_path: Path, port: int) -> None:
    first = Run(tmp_path, port)
    try:
        first.until("Ctrl-C stops it all.")
        site = f"http://127.0.0.1:{port}"
        assert f"{site}/admin/" in first.text()
        assert requests.get(f"{site}/api/config/", timeout=30).ok
        assert requests.get(f"{site}/sandbox/paystack/", timeout=30).ok
        wait(lambda: len(first.others()) >= 5)  # the web, and the worker with its own processes
        assert len(first.others()) >= 5

        rival = Run(tmp_path, port)
        assert rival.end() == 1
        assert re.search(rf"Port {port} is taken by another program. Choose another one: --port \d+", rival.text())

        first.process.send_signal(signal.SIGINT)
        assert first.end() == 0
        assert "Stopped. The data is kept" in first.text()
        assert not first.others()
    finally:
        first.process.kill()
        for pid in first.others():
            os.kill(pid, signal.SIGKILL)

    again = Run(tmp_path, port)
    try:
        again.until("Ctrl-C stops it all.")
        wait(lambda: len(again.others()) >= 5)
        worker = next(pid for pid in again.others() if b"qcluster" in Path(f"/proc/{pid}/cmdline").read_bytes())
        os.kill(worker, signal.SIGKILL)
        assert again.end() == 1
        assert "The worker has ended (exit code -9)" in again.text()
        assert "worker.log" in again.text()
        assert not again.others()
    finally:
        again.process.kill()
        for pid in again.others():
            os.kill(pid, signal.SIGKILL)


def test_it_refuses_to_run_in_production(settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG is off"):
        call_command("quickstart")


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_it_names_a_port_that_is_none(settings, port: int) -> None:
    settings.DEBUG = True
    with pytest.raises(CommandError, match=f"{port} is no port"):
        call_command("quickstart", port=port)


def test_a_child_takes_its_own_children_along(tmp_path: Path) -> None:
    stubborn = "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    grandchild = f"subprocess.Popen([sys.executable, '-c', {stubborn + 'time.sleep(60)'!r}]); "
    words = f"{stubborn}{grandchild}print('hello', flush=True); time.sleep(60)"
    child = Child("stubborn", [sys.executable, "-c", words], env=os.environ, log=tmp_path / "log" / "child.log")
    wait(lambda: "hello" in child.last_words())
    assert child.exit_code() is None
    child.ask_to_stop()
    child.stop(after_seconds=0.2)
    assert child.exit_code() == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        wait(lambda: os.killpg(child.group, 0))


def test_each_new_mail_is_told_once_with_its_link(settings, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    mail.send(to="old@example.com", subject="Old", text="From an earlier run.", html="<p>Old</p>")
    mailbox = Mailbox(tmp_path)
    assert list(mailbox.news()) == []
    link = "http://127.0.0.1:8000/verify-email?token=WzUx.abc_-"
    text = f"Welcome, ₦ and all.\n\n{link}\n\nBye."
    mail.send(to="ada@example.com", subject="Confirm your e-mail: ₦", text=text, html=f"<a href='{link}'>x</a>")
    assert list(mailbox.news()) == [f"Mail to ada@example.com: Confirm your e-mail: ₦\n     {link}"]
    mail.send(to="ada@example.com", subject="Welcome", text="No link here.", html="<p>No link</p>")
    assert list(mailbox.news()) == ["Mail to ada@example.com: Welcome"]
    assert list(mailbox.news()) == []


def test_a_mail_that_is_still_being_written_waits(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    half = tmp_path / "half.log"
    half.write_text("To: ada@example.com\nSubject: Half\n\nThe first ha")
    assert list(mailbox.news()) == []
    half.write_text(f"To: ada@example.com\nSubject: Half\n\nThe first half.\n{'-' * 79}\n")
    assert list(mailbox.news()) == ["Mail to ada@example.com: Half"]


def test_two_mails_of_one_second_in_one_file_are_both_told(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    file = tmp_path / "20261126-080000-140000.log"
    ruler = "-" * 79
    file.write_text(f"To: ada@example.com\nSubject: First\n\nOne.\n{ruler}\n")
    assert list(mailbox.news()) == ["Mail to ada@example.com: First"]
    with file.open("a") as log:
        log.write(f"To: ada@example.com\nSubject: Second\n\nTwo.\n{ruler}\n")
        log.write(f"To: tunde@example.com\nSubject: Third\n\nThree.\n{ruler}\nTo: bola@exa")
    assert list(mailbox.news()) == ["Mail to ada@example.com: Second", "Mail to tunde@example.com: Third"]
    assert list(mailbox.news()) == []
