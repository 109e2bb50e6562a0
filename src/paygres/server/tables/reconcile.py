"""Compare rows of the mirror with what Stripe tells, and what of them Stripe did not list."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from paygres.server.db.database import Database, Tx
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("reconcile")


@dataclass(frozen=True, slots=True)
class KnownObject:
    """What is known of an object that Stripe told. `recent`: something newer is. `raw` is ours where it differs."""

    known: bool
    recent: bool
    deleted: bool
    account_id: str | None
    payment_key: str | None
    misplaced: bool
    raw: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class DifferentRow:
    """A row as it is here and as Stripe would have it; None where there is none."""

    table_name: str
    key: str
    object_id: str
    ours: dict[str, Any] | None
    stripes: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Seen:
    """An object that Stripe listed at `as_of` (Unix seconds); `payload` where our rows say something else."""

    object_type: str
    object_id: str
    as_of: int
    payment_key: str | None = None
    payload: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentFamily:
    """Everything about one payment; a member's `told` is what Stripe listed since, at `told_at`."""

    key: str
    stands_alone: bool
    members: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Standing:
    """Which rows could have been listed: of an account's objects of one type, made at `since` or later and before
    `began` (Unix seconds)."""

    run: uuid.UUID
    environment: str
    account_id: str
    object_type: str
    since: int | None
    began: int


@dataclass(frozen=True, slots=True)
class UnlistedRow:
    """A row for an object that Stripe did not list; the amount is in minor units."""

    object_id: str
    table_name: str
    key: str
    payment_key: str | None
    amount: int | None
    currency: str | None


async def known_objects(
    tx: Tx,
    run: uuid.UUID,
    environment: str,
    account_id: str,
    object_type: str,
    as_of: int,
    *,
    payloads: Mapping[str, str],
    keys: Sequence[str | None],
) -> list[KnownObject]:
    """What is known of objects of one type (`payloads`: JSON by id), in their order; `keys` are their payments'."""
    with translated():
        rows = await tx.fetch(
            Q.known_objects,
            run,
            environment,
            account_id,
            object_type,
            as_of,
            list(payloads),
            list(payloads.values()),
            keys,
        )
    return [
        KnownObject(
            row["known"],
            row["recent"],
            row["deleted"],
            row["account_id"],
            row["payment_key"],
            row["misplaced"],
            _json(row["raw"]),
        )
        for row in sorted(rows, key=lambda row: row["nth"])
    ]


async def compare_rows(
    tx: Tx,
    environment: str,
    account_id: str,
    object_type: str,
    ids: Sequence[str],
    rows: Mapping[str, Any],
    raws: Mapping[str, str],
) -> list[DifferentRow]:
    """Rows that applying `rows` would change; nothing is changed. `raws`: the objects' JSON by id."""
    by_id = "{" + ",".join([f"{orjson.dumps(name).decode()}:{raw}" for name, raw in raws.items()]) + "}"
    with translated():
        found = await tx.fetch(
            Q.compare_rows, environment, account_id, object_type, ids, orjson.dumps(rows).decode(), by_id
        )
    return [
        DifferentRow(row["table_name"], row["key"], row["object_id"], _json(row["ours"]), _json(row["stripes"]))
        for row in found
    ]


async def insert_seen(tx: Tx, run: uuid.UUID, page: Sequence[Seen]) -> None:
    """Remember what a page of one type listed."""
    if page:
        await tx.execute(
            Q.insert_seen,
            run,
            page[0].object_type,
            page[0].as_of,
            [one.object_id for one in page],
            [one.payment_key for one in page],
            [one.payload for one in page],
        )


async def select_kept(tx: Tx, environment: str, object_type: str, ids: Sequence[str]) -> set[str]:
    """Which of these objects have a settled state here."""
    return {row["object_id"] for row in await tx.fetch(Q.select_kept, environment, object_type, ids)}


async def select_different(
    db: Database, run: uuid.UUID, object_types: Sequence[str], after: tuple[str, str], limit: int
) -> list[Seen]:
    """Objects of these types that were told otherwise than our rows do, in the order of type and id."""
    rows = await db.fetch(Q.select_different, run, *after, object_types, limit)
    return [Seen(r["object_type"], r["object_id"], r["as_of"], None, r["payload"]) for r in rows]


