"""What the sandbox remembers, in an SQLite file of its own, shared by all threads and processes. Amounts in kobo."""

import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from core import clock

Row = dict[str, Any]

SCENARIO: Final[Mapping[str, Any]] = {
    "webhooks": "deliver",
    "amount_off_kobo": 0,
    "currency": "NGN",
    "domain": "test",
    "payer_bears_fee": False,
    "refund": "processed",
    "initialize": "",
    "verify": "",
    "refund_call": "",
    "times": 0,
    "stall_seconds": 12,
    "pause_seconds": 0.5,
}
"""How the sandbox behaves until told otherwise.

webhooks: deliver, drop, twice. amount_off_kobo, currency, domain: what the next payment gets wrong. refund: processed,
failed, needs-attention, pending. initialize, verify, refund_call: "", error, error_after, stall_after, rate_limit,
not_json; `times` says for how many calls (0: until changed). pause_seconds: between two events or two deliveries.
"""

_TABLES = """
CREATE TABLE IF NOT EXISTS transactions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT UNIQUE NOT NULL, access_code TEXT UNIQUE NOT NULL,
    email TEXT NOT NULL, requested_amount INTEGER NOT NULL, callback_url TEXT NOT NULL, metadata TEXT NOT NULL,
    status TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, domain TEXT NOT NULL, fees INTEGER,
    channel TEXT NOT NULL, gateway_response TEXT NOT NULL, paid_at TEXT, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS refunds (
    id INTEGER PRIMARY KEY AUTOINCREMENT, transaction_id INTEGER NOT NULL REFERENCES transactions (id),
    reference TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, status TEXT NOT NULL,
    merchant_note TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS disputes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, transaction_id INTEGER NOT NULL REFERENCES transactions (id),
    reference TEXT NOT NULL, refund_amount INTEGER NOT NULL, currency TEXT NOT NULL, domain TEXT NOT NULL,
    status TEXT NOT NULL, resolution TEXT, category TEXT NOT NULL, due_at TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS webhooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, reference TEXT NOT NULL, body BLOB NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, answer TEXT NOT NULL DEFAULT '', delivered_at TEXT,
    created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS scenario (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@contextmanager
def _open(*, write: bool = False) -> Iterator[sqlite3.Connection]:
    """One connection for one piece of work; a write holds the file from its first statement to its end."""
    path = Path(settings.SANDBOX_STATE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        if not write:
            _prepare(connection)
            yield connection
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            _prepare(connection)
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def _prepare(connection: sqlite3.Connection) -> None:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'disputes'").fetchone():
        for statement in _TABLES.split(";"):
            connection.execute(statement)


def _one(cursor: sqlite3.Cursor) -> Row | None:
    row = cursor.fetchone()
    return dict(row) if row else None


def now_text() -> str:
    """This moment as Paystack writes it."""
    return clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z")


# --- Behaviour


def scenario() -> dict[str, Any]:
    """How the sandbox behaves now."""
    with _open() as db:
        changed = {row["name"]: json.loads(row["value"]) for row in db.execute("SELECT name, value FROM scenario")}
    return {**SCENARIO, **changed}


def set_scenario(changes: Mapping[str, Any]) -> None:
    """Change how the sandbox behaves; no changes at all bring back the defaults."""
    with _open(write=True) as db:
        if not changes:
            db.execute("DELETE FROM scenario")
        for name, value in changes.items():
            db.execute("INSERT OR REPLACE INTO scenario VALUES (?, ?)", (name, json.dumps(value)))


def take_fault(call: str) -> str:
    """How this call shall go wrong, if at all; counts the calls down, each of them once."""
    now = scenario()
    if not now[call] or not now["times"]:
        return str(now[call])
    with _open(write=True) as db:
        left = db.execute("SELECT value FROM scenario WHERE name = 'times'").fetchone()
        if left is None or int(left["value"]) < 1:
            return ""
        db.execute("UPDATE scenario SET value = ? WHERE name = 'times'", (str(int(left["value"]) - 1),))
        if left["value"] == "1":
            db.execute("DELETE FROM scenario WHERE name = ?", (call,))
    return str(now[call])


# --- Charges


def open_charge(
    *, reference: str, email: str, amount: int, currency: str, callback_url: str, metadata: object
) -> Row | None:
    """A new charge, or None when the reference is taken."""
    facts = {
        "reference": reference,
        "access_code": secrets.token_hex(8),
        "email": email,
        "requested_amount": amount,
        "callback_url": callback_url,
        "metadata": json.dumps(metadata),
        "status": "abandoned",
        "amount": amount,
        "currency": currency,
        "domain": scenario()["domain"],
        "fees": None,
        "channel": "card",
        "gateway_response": "The transaction was not completed",
        "paid_at": None,
        "created_at": now_text(),
    }
    names, marks = ", ".join(facts), ", ".join("?" * len(facts))
    with _open(write=True) as db:
        try:
            db.execute(f"INSERT INTO transactions ({names}) VALUES ({marks})", tuple(facts.values()))  # noqa: S608
        except sqlite3.IntegrityError:
            return None
        return _one(db.execute("SELECT * FROM transactions WHERE reference = ?", (reference,)))


def charge(*, reference: str = "", access_code: str = "", number: int = 0) -> Row | None:
    """The charge under this reference, access code or id."""
    with _open() as db:
        return _one(
            db.execute(
                "SELECT * FROM transactions WHERE reference = ? OR access_code = ? OR id = ?",
                (reference, access_code, number),
            )
        )


def charges(limit: int = 100) -> list[Row]:
    """The latest charges, newest first."""
    with _open() as db:
        return [dict(row) for row in db.execute("SELECT * FROM transactions ORDER BY id DESC LIMIT ?", (limit,))]


def move_charge(reference: str, **facts: Any) -> Row | None:
    """Give an unpaid charge these facts; None when it was paid before, so that only one of two payers wins."""
    assignments = ", ".join(f"{name} = ?" for name in facts)
    with _open(write=True) as db:
        changed = db.execute(
            f"UPDATE transactions SET {assignments}"  # noqa: S608
            " WHERE reference = ? AND status NOT IN ('success', 'reversed')",
            (*facts.values(), reference),
        ).rowcount
        if not changed:
            return None
        return _one(db.execute("SELECT * FROM transactions WHERE reference = ?", (reference,)))


# --- Refunds


def open_refund(*, of: Row, amount: int, note: str) -> Row | None:
    """A new refund, or None when it would give back more than was taken."""
    with _open(write=True) as db:
        returned = db.execute(
            "SELECT COALESCE(SUM(amount), 0) FROM refunds WHERE transaction_id = ? AND status <> 'failed'", (of["id"],)
        ).fetchone()[0]
        if amount <= 0 or returned + amount > of["amount"]:
            return None
        number = db.execute(
            "INSERT INTO refunds (transaction_id, reference, amount, currency, status, merchant_note, created_at)"
            " VALUES (?, ?, ?, ?, 'pending', ?, ?)",
            (of["id"], of["reference"], amount, of["currency"], note, now_text()),
        ).lastrowid
        return _one(db.execute("SELECT * FROM refunds WHERE id = ?", (number,)))


def refund(number: int) -> Row | None:
    """One refund."""
    with _open() as db:
        return _one(db.execute("SELECT * FROM refunds WHERE id = ?", (number,)))


def refunds(*, since: str = "", page: int = 1, limit: int = 50) -> list[Row]:
    """Refunds made from `since` on, newest first."""
    with _open() as db:
        rows = db.execute(
            "SELECT * FROM refunds WHERE datetime(created_at) >= datetime(?) ORDER BY id DESC LIMIT ? OFFSET ?",
            (since or "1970-01-01", limit, (page - 1) * limit),
        )
        return [dict(row) for row in rows]


def move_refund(number: int, status: str) -> Row | None:
    """Give a refund this status; a charge whose whole amount went back becomes reversed."""
    with _open(write=True) as db:
        db.execute("UPDATE refunds SET status = ? WHERE id = ? AND status <> 'processed'", (status, number))
        db.execute(
            "UPDATE transactions SET status = 'reversed' WHERE amount <= (SELECT SUM(amount) FROM refunds"
            " WHERE transaction_id = transactions.id AND refunds.status = 'processed')"
        )
        return _one(db.execute("SELECT * FROM refunds WHERE id = ?", (number,)))


# --- Disputes


def open_dispute(*, of: Row, amount: int, due_at: str) -> Row | None:
    """The payer's bank wants `amount` of a paid charge back; None while an earlier dispute of it is open."""
    with _open(write=True) as db:
        if db.execute(
            "SELECT 1 FROM disputes WHERE transaction_id = ? AND status <> 'resolved'", (of["id"],)
        ).fetchone():
            return None
        number = db.execute(
            "INSERT INTO disputes (transaction_id, reference, refund_amount, currency, domain, status, category,"
            " due_at, created_at) VALUES (?, ?, ?, ?, ?, 'awaiting-merchant-feedback', 'fraud', ?, ?)",
            (of["id"], of["reference"], amount, of["currency"], of["domain"], due_at, now_text()),
        ).lastrowid
        return _one(db.execute("SELECT * FROM disputes WHERE id = ?", (number,)))


