"""Comparisons of the mirror with Stripe, for admins: start one, with progress on the way, and read what it found.

A comparison belongs to the server, not to the request: it goes on when the client has gone.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from paygres.server.errors import PaygresError
from paygres.server.flows.operator import Operator
from paygres.server.flows.reconcile import Asked, reconcile
from paygres.server.flows.reconcile_report import read_report
from paygres.server.flows.requests.reconcile import ReconcileQuery, ReconcileRequest
from paygres.server.flows.sync_pages import Progress
from paygres.server.flows.sync_plan import NAMES
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import Parts, parts_of
from paygres.server.http.render_errors import render
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import reconcile as shapes
from paygres.server.http.sync import HEARTBEAT_SECONDS, STREAM
from paygres.server.http.validation import environment_of, parse, parse_query
from paygres.server.http.wire import Json

_STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff"}


async def newest(request: Request) -> Json:
    await require_admin(request)
    environment = environment_of(request.path_params)
    query = parse_query(ReconcileQuery, request)
    return Json(await read_report(parts_of(request).db, environment, query))


async def start(request: Request) -> Response:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    body = parse(ReconcileRequest, await read_fields(request))
    asked = Asked(
        body.fix,
        body.confirm,
        tuple(name for name in NAMES if body.only is None or name in body.only),
        None if body.since is None else int(body.since.timestamp()),
    )
    run = _Run(parts_of(request), environment, asked, Operator(actor, request_id(), body.reason))
    if STREAM in request.headers.get("accept", ""):
        return StreamingResponse(_lines(run, request_id() or ""), media_type=STREAM, headers=_STREAM_HEADERS)
    return Json(await asyncio.shield(run.done))


class _Run:
    """One comparison, and the newest progress of each of its parts that its client was not told yet."""

    def __init__(self, parts: Parts, environment: str, asked: Asked, operator: Operator) -> None:
        self.news: dict[str, Progress] = {}
        self.changed = asyncio.Event()
        self.done: asyncio.Task[dict[str, Any]] = parts.errands.start(
            reconcile(parts, environment, asked, operator, on_progress=self._note)
        )
        self.done.add_done_callback(lambda _: self.changed.set())

    def _note(self, progress: Progress) -> None:
        self.news[progress.name] = progress
        self.changed.set()


async def _lines(run: _Run, asked_by: str) -> AsyncIterator[bytes]:
    """`progress` as often as there is news, then `result` with the body of the plain answer, or `error` with an
    error's. A comment now and then keeps the connection open."""
    while not run.done.done():
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await run.changed.wait()
        except TimeoutError:
            yield b": the comparison is running\n\n"
            continue
        run.changed.clear()
        news, run.news = run.news, {}
        for one in news.values():
            told = {"environment": one.environment, "object": one.name, "done": one.done, "pages": one.pages}
            yield _line("progress", orjson.dumps(told))
    try:
        yield _line("result", orjson.dumps(run.done.result()))
    except PaygresError as error:
        yield _line("error", bytes(render(error, asked_by).body))


def _line(event: str, content: bytes) -> bytes:
    return b"event: " + event.encode() + b"\ndata: " + content + b"\n\n"


_PATH = "/api/paygres/{environment}/reconcile"
ROUTES = [
    Documented(
        "GET",
        _PATH,
        newest,
        "What the newest comparison with Stripe found",
        "admin",
        shapes.ReconcileAnswer,
        query=ReconcileQuery,
        errors=(400, 401, 403, 404, 503),
    ),
    Documented(
        "POST",
        _PATH,
        start,
        "Compare the mirror with Stripe row by row, and repair it when asked to",
        "admin",
        shapes.ReconcileAnswer,
        body=ReconcileRequest,
        also=(STREAM,),
        errors=(400, 401, 403, 413, 503),
    ),
]