async def update_looked(
    tx: Tx, run: uuid.UUID, object_type: str, looked: Sequence[tuple[str, str | None, bool]]
) -> None:
    """What a second look says of objects: (id, the payment it is about, whether our rows still differ)."""
    await tx.execute(Q.update_looked, run, object_type, *([one[nth] for one in looked] for nth in range(3)))


async def select_payments(db: Database, run: uuid.UUID, after: str, limit: int) -> list[str]:
    """Keys of payments that something listed is about, in order."""
    return [row["payment_key"] for row in await db.fetch(Q.select_payments, run, after, limit)]


async def payment_families(tx: Tx, run: uuid.UUID, environment: str, keys: Sequence[str]) -> list[PaymentFamily]:
    """Everything about these payments, whose locks (in the order given) are taken."""
    with translated():
        await tx.execute(Q.lock_payments, environment, keys)
        rows = await tx.fetch(Q.payment_families, run, environment, keys)
    return [PaymentFamily(row["payment_key"], row["stands_alone"], _json(row["members"])) for row in rows]


async def apply_rows(tx: Tx, environment: str, account_id: str, rows: Mapping[str, Any]) -> None:
    """Write projected rows that stand for no single object."""
    with translated():
        await tx.execute(Q.apply_rows, environment, account_id, orjson.dumps(rows).decode())


async def revive(
    db: Database, environment: str, object_type: str, object_id: str, links: Sequence[Mapping[str, Any]]
) -> None:
    """Stripe lists this object: it is not deleted, and `links` say which intents pay which invoices."""
    with translated():
        await db.execute(Q.revive, environment, object_type, [object_id], orjson.dumps(links).decode())


async def settle_mappings(db: Database, environment: str, account_id: str, evidence: Mapping[str, Any]) -> None:
    """Settle anew whose the customer of a piece of evidence is."""
    with translated():
        await db.execute(Q.settle_mappings, environment, account_id, orjson.dumps([evidence]).decode())


async def leave_payment(db: Database, environment: str, object_type: str, object_id: str) -> None:
    """A tombstone belongs to no payment, and has no items."""
    with translated():
        await db.execute(Q.leave_payment, environment, object_type, object_id)


async def mark(tx: Tx, run: uuid.UUID) -> None:
    """Leave a mark in the working memory, which PostgreSQL empties when it crashes."""
    await insert_seen(tx, run, [Seen("", "", 0)])


async def is_marked(db: Database, run: uuid.UUID) -> bool:
    """Whether everything is still remembered."""
    return bool(await select_listed(db, run, {("", "")}))


async def count_unlisted(db: Database, where: Standing) -> tuple[int, int]:
    """(objects that rows here stand for, those of them that Stripe did not list)."""
    row = await db.fetchrow(Q.count_unlisted, *_where(where))
    assert row is not None
    return row["kept"], row["missing"]


async def select_unlisted(db: Database, where: Standing, after: str, limit: int) -> list[UnlistedRow]:
    """The rows of at most `limit` objects that were not listed, in the order of their ids."""
    rows = await db.fetch(Q.select_unlisted, *_where(where), after, limit)
    return [UnlistedRow(**dict(row)) for row in rows]


async def select_listed(db: Database, run: uuid.UUID, objects: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (type, id) Stripe listed."""
    types, ids = [one for one, _ in objects], [one for _, one in objects]
    return {(row["object_type"], row["object_id"]) for row in await db.fetch(Q.select_listed, run, types, ids)}


async def insert_unmapped(
    db: Database, run: uuid.UUID, environment: str, account_id: str, *, subscriptions: bool, customers: bool
) -> None:
    """Record live subscriptions, and customers with payments, that belong to no subject."""
    if subscriptions:
        await db.execute(Q.unmapped_subscriptions, run, environment, account_id)
    if customers:
        await db.execute(Q.unmapped_customers, run, environment, account_id)


def _where(where: Standing) -> tuple[Any, ...]:
    return (where.run, where.environment, where.account_id, where.object_type, where.since, where.began)


def _json(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)
