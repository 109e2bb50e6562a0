"""Names for the statements that pass the proxy, and which of them belong to the roads under proof."""

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from paygres.server.tables.named import queries

Moment = Literal["before", "after"]
# What a program asks about itself: read at its start or now and then, on no event's and no checkout's road.
ASIDE = frozenset({
    "access", "api_keys", "audit", "audit_log", "connections", "customer_portal_sessions", "installation", "invariants",
    "metrics", "operator_requests", "secrets", "sign_ins", "syncs",
})  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Boundary:
    """One end of a statement as a program's connection sees it. `program` is server or worker, `pool` the connection's;
    before: PostgreSQL has not heard of it; after: PostgreSQL is done, and the program does not know."""

    program: str
    pool: str
    statement: str
    moment: Moment

    def __str__(self) -> str:
        return f"{self.program} ({self.pool}) {self.moment} {self.statement}"


@cache
def _names() -> dict[str, str]:
    tables = resources.files("paygres.server.tables")
    stems = sorted(file.name[:-4] for file in tables.iterdir() if file.name.endswith(".sql"))
    return {_plain(sql): f"{stem}.{name}" for stem in stems for name, sql in queries(stem)}


def _plain(sql: str) -> str:
    return " ".join(sql.split())


def name_of(sql: str, previous: str) -> str:
    """`events.open_event`, `BEGIN`, `COMMIT after events.close_event`; the first words of what has no name."""
    plain = _plain(sql)
    word = plain.partition(";")[0].partition(" ")[0].upper()
    if word in ("COMMIT", "ROLLBACK"):
        return f"{word} after {previous}"
    if word == "BEGIN":
        return word
    return _names().get(plain) or plain[:60]


def is_on_a_road(statement: str) -> bool:
    """Whether it is part of receiving, retrying or refetching, of a checkout, or of what follows from them."""
    told = re.sub(r"^(COMMIT|ROLLBACK) after ", "", statement)
    table, dot, _ = told.partition(".")
    return told == "BEGIN" or (bool(dot) and " " not in table and table not in ASIDE)
