"""What cursor lists answer: a page of JSON with `nextCursor`, or every matching row as CSV.

A cursor is opaque to clients and only says where to go on, so a made-up one shows nothing it should not.
"""

import base64
import csv
import io
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from paygres.server.errors import InvalidRequest
from paygres.server.flows.requests.lists import BY_ADDRESS, PageQuery
from paygres.server.http.wire import Json
from paygres.server.tables.keyset import Page, Place

Row = Mapping[str, Any]
# Reads one page: (after, how many).
Fetch = Callable[[Place | None, int], Awaitable[Page[dict[str, Any]]]]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
CSV_PAGE = 1000  # rows in memory at a time
# A spreadsheet takes a cell that begins so for a formula; what buyers typed must stay text.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


async def answer_page(
    request: Request, query: PageQuery, fetch: Fetch, *, noun: str, columns: Sequence[str]
) -> Response:
    """`{noun: [...], "nextCursor": text | null}`; with `format=csv` or `Accept: text/csv` all rows from the cursor on.

    `columns` are the CSV's, names of the rows' fields.
    """
    after = place_of(query.cursor, query.order) if query.cursor is not None else None
    if wants_csv(request, query):
        first = await fetch(after, CSV_PAGE)  # what can go wrong goes wrong before the answer begins
        environment = request.path_params.get("environment", "")
        return csv_answer(_every_page(first, fetch), columns, f"{noun}-{environment}.csv")
    page = await fetch(after, query.limit)
    cursor = cursor_of(page.next, query.order) if page.next is not None else None
    return Json({noun: page.rows, "nextCursor": cursor})


def wants_csv(request: Request, query: PageQuery) -> bool:
    """`format` decides; without it, an Accept header that names text/csv and not JSON."""
    if query.format is not None:
        return query.format == "csv"
    accepted = request.headers.get("accept", "").lower()
    return "text/csv" in accepted and "application/json" not in accepted


def cursor_of(place: Place, order: str) -> str:
    """The text clients send back; `order` is remembered, since a place means nothing in another one."""
    at = place.at if isinstance(place.at, str) else (place.at - _EPOCH) // _MICROSECOND
    content = orjson.dumps([order, at, str(place.id)])
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def place_of(cursor: str, order: str) -> Place:
    """Where a page begins; raises InvalidRequest for a cursor that is not ours or belongs to another order."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        content: Any = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        ordered_by, at, row_id = content
        key = str(at) if order == BY_ADDRESS else _EPOCH + int(at) * _MICROSECOND
        place = Place(key, uuid.UUID(row_id))
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise InvalidRequest("cursor: Invalid cursor", next_actions="Start again without a cursor.") from None
    if ordered_by != order:
        raise InvalidRequest(
            "cursor: This cursor belongs to another sort order", next_actions="Start again without a cursor."
        )
    return place


def csv_answer(pages: AsyncIterator[Sequence[Row]], columns: Sequence[str], filename: str) -> Response:
    """RFC 4180 with a header line, page by page; objects and arrays are JSON texts."""
    return StreamingResponse(
        _csv(pages, columns),
        media_type="text/csv; charset=utf-8; header=present",
        headers={
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            "content-disposition": f'attachment; filename="{filename}"',
        },
    )


async def _every_page(first: Page[dict[str, Any]], fetch: Fetch) -> AsyncIterator[Sequence[Row]]:
    page = first
    yield page.rows
    while page.next is not None:
        page = await fetch(page.next, CSV_PAGE)
        yield page.rows


async def _csv(pages: AsyncIterator[Sequence[Row]], columns: Sequence[str]) -> AsyncIterator[bytes]:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    async for rows in pages:
        writer.writerows([_cell(row[name]) for name in columns] for row in rows)
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return orjson.dumps(value).decode()
