"""No list reads a whole table, whatever it is asked for: the plans of every combination of filters and order."""

import json
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import asyncpg
import pytest

from paygres.server.db.embedded import Urls
from paygres.server.tables.named import queries
from tests.fresh_database import FreshDatabase, cloned, in_its_own_loop
from tests.tables.many_rows import fill

ROWS = 10_000
LISTED = {"transactions", "stripe_subscriptions", "stripe_subscription_items", "customers"}
MIDDLE = (datetime(2024, 1, 4, tzinfo=UTC), uuid.UUID(int=7))
FIRST = (None, None)
MOST_FILTERS = 3  # together
SINCE, UNTIL = datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 7, tzinfo=UTC)
# Per query, every filter: how many parameters it has, and values that many rows have, that few have, that none has.
FILTERS: dict[tuple[str, str], list[list[tuple[Any, ...]]]] = {
    ("transactions", "page"): [
        [("succeeded",), ("failed",), ("refunded",)],
        [("one_time_payment",), ("failed_payment",), ("refund",)],
        [("team", "team_7"), ("team", "none")],
        [("cus_77",), ("none",)],
        [("usd",), ("jpy",), ("xxx",)],
        [(SINCE,)],
        [(UNTIL,)],
        [(["pi_5", "ch_5"],)],
        [("USER9@example.com",)],
    ],
    ("subscriptions", "page"): [
        [("active",), ("past_due",), ("none",)],
        [("team", "team_7")],
        [("cus_77",)],
        [(SINCE,)],
        [(UNTIL,)],
    ],
    ("customers", "page"): [
        [(True,), (False,)],
        [(SINCE,)],
        [(UNTIL,)],
        [("USER9@example.com",)],
    ],
}


@pytest.fixture(scope="module")
def filled(postgres: Urls) -> Iterator[FreshDatabase]:
    with cloned(postgres) as fresh:
        in_its_own_loop(fill(fresh.superuser_url, ROWS, 200))
        yield fresh


@pytest.fixture
async def service(filled: FreshDatabase) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the lists have it."""
    settings = {"role": "paygres_service", "search_path": "", "jit": "off", "plan_cache_mode": "force_custom_plan"}
    connection = await asyncpg.connect(filled.server_url, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()


async def faults(connection: asyncpg.Connection, query: str, arguments: Sequence[Any]) -> list[str]:
    """What a plan must not do: read a listed table as a whole, or sort more than a tenth of one."""
    found: list[str] = []
    [(text,)] = await connection.fetch(f"explain (format json) {query}", *arguments)
    nodes = [json.loads(text)[0]["Plan"]]
    for node in nodes:
        inner = node.get("Plans", [])
        nodes.extend(inner)
        kind, relation = node["Node Type"], node.get("Relation Name")
        if kind == "Seq Scan" and relation in LISTED:
            found.append(f"reads all of {relation}")
        if kind == "Sort" and inner[0]["Plan Rows"] > ROWS / 10:
            found.append(f"sorts {inner[0]['Plan Rows']} rows")
    return [f"{fault}: {list(arguments)}" for fault in found]


def asked(filters: list[list[tuple[Any, ...]]]) -> Iterator[list[Any]]:
    """Parameters for every few filters together, each with its values of one rank."""
    every = range(len(filters))
    for size in range(MOST_FILTERS + 1):
        for chosen in combinations(every, size):
            for rank in range(max((len(filters[n]) for n in chosen), default=1)):
                values: list[Any] = []
                for n, ranked in enumerate(filters):
                    values += ranked[min(rank, len(ranked) - 1)] if n in chosen else [None] * len(ranked[0])
                yield values


@pytest.mark.parametrize(("table", "name"), FILTERS)
async def test_a_page_walks_an_index_whatever_the_filters(service: asyncpg.Connection, table: str, name: str) -> None:
    query = getattr(queries(table), name)
    found: list[str] = []
    for values in asked(FILTERS[table, name]):
        for place in (FIRST, MIDDLE):
            for oldest_first in (False, True):
                found += await faults(service, query, ["test", *place, 51, oldest_first, *values])
    assert found == []


@pytest.mark.parametrize("price", ["price_1", "price_retired", "price_none"])
async def test_the_subscriptions_of_a_price_are_walked_from_their_items(
    service: asyncpg.Connection, price: str
) -> None:
    query = queries("subscriptions").page_of_price
    found: list[str] = []
    for values in asked(FILTERS["subscriptions", "page"]):
        for place in (FIRST, MIDDLE):
            for oldest_first in (False, True):
                found += await faults(service, query, ["test", *place, 51, oldest_first, *values, price])
    assert found == []


@pytest.mark.parametrize("pattern", ["user9%", "u%", "none%"])
async def test_beginnings_of_addresses_are_walked_by_address(service: asyncpg.Connection, pattern: str) -> None:
    query = queries("customers").page_of_addresses
    found: list[str] = []
    for place in (FIRST, ("user5@example.com", MIDDLE[1])):
        for deleted in (None, True, False):
            found += await faults(service, query, ["test", *place, 51, deleted, SINCE, None, pattern])
    assert found == []


@pytest.mark.parametrize(
    ("table", "name", "arguments"),
    [
        ("subscriptions", "recent", ["test", 100, None, None]),
        ("subscriptions", "recent", ["test", 100, "team", "team_7"]),
        ("customers", "alphabetical", ["test", 100]),
        ("transactions", "same_payment", ["test", "pi_5"]),
    ],
)
async def test_the_contracts_lists_walk_an_index(
    service: asyncpg.Connection, table: str, name: str, arguments: list[Any]
) -> None:
    assert await faults(service, getattr(queries(table), name), arguments) == []


async def test_what_a_customer_paid_is_found_by_customer_and_by_address(service: asyncpg.Connection) -> None:
    async with service.transaction():
        page = await service.fetch(queries("customers").alphabetical, "test", 100)
        assert sum(json.loads(row[0])["paymentsCount"] for row in page) > 100
        scans = "select pg_catalog.pg_stat_get_xact_numscans('payments.transactions'::regclass)"
        assert await service.fetchval(scans) == 0
