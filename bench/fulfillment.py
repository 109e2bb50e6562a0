"""From sending the webhook of a paid checkout to the order row read back as paid, one at a time.

The shop's table and trigger are those of `paygres dev`. The answer comes after the commit, so the row is read
once the answer is there; the time includes that read.
"""

import time
import uuid
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from bench.events import Purchase, completed, delivery, keep_checkouts
from bench.load import closed_loop
from bench.processes import ROOT, Running
from bench.report import Figure, Plan, percentile
from bench.stand import standing
from bench.stored import analyze

NAME = "fulfillment"
SHOP = ROOT / "src/paygres/recipes/orders.sql"
COUNT = 300
P99_MS = 50.0
PAUSE_SECONDS = 0.01
_ORDER = "insert into public.orders (id, price_id, amount, currency) values ($1, 'price_1Example', 2500, 'usd')"
_STATUS = "select status from {}.orders where id = $1"


def run(plan: Plan, folder: Path) -> list[Figure]:
    """Each round's p50 and p99 are over 300 orders."""
    ours: list[list[float]] = []
    floor: list[list[float]] = []
    with standing(folder, script=SHOP.read_text(), orders=True) as stand:
        uvloop.run(_pay(stand.urls.superuser, stand.server, "public", 20))
        uvloop.run(_pay(stand.urls.superuser, stand.floor, "bench", 20))
        analyze(stand.urls.superuser)
        for _ in range(plan.rounds):
            ours.append(uvloop.run(_pay(stand.urls.superuser, stand.server, "public", plan.size(COUNT))))
            floor.append(uvloop.run(_pay(stand.urls.superuser, stand.floor, "bench", plan.size(COUNT))))
    return [
        Figure(
            NAME,
            f"webhook sent to order paid: {name}",
            "ms",
            [percentile(times, share) for times in ours],
            [percentile(times, share) for times in floor],
            target=target,
        )
        for name, share, target in (("p50", 0.5, None), ("p99", 0.99, P99_MS), ("slowest", 1.0, None))
    ]


async def _pay(superuser_url: str, target: Running, schema: str, count: int) -> list[float]:
    """Milliseconds for each of `count` orders, sorted."""
    connection = await asyncpg.connect(superuser_url)
    try:
        times = [
            await _one(connection, target.port, schema, bought, order_id)
            for bought, order_id in await _orders(superuser_url, connection, schema, count)
        ]
        return sorted(times)
    finally:
        await connection.close()


async def _orders(superuser_url: str, connection: Any, schema: str, count: int) -> list[tuple[Purchase, uuid.UUID]]:
    """Pending orders, each with the checkout that will pay it."""
    made = [
        (completed(f"order{order_id.hex[:16]}", str(order_id)), order_id)
        for order_id in (uuid.uuid4() for _ in range(count))
    ]
    await keep_checkouts(superuser_url, [bought for bought, _ in made])
    statement = _ORDER if schema == "public" else "insert into bench.orders (id) values ($1)"
    await connection.executemany(statement, [(order_id,) for _, order_id in made])
    return made


async def _one(connection: Any, port: int, schema: str, bought: Purchase, order_id: uuid.UUID) -> float:
    await connection.fetchval(_STATUS.format(schema), order_id)  # the statement is prepared, the row in memory
    request = [delivery(bought.events[0])]
    time.sleep(PAUSE_SECONDS)  # noqa: ASYNC251 (nothing else runs here: idle is what we want)
    began = time.perf_counter()
    (await closed_loop(port, request, 1)).insist(1)
    status = await connection.fetchval(_STATUS.format(schema), order_id)
    took = time.perf_counter() - began
    if status != "paid":
        raise RuntimeError(f"order {order_id} is {status} after its webhook was answered")
    return took * 1000
