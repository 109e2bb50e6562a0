"""Stripe's deliveries: the checks that need no database, then the raw bytes go to the flow."""

from starlette.requests import Request

from paygres.server.errors import Authentication, InvalidRequest
from paygres.server.flows.receive_event import receive_event
from paygres.server.http.bodies import read_raw_json
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.shapes import webhooks as shapes
from paygres.server.http.validation import ENVIRONMENTS
from paygres.server.http.wire import Json


async def receive(request: Request) -> Json:
    """Environment, signature header, body: in this order (contract 5.1)."""
    environment = request.path_params["environment"]
    if environment not in ENVIRONMENTS:
        raise InvalidRequest("Invalid Stripe environment")
    signatures = request.headers.getlist("stripe-signature")
    if not signatures or not signatures[0]:
        raise Authentication("Missing stripe-signature header", code="AUTH_UNAUTHORIZED")
    if len(signatures) > 1:
        raise InvalidRequest("Send exactly one stripe-signature header")
    payload = await read_raw_json(request)
    if not payload:
        raise InvalidRequest("Stripe webhook requires raw request body")
    return Json(await receive_event(parts_of(request), environment, payload, signatures[0]))


ROUTES = [
    Documented(
        "POST",
        "/api/webhooks/stripe/{environment}",
        receive,
        "Receive one signed event; 200 once it is durably stored",
        "stripe",
        shapes.WebhookAnswer,
        errors=(400, 401, 413, 503),
    ),
]
