"""Read the ledger page by page, and make the mirrored tables say what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from paygres.server.db.database import Database, Tx
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("rebuild")


@dataclass(frozen=True, slots=True)
class KindInLedger:
    """One kind of objects, the range of their ids, and how many tellings there are."""

    object_type: str
    first: str
    last: str
    snapshots: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of the ledger; `payload` is the event or the object as JSON text."""

    object_id: str
    source: str
    as_of: int
    event_id: str | None
    account_id: str
    payload: str


@dataclass(frozen=True, slots=True)
class Stamped:
    """A settled object that bears a stamp; the payment and the customer it is about; its parts where `stamps` are."""

    object_type: str
    object_id: str
    payment_key: str | None
    customer: str | None
    stamps: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredFamily:
    """The settled objects of a payment. `alone`: Stripe was asked, and the intent pays no invoice."""

    payment_key: str
    account_id: str
    members: list[dict[str, Any]]
    alone: bool


@dataclass(frozen=True, slots=True)
class Image:
    """A row: its table, what names it (JSON), and its columns."""

    table: str
    key: str
    columns: dict[str, Any]


async def kinds_in_ledger(db: Database, environment: str) -> list[KindInLedger]:
    """Every object type of which the ledger has heard."""
    with translated():
        async with db.as_service(settings="SET LOCAL statement_timeout = '10min'") as tx:
            rows = await tx.fetch(Q.kinds_in_ledger, environment)
    return [KindInLedger(r["object_type"], r["first"], r["last"], r["snapshots"]) for r in rows]


async def objects_page(
    db: Database, environment: str, kind: KindInLedger, after: str, snapshots: int, objects: int
) -> list[str]:
    """Ids of the next objects, in order: at least one while there are any."""
    with translated():
        rows = await db.fetch(Q.objects_page, environment, kind.object_type, after, kind.last, snapshots, objects)
    return [r["object_id"] for r in rows]


async def select_snapshots(tx: Tx, environment: str, object_type: str, ids: Sequence[str]) -> list[Stored]:
    """Everything told of these objects, object by object in the order it was heard."""
    with translated():
        rows = await tx.fetch(Q.select_snapshots, environment, object_type, list(ids))
    return [Stored(*row.values()) for row in rows]


async def select_stamped(db: Database, environment: str, installation_id: str) -> list[Stamped]:
    """Settled objects with a stamp that need not be of this installation; those of a payment together."""
    with translated():
        async with db.as_service(settings="SET LOCAL statement_timeout = '10min'") as tx:
            rows = await tx.fetch(Q.select_stamped, environment, installation_id)
    return [
        Stamped(r["object_type"], r["object_id"], r["payment_key"], r["customer"], orjson.loads(r["stamps"]))
        for r in rows
    ]


async def take_out_strangers(tx: Tx, environment: str, strangers: Sequence[Stamped]) -> None:
    """Remove what these objects became here. Customers' rows stay."""
    types, ids = [one.object_type for one in strangers], [one.object_id for one in strangers]
    customers = sorted({one.customer for one in strangers if one.customer})
    with translated():
        await tx.execute(Q.take_out_strangers, environment, types, ids, customers)


async def lock_payments(tx: Tx, environment: str, payment_keys: Sequence[str]) -> dict[str, str]:
    """Take the locks of payments (in `in_lock_order`) and of invoices their intents pay: intent to invoice, "" for
    one that pays none."""
    with translated():
        rows = await tx.fetch(Q.lock_payments, environment, list(payment_keys))
    return {r["payment_intent_id"]: r["invoice_id"] for r in rows}


async def rebuild_standing_alone(tx: Tx, environment: str, ids: Sequence[str] | None = None) -> None:
    """Which intents pay no invoice, by what Stripe answered; all of them, or some."""
    with translated():
        await tx.execute(Q.rebuild_standing_alone, environment, None if ids is None else list(ids))


