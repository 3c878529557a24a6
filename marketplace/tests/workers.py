"""Real background workers, a pytest plugin: qcluster as it runs in production, in sessions of their own.

`workers.start()` begins a cluster on the test database, which sees only what is committed; `kill -9` takes all of its
processes at once, as a machine that loses power does. Whatever is left is killed when the test ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROCESSES = 2
"""Worker processes of a cluster, besides those that fetch, record and watch."""
PATIENCE_SECONDS = 180
"""For whatever happens in the background; on a quiet machine it takes seconds."""
QCLUSTER = "from django.core.management import execute_from_command_line as run; run(['manage.py', 'qcluster'])"

HASTY = """
from core import settings
settings.Q_CLUSTER |= {"timeout": 10, "retry": 12}
import django; django.setup()
from marketplace.services import notifications
notifications.send_due_emails.__kwdefaults__["seconds"] = 5
"""
"""The same worker with less patience: what a dead one had in hand comes back after 12 seconds instead of 120."""


class Cluster:
    """One running qcluster."""

    def __init__(self, code: str, environment: dict[str, str], log: Path) -> None:
        self.log, self._ended = log, False
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                cwd=Path(__file__).parents[2],
                env=environment,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")

    def is_running(self) -> bool:
        """Whether it watches over its workers, and the clock."""
        return "running." in self.said()

    def has_died(self) -> bool:
        """Whether it came to an end by itself."""
        return not self._ended and self._process.poll() is not None

    def stop(self) -> None:
        """Let it finish what it has begun, and wait for that."""
        self._ended = True
        self._process.terminate()
        self._process.wait(PATIENCE_SECONDS)
        self.kill()

    def kill(self) -> None:
        """With -9, the whole group."""
        self._ended = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Workers:
    """Clusters of one test."""

    def __init__(self, database_url: str, logs: Path) -> None:
        self._database_url, self._logs = database_url, logs
        self.clusters: list[Cluster] = []

    def start(self, code: str = "", **environment: Any) -> Cluster:
        """Begin a cluster that runs `code` before it is one; the mail server is the one our settings point at."""
        from django.conf import settings

        given = {
            "DATABASE_URL": self._database_url,
            # The tests' own mails have no port; then nobody listens for the worker's either.
            "EMAIL_URL": f"smtp://127.0.0.1:{settings.EMAIL_PORT or 9}",
            "DJANGO_SETTINGS_MODULE": "core.settings",
            "Q_WORKERS": PROCESSES,
        }
        texts = {name: str(value) for name, value in (given | environment).items()}
        log = self._logs / f"worker-{len(self.clusters)}.log"
        cluster = Cluster(code + QCLUSTER, os.environ | texts, log)
        self.clusters.append(cluster)
        return cluster

    def eventually(self, look: Callable[[], Any], what: str, *, meanwhile: Callable[[], Any] = lambda: None) -> None:
        """Wait until `look` finds something; every half second `meanwhile` happens."""
        began = last = time.monotonic()
        while not look():
            if time.monotonic() - last > 0.5:
                meanwhile()
                last = time.monotonic()
            if time.monotonic() - began > PATIENCE_SECONDS or any(cluster.has_died() for cluster in self.clusters):
                logs = "\n".join(cluster.said()[-3000:] for cluster in self.clusters[-2:])
                pytest.fail(f"Waited in vain for {what}.\n{logs}")
            time.sleep(0.05)


@pytest.fixture
def workers(database_url: str, tmp_path: Path, transactional_db: None) -> Iterator[Workers]:
    """Nobody works yet. The database is emptied only after the last worker has gone."""
    workers = Workers(database_url, tmp_path)
    yield workers
    for cluster in workers.clusters:
        cluster.kill()


def sweep() -> None:
    """Queue the task that sends whatever is due, as the schedule does each minute; not while one waits already."""
    from django_q.models import OrmQ

    from core import clock, jobs

    task = "marketplace.tasks.send_due_emails"
    if task not in [row.func() for row in OrmQ.objects.filter(lock__lte=clock.now())]:
        jobs.enqueue(task)
