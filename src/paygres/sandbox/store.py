"""The state in SQLite: a file that survives restarts and kill -9 (WAL, one transaction per request), or memory."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from paygres.sandbox.packing import Packing

Object = dict[str, Any]


class StateError(Exception):
    """The state file cannot be used; the message is one sentence that says why."""


# Of the tables in store.sql; another one means another file.
FORMAT = 1
SCHEMA = Path(__file__).with_name("store.sql")

# The fields a list can be narrowed by, per kind of object. Dots lead into nested objects,
# `*` into each element of a list.
LINKS: dict[str, tuple[str, ...]] = {
    "billing_portal.configuration": ("active", "is_default"),
    "charge": ("customer", "payment_intent"),
    "checkout.session": ("customer", "customer_details.email", "payment_intent", "subscription", "status"),
    "coupon": (),
    "customer": ("email",),
    "dispute": ("charge", "payment_intent"),
    "event": ("type",),
    "invoice": ("customer", "status", "parent.subscription_details.subscription", "collection_method"),
    "invoice_payment": ("invoice", "status", "payment.payment_intent", "payment.type"),
    "payment_intent": ("customer",),
    "payment_method": ("customer", "type"),
    "price": ("active", "currency", "lookup_key", "product", "type", "recurring.interval", "recurring.usage_type"),
    "product": ("active", "url"),
    "promotion_code": ("active", "code", "customer"),
    "refund": ("charge", "payment_intent"),
    "subscription": ("customer", "status", "collection_method", "items.data.*.price.id"),
    "subscription_item": ("subscription",),
}


class Store:
    """Rows in, rows out; knows no rule of payments. Everything inside one `transaction()` happens or does not."""

    def __init__(self, path: Path | None) -> None:
        self._db = sqlite3.connect(str(path) if path else ":memory:", isolation_level=None, cached_statements=256)
        self.run = self._db.execute
        try:
            self._prepare(is_file=path is not None)
        except sqlite3.DatabaseError as problem:
            self._db.close()
            code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise StateError(f"The state file {path} is in use by another sandbox.") from None
            raise StateError(f"The state file {path} cannot be used: {problem}.") from None
        self._packing = Packing(self.run)

    def _prepare(self, *, is_file: bool) -> None:
        if is_file:
            # One process owns the file; a killed one leaves a journal that the next start reads back.
            self.run("PRAGMA busy_timeout = 500")
            self.run("PRAGMA locking_mode = EXCLUSIVE")
            self.run("PRAGMA journal_mode = WAL")
            self.run("PRAGMA synchronous = NORMAL")
            self.run("PRAGMA wal_autocheckpoint = 4000")
        self.run("PRAGMA cache_size = -32768")
        [version] = self.run("PRAGMA user_version").fetchone()
        if version not in (0, FORMAT):
            raise sqlite3.DatabaseError("it was written by another version of the sandbox; remove it to start anew")
        self._db.executescript(SCHEMA.read_text("utf-8"))
        self.run(f"PRAGMA user_version = {FORMAT}")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.run("ROLLBACK")
            self._packing.forget()
            raise
        self.run("COMMIT")

    def fact(self, name: str) -> str | None:
        row = self.run("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def set_fact(self, name: str, value: str) -> None:
        self.run("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", (name, value))

    def insert(self, account: str, item: Object, body: bytes, hidden: Object | None) -> None:
        seq = self.run(
            "INSERT INTO objects (id, account, kind, created, body, hidden) VALUES (?, ?, ?, ?, ?, ?)",
            (
                item["id"],
                account,
                item["object"],
                item.get("created", 0),
                self.pack(_sort(item), body),
                self._packed_hidden(item["id"], hidden),
            ),
        ).lastrowid
        self._link(seq, _links(item))

    def replace(self, before: Object, item: Object, body: bytes) -> None:
        """`before`: the object as it is stored."""
        packed = self.pack(_sort(item), body)
        [(seq,)] = self.run("UPDATE objects SET body = ? WHERE id = ? RETURNING seq", (packed, item["id"])).fetchall()
        present, wanted = set(_links(before)), set(_links(item))
        self._unlink(seq, present - wanted)
        self._link(seq, wanted - present)

    def bury(self, item: Object, tombstone: bytes) -> None:
        """The object leaves every list; its tombstone is what a retrieval finds."""
        packed = self.pack("tombstone", tombstone)
        [(seq,)] = self.run(
            "UPDATE objects SET body = ?, deleted = 1 WHERE id = ? RETURNING seq", (packed, item["id"])
        ).fetchall()
        self._unlink(seq, _links(item))

    def _link(self, seq: int | None, links: Iterable[tuple[str, str]]) -> None:
        for name, value in links:
            self.run("INSERT OR IGNORE INTO links (name, value, seq) VALUES (?, ?, ?)", (name, value, seq))

    def _unlink(self, seq: int, links: Iterable[tuple[str, str]]) -> None:
        for name, value in links:
            self.run("DELETE FROM links WHERE name = ? AND value = ? AND seq = ?", (name, value, seq))

    def body(self, account: str, id: str) -> tuple[str, bytes] | None:
        """(kind, JSON) of one object of the account, tombstones included."""
        row = self.run("SELECT kind, body FROM objects WHERE id = ? AND account = ?", (id, account)).fetchone()
        return (row[0], self.unpack(row[1])) if row else None

    def account_of(self, id: str) -> str | None:
        row = self.run("SELECT account FROM objects WHERE id = ?", (id,)).fetchone()
        return row[0] if row else None

    def hidden(self, id: str) -> Object:
        row = self.run("SELECT hidden FROM objects WHERE id = ?", (id,)).fetchone()
        return orjson.loads(self.unpack(row[0])) if row and row[0] else {}

    def set_hidden(self, id: str, hidden: Object) -> None:
        self.run("UPDATE objects SET hidden = ? WHERE id = ?", (self._packed_hidden(id, hidden), id))

    def seq(self, account: str, kind: str, id: str) -> int | None:
        row = self.run(
            "SELECT seq FROM objects WHERE id = ? AND account = ? AND kind = ?", (id, account, kind)
        ).fetchone()
        return row[0] if row else None

    def page(
        self,
        account: str,
        kind: str,
        *,
        links: Mapping[str, str | Iterable[str]],
        conditions: Iterable[tuple[str, Any]] = (),
        after: int | None = None,
        before: int | None = None,
        limit: int,
    ) -> list[bytes]:
        """Up to `limit` bodies, newest first. `links`: name -> value, or the values it may have. `conditions`:
        SQL with one `?` each. `after`/`before`: the row number a cursor names; with `before`, the rows
        nearest to it are taken."""
        where = ["account = ?", "kind = ?", "deleted = 0"]
        arguments: list[Any] = [account, kind]
        for name, wanted in links.items():
            values = [wanted] if isinstance(wanted, str) else list(wanted)
            marks = ", ".join("?" * len(values))
            where.append(f"seq IN (SELECT seq FROM links WHERE name = ? AND value IN ({marks}))")
            arguments += [f"{kind}.{name}", *values]
        for sql, argument in conditions:
            where.append(sql)
            arguments.append(argument)
        if after is not None:
            where.append("seq < ?")
            arguments.append(after)
        if before is not None:
            where.append("seq > ?")
            arguments.append(before)
        order = "ASC" if before is not None else "DESC"
        rows = self.run(
            f"SELECT body FROM objects WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT ?",
            (*arguments, limit),
        ).fetchall()
        bodies = [self.unpack(row[0]) for row in rows]
        return bodies[::-1] if before is not None else bodies

    def pack(self, sort: str, body: bytes) -> bytes:
        return self._packing.pack(sort, body)

    def unpack(self, packed: bytes) -> bytes:
        return self._packing.unpack(packed)

    def _packed_hidden(self, id: str, hidden: Object | None) -> bytes | None:
        return self.pack(f"hidden {id.partition('_')[0]}", orjson.dumps(hidden)) if hidden else None


def _sort(item: Object) -> str:
    """What bodies resemble: events those with the same object."""
    return f"event {item['data']['object']['object']}" if item["object"] == "event" else item["object"]


def _links(item: Object) -> Iterator[tuple[str, str]]:
    kind = item["object"]
    for name in LINKS.get(kind, ()):
        for value in _values(item, name.split(".")):
            if isinstance(value, bool):
                yield f"{kind}.{name}", "true" if value else "false"
            elif isinstance(value, str):
                yield f"{kind}.{name}", value


def _values(value: Any, steps: list[str]) -> Iterator[Any]:
    for place, step in enumerate(steps):
        if step == "*":
            for one in value or ():
                yield from _values(one, steps[place + 1 :])
            return
        value = value.get(step) if isinstance(value, dict) else None
    yield value
