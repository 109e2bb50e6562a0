"""Subscriptions with their items, for admins: the contract's list, and pages with filters."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from paygres.server.flows.list_subscriptions import list_subscriptions, page_of_subscriptions
from paygres.server.flows.requests.lists import SubjectLimitQuery, SubscriptionsQuery
from paygres.server.http.authenticate import require_admin
from paygres.server.http.documented import Documented
from paygres.server.http.paging import answer_page
from paygres.server.http.parts import parts_of
from paygres.server.http.shapes import subscriptions as shapes
from paygres.server.http.validation import environment_of, parse_query
from paygres.server.http.wire import Json
from paygres.server.tables.keyset import Page, Place

_COLUMNS = tuple(shapes.ListedSubscription.__annotations__)


async def recent(request: Request) -> Json:
    await require_admin(request)
    environment = environment_of(request.path_params)
    query = parse_query(SubjectLimitQuery, request)
    return Json({"subscriptions": await list_subscriptions(parts_of(request).db, environment, query)})


async def page(request: Request) -> Response:
    await require_admin(request)
    environment = environment_of(request.path_params)
    query = parse_query(SubscriptionsQuery, request)

    async def fetch(after: Place | None, limit: int) -> Page[dict[str, Any]]:
        return await page_of_subscriptions(parts_of(request).db, environment, query, after, limit)

    return await answer_page(request, query, fetch, noun="subscriptions", columns=_COLUMNS)


_ERRORS = (400, 401, 403, 503)
ROUTES = [
    Documented(
        "GET",
        "/api/payments/stripe/{environment}/subscriptions",
        recent,
        "Subscriptions that changed last, of one subject when the query names it",
        "admin",
        shapes.SubscriptionsAnswer,
        query=SubjectLimitQuery,
        errors=_ERRORS,
    ),
    Documented(
        "GET",
        "/api/paygres/{environment}/subscriptions",
        page,
        "Subscriptions, page by page, with filters; or all of them as CSV",
        "admin",
        shapes.SubscriptionsPage,
        query=SubscriptionsQuery,
        also=("text/csv",),
        errors=_ERRORS,
    ),
]
