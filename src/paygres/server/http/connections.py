"""Stripe accounts of the two environments, for admins: keys in, status out."""

from starlette.requests import Request

from paygres.server.flows.configure_webhook_endpoint import configure_webhook_endpoint
from paygres.server.flows.connect_account import connect_account
from paygres.server.flows.disconnect_account import disconnect_account
from paygres.server.flows.read_connections import read_config, read_connection, read_connections
from paygres.server.flows.requests.connections import ConfigRequest
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import Parts, parts_of
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import connections as shapes
from paygres.server.http.validation import environment_of, parse
from paygres.server.http.wire import Json

_REFUSALS = (400, 401, 403, 429, 502, 503)


async def status(request: Request) -> Json:
    await require_admin(request)
    parts = parts_of(request)
    return Json({"connections": await read_connections(parts.db, await parts.connections.unreadable())})


async def config(request: Request) -> Json:
    await require_admin(request)
    return await _keys(parts_of(request))


async def set_key(request: Request) -> Json:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    wanted = parse(ConfigRequest, await read_fields(request))
    await connect_account(parts_of(request), environment, wanted.secret_key, actor=actor, request_id=request_id())
    return await _keys(parts_of(request))


async def remove_key(request: Request) -> Json:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    await disconnect_account(parts_of(request), environment, actor=actor, request_id=request_id())
    return await _keys(parts_of(request))


async def configure_webhook(request: Request) -> Json:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    parts = parts_of(request)
    await configure_webhook_endpoint(parts, environment, actor=actor, request_id=request_id())
    return Json({"connection": await read_connection(parts.db, environment)})


async def _keys(parts: Parts) -> Json:
    return Json({"keys": await read_config(parts.db)})


_S = "/api/payments/stripe"
_E = f"{_S}/{{environment}}"
ROUTES = [
    Documented(
        "GET",
        f"{_S}/status",
        status,
        "Both connections, test then live",
        "admin",
        shapes.ConnectionsAnswer,
        errors=(401, 403, 503),
    ),
    Documented(
        "GET",
        f"{_S}/config",
        config,
        "Both Stripe keys, masked",
        "admin",
        shapes.ConfigAnswer,
        errors=(401, 403, 503),
    ),
    Documented(
        "PUT",
        f"{_E}/config",
        set_key,
        "Set the Stripe key, configure the webhook endpoint, sync",
        "admin",
        shapes.ConfigAnswer,
        body=ConfigRequest,
        errors=(*_REFUSALS, 413),
    ),
    Documented(
        "DELETE",
        f"{_E}/config",
        remove_key,
        "Remove the Stripe key; mirrored rows stay",
        "admin",
        shapes.ConfigAnswer,
        errors=(*_REFUSALS, 404),
    ),
    Documented(
        "POST",
        f"{_E}/webhook",
        configure_webhook,
        "Make the managed webhook endpoint as it should be, without a gap",
        "admin",
        shapes.ConnectionAnswer,
        errors=_REFUSALS,
    ),
]
