"""What was given for which money, for admins: lists, one, and letting a quarantined one pass."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from paygres.server.flows.list_fulfillments import list_fulfillments, read_fulfillment
from paygres.server.flows.operator import Operator
from paygres.server.flows.release_fulfillment import release_fulfillment
from paygres.server.flows.requests.fulfillments import FulfillmentsQuery, ReleaseRequest
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.paging import answer_page
from paygres.server.http.parts import parts_of
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import fulfillments as shapes
from paygres.server.http.validation import environment_of, parse, parse_query
from paygres.server.http.wire import Json
from paygres.server.tables.keyset import Page, Place

_COLUMNS = tuple(shapes.Fulfillment.__annotations__)


async def many(request: Request) -> Response:
    await require_admin(request)
    environment = environment_of(request.path_params)
    query = parse_query(FulfillmentsQuery, request)

    async def fetch(after: Place | None, limit: int) -> Page[dict[str, Any]]:
        return await list_fulfillments(parts_of(request).db, environment, query, after, limit)

    return await answer_page(request, query, fetch, noun="fulfillments", columns=_COLUMNS)


async def one(request: Request) -> Json:
    await require_admin(request)
    environment = environment_of(request.path_params)
    return Json({"fulfillment": await read_fulfillment(parts_of(request).db, environment, request.path_params["id"])})


async def release(request: Request) -> Json:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    wanted = parse(ReleaseRequest, await read_fields(request))
    operator = Operator(actor, request_id(), wanted.reason)
    return Json(await release_fulfillment(parts_of(request), environment, request.path_params["id"], operator))


_F = "/api/paygres/{environment}/fulfillments"
_ERRORS = (400, 401, 403, 503)
ROUTES = [
    Documented(
        "GET",
        _F,
        many,
        "What was given for which payment, page by page, with filters; or all of it as CSV",
        "admin",
        shapes.FulfillmentsPage,
        query=FulfillmentsQuery,
        also=("text/csv",),
        errors=_ERRORS,
    ),
    Documented(
        "GET", f"{_F}/{{id}}", one, "One fulfillment", "admin", shapes.FulfillmentAnswer, errors=(*_ERRORS, 404)
    ),
    Documented(
        "POST",
        f"{_F}/{{id}}/release",
        release,
        "Let a quarantined payment pass; its event runs again",
        "admin",
        shapes.ReleasedAnswer,
        body=ReleaseRequest,
        errors=(*_ERRORS, 404, 409, 413),
    ),
]
