"""The state in SQLite: a file that survives restarts and kill -9 (WAL, one transaction per request), or memory."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from paygres.sandbox.links import links_of
from paygres.sandbox.packing import Packing

Object = dict[str, Any]
# Where an object stands in the lists of its kind: (created, row number).
Place = tuple[int, int]


class StateError(Exception):
    """The state file cannot be used; the message is one sentence that says why."""


# Of the tables in store.sql; another one means another file.
FORMAT = 1
SCHEMA = Path(__file__).with_name("store.sql")
# From so many rows on, a filter is not selective.
MANY = 400


@dataclass(frozen=True, slots=True)
class Bulk:
    """One object of many, its JSON and its links made already."""

    id: str
    kind: str
    created: int
    body: bytes
    hidden: bytes | None
    links: Iterable[tuple[str, str]]


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
        self._link(seq, links_of(item))

    def insert_many(self, account: str, rows: Iterable[Bulk]) -> None:
        """What `insert` does, for thousands of objects whose links are known already."""
        [last] = self.run("SELECT coalesce(max(seq), 0) FROM objects").fetchone()
        objects: list[tuple[Any, ...]] = []
        links: list[tuple[str, str, int]] = []
        for seq, row in enumerate(rows, last + 1):
            hidden = self.pack(_hidden_sort(row.id), row.hidden) if row.hidden else None
            objects.append((seq, row.id, account, row.kind, row.created, self.pack(row.kind, row.body), hidden))
            links.extend((name, value, seq) for name, value in row.links)
        self._db.executemany(
            "INSERT INTO objects (seq, id, account, kind, created, body, hidden) VALUES (?, ?, ?, ?, ?, ?, ?)", objects
        )
        self._db.executemany("INSERT OR IGNORE INTO links (name, value, seq) VALUES (?, ?, ?)", links)

    def replace(self, before: Object, item: Object, body: bytes) -> None:
        """`before`: the object as it is stored."""
        packed = self.pack(_sort(item), body)
        [(seq,)] = self.run("UPDATE objects SET body = ? WHERE id = ? RETURNING seq", (packed, item["id"])).fetchall()
        present, wanted = set(links_of(before)), set(links_of(item))
        self._unlink(seq, present - wanted)
        self._link(seq, wanted - present)

    def bury(self, item: Object, tombstone: bytes) -> None:
        """The object leaves every list; its tombstone is what a retrieval finds."""
        packed = self.pack("tombstone", tombstone)
        [(seq,)] = self.run(
            "UPDATE objects SET body = ?, deleted = 1 WHERE id = ? RETURNING seq", (packed, item["id"])
        ).fetchall()
        self._unlink(seq, links_of(item))

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

    def accounts_with(self, kind: str) -> list[str]:
        """Every account that has an object of the kind, which is one of those in the index `rare_objects`."""
        sql = f"SELECT DISTINCT account FROM objects WHERE kind || '' = '{kind}' AND deleted = 0"
        return [row[0] for row in self.run(sql).fetchall()]

    def hidden(self, id: str) -> Object:
        row = self.run("SELECT hidden FROM objects WHERE id = ?", (id,)).fetchone()
        return orjson.loads(self.unpack(row[0])) if row and row[0] else {}

    def set_hidden(self, id: str, hidden: Object) -> None:
        self.run("UPDATE objects SET hidden = ? WHERE id = ?", (self._packed_hidden(id, hidden), id))

    def place(self, account: str, kind: str, id: str) -> Place | None:
        """Where the object stands in its lists."""
        row: Place | None = self.run(
            "SELECT created, seq FROM objects WHERE id = ? AND account = ? AND kind = ?", (id, account, kind)
        ).fetchone()
        return row

    def page(
        self,
        account: str,
        kind: str,
        *,
        links: Mapping[str, str | Iterable[str]],
        conditions: Iterable[tuple[str, Any]] = (),
        after: Place | None = None,
        before: Place | None = None,
        limit: int,
    ) -> list[bytes]:
        """Up to `limit` bodies, newest first. `links`: name -> value, or the values it may have. `conditions`:
        SQL with one `?` each. `after`/`before`: the place of a cursor; with `before`, the rows nearest to it
        are taken."""
        where = ["account = ?", "kind = ?", "deleted = 0"]
        arguments: list[Any] = [account, kind]
        for name, wanted in links.items():
            values = [wanted] if isinstance(wanted, str) else list(wanted)
            found = f"FROM links WHERE name = ? AND value IN ({', '.join('?' * len(values))})"
            named = [f"{kind}.{name}", *values]
            if self._are_many(found, named):
                # Looks along the list, where most rows fit, and stops when the page is full.
                where.append(f"EXISTS (SELECT 1 {found} AND seq = objects.seq)")
            else:
                where.append(f"seq IN (SELECT seq {found})")
                # The plus keeps SQLite from walking along the list for these few rows.
                where[0] = "+account = ?"
            arguments += named
        for sql, argument in conditions:
            where.append(sql)
            arguments.append(argument)
        for place, sign in ((after, "<"), (before, ">")):
            if place is not None:
                where.append(f"(created, seq) {sign} (?, ?)")
                arguments += place
        order = "ASC" if before is not None else "DESC"
        rows = self.run(
            f"SELECT body FROM objects WHERE {' AND '.join(where)} ORDER BY created {order}, seq {order} LIMIT ?",
            (*arguments, limit),
        ).fetchall()
        bodies = [self.unpack(row[0]) for row in rows]
        return bodies[::-1] if before is not None else bodies

    def _are_many(self, found: str, named: list[str]) -> bool:
        [count] = self.run(f"SELECT count(*) FROM (SELECT 1 {found} LIMIT {MANY})", named).fetchone()
        return count == MANY

    def pack(self, sort: str, body: bytes) -> bytes:
        return self._packing.pack(sort, body)

    def unpack(self, packed: bytes) -> bytes:
        return self._packing.unpack(packed)

    def _packed_hidden(self, id: str, hidden: Object | None) -> bytes | None:
        return self.pack(_hidden_sort(id), orjson.dumps(hidden)) if hidden else None


def _hidden_sort(id: str) -> str:
    return f"hidden {id.partition('_')[0]}"


def _sort(item: Object) -> str:
    """What bodies resemble: events those with the same object."""
    return f"event {item['data']['object']['object']}" if item["object"] == "event" else item["object"]
