"""The developer's own tables as rows of plain values, and what a played history needs around them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from paygres.server.db.database import Tx
from paygres.server.tables.named import queries

Q = queries("developers_tables")
# The connection's own role made these tables; one that hides rows from its owner must not look empty.
_AS_OWNER = "SET LOCAL role none; SET LOCAL row_security = off; SET LOCAL statement_timeout = '10s'"


@dataclass(frozen=True, slots=True)
class Column:
    """`type` as PostgreSQL names it; `generated`: a new value for every row."""

    name: str
    type: str
    part_of_key: bool
    generated: bool


@dataclass(frozen=True, slots=True)
class Table:
    """`name` with its schema, as people write it."""

    name: str
    quoted: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An event that is not done, or (`event_id` None) a payment whose reversal is due; why."""

    event_id: str | None
    payment_key: str | None
    error: str | None


async def list_tables(tx: Tx) -> list[Table]:
    """By name."""
    found: dict[tuple[str, str], list[Column]] = {}
    for row in await tx.fetch(Q.list_columns):
        column = Column(row["column"], row["type"], row["part_of_key"], row["generated"])
        found.setdefault((row["schema"], row["name"]), []).append(column)
    return [
        Table(f"{schema}.{name}", f"{_quoted(schema)}.{_quoted(name)}", tuple(columns))
        for (schema, name), columns in found.items()
    ]


async def read_rows(tx: Tx, tables: Sequence[Table]) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table. The transaction is their owner's from here on, until a savepoint takes that back."""
    if not tables:
        return {}
    statement = " union all ".join(
        f"select {number} as number, (select coalesce(json_agg(t), '[]') from {table.quoted} t)::text as rows"
        for number, table in enumerate(tables)
    )
    await tx.execute(_AS_OWNER)
    found = await tx.fetch(statement)
    return {tables[row["number"]].name: orjson.loads(row["rows"]) for row in found}


async def add_checkout(
    tx: Tx,
    row_id: uuid.UUID,
    mode: str,
    subject: tuple[str, str] | None,
    line_items: list[dict[str, Any]],
    metadata: dict[str, str],
    session_id: str,
    currency: str,
    amount_subtotal: int,
    created: int,
) -> None:
    """The row of a checkout whose buyer is at Stripe."""
    kind, ident = subject or (None, None)
    told = orjson.dumps(line_items).decode(), orjson.dumps(metadata).decode()
    await tx.execute(Q.add_checkout, row_id, mode, kind, ident, *told, session_id, currency, amount_subtotal, created)


async def unfinished(tx: Tx) -> list[Unfinished]:
    """Events in the queue by id, then reversals that are due."""
    return [Unfinished(*row) for row in await tx.fetch(Q.unfinished)]


async def settle_reversal(tx: Tx, environment: str, payment_key: str) -> str | None:
    """What the worker does with a payment whose money changed; what developers' code said against it."""
    await tx.execute("SAVEPOINT reversal")
    try:
        await tx.execute(Q.settle_reversal, environment, payment_key)
        await tx.execute("SET CONSTRAINTS ALL IMMEDIATE; RELEASE SAVEPOINT reversal")
    except asyncpg.PostgresError as error:
        await tx.execute("ROLLBACK TO SAVEPOINT reversal; RELEASE SAVEPOINT reversal")
        return str(error)
    return None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
