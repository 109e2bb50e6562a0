"""Our webhook endpoint at Stripe, for admins: look at it, test the road to us, change its secret, remove it."""

from dataclasses import asdict

from starlette.requests import Request

from paygres.server.flows.check_webhook_endpoint import check_webhook_endpoint
from paygres.server.flows.probe_webhook_endpoint import probe_webhook_endpoint
from paygres.server.flows.read_webhook_endpoint import read_webhook_endpoint
from paygres.server.flows.remove_webhook_endpoint import remove_webhook_endpoint
from paygres.server.flows.requests.connections import RotateRequest
from paygres.server.flows.rotate_webhook_endpoint import rotate_webhook_endpoint
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import connections as shapes
from paygres.server.http.validation import environment_of, parse
from paygres.server.http.wire import Json

_REFUSALS = (400, 401, 403, 429, 502, 503)


async def show(request: Request) -> Json:
    """Looks at Stripe first; what keeps us from it is part of the answer."""
    await require_admin(request)
    environment = environment_of(request.path_params)
    await check_webhook_endpoint(parts_of(request), environment)
    return await _shown(request, environment)


async def rotate(request: Request) -> Json:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    wanted = parse(RotateRequest, await read_fields(request))
    await rotate_webhook_endpoint(
        parts_of(request), environment, skip_probe=wanted.skip_probe, actor=actor, request_id=request_id()
    )
    return await _shown(request, environment)


async def probe(request: Request) -> Json:
    await require_admin(request)
    environment = environment_of(request.path_params)
    return Json({"probe": asdict(await probe_webhook_endpoint(parts_of(request), environment))})


async def remove(request: Request) -> Json:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    await remove_webhook_endpoint(parts_of(request), environment, actor=actor, request_id=request_id())
    return await _shown(request, environment)


async def _shown(request: Request, environment: str) -> Json:
    return Json({"webhook": await read_webhook_endpoint(parts_of(request), environment)})


_PATH = "/api/paygres/{environment}/webhook"

ROUTES = [
    Documented(
        "GET",
        _PATH,
        show,
        "Our webhook endpoint, looked up at Stripe now: its health, event types and signing secrets in force",
        "admin",
        shapes.WebhookEndpointAnswer,
        errors=(400, 401, 403, 503),
    ),
    Documented(
        "DELETE",
        _PATH,
        remove,
        "Delete our webhook endpoint at Stripe; the key stays",
        "admin",
        shapes.WebhookEndpointAnswer,
        errors=_REFUSALS,
    ),
    Documented(
        "POST",
        f"{_PATH}/rotate",
        rotate,
        "Change the signing secret without a gap: new endpoint, probe, switch, delete the old one",
        "admin",
        shapes.WebhookEndpointAnswer,
        body=RotateRequest,
        errors=(*_REFUSALS, 413),
    ),
    Documented(
        "POST",
        f"{_PATH}/probe",
        probe,
        "Send a signed test event to our own public address and say whether it arrived",
        "admin",
        shapes.ProbeAnswer,
        errors=(400, 401, 403, 503),
    ),
]
