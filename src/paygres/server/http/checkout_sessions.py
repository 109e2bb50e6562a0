"""POST and GET of checkout sessions, for buyers and guests."""

from starlette.requests import Request

from paygres.server.caller import ROLES, Caller
from paygres.server.errors import Authentication, InvalidRequest, PermissionDenied
from paygres.server.flows.create_checkout_session import create_checkout_session
from paygres.server.flows.read_checkout_session import read_checkout_session
from paygres.server.flows.requests.checkout_sessions import CheckoutRequest
from paygres.server.http.authenticate import network_of, runtime_caller
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.shapes import checkout_sessions as shapes
from paygres.server.http.validation import environment_of, parse
from paygres.server.http.wire import Json

_LONGEST_ID = 255


async def create(request: Request) -> Json:
    """Credential, environment, body, user present, flow: in this order (contract 1.3.1)."""
    caller = await runtime_caller(request)
    environment = environment_of(request.path_params)
    wanted = parse(CheckoutRequest, await read_fields(request))
    if caller is None:
        raise Authentication("Checkout session creation requires a user token")
    if caller.role not in ROLES:
        raise PermissionDenied("Unsupported checkout role")
    session = await create_checkout_session(parts_of(request), caller, environment, wanted)
    return Json({"checkoutSession": session}, 201)


async def read(request: Request) -> Json:
    """`id` is the row's id or Stripe's `cs_` id; an API key reads as an admin."""
    caller = await runtime_caller(request)
    environment = environment_of(request.path_params)
    if caller is None:
        caller = Caller(role="project_admin", network=network_of(request))
    if caller.role not in ROLES:
        raise PermissionDenied("Unsupported checkout role")
    wanted = request.path_params["id"]
    if len(wanted) > _LONGEST_ID:
        raise InvalidRequest(f"id: String must contain at most {_LONGEST_ID} character(s)")
    session = await read_checkout_session(parts_of(request), caller, environment, wanted)
    return Json({"checkoutSession": session})


ROUTES = [
    Documented(
        "POST",
        "/api/payments/stripe/{environment}/checkout-sessions",
        create,
        "Create a checkout session; the same idempotencyKey and body returns the open one",
        "runtime",
        shapes.CheckoutSessionAnswer,
        status=201,
        body=CheckoutRequest,
        errors=(400, 401, 402, 403, 404, 409, 413, 429, 502, 503),
    ),
    Documented(
        "GET",
        "/api/paygres/{environment}/checkout-sessions/{id}",
        read,
        "Read one checkout session by its id or its cs_ id",
        "runtime",
        shapes.CheckoutSessionAnswer,
        errors=(400, 401, 403, 404, 503),
        extension=True,
    ),
]
