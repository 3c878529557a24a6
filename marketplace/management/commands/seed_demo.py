"""Fill an empty database with a lived-in demo."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.management.demo import accounts, telling


class Command(BaseCommand):
    """Clients, servicemen, admins and three months of requests in every status. Again, it adds nothing."""

    help = "Fill an empty database with invented people and their requests, and print whom to sign in as."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--clients", type=int, default=telling.CLIENTS, help="How many clients (30).")
        parser.add_argument("--requests", type=int, default=telling.REQUESTS, help="How many requests (150).")
        parser.add_argument("--seed", type=int, default=telling.SEED, help="Another number tells another story (7).")
        parser.add_argument(
            "--reset-passwords", action="store_true", help="Give the demo's accounts a new password when it is there."
        )

    def handle(self, *_: Any, **options: Any) -> None:
        if telling.is_there():
            self.stdout.write("The demo is there already; nothing was added.")
            password = accounts.set_password() if options["reset_passwords"] else ""
        elif telling.is_in_use():
            raise CommandError("This database holds data of its own. The demo is for an empty one.")
        else:
            began = time.monotonic()
            telling.tell(
                clients=options["clients"],
                count=options["requests"],
                seed=options["seed"],
                progress=self._progress,
            )
            password = accounts.set_password()
            self.stdout.write(f"The demo is told ({time.monotonic() - began:.0f} seconds).")
        self.stdout.write("")
        for line in accounts.lines(password):
            self.stdout.write(line)

    def _progress(self, done: int, of: int) -> None:
        step = max(1, of // 10)
        if done % step == 0 or done == of:
            self.stdout.write(f"  {done * 100 // of:3} %  {done} of {of} steps")
            self.stdout.flush()
