"""Syncs of Stripe accounts, for admins: one answer at the end, or lines of progress on the way to it.

A sync belongs to the server, not to the request: it goes on when the client has gone.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from paygres.server.errors import PaygresError
from paygres.server.flows.requests.syncs import SyncRequest
from paygres.server.flows.sync_environment import Progress, Wanted, sync_environment
from paygres.server.flows.sync_plan import NAMES
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import Parts, parts_of
from paygres.server.http.render_errors import render
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import syncs as shapes
from paygres.server.http.validation import ENVIRONMENTS, environment_of, parse
from paygres.server.http.wire import Json

STREAM = "text/event-stream"
HEARTBEAT_SECONDS = 10.0  # proxies end a silent answer after 30 or 60
_CONTRACT = ("environment", "connection", "subscriptions")
_STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff"}


async def sync_all(request: Request) -> Response:
    actor = await require_admin(request)
    return await _sync(request, ENVIRONMENTS, Wanted(requested_by=actor))


async def sync_one(request: Request) -> Response:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    return await _sync(request, (environment,), Wanted(requested_by=actor))


async def sync_some(request: Request) -> Response:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    asked = parse(SyncRequest, await read_fields(request))
    objects = tuple(name for name in NAMES if asked.only is None or name in asked.only)
    wanted = Wanted(objects, asked.confirm_missing, actor, request_id())
    return await _sync(request, (environment,), wanted, told=(*_CONTRACT, "sync"))


class _Run:
    """The syncs of one request, and the newest progress of each noun that its client was not told yet."""

    def __init__(self, parts: Parts, environments: Sequence[str], wanted: Wanted) -> None:
        self.news: dict[tuple[str, str], Progress] = {}
        self.changed = asyncio.Event()
        self.done = parts.errands.start(self._all(parts, environments, wanted))
        self.done.add_done_callback(lambda _: self.changed.set())

    async def _all(self, parts: Parts, environments: Sequence[str], wanted: Wanted) -> list[dict[str, Any]]:
        syncs = (sync_environment(parts, one, wanted, on_progress=self._note) for one in environments)
        results = await asyncio.gather(*syncs, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return [result for result in results if isinstance(result, dict)]

    def _note(self, progress: Progress) -> None:
        self.news[progress.environment, progress.name] = progress
        self.changed.set()


async def _sync(
    request: Request, environments: Sequence[str], wanted: Wanted, *, told: Sequence[str] = _CONTRACT
) -> Response:
    run = _Run(parts_of(request), environments, wanted)
    if STREAM in request.headers.get("accept", ""):
        lines = _lines(run, told, request_id() or "")
        return StreamingResponse(lines, media_type=STREAM, headers=_STREAM_HEADERS)
    return Json(_body(await asyncio.shield(run.done), told))


async def _lines(run: _Run, told: Sequence[str], asked_by: str) -> AsyncIterator[bytes]:
    """`progress` as often as there is news, then `result` with the body of the plain answer, or `error` with an
    error's. A comment now and then keeps the connection open."""
    while not run.done.done():
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await run.changed.wait()
        except TimeoutError:
            yield b": the sync is running\n\n"
            continue
        run.changed.clear()
        news, run.news = run.news, {}
        for one in news.values():
            progress = {"environment": one.environment, "object": one.name, "done": one.done, "pages": one.pages}
            yield _line("progress", orjson.dumps(progress))
    try:
        yield _line("result", orjson.dumps(_body(run.done.result(), told)))
    except PaygresError as error:
        yield _line("error", bytes(render(error, asked_by).body))


def _line(event: str, content: bytes) -> bytes:
    return b"event: " + event.encode() + b"\ndata: " + content + b"\n\n"


def _body(results: Sequence[dict[str, Any]], told: Sequence[str]) -> dict[str, Any]:
    return {"results": [{name: result[name] for name in told} for result in results]}


_S = "/api/payments/stripe"
ROUTES = [
    Documented(
        "POST",
        f"{_S}/sync",
        sync_all,
        "Read both Stripe accounts anew; failures are inside the results",
        "admin",
        shapes.SyncAnswer,
        also=(STREAM,),
        errors=(401, 403, 503),
    ),
    Documented(
        "POST",
        f"{_S}/{{environment}}/sync",
        sync_one,
        "Read one Stripe account anew; a failure is inside the result",
        "admin",
        shapes.SyncAnswer,
        also=(STREAM,),
        errors=(400, 401, 403, 503),
    ),
    Documented(
        "POST",
        "/api/paygres/{environment}/sync",
        sync_some,
        "Read some objects of one Stripe account anew, or confirm what is missing there",
        "admin",
        shapes.SyncSomeAnswer,
        body=SyncRequest,
        also=(STREAM,),
        errors=(400, 401, 403, 413, 503),
    ),
]
