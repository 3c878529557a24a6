"""Many callers at the same moment, for tests of races."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connections


def at_once[Answer](work: Callable[[int], Answer], times: int) -> list[Answer]:
    """What `work(0)` ... `work(times - 1)` gave, each in a thread of its own, all started together."""
    gate = Barrier(times)

    def run(number: int) -> Answer:
        try:
            gate.wait()
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))
