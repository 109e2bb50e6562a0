"""The reference's way to install a webhook signing secret. Every other secret is set elsewhere, and none is shown."""

from starlette.requests import Request

from paygres.server.errors import NotFound
from paygres.server.flows.install_webhook_secret import install_webhook_secret
from paygres.server.flows.requests.connections import SecretRequest
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import parts_of
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import connections as shapes
from paygres.server.http.validation import ENVIRONMENTS, parse
from paygres.server.http.wire import Json
from paygres.server.stripe_gateway.keys import webhook_secret_name

_ENVIRONMENT_OF = {webhook_secret_name(environment): environment for environment in ENVIRONMENTS}


async def install(request: Request) -> Json:
    actor = await require_admin(request)
    wanted = parse(SecretRequest, await read_fields(request))
    name = wanted.key.upper()
    environment = _ENVIRONMENT_OF.get(name)
    if environment is None:
        raise NotFound(
            "Only webhook signing secrets can be set here",
            next_actions=f"Send one of {' and '.join(_ENVIRONMENT_OF)}. Stripe keys are set with PUT "
            "/api/payments/stripe/{environment}/config, everything else in the server's environment.",
        )
    row_id = await install_webhook_secret(
        parts_of(request), environment, wanted.value, actor=actor, request_id=request_id()
    )
    return Json(
        {"success": True, "message": f"Secret {name} has been created successfully", "id": row_id}, status_code=201
    )


ROUTES = [
    Documented(
        "POST",
        "/api/secrets",
        install,
        "Accept a webhook signing secret of your own beside the managed one",
        "admin",
        shapes.SecretAnswer,
        status=201,
        body=SecretRequest,
        errors=(400, 401, 403, 404, 413, 503),
    ),
]
