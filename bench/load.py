"""A closed-loop HTTP/1.1 client: so many keep-alive connections, each sending its next request as soon as the
last one was answered. Requests are bytes made before the clock starts, so that the clock sees no making."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import uvloop

LIMIT_SECONDS = 120.0


@dataclass(slots=True)
class Outcome:
    """What came back. `latencies` in seconds, sorted; `seconds` from the first byte to the last answer."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list[float])
    statuses: Counter[int] = field(default_factory=Counter[int])
    refusal: str = ""

    @property
    def all_ok(self) -> bool:
        return set(self.statuses) <= {200, 201}

    def insist(self, count: int) -> "Outcome":
        """Itself; raises when an answer is missing or was not a success, for then nothing was measured."""
        if not self.all_ok or len(self.latencies) != count:
            raise RuntimeError(f"{dict(self.statuses)} of {count} requests; the first refusal: {self.refusal}")
        return self


def post(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """One POST of JSON on the wire."""
    return request("POST", path, body, {"Content-Type": "application/json", **headers})


def request(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Any request on the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"Content-Length: {len(body)}"] if body else []
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def send(port: int, requests: Sequence[bytes], clients: int) -> Outcome:
    """Send all of them over `clients` connections to 127.0.0.1; raises unless every one succeeds."""
    return uvloop.run(closed_loop(port, requests, clients)).insist(len(requests))


async def closed_loop(port: int, requests: Sequence[bytes], clients: int) -> Outcome:
    """All connections are open before the first byte is sent."""
    outcome = Outcome()
    waiting = iter(requests)
    loop = asyncio.get_running_loop()
    buyers = [
        (await loop.create_connection(lambda: _Client(waiting, outcome), "127.0.0.1", port))[1] for _ in range(clients)
    ]
    began = time.perf_counter()
    for buyer in buyers:
        buyer.next()
    async with asyncio.timeout(LIMIT_SECONDS):
        await asyncio.gather(*(buyer.done for buyer in buyers))
    outcome.seconds = time.perf_counter() - began
    outcome.latencies.sort()
    return outcome


class _Client(asyncio.Protocol):
    """One connection. Understands answers with a Content-Length, which is all our servers send."""

    def __init__(self, waiting: Iterator[bytes], outcome: Outcome) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting = waiting
        self._outcome = outcome
        self._received = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it

    def next(self) -> None:
        """Send the next request, or close when there is none."""
        request = next(self._waiting, None)
        if request is None:
            self._finish()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._outcome.latencies.append(time.perf_counter() - self._sent_at)
        status = int(head[9:12])
        self._outcome.statuses[status] += 1
        if status >= 400 and not self._outcome.refusal:
            self._outcome.refusal = body[:300].decode(errors="replace")
        self._received = b""
        self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish()  # with a request unanswered the counts will not fit

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
            self._transport.close()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise RuntimeError(f"an answer without Content-Length: {head[:200]!r}")
