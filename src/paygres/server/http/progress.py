"""Answers of work that outlives its request: its body at the end, or lines of progress on the way to it.

The work belongs to the server, not to the request: it goes on when the client has gone.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from paygres.server.errors import PaygresError
from paygres.server.http.parts import Parts
from paygres.server.http.render_errors import render
from paygres.server.http.request_id import request_id
from paygres.server.http.wire import Json

STREAM = "text/event-stream"
_HEARTBEAT_SECONDS = 10.0  # proxies end a silent answer after 30 or 60
_STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff"}


class News:
    """The newest progress of each part of the work that its client was not told yet."""

    def __init__(self) -> None:
        self._untold: dict[tuple[str, str], dict[str, Any]] = {}
        self.changed = asyncio.Event()

    def note(self, environment: str, part: str, told: dict[str, Any]) -> None:
        self._untold[environment, part] = told
        self.changed.set()

    def take(self) -> list[dict[str, Any]]:
        """What is new, which is told then."""
        self.changed.clear()
        untold, self._untold = self._untold, {}
        return list(untold.values())


async def answer(
    request: Request,
    parts: Parts,
    work: Coroutine[Any, Any, dict[str, Any]],
    news: News,
    *,
    name: str,
    pause: float = 0.0,
) -> Response:
    """The body that `work` returns, as JSON, or as the last of the lines for a client that accepts a stream.

    `pause`: at least so many seconds between two tellings. Raises what the work raises, when it is not streamed.
    """
    done = parts.errands.start(work)
    done.add_done_callback(lambda _: news.changed.set())
    if STREAM in request.headers.get("accept", ""):
        lines = _lines(done, news, name, pause, request_id() or "")
        return StreamingResponse(lines, media_type=STREAM, headers=_STREAM_HEADERS)
    return Json(await asyncio.shield(done))


async def _lines(
    done: asyncio.Task[dict[str, Any]], news: News, name: str, pause: float, asked_by: str
) -> AsyncIterator[bytes]:
    """`progress` as often as there is news, then `result` with the body of the plain answer, or `error` with an
    error's. A comment now and then keeps the connection open."""
    while not done.done():
        try:
            async with asyncio.timeout(_HEARTBEAT_SECONDS):
                await news.changed.wait()
        except TimeoutError:
            yield f": the {name} is running\n\n".encode()
            continue
        for told in news.take():
            yield _line("progress", orjson.dumps(told))
        if pause:
            await asyncio.wait([done], timeout=pause)
    try:
        yield _line("result", orjson.dumps(done.result()))
    except PaygresError as error:
        yield _line("error", bytes(render(error, asked_by).body))


def _line(event: str, content: bytes) -> bytes:
    return b"event: " + event.encode() + b"\ndata: " + content + b"\n\n"