async def rebuild_links(tx: Tx, environment: str, links: Sequence[Mapping[str, object]]) -> None:
    """Which intents pay which invoices."""
    with translated():
        await tx.execute(Q.rebuild_links, environment, orjson.dumps(links).decode())


async def rebuild_evidence(tx: Tx, environment: str, account_id: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Which subjects pay as which customers; their mappings follow."""
    with translated():
        await tx.execute(Q.rebuild_evidence, environment, account_id, orjson.dumps(rows).decode())


async def rebuild_objects(
    tx: Tx, environment: str, account_id: str, rows: Mapping[str, Any], raws: Mapping[str, Any]
) -> None:
    """Make the rows of settled objects (locks held) what they should be. `raws`: their JSON by id."""
    with translated():
        await tx.execute(
            Q.rebuild_objects, environment, account_id, orjson.dumps(rows).decode(), orjson.dumps(raws).decode()
        )


async def customers_page(db: Database, environment: str, after: str, limit: int) -> list[tuple[str, str]]:
    """(customer, account) of the next customers somebody pays as."""
    with translated():
        rows = await db.fetch(Q.customers_page, environment, after, limit)
    return [(r["customer_id"], r["account_id"]) for r in rows]


async def rebuild_mappings(tx: Tx, environment: str, account_id: str, customers: Sequence[str]) -> None:
    """Whose own these customers are, by all evidence."""
    with translated():
        await tx.execute(Q.rebuild_mappings, environment, account_id, list(customers))


async def payments_page(db: Database, environment: str, after: str, limit: int) -> list[str]:
    """The next payments of which settled objects are."""
    with translated():
        rows = await db.fetch(Q.payments_page, environment, after, limit)
    return [r["payment_key"] for r in rows]


async def select_families(tx: Tx, environment: str, payment_keys: Sequence[str]) -> list[StoredFamily]:
    """The settled objects of payments whose locks are held."""
    with translated():
        rows = await tx.fetch(Q.select_families, environment, list(payment_keys))
    return [StoredFamily(r["payment_key"], r["account_id"], orjson.loads(r["family"]), r["alone"]) for r in rows]


async def rebuild_payments(tx: Tx, environment: str, account_id: str, rows: Mapping[str, Any]) -> None:
    """The rows of payments and their refunds."""
    with translated():
        await tx.execute(Q.rebuild_payments, environment, account_id, orjson.dumps(rows).decode())


async def select_images(tx: Tx, environment: str, ids: Sequence[str]) -> dict[tuple[str, str], Image]:
    """Mirrored rows that some ids name, by (table, key)."""
    with translated():
        rows = await tx.fetch(Q.select_images, environment, list(ids))
    return {(r["table"], r["key"]): Image(r["table"], r["key"], orjson.loads(r["content"])) for r in rows}


async def select_extra(
    db: Database, environment: str, limit: int, *, transactions: bool
) -> list[tuple[str, dict[str, Any]]]:
    """(table, key) of rows about objects the ledger has never heard of, at most `limit` of each table."""
    with translated():
        async with db.as_service(settings="SET LOCAL statement_timeout = '10min'") as tx:
            rows = await tx.fetch(Q.select_extra, environment, transactions, limit)
    return [(r["table"], orjson.loads(r["key"])) for r in rows]


async def transactions_page(
    db: Database, environment: str, after: Any, limit: int
) -> list[tuple[Any, str | None, str | None]]:
    """(row id, object type, object id) of the next payments' rows."""
    with translated():
        rows = await db.fetch(Q.transactions_page, environment, after, limit)
    return [(r["id"], r["provider_object_type"], r["provider_object_id"]) for r in rows]


async def remove_extra(tx: Tx, environment: str) -> int:
    """Remove rows about objects the ledger has never heard of; how many. Customers' stay."""
    with translated():
        return await tx.fetchval(Q.remove_extra, environment) or 0
