"""Payments and refunds, for admins: the contract's list, and pages with filters."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from paygres.server.flows.list_transactions import list_transactions, page_of_transactions
from paygres.server.flows.requests.lists import SubjectLimitQuery, TransactionsQuery
from paygres.server.http.authenticate import require_admin
from paygres.server.http.documented import Documented
from paygres.server.http.paging import answer_page
from paygres.server.http.parts import parts_of
from paygres.server.http.shapes import transactions as shapes
from paygres.server.http.validation import environment_of, parse_query
from paygres.server.http.wire import Json
from paygres.server.tables.keyset import Page, Place

_COLUMNS = tuple(shapes.ListedTransaction.__annotations__)


async def recent(request: Request) -> Json:
    await require_admin(request)
    environment = environment_of(request.path_params)
    query = parse_query(SubjectLimitQuery, request)
    return Json({"transactions": await list_transactions(parts_of(request).db, environment, query)})


async def page(request: Request) -> Response:
    await require_admin(request)
    environment = environment_of(request.path_params)
    query = parse_query(TransactionsQuery, request)

    async def fetch(after: Place | None, limit: int) -> Page[dict[str, Any]]:
        return await page_of_transactions(parts_of(request).db, environment, query, after, limit)

    return await answer_page(request, query, fetch, noun="transactions", columns=_COLUMNS)


_ERRORS = (400, 401, 403, 503)
ROUTES = [
    Documented(
        "GET",
        "/api/payments/stripe/{environment}/transactions",
        recent,
        "The newest payments and refunds, of one subject when the query names it",
        "admin",
        shapes.TransactionsAnswer,
        query=SubjectLimitQuery,
        errors=_ERRORS,
    ),
    Documented(
        "GET",
        "/api/paygres/{environment}/transactions",
        page,
        "Payments and refunds, page by page, with filters; or all of them as CSV",
        "admin",
        shapes.TransactionsPage,
        query=TransactionsQuery,
        also=("text/csv",),
        errors=_ERRORS,
    ),
]
