"""Who did what, for admins."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from paygres.server.flows.list_audit import list_audit
from paygres.server.flows.requests.events import AuditQuery
from paygres.server.http.authenticate import require_admin
from paygres.server.http.documented import Documented
from paygres.server.http.paging import answer_page
from paygres.server.http.parts import parts_of
from paygres.server.http.shapes import keys as shapes
from paygres.server.http.validation import parse_query
from paygres.server.tables.keyset import Page, Place

_COLUMNS = tuple(shapes.AuditRecord.__annotations__)


async def many(request: Request) -> Response:
    await require_admin(request)
    query = parse_query(AuditQuery, request)
    db = parts_of(request).db

    async def fetch(after: Place | None, limit: int) -> Page[dict[str, Any]]:
        return await list_audit(db, query, after, limit)

    return await answer_page(request, query, fetch, noun="records", columns=_COLUMNS)


ROUTES = [
    Documented(
        "GET",
        "/api/paygres/audit",
        many,
        "Who did what, newest first",
        "admin",
        shapes.AuditAnswer,
        query=AuditQuery,
        also=("text/csv",),
        errors=(400, 401, 403, 503),
    ),
]
