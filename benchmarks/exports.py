"""What streaming is worth: import-export's own export of many payments against ours, in one run.

    uv run python benchmarks/exports.py [rows] [turns]

200,000 payments, unless told otherwise, in a PostgreSQL of its own that is gone afterwards. Each export runs in a fresh
process; of several turns the median counts. Where others use the machine, compare CPU, not seconds. Memory is the peak
above what the process held before (Linux).
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))


def main(rows: int = 200_000, turns: int = 1) -> None:
    from core.tests import postgres

    home = Path(tempfile.mkdtemp(prefix="serviceman-bench-"))
    guard = postgres.guard(home)
    try:
        postgres.start(home)
        os.environ |= {"DATABASE_URL": postgres.url(home, "postgres"), "DEBUG": "True"}
        part("migrate")
        print(f"{part('load', str(rows))['rows']:,} payments; load {load()}")
        found: dict[str, list[dict[str, float]]] = {name: [] for name in VARIANTS}
        for _ in range(turns):
            for name, results in found.items():
                results.append(part(name))
        report({name: middle(results) for name, results in found.items()})
        print(f"load {load()}")
    finally:
        if guard.stdin:
            guard.stdin.close()
        guard.wait(timeout=60)


def load() -> str:
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


def part(*arguments: str) -> dict[str, Any]:
    """A process of its own: this file with arguments."""
    done = subprocess.run([sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout.splitlines()[-1])


def middle(results: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(result[key] for result in results) for key in results[0]}


def report(by_name: dict[str, dict[str, float]]) -> None:
    base = by_name["import-export, CSV"]
    print(f"{'':22}{'seconds':>9}{'CPU':>8}{'faster':>9}{'first byte':>12}{'memory':>10}{'file':>10}")
    for name, it in by_name.items():
        faster = base["seconds"] / it["seconds"]
        print(
            f"{name:22}{it['seconds']:>8.1f}s{it['cpu']:>7.1f}s{faster:>8.1f}x{it['first']:>10.2f} s"
            f"{it['memory']:>7.0f} MB{it['size']:>7.1f} MB"
        )


# --- In a process of its own


def migrate() -> dict[str, Any]:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return {}


def fill(rows: int) -> dict[str, Any]:
    """Two payments a request, paid over two years."""
    from datetime import timedelta

    from core import clock
    from core.models import User
    from marketplace.models import Category, Payment, ServiceRequest

    now = clock.now()
    client = User.objects.create_user(None, "ada@example.com", "x", user_type="CLIENT")
    trade = Category.objects.create(name="Plumbing")
    common = {"client": client, "category": trade, "booking_date": now.date(), "initial_booking_fee": 2000}
    for first in range(0, rows // 2, 10_000):
        requests = ServiceRequest.objects.bulk_create(
            ServiceRequest(**common, code=f"SR-{number:07d}", status="COMPLETED", status_since=now)
            for number in range(first, min(first + 10_000, rows // 2))
        )
        Payment.objects.bulk_create(
            Payment(
                service_request=request,
                payment_type=kind,
                amount=amount,
                paystack_reference=f"{request.code}-{kind}",
                status="SUCCESSFUL",
                outcome="APPLIED",
                received_kobo=amount * 100,
                fees_kobo=amount + 10_000,
                paid_at=now - timedelta(seconds=300 * request.pk),
            )
            for request in requests
            for kind, amount in (("INITIAL_BOOKING", 2000), ("FINAL_PAYMENT", 22_000))
        )
    return {"rows": Payment.objects.count()}


def payments() -> Any:
    """As the console's list has them."""
    from marketplace.models import Payment

    return Payment.objects.select_related("service_request").order_by("-id")


def default() -> Iterator[bytes]:
    """The package as it comes, with the same columns."""
    from import_export.formats.base_formats import CSV
    from import_export.resources import ModelResource

    from marketplace.models import Payment

    class Resource(ModelResource):
        class Meta:
            model = Payment
            fields = (
                "id", "service_request__code", "payment_type", "channel", "status", "outcome", "amount",
                "received_kobo", "fees_kobo", "currency", "paystack_reference", "paid_at", "created_at",
            )  # fmt: skip

    yield CSV().export_data(Resource().export(payments())).encode()


def ours_csv() -> Iterator[bytes]:
    from marketplace.exports import Payments

    return Payments().stream(payments(), "csv")


def ours_xlsx() -> Iterator[bytes]:
    from marketplace.exports import Payments

    return Payments().stream(payments(), "xlsx")


VARIANTS = {"import-export, CSV": default, "ours, CSV": ours_csv, "ours, XLSX": ours_xlsx}


def peak() -> float:
    """Megabytes, the most so far."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(name: str) -> dict[str, float]:
    # What is read once a process is no part of it: connection, imports, the first rows.
    payments().first()
    next(ours_xlsx())
    before, began, cpu = peak(), time.perf_counter(), time.process_time()
    first, size = 0.0, 0
    for piece in VARIANTS[name]():
        first = first or time.perf_counter() - began
        size += len(piece)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {"seconds": seconds, "cpu": cpu, "first": first, "size": size / 1e6, "memory": peak() - before}


def run(what: str, *rest: str) -> dict[str, Any]:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "core.settings"
    django.setup()
    if what == "migrate":
        return migrate()
    return fill(int(rest[0])) if what == "load" else measure(what)


if __name__ == "__main__":
    if sys.argv[1:] and not sys.argv[1].isdigit():
        print(json.dumps(run(*sys.argv[1:])))
    else:
        main(*map(int, sys.argv[1:]))
