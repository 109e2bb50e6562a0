"""What an event costs when a million are stored already, and how the server stands a crowd of them.

Curve: whole purchases over one connection, CPU an event in server and PostgreSQL together, with nothing, a hundred
thousand and a million events in the ledger. Paced: 300 events a second over 16 connections, from when each was due.
Burst: ten times as many for a minute, each sent again until it is answered 200, as Stripe does; then the ledger is
counted.
"""

import asyncio
import sys
import time
from pathlib import Path

import asyncpg
import uvloop

from bench.events import delivery
from bench.report import Figure, Plan, percentile
from bench.stand import Stand, sample, standing
from bench.stored import analyze, store_purchases
from bench.webhook import bursts, deliveries

NAME = "ledger"
LEVELS = (0, 100_000, 1_000_000)
EVENTS_A_PURCHASE = 5
CPU_MS = 2.0
RATE, SENDERS, PACED_SECONDS, P99_MS = 300.0, 16, 10, 25.0
BURST_RATE, BURST_SECONDS, BURST_SENDERS = 3000.0, 60, 256
PATIENCE_SECONDS = 10.0  # Stripe's own; then it tries again


def run(plan: Plan, folder: Path) -> list[Figure]:
    """A stand for each level, so that one level's rows are not another's; pace and burst on the first."""
    figures: list[Figure] = []
    for level in LEVELS:
        stored = level // 100 if plan.quick else level
        place = folder / str(level)
        place.mkdir(mode=0o711)
        with standing(place) as stand:
            if stored:
                store_purchases(stand.urls.superuser, stored // EVENTS_A_PURCHASE)
            sample(stand, stand.server, deliveries(stand, plan.size(400)), 1)
            analyze(stand.urls.superuser)
            costs = [_cost(stand, plan.size(500)) for _ in range(plan.rounds)]
            figures.append(Figure(NAME, f"CPU an event, {stored} stored", "ms", costs, target=CPU_MS))
            if not level:
                figures += _crowds(plan, stand)
    return figures


def _cost(stand: Stand, count: int) -> float:
    taken = sample(stand, stand.server, deliveries(stand, count), 1)
    return taken.server_cpu + taken.postgres_cpu


def _crowds(plan: Plan, stand: Stand) -> list[Figure]:
    seconds = 1 if plan.quick else PACED_SECONDS
    paced = [_sent(stand, int(RATE * seconds), RATE, SENDERS).times for _ in range(plan.rounds)]
    label = f"{RATE:.0f} events/s"
    figures = [
        Figure(NAME, f"{label}: due to answered, p99", "ms", [percentile(t, 0.99) for t in paced], target=P99_MS),
        Figure(NAME, f"{label}: p50", "ms", [percentile(t, 0.5) for t in paced]),
    ]
    burst = _sent(stand, int(BURST_RATE * (1 if plan.quick else BURST_SECONDS)), BURST_RATE, BURST_SENDERS)
    print(f"bench: {NAME}: burst: {burst.again} sent again", file=sys.stderr, flush=True)
    what = f"burst of {BURST_RATE:.0f} events/s for {1 if plan.quick else BURST_SECONDS} s"
    return [
        *figures,
        Figure(NAME, f"{what}: lost", "events", [float(burst.lost)], target=0.0),
        Figure(NAME, f"{what}: taken in", "s", [burst.seconds]),
    ]


class _Sent:
    """Milliseconds from due to answered, sorted; how often one was sent again; how many the ledger lacks."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.again = 0
        self.lost = 0
        self.seconds = 0.0


def _sent(stand: Stand, count: int, rate: float, senders: int) -> _Sent:
    events = bursts(stand, count)[:count]
    before = asyncio.run(_stored(stand))
    found = uvloop.run(_send(stand.server.port, events, rate, senders))
    found.lost = len(events) - (asyncio.run(_stored(stand)) - before)
    return found


async def _send(port: int, events: list[bytes], rate: float, senders: int) -> _Sent:
    found = _Sent()
    began = time.perf_counter()
    waiting = iter(enumerate(events))

    async def sender() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for nth, event in waiting:
            due = began + nth / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            while True:
                try:
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        writer.write(delivery(event))  # signed now: the last come when the first would be stale
                        status = await _status(reader)
                except (TimeoutError, OSError, asyncio.IncompleteReadError):
                    status = 0
                if status == 200:
                    break
                found.again += 1
                writer.close()
                await asyncio.sleep(0.5)
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            found.times.append((time.perf_counter() - due) * 1000)
        writer.close()

    await asyncio.gather(*(sender() for _ in range(senders)))
    found.seconds = time.perf_counter() - began
    found.times.sort()
    return found


async def _status(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    return int(head[9:12])


async def _stored(stand: Stand) -> int:
    connection = await asyncpg.connect(stand.urls.superuser)
    try:
        return await connection.fetchval("select count(*) from payments.stripe_snapshots where source = 'event'")
    finally:
        await connection.close()
