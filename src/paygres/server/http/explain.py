"""How did it come to this? For admins: one timeline of an order, a subject, an event or a customer."""

from starlette.requests import Request

from paygres.server.flows.explain import explain
from paygres.server.http.authenticate import require_admin
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.shapes import explain as shapes
from paygres.server.http.validation import environment_of
from paygres.server.http.wire import Json


async def read(request: Request) -> Json:
    await require_admin(request)
    environment = environment_of(request.path_params)
    return Json(await explain(parts_of(request).db, environment, request.path_params["id"]))


ROUTES = [
    Documented(
        "GET",
        "/api/paygres/{environment}/explain/{id}",
        read,
        "One causal timeline of an order, a subject, an event or a customer",
        "admin",
        shapes.ExplainAnswer,
        errors=(400, 401, 403, 404, 503),
    )
]
