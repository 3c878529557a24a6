"""One command from a clean clone to a running marketplace: database, demo, web, worker."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn
from urllib.parse import quote

import requests
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from marketplace.management.demo import accounts, telling
from marketplace.management.processes import Child, Mailbox

HOST: Final = "127.0.0.1"
FIRST_ANSWER_SECONDS: Final = 90
LOOK_SECONDS: Final = 0.3
"""How often the children and the mailbox are looked at."""
_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Somebody wants us to end."""


class Command(BaseCommand):
    """For a first look and for development. Production starts web and worker by themselves."""

    help = "Prepare the database, fill an empty one with a demo, and run the web and the worker until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="Where the web listens (8000).")
        parser.add_argument("--no-demo", action="store_true", help="Leave an empty database empty.")
        parser.add_argument("--var", type=Path, default=settings.BASE_DIR / "var", help="For mails and logs (var).")

    def handle(self, *_: Any, port: int, no_demo: bool, var: Path, **__: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("quickstart is for development, and DEBUG is off. Take DEBUG out of the environment.")
        _require_free(port)
        self.site = f"http://{HOST}:{port}"
        self.var = var.resolve()
        for number in _ENDINGS:
            signal.signal(number, _stop)
        try:
            self._prepare(no_demo=no_demo)
            self._serve(port)
        except Stopped:
            self._say("")
        self._say("Stopped. The data is kept: run quickstart again to go on.")

    def _prepare(self, *, no_demo: bool) -> None:
        self._say("Preparing the database ...")
        # Whoever listens elsewhere writes other links; the demo's checkouts hold some.
        settings.SITE_URL = self.site
        call_command("migrate", verbosity=0, interactive=False)
        self.password = ""
        if telling.is_there():
            self._say("The demo is there already.")
        elif telling.is_in_use():
            self._say("It holds data of its own, so the demo is left out.")
        elif not no_demo:
            self._say("Telling the demo: people, and what they booked, over three months.")
            telling.tell(progress=self._progress)
        if telling.is_there():
            self.password = accounts.set_password()
        connection.close()

    def _progress(self, done: int, of: int) -> None:
        if done * 10 // of != (done - 1) * 10 // of:
            self._say(f"  {done * 100 // of:3} %")

    def _serve(self, port: int) -> None:
        mailbox = Mailbox(self.var / "mail")
        children: list[Child] = []
        manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
        try:
            for name, command in (("web", ["runserver", "--noreload", f"{HOST}:{port}"]), ("worker", ["qcluster"])):
                log = self.var / "log" / f"{name}.log"
                children.append(Child(name, [*manage, *command], env=self._environment(mailbox), log=log))
            self._say("Starting web and worker ...")
            self._await_first_answer(children)
            self._welcome(mailbox)
            while True:
                _require_alive(children)
                for line in mailbox.news():
                    self._say(line)
                time.sleep(LOOK_SECONDS)
        finally:
            for number in _ENDINGS:
                signal.signal(number, signal.SIG_IGN)
            for child in children:
                child.ask_to_stop()
            for child in children:
                child.stop()

    def _environment(self, mailbox: Mailbox) -> dict[str, str]:
        """The children's: ours, with the address we listen on, and mails in files unless another place was named."""
        env = os.environ | {"DEBUG": "True", "SITE_URL": self.site, "PYTHONUNBUFFERED": "1"}
        # Mails for the terminal would end in the worker's log.
        self.own_mail = env.get("EMAIL_URL", "").partition(":")[0] not in ("", "consolemail")
        # The path follows a third slash, and begins with one of its own.
        return env if self.own_mail else env | {"EMAIL_URL": f"filemail:///{quote(str(mailbox.folder))}"}

    def _await_first_answer(self, children: list[Child]) -> None:
        give_up = time.monotonic() + FIRST_ANSWER_SECONDS
        while time.monotonic() < give_up:
            _require_alive(children)
            try:
                if requests.get(f"{self.site}/admin/login/", timeout=10).ok:
                    return
            except requests.ConnectionError:
                time.sleep(LOOK_SECONDS)
        raise CommandError(f"The web does not answer at {self.site}:\n{children[0].last_words()}")

    def _welcome(self, mailbox: Mailbox) -> None:
        self._say("")
        self._say(self.style.SUCCESS("Serviceman is running."))
        self._say("")
        for what, where in self._places(mailbox):
            self._say(f"  {what:15} {where}")
        self._say("")
        if self.password:
            for line in accounts.lines(self.password):
                self._say(line)
        else:
            self._say("  Sign in to the console as an admin of yours, or make one: uv run manage.py createsuperuser")
        self._say("")
        self._say("Ctrl-C stops it all.")
        self._say("")

    def _places(self, mailbox: Mailbox) -> Iterator[tuple[str, str]]:
        yield "Console", f"{self.site}/admin/"
        yield "API reference", f"{self.site}/api/docs/"
        if settings.PAYSTACK_SANDBOX:
            yield "Test Paystack", f"{self.site}/sandbox/paystack/"
        yield "Mails", "as EMAIL_URL says" if self.own_mail else f"{mailbox.folder} and in short below"
        yield "Logs", f"{self.var / 'log'}"

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _stop(number: int, _: FrameType | None) -> NoReturn:
    raise Stopped(signal.Signals(number).name)


def _require_free(port: int) -> None:
    if not 0 < port < 65536:
        raise CommandError(f"{port} is no port: choose one from 1024 to 65535.")
    if not _is_free(port):
        other = next((p for p in range(port + 1, port + 50) if p < 65536 and _is_free(p)), port + 1)
        raise CommandError(f"Port {port} is taken by another program. Choose another one: --port {other}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _require_alive(children: list[Child]) -> None:
    for child in children:
        if (code := child.exit_code()) is not None:
            raise CommandError(f"The {child.name} has ended (exit code {code}):\n{child.last_words()}")
