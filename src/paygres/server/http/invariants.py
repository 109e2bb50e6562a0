"""What must always be true, and whether it is."""

from starlette.requests import Request

from paygres.server.flows.check_invariants import read_invariants
from paygres.server.flows.requests.invariants import InvariantsQuery
from paygres.server.http.authenticate import require_admin
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.shapes import invariants as shapes
from paygres.server.http.validation import environment_of, parse_query
from paygres.server.http.wire import Json


async def invariants(request: Request) -> Json:
    await require_admin(request)
    environment = environment_of(request.path_params)
    query = parse_query(InvariantsQuery, request)
    return Json(await read_invariants(parts_of(request).db, environment, now=query.now))


ROUTES = [
    Documented(
        "GET",
        "/api/paygres/{environment}/invariants",
        invariants,
        "What must always be true of the rows, and what is not",
        "admin",
        shapes.InvariantsAnswer,
        query=InvariantsQuery,
        errors=(400, 401, 403, 503),
    ),
]
