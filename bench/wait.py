"""From sending the webhook of a paid checkout to the answer of the buyer who waits for it (`?wait=`).

Alone: one buyer waits, one event comes, silence between. Crowd: 200 buyers wait all the time, each for the next
purchase, while whole purchases arrive at 300 events a second over 16 connections; how late they were sent, because all
of these were busy, is told. Idle: what 200 cost who wait for a purchase that does not come.
"""

import asyncio
import itertools
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import uvloop

from bench.events import Purchase, completed, delivery, keep_checkouts, purchase
from bench.processes import cpu_seconds, family_cpu_seconds
from bench.report import Figure, Plan, percentile
from bench.stand import API_KEY, Stand, standing
from bench.stored import analyze

NAME = "wait"
ALONE, CROWD, PURCHASES, SENDERS, RATE = 150, 200, 500, 16, 300.0
IDLE_SECONDS = 4.0
P99_MS = 100.0
_numbers = itertools.count(1)


@dataclass(slots=True)
class _Run:
    """Milliseconds of each wait, sorted; `behind`: how late the latest event was sent."""

    times: list[float]
    behind: float = 0.0


class _Client:
    """One connection: a request, its whole answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> "_Client":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> bytes:
        """The body; raises unless it is a 200."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        body = await self._reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        if head[9:12] != b"200":
            raise RuntimeError(f"{head[:15]!r}: {body[:300]!r}")
        return body

    def close(self) -> None:
        self._writer.close()


def run(plan: Plan, folder: Path) -> list[Figure]:
    """Each round has both series; the tables grow."""
    alone: list[list[float]] = []
    crowd: list[_Run] = []
    idle: list[float] = []
    with standing(folder) as stand:
        uvloop.run(_alone(stand, 20))
        analyze(stand.urls.superuser)
        for _ in range(plan.rounds):
            alone.append(uvloop.run(_alone(stand, plan.size(ALONE))))
            crowd.append(uvloop.run(_crowd(stand, plan.size(PURCHASES))))
            idle.append(uvloop.run(_idle(stand)))
    behind = max(one.behind for one in crowd)
    print(f"bench: {NAME}: events were sent at most {behind * 1000:.0f} ms late", file=sys.stderr, flush=True)
    series = (("1 waits", alone), (f"{CROWD} wait, {RATE:.0f} events/s", [one.times for one in crowd]))
    figures = [
        Figure(
            NAME,
            f"{label}: webhook sent to answer, {name}",
            "ms",
            [percentile(times, share) for times in rounds],
            target=target,
        )
        for label, rounds in series
        for name, share, target in (("p50", 0.5, None), ("p99", 0.99, P99_MS), ("slowest", 1.0, None))
    ]
    return [*figures, Figure(NAME, f"{CROWD} wait for nothing: CPU, all processes", "% of a core", idle)]


def _waiting(bought: Purchase) -> bytes:
    path = f"/api/paygres/test/checkout-sessions/{bought.row_id}?wait=30"
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {API_KEY}\r\n\r\n".encode()


async def _wait(client: _Client, bought: Purchase) -> float:
    """When the answer came; raises when it was not about a settled purchase."""
    answer = orjson.loads(await client.ask(_waiting(bought)))
    arrived = time.perf_counter()
    if answer["settled"] is not True or answer["checkoutSession"]["paymentStatus"] != "paid":
        raise RuntimeError(f"not settled: {answer}")
    return arrived


async def _alone(stand: Stand, count: int) -> list[float]:
    bought = [completed(f"wait{number:07d}", "") for number in itertools.islice(_numbers, count)]
    await keep_checkouts(stand.urls.superuser, bought)
    buyer, stripe = await _Client.open(stand.server.port), await _Client.open(stand.server.port)
    times: list[float] = []
    for one in bought:
        answer = asyncio.create_task(_wait(buyer, one))
        await asyncio.sleep(0.03)
        request = delivery(one.events[0])
        began = time.perf_counter()
        await stripe.ask(request)
        times.append((await answer - began) * 1000)
    buyer.close()
    stripe.close()
    return sorted(times)


async def _crowd(stand: Stand, count: int) -> _Run:
    bought = [purchase(f"crowd{number:07d}", number) for number in itertools.islice(_numbers, count)]
    await keep_checkouts(stand.urls.superuser, bought)
    sent: dict[str, float] = {}
    found = _Run([])
    buyers = [await _Client.open(stand.server.port) for _ in range(CROWD)]
    stripes = asyncio.Queue[_Client]()
    for _ in range(SENDERS):
        stripes.put_nowait(await _Client.open(stand.server.port))
    turn = iter(bought)

    async def buy(client: _Client, turn: Iterator[Purchase]) -> None:
        for one in turn:
            arrived = await _wait(client, one)
            found.times.append((arrived - sent[one.name]) * 1000)
        client.close()

    waiting = [asyncio.create_task(buy(client, turn)) for client in buyers]
    await asyncio.sleep(1.0)
    sending: set[asyncio.Task[None]] = set()

    async def send(client: _Client, request: bytes) -> None:
        await client.ask(request)
        stripes.put_nowait(client)

    began = time.perf_counter()
    events = [(one, event) for one in bought for event in one.events]
    for nth, (one, event) in enumerate(events):
        due = began + nth / RATE
        await asyncio.sleep(due - time.perf_counter())
        stripe = await stripes.get()
        found.behind = max(found.behind, time.perf_counter() - due)
        if b'"checkout.session.completed"' in event:
            sent[one.name] = time.perf_counter()
        task = asyncio.create_task(send(stripe, delivery(event)))
        sending.add(task)
        task.add_done_callback(sending.discard)
    await asyncio.gather(*sending, *waiting)
    while not stripes.empty():
        stripes.get_nowait().close()
    found.times.sort()
    return found


async def _idle(stand: Stand) -> float:
    bought = [purchase(f"idle{number:07d}", number) for number in itertools.islice(_numbers, CROWD)]
    await keep_checkouts(stand.urls.superuser, bought)
    buyers = [await _Client.open(stand.server.port) for _ in range(CROWD)]
    waiting = [asyncio.create_task(_wait(buyer, one)) for buyer, one in zip(buyers, bought, strict=True)]
    await asyncio.sleep(1.0)
    before = cpu_seconds(stand.server.pid) + family_cpu_seconds(stand.postmaster)
    await asyncio.sleep(IDLE_SECONDS)
    spent = cpu_seconds(stand.server.pid) + family_cpu_seconds(stand.postmaster) - before
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    for buyer in buyers:
        buyer.close()
    return spent / IDLE_SECONDS * 100
