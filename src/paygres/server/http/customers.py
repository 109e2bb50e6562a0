"""Customers with what they paid, for admins: the contract's list, and pages with filters."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from paygres.server.flows.list_customers import list_customers, page_of_customers
from paygres.server.flows.requests.lists import CustomersQuery, LimitQuery
from paygres.server.http.authenticate import require_admin
from paygres.server.http.documented import Documented
from paygres.server.http.paging import answer_page
from paygres.server.http.parts import parts_of
from paygres.server.http.shapes import customers as shapes
from paygres.server.http.validation import environment_of, parse_query
from paygres.server.http.wire import Json
from paygres.server.tables.keyset import Page, Place

_COLUMNS = tuple(shapes.ListedCustomer.__annotations__)


async def alphabetical(request: Request) -> Json:
    await require_admin(request)
    environment = environment_of(request.path_params)
    query = parse_query(LimitQuery, request)
    return Json({"customers": await list_customers(parts_of(request).db, environment, query)})


async def page(request: Request) -> Response:
    await require_admin(request)
    environment = environment_of(request.path_params)
    query = parse_query(CustomersQuery, request)

    async def fetch(after: Place | None, limit: int) -> Page[dict[str, Any]]:
        return await page_of_customers(parts_of(request).db, environment, query, after, limit)

    return await answer_page(request, query, fetch, noun="customers", columns=_COLUMNS)


_ERRORS = (400, 401, 403, 503)
ROUTES = [
    Documented(
        "GET",
        "/api/payments/stripe/{environment}/customers",
        alphabetical,
        "Customers by e-mail, name or id, deleted ones last",
        "admin",
        shapes.CustomersAnswer,
        query=LimitQuery,
        errors=_ERRORS,
    ),
    Documented(
        "GET",
        "/api/paygres/{environment}/customers",
        page,
        "Customers, page by page, with filters; or all of them as CSV",
        "admin",
        shapes.CustomersPage,
        query=CustomersQuery,
        also=("text/csv",),
        errors=_ERRORS,
    ),
]
