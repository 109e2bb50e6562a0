"""What the database says, without row ids and our own clocks: two equal digests are the same state."""

import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import asyncpg
import orjson

Digest = dict[str, list[Any]]

TABLES = {
    "stripe_checkout_sessions": "environment, id, status, payment_status, checkout_session_id, customer_id,"
    " payment_intent_id, subscription_id, url, currency, amount_subtotal, raw, last_error, superseded_by",
    "transactions": "*",
    "customers": "*",
    "customer_mappings": "*",
    "subject_customers": "*",
    "stripe_products": "*",
    "stripe_prices": "*",
    "stripe_subscriptions": "*",
    "stripe_subscription_items": "*",
    "payment_invoices": "*",
    "stripe_objects": "*",
    "attention": "environment, account_id, reason, object_type, object_id, subject_type, subject_id, details",
}
ONLY = {"attention": "where closed_at is null"}
_CLOCKS = "- 'id' - 'created_at' - 'updated_at' - 'synced_at'"

# What every subject may use, item by item, and the answer to each name it could be asked for.
_ACCESS = """
    with subjects as (
        select environment, subject_type, subject_id from payments.subject_customers
        union select environment, subject_type, subject_id from payments.stripe_subscriptions
        union select environment, subject_type, subject_id from payments.stripe_checkout_sessions
    ), told as (
        select s.environment, s.subject_type, s.subject_id, to_jsonb(a) as access,
               array_remove(array[a.lookup_key, a.plan_family, a.product_id, a.price_id], null) as names
        from subjects s cross join payments.access_of(s.environment, s.subject_type, s.subject_id) a
        where s.subject_type is not null
    )
    select to_jsonb(t)::text as row from (
        select environment, subject_type, subject_id, access, null as name, null as has_access from told
        union all
        select distinct environment, subject_type, subject_id, null::jsonb, name,
               payments.has_access(subject_type, subject_id, name, environment)
        from told, unnest(names) as name
    ) t order by 1
"""


async def digest(url: str) -> Digest:
    """Every mirrored row, table by table, in an order of its own content; and who has access to what."""
    connection = await asyncpg.connect(url)
    try:
        return {table: [orjson.loads(row) for row in rows] for table, rows in (await _texts(connection)).items()}
    finally:
        await connection.close()


def differing_rows(one: Digest, other: Digest) -> list[str]:
    """The rows that only one of two digests has: <table> < or > the row, cut short."""
    found: list[str] = []
    for table in sorted({*one, *other}):
        ours, theirs = one.get(table, []), other.get(table, [])
        for here, there in zip_longest(*(sorted(map(_plain, rows)) for rows in (ours, theirs))):
            if here != there:
                found += [
                    f"{table} {sign} {row[:2000]}" for sign, row in (("<", here), (">", there)) if row is not None
                ]
    return found


def _plain(row: Any) -> str:
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS).decode()


async def digests_of_copies(connection: asyncpg.Connection, names: Sequence[dict[str, str]]) -> list[Digest]:
    """The digest of each of some histories that were played side by side into one database.

    `names`: for each of them its own names and what they stand for; a row belongs to the one whose name it holds. Rows
    that hold no such name are an error (ValueError): two histories would share them.
    """
    whose = {own: number for number, those in enumerate(names) for own in those}
    stands_for = {own: plain for those in names for own, plain in those.items()}
    pattern = re.compile("|".join(sorted(map(re.escape, whose), key=len, reverse=True)))
    found: list[Digest] = [{} for _ in names]
    for table, rows in (await _texts(connection)).items():
        for row in rows:
            held = pattern.search(row)
            if held is None:
                raise ValueError(f"a row of {table} belongs to nobody: {row[:200]}")
            plain = pattern.sub(lambda m: stands_for[m.group()], row)
            found[whose[held.group()]].setdefault(table, []).append(orjson.loads(plain))
    return [{table: sorted(rows, key=repr) for table, rows in one.items()} for one in found]


async def _texts(connection: asyncpg.Connection) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for table, columns in TABLES.items():
        keep_id = "" if table != "stripe_checkout_sessions" else "|| jsonb_build_object('id', t.id)"
        rows = await connection.fetch(
            f"select (to_jsonb(t) {_CLOCKS} {keep_id})::text as row"
            f" from (select {columns} from payments.{table} {ONLY.get(table, '')}) t order by 1"
        )
        found[table] = [r["row"] for r in rows]
    found["access"] = [r["row"] for r in await connection.fetch(_ACCESS)]
    return found
