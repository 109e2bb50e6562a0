"""POST of customer portal sessions, for signed-in buyers."""

from starlette.requests import Request

from paygres.server.errors import Authentication
from paygres.server.flows.create_portal_session import create_portal_session
from paygres.server.flows.requests.customer_portal_sessions import CustomerPortalRequest
from paygres.server.http.authenticate import runtime_caller
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.shapes import customer_portal_sessions as shapes
from paygres.server.http.validation import environment_of, parse
from paygres.server.http.wire import Json


async def create(request: Request) -> Json:
    """Credential, environment, body, user present, flow: in this order (contract 1.3.1)."""
    caller = await runtime_caller(request)
    environment = environment_of(request.path_params)
    wanted = parse(CustomerPortalRequest, await read_fields(request))
    if caller is None:
        raise Authentication("Customer portal session creation requires a user token")
    session = await create_portal_session(parts_of(request), caller, environment, wanted)
    return Json({"customerPortalSession": session}, 201)


ROUTES = [
    Documented(
        "POST",
        "/api/payments/stripe/{environment}/customer-portal-sessions",
        create,
        "Open Stripe's customer portal for a subject that has paid before",
        "runtime",
        shapes.CustomerPortalSessionAnswer,
        status=201,
        body=CustomerPortalRequest,
        errors=(400, 401, 402, 403, 404, 413, 429, 502, 503),
    ),
]
