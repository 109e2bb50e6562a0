"""The mirror made anew from the ledger, for admins: one answer at the end, or lines of progress on the way to it.

A rebuild belongs to the server, not to the request: it goes on when the client has gone. One at a time a server.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from paygres.server.errors import PaygresError, Unavailable
from paygres.server.flows.operator import Operator
from paygres.server.flows.rebuild_phases import Progress
from paygres.server.flows.rebuild_projections import Wanted, rebuild_projections
from paygres.server.flows.requests.rebuild import RebuildRequest
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.render_errors import render
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import rebuild as shapes
from paygres.server.http.validation import environment_of, parse
from paygres.server.http.wire import Json

STREAM = "text/event-stream"
TELL_SECONDS = 1.0
_STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff"}


async def rebuild(request: Request) -> Response:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    asked = parse(RebuildRequest, await read_fields(request))
    parts = parts_of(request)
    if not hasattr(request.app.state, "rebuilding"):
        request.app.state.rebuilding = set[str]()
    busy: set[str] = request.app.state.rebuilding
    if environment in busy:
        raise Unavailable(f"A rebuild of {environment} is running; try again when it is done", retry_after=60)
    busy.add(environment)
    news: dict[str, Progress] = {}
    done = parts.errands.start(
        rebuild_projections(
            parts.db,
            environment,
            parts.installation_id,
            Wanted(asked.dry_run, asked.remove_extra),
            Operator(actor, request_id(), asked.reason),
            lambda progress: news.update({progress.phase: progress}),
        )
    )
    done.add_done_callback(lambda _: busy.discard(environment))
    if STREAM in request.headers.get("accept", ""):
        return StreamingResponse(_lines(done, news, request_id() or ""), media_type=STREAM, headers=_STREAM_HEADERS)
    return Json(await asyncio.shield(done))


async def _lines(done: asyncio.Task[dict[str, Any]], news: dict[str, Progress], asked_by: str) -> AsyncIterator[bytes]:
    """`progress` once a second, then `result` with the body of the plain answer, or `error` with an error's."""
    while not done.done():
        await asyncio.wait([done], timeout=TELL_SECONDS)
        for one in list(news.values()):
            del news[one.phase]
            told = {"environment": one.environment, "phase": one.phase, "done": one.done}
            yield b"event: progress\ndata: " + orjson.dumps(told) + b"\n\n"
        yield b": the rebuild is running\n\n"
    try:
        yield b"event: result\ndata: " + orjson.dumps(done.result()) + b"\n\n"
    except PaygresError as error:
        yield b"event: error\ndata: " + bytes(render(error, asked_by).body) + b"\n\n"


ROUTES = [
    Documented(
        "POST",
        "/api/paygres/{environment}/rebuild",
        rebuild,
        "The mirrored tables anew from the ledger; or tell which rows would differ",
        "admin",
        shapes.RebuildAnswer,
        body=RebuildRequest,
        also=(STREAM,),
        errors=(400, 401, 403, 413, 503),
    ),
]
