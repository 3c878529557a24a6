"""Processes that quickstart looks after, each in a group of its own, and the folder their mails go to."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from email import message_from_bytes, policy
from pathlib import Path
from typing import Final

PATIENCE_SECONDS: Final = 8
"""How long a child may take to end by itself."""
_RULER: Final = b"\n" + b"-" * 79 + b"\n"
_LINK: Final = re.compile(r"https?://\S+\?token=\S+")


class Child:
    """A process in a group of its own, writing to a log; when it is stopped, so is whatever it started."""

    def __init__(self, name: str, command: Sequence[str], *, env: Mapping[str, str], log: Path) -> None:
        self.name, self.log = name, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            # Its own session: Ctrl-C reaches us alone, and we end the children in order.
            self._process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def group(self) -> int:
        """The id of its process group."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def last_words(self) -> str:
        """The end of its log."""
        with self.log.open(errors="replace") as log:
            lines = deque(log, maxlen=15)
        return "".join(f"  | {line}" for line in lines) + f"  (all of it in {self.log})"

    def ask_to_stop(self) -> None:
        """Let it finish what it is doing."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()

    def stop(self, *, after_seconds: float = PATIENCE_SECONDS) -> None:
        """Wait a little, then end it and everything it started."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(after_seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGKILL)
        self._process.wait()


class Mailbox:
    """The folder of Django's file backend: mails of one second may share a file, a ruler after each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._told = {file: file.stat().st_size for file in folder.iterdir()}

    def news(self) -> Iterator[str]:
        """One line for each mail that is new, with its link when it holds one that signs in or confirms."""
        for file in sorted(self.folder.iterdir()):
            told = self._told.get(file, 0)
            # What follows the last ruler is still being written.
            *mails, _unfinished = file.read_bytes()[told:].split(_RULER)
            for content in mails:
                self._told[file] = told = told + len(content) + len(_RULER)
                mail = message_from_bytes(content, policy=policy.default)
                text = mail.get_body(("plain",))
                link = _LINK.search(text.get_content()) if text else None
                yield f"Mail to {mail['To']}: {mail['Subject']}" + (f"\n     {link[0]}" if link else "")
