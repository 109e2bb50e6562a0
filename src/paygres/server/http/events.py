"""The event log for admins: what came, what became of it, and once more from the beginning."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from paygres.server.errors import InvalidRequest
from paygres.server.flows.backfill_events import backfill_events
from paygres.server.flows.list_events import list_events
from paygres.server.flows.operator import Operator
from paygres.server.flows.read_event import read_attempts, read_diff, read_effects, read_event
from paygres.server.flows.replay_event import replay_event, retry_queued_events
from paygres.server.flows.replay_events import replay_events
from paygres.server.flows.requests.events import (
    BackfillRequest,
    EventQuery,
    EventsQuery,
    ReplayRequest,
    ReplaySelection,
    RetryRequest,
)
from paygres.server.flows.stream_events import news_since, stream_events
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.paging import answer_page
from paygres.server.http.parts import parts_of
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import events as shapes
from paygres.server.http.validation import environment_of, parse, parse_query
from paygres.server.http.wire import Json
from paygres.server.tables.event_log import Position
from paygres.server.tables.keyset import Page, Place

_LONGEST_ID = 255
_COLUMNS = tuple(shapes.LoggedEvent.__annotations__)


async def many(request: Request) -> Response:
    await require_admin(request)
    environment = environment_of(request.path_params)
    query = parse_query(EventsQuery, request)
    db = parts_of(request).db

    async def fetch(after: Place | None, limit: int) -> Page[dict[str, Any]]:
        return await list_events(db, environment, query, after, limit)

    return await answer_page(request, query, fetch, noun="events", columns=_COLUMNS)


async def one(request: Request) -> Json:
    environment, event_id = await _event(request)
    query = parse_query(EventQuery, request)
    return Json(await read_event(parts_of(request).db, environment, event_id, payload=query.payload))


async def attempts(request: Request) -> Json:
    environment, event_id = await _event(request)
    return Json(await read_attempts(parts_of(request).db, environment, event_id))


async def effects(request: Request) -> Json:
    environment, event_id = await _event(request)
    return Json(await read_effects(parts_of(request).db, environment, event_id))


async def diff(request: Request) -> Json:
    environment, event_id = await _event(request)
    return Json(await read_diff(parts_of(request).db, environment, event_id))


async def replay(request: Request) -> Json:
    operator = Operator(await require_admin(request), request_id())
    environment, event_id = environment_of(request.path_params), _id(request)
    wanted = parse(ReplayRequest, await read_fields(request))
    return Json(await replay_event(parts_of(request), environment, event_id, wanted, operator))


async def replay_some(request: Request) -> Json:
    operator = Operator(await require_admin(request), request_id())
    environment = environment_of(request.path_params)
    wanted = parse(ReplaySelection, await read_fields(request))
    return Json(await replay_events(parts_of(request), environment, wanted, operator))


async def retry(request: Request) -> Json:
    operator = Operator(await require_admin(request), request_id())
    environment = environment_of(request.path_params)
    wanted = parse(RetryRequest, await read_fields(request))
    return Json(await retry_queued_events(parts_of(request), environment, wanted, operator))


async def backfill(request: Request) -> Json:
    operator = Operator(await require_admin(request), request_id())
    environment = environment_of(request.path_params)
    wanted = parse(BackfillRequest, await read_fields(request))
    return Json(await backfill_events(parts_of(request), environment, wanted, operator))


async def stream(request: Request) -> Response:
    """Server-sent events (`event: event`, an entry of the log) for those who accept them; for others the news since
    `Last-Event-ID` as JSON."""
    await require_admin(request)
    environment = environment_of(request.path_params)
    after = _position(request.headers.get("last-event-id"))
    parts = parts_of(request)
    if "text/event-stream" not in request.headers.get("accept", ""):
        news = await news_since(parts.db, environment, after)
        return Json({"events": news.events, "lastEventId": _name(news.position)})
    parts.streams.require_room()

    async def lines() -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        async for news in stream_events(parts.db, parts.streams, environment, after):
            yield _lines(news.position, news.events)

    return StreamingResponse(
        lines(),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff"},
    )


def _name(position: Position) -> str:
    return f"{position.ledger}-{position.attempts}"


def _lines(position: Position, events: list[dict[str, Any]]) -> bytes:
    if not events:
        return b": nothing new\n\n"
    at = f"id: {_name(position)}\nevent: event\ndata: ".encode()
    return b"".join(at + orjson.dumps(one) + b"\n\n" for one in events)


def _position(last: str | None) -> Position | None:
    if not last:
        return None
    ledger, _, tried = last.partition("-")
    if not (ledger.isdecimal() and tried.isdecimal() and ledger.isascii() and tried.isascii() and len(last) < 40):
        raise InvalidRequest("Last-Event-ID: Expected the id of an event of this stream")
    return Position(min(int(ledger), 2**62), min(int(tried), 2**62))


async def _event(request: Request) -> tuple[str, str]:
    await require_admin(request)
    return environment_of(request.path_params), _id(request)


def _id(request: Request) -> str:
    event_id = request.path_params["id"].strip()
    if not event_id or len(event_id) > _LONGEST_ID:
        raise InvalidRequest(f"id: String must contain 1 to {_LONGEST_ID} character(s)")
    return event_id


_E = "/api/paygres/{environment}/events"
_I = f"{_E}/{{id}}"
_ERRORS = (400, 401, 403, 503)
_OF_ONE = (*_ERRORS, 404)
ROUTES = [
    Documented(
        "GET",
        _E,
        many,
        "Events, newest first",
        "admin",
        shapes.EventsAnswer,
        query=EventsQuery,
        also=("text/csv",),
        errors=_ERRORS,
    ),
    Documented(
        "GET",
        f"{_E}/stream",
        stream,
        "Events as they come and change, as server-sent events",
        "admin",
        shapes.NewsAnswer,
        also=("text/event-stream",),
        errors=_ERRORS,
    ),
    Documented(
        "POST",
        f"{_E}/retry",
        retry,
        "Try unfinished events of a selection at once",
        "admin",
        shapes.RetryAnswer,
        body=RetryRequest,
        errors=(*_ERRORS, 413),
    ),
    Documented(
        "POST",
        f"{_E}/backfill",
        backfill,
        "Fetch what Stripe lists and did not deliver",
        "admin",
        shapes.BackfillAnswer,
        body=BackfillRequest,
        errors=(*_ERRORS, 413, 429, 502),
    ),
    Documented(
        "POST",
        f"{_E}/replay",
        replay_some,
        "Run the events of a selection again; or tell what that would change and what would fire",
        "admin",
        shapes.ReplaySelectionAnswer,
        body=ReplaySelection,
        errors=(*_ERRORS, 413),
    ),
    Documented("GET", _I, one, "One event", "admin", shapes.EventAnswer, query=EventQuery, errors=_OF_ONE),
    Documented("GET", f"{_I}/attempts", attempts, "Its attempts", "admin", shapes.AttemptsAnswer, errors=_OF_ONE),
    Documented("GET", f"{_I}/effects", effects, "Rows it concerns", "admin", shapes.EffectsAnswer, errors=_OF_ONE),
    Documented("GET", f"{_I}/diff", diff, "What it changed in its object", "admin", shapes.DiffAnswer, errors=_OF_ONE),
    Documented(
        "POST",
        f"{_I}/replay",
        replay,
        "Run it again, developers' triggers included; or tell what that would change",
        "admin",
        shapes.ReplayAnswer,
        body=ReplayRequest,
        errors=(*_OF_ONE, 402, 413, 429, 502),
    ),
]
