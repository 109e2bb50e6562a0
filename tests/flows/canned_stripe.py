"""A real HTTP server that answers what a test tells it to: faults no healthy Stripe or sandbox would show."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any


@dataclass
class Said:
    """One answer. `reset` drops the connection instead; `half` drops it in the middle of the body.

    `together`: not before so many requests have arrived.
    """

    body: Any = field(default_factory=lambda: {"id": "obj_1"})
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0
    together: int = 1
    reset: bool = False
    half: bool = False


@dataclass
class Asked:
    """One request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: str


class CannedStripe:
    """Gives `script` answer by answer; the last one is repeated."""

    def __init__(self, *script: Said) -> None:
        self.script = list(script) or [Said()]
        self.asked: list[Asked] = []
        self.url = ""
        self._arrival = asyncio.Condition()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await _head(reader):
                request = await _request(head, reader)
                await self._arrives(request)
                said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                await asyncio.sleep(said.after)
                await self.arrived(said.together)
                if said.reset:
                    return
                wire = _wire(said)
                writer.write(wire[: len(wire) - 5] if said.half else wire)
                await writer.drain()
                if said.half:
                    return
        except ConnectionError:
            return
        finally:
            writer.close()

    async def arrived(self, count: int) -> None:
        """Until so many requests have arrived."""
        async with self._arrival:
            await self._arrival.wait_for(lambda: len(self.asked) >= count)

    async def _arrives(self, request: Asked) -> None:
        async with self._arrival:
            self.asked.append(request)
            self._arrival.notify_all()


@asynccontextmanager
async def canned(*script: Said) -> AsyncIterator[CannedStripe]:
    """A running CannedStripe at `.url`."""
    stripe = CannedStripe(*script)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(stripe.answer(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, backlog=512)
    stripe.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield stripe
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


async def _request(head: bytes, reader: asyncio.StreamReader) -> Asked:
    first, *lines = head.decode().strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body.decode())


def _wire(said: Said) -> bytes:
    body = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
    headers = {
        "Date": formatdate(usegmt=True),
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Request-Id": "req_canned",
        **said.headers,
    }
    lines = [f"HTTP/1.1 {said.status} Canned", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
