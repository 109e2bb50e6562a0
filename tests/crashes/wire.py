"""A TCP proxy before PostgreSQL that reads just enough of the protocol to know where statements begin and end.

It asks at each end whether somebody dies there. If so, the connection falls silent: what came is passed on to nobody.
"""

import asyncio
import contextlib
import struct
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit, urlunsplit

from tests.crashes.statements import Boundary, Moment, name_of

CANCEL = 80877102
CHUNK = 65536

Strike = Callable[[Boundary], bool]


class Proxy:
    """Listens for one program's connections. `strike` is told of every boundary; True: somebody was killed there."""

    def __init__(self, program: str, port: int, strike: Strike) -> None:
        self.program = program
        self._target = port
        self._strike = strike
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)

    def url(self, direct: str) -> str:
        """The URL of a database, by way of this proxy."""
        assert self._server is not None
        parts = urlsplit(direct)
        at = f"{parts.username}:{parts.password}@127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return urlunsplit(parts._replace(netloc=at, query="sslmode=disable"))

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            (length,) = struct.unpack("!i", head := await reader.readexactly(4))
            hello = await reader.readexactly(length - 4)
            upstream, downstream = await asyncio.open_connection("127.0.0.1", self._target)
            downstream.write(head + hello)
            both = _Both(self.program, _pool(hello), self._strike, writer, downstream)
            pumps = [asyncio.ensure_future(both.asks(reader)), asyncio.ensure_future(both.answers(upstream))]
            if struct.unpack("!i", hello[:4]) == (CANCEL,):
                await asyncio.wait(pumps)
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            downstream.close()
        writer.close()


def _pool(hello: bytes) -> str:
    words = hello[4:].split(b"\0")
    named = dict(zip(words[::2], words[1::2], strict=False)).get(b"application_name", b"")
    return named.decode().removeprefix("paygres ") or "direct"


class _Both:
    """The two directions of one connection. asyncpg sends one statement and waits, so one name is enough."""

    def __init__(
        self, program: str, pool: str, strike: Strike, client: asyncio.StreamWriter, server: asyncio.StreamWriter
    ) -> None:
        self._program, self._pool, self._strike = program, pool, strike
        self._client, self._server = client, server
        self._prepared: dict[bytes, str] = {}
        self._running: str | None = None
        self._previous = ""

    async def asks(self, reader: asyncio.StreamReader) -> None:
        """Client to server: a statement begins with a simple query, or with the Bind of a prepared one."""
        buffer = bytearray()
        while chunk := await reader.read(CHUNK):
            buffer += chunk
            passed = bytearray()
            for kind, frame in _frames(buffer):
                if kind == b"P":
                    name, sql, _ = frame[5:].split(b"\0", 2)
                    self._prepared[name] = sql.decode()
                elif kind in (b"Q", b"B"):
                    words = frame[5:].split(b"\0", 2)
                    sql = words[0].decode() if kind == b"Q" else self._prepared.get(words[1], "")
                    self._running = name_of(sql, self._previous)
                    if self._strikes("before"):
                        return
                passed += frame
            self._server.write(passed)
            await self._server.drain()

    async def answers(self, reader: asyncio.StreamReader) -> None:
        """Server to client: a statement is over with ReadyForQuery, and the client learns of it only then."""
        buffer = bytearray()
        while chunk := await reader.read(CHUNK):
            buffer += chunk
            passed = bytearray()
            for kind, frame in _frames(buffer):
                if kind == b"Z" and self._running is not None:
                    if self._strikes("after"):
                        return
                    self._previous, self._running = self._running, None
                passed += frame
            self._client.write(passed)
            await self._client.drain()

    def _strikes(self, moment: Moment) -> bool:
        return self._strike(Boundary(self._program, self._pool, self._running or "", moment))


def _frames(buffer: bytearray) -> Iterator[tuple[bytes, bytes]]:
    """(type, whole message) of every complete message; the rest stays in the buffer."""
    while len(buffer) >= 5:
        (length,) = struct.unpack_from("!i", buffer, 1)
        if len(buffer) <= length:
            return
        frame = bytes(buffer[: length + 1])
        del buffer[: length + 1]
        yield frame[:1], frame
