"""Stripe accounts of the two environments, for admins: keys in, status and syncs out."""

import asyncio

from starlette.requests import Request

from paygres.server.flows.configure_webhook_endpoint import configure_webhook_endpoint
from paygres.server.flows.connect_account import connect_account
from paygres.server.flows.disconnect_account import disconnect_account
from paygres.server.flows.read_connections import read_config, read_connection, read_connections
from paygres.server.flows.requests.connections import ConfigRequest
from paygres.server.flows.sync_environment import sync_environment
from paygres.server.http.authenticate import require_admin
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.parts import Parts, parts_of
from paygres.server.http.shapes import connections as shapes
from paygres.server.http.validation import ENVIRONMENTS, environment_of, parse
from paygres.server.http.wire import Json

_REFUSALS = (400, 401, 403, 429, 502, 503)


async def status(request: Request) -> Json:
    await require_admin(request)
    return Json({"connections": await read_connections(parts_of(request).db)})


async def config(request: Request) -> Json:
    await require_admin(request)
    return await _keys(parts_of(request))


async def set_key(request: Request) -> Json:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    wanted = parse(ConfigRequest, await read_fields(request))
    await connect_account(parts_of(request), environment, wanted.secret_key, actor=actor)
    return await _keys(parts_of(request))


async def remove_key(request: Request) -> Json:
    await require_admin(request)
    environment = environment_of(request.path_params)
    await disconnect_account(parts_of(request), environment)
    return await _keys(parts_of(request))


async def sync_all(request: Request) -> Json:
    await require_admin(request)
    parts = parts_of(request)
    results = await asyncio.gather(
        *(sync_environment(parts, environment) for environment in ENVIRONMENTS), return_exceptions=True
    )
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return Json({"results": results})


async def sync_one(request: Request) -> Json:
    await require_admin(request)
    environment = environment_of(request.path_params)
    return Json({"results": [await sync_environment(parts_of(request), environment)]})


async def configure_webhook(request: Request) -> Json:
    await require_admin(request)
    environment = environment_of(request.path_params)
    parts = parts_of(request)
    await configure_webhook_endpoint(parts, environment)
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
        "POST",
        f"{_S}/sync",
        sync_all,
        "Read both Stripe accounts anew; failures are inside the results",
        "admin",
        shapes.SyncAnswer,
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
        f"{_E}/sync",
        sync_one,
        "Read one Stripe account anew; a failure is inside the result",
        "admin",
        shapes.SyncAnswer,
        errors=_REFUSALS,
    ),
    Documented(
        "POST",
        f"{_E}/webhook",
        configure_webhook,
        "Create the managed webhook endpoint anew, without a gap",
        "admin",
        shapes.ConnectionAnswer,
        errors=_REFUSALS,
    ),
]
