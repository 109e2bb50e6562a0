"""A sink for the sandbox's webhooks: answers 200 at once and counts."""

import asyncio
import time
from dataclasses import dataclass
from typing import cast

from bench.load import closed_loop, request
from bench.processes import Running, cpu_seconds

LIMIT_SECONDS = 120.0
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Delivered:
    """Deliveries a second, and CPU of the sandbox for each in ms."""

    rate: float
    cpu: float


class Sink(asyncio.Protocol):
    """One keep-alive connection of the sandbox's."""

    def __init__(self, counted: list[float]) -> None:
        self._counted = counted
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) >= length:
            self._received = body[length:]
            self._counted.append(time.perf_counter())
            self._transport.write(ANSWER)


async def deliver(ours: Running, count: int) -> Delivered:
    """Registers a sink, seeds `count` customers with their events, and waits until all have arrived. Counts what
    arrives after the seeding was answered, for that shares the process."""
    arrived: list[float] = []
    server = await asyncio.get_running_loop().create_server(lambda: Sink(arrived), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    key = {"Authorization": f"Bearer {ours.line['secretKey']}"}
    endpoint = request("POST", "/v1/webhook_endpoints", f"url={url}&enabled_events[]=*".encode(), key)
    seed = request("POST", "/_sim/seed", b'{"customers": %d, "events": true}' % count, key)
    (await closed_loop(ours.port, [endpoint, seed], 1)).insist(2)
    cpu, began, already = cpu_seconds(ours.pid), time.perf_counter(), len(arrived)
    async with asyncio.timeout(LIMIT_SECONDS):
        while len(arrived) < count:  # noqa: ASYNC110 (the sink only counts)
            await asyncio.sleep(0.01)
    cpu = cpu_seconds(ours.pid) - cpu
    server.close()
    return Delivered((count - already) / (arrived[-1] - began), cpu / (count - already) * 1000)