def dispute(number: int) -> Row | None:
    """One dispute."""
    with _open() as db:
        return _one(db.execute("SELECT * FROM disputes WHERE id = ?", (number,)))


def disputes(*, since: str = "", page: int = 1, limit: int = 50) -> list[Row]:
    """Disputes raised from `since` on, newest first."""
    with _open() as db:
        rows = db.execute(
            "SELECT * FROM disputes WHERE datetime(created_at) >= datetime(?) ORDER BY id DESC LIMIT ? OFFSET ?",
            (since or "1970-01-01", limit, (page - 1) * limit),
        )
        return [dict(row) for row in rows]


def resolve_dispute(number: int, resolution: str) -> Row | None:
    """End an open dispute; None when it is resolved already."""
    with _open(write=True) as db:
        changed = db.execute(
            "UPDATE disputes SET status = 'resolved', resolution = ? WHERE id = ? AND status <> 'resolved'",
            (resolution, number),
        ).rowcount
        return _one(db.execute("SELECT * FROM disputes WHERE id = ?", (number,))) if changed else None


# --- Webhooks


def keep_webhook(*, event: str, reference: str, body: bytes) -> int:
    """Remember an event before it is sent; answers its number."""
    with _open(write=True) as db:
        number = db.execute(
            "INSERT INTO webhooks (event, reference, body, created_at) VALUES (?, ?, ?, ?)",
            (event, reference, body, now_text()),
        ).lastrowid
    return number or 0


def webhook(number: int) -> Row | None:
    """One event."""
    with _open() as db:
        return _one(db.execute("SELECT * FROM webhooks WHERE id = ?", (number,)))


def webhooks(limit: int = 100) -> list[Row]:
    """The latest events, newest first."""
    with _open() as db:
        return [dict(row) for row in db.execute("SELECT * FROM webhooks ORDER BY id DESC LIMIT ?", (limit,))]


def note_delivery(number: int, *, answer: str, delivered: bool) -> None:
    """Remember how one delivery went."""
    with _open(write=True) as db:
        db.execute(
            "UPDATE webhooks SET attempts = attempts + 1, answer = ?, delivered_at = COALESCE(delivered_at, ?)"
            " WHERE id = ?",
            (answer, now_text() if delivered else None, number),
        )


def forget_everything() -> None:
    """Start over with no charge, refund, dispute or event, and the default behaviour."""
    with _open(write=True) as db:
        for table in ("webhooks", "disputes", "refunds", "transactions", "scenario"):
            db.execute(f"DELETE FROM {table}")  # noqa: S608
