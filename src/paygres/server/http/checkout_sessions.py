"""Checkout sessions: created and read by buyers and guests; listed and expired by admins."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from paygres.server.caller import ROLES, Caller
from paygres.server.errors import Authentication, InvalidRequest, PaygresError, PermissionDenied
from paygres.server.flows.create_checkout_session import create_checkout_session
from paygres.server.flows.expire_checkout_session import expire_checkout_session
from paygres.server.flows.list_checkout_sessions import list_checkout_sessions
from paygres.server.flows.read_checkout_session import read_checkout_session
from paygres.server.flows.requests.checkout_sessions import (
    CheckoutRequest,
    CheckoutSessionQuery,
    CheckoutSessionsQuery,
)
from paygres.server.flows.wait_for_checkout import wait_for_checkout
from paygres.server.http.authenticate import network_of, require_admin, runtime_caller
from paygres.server.http.bodies import read_fields
from paygres.server.http.documented import Documented
from paygres.server.http.paging import answer_page
from paygres.server.http.parts import parts_of
from paygres.server.http.request_id import request_id
from paygres.server.http.shapes import checkout_sessions as shapes
from paygres.server.http.validation import environment_of, parse, parse_query
from paygres.server.http.wire import Json
from paygres.server.metrics import checkout_answered
from paygres.server.tables.keyset import Page, Place

_LONGEST_ID = 255
_CLIENT_LEFT = 499  # nobody reads it; the metrics do
_COLUMNS = (
    "id",
    "environment",
    "mode",
    "status",
    "paymentStatus",
    "subjectType",
    "subjectId",
    "customerEmail",
    "createdBy",
    "checkoutSessionId",
    "customerId",
    "paymentIntentId",
    "subscriptionId",
    "currency",
    "amountSubtotal",
    "lineItems",
    "idempotencyKey",
    "lastError",
    "expiresAt",
    "supersededBy",
    "createdAt",
    "updatedAt",
)


async def create(request: Request) -> Json:
    """Credential, environment, body, user present, flow: in this order (contract 1.3.1)."""
    caller = await runtime_caller(request)
    environment = environment_of(request.path_params)
    wanted = parse(CheckoutRequest, await read_fields(request))
    if caller is None:
        raise Authentication("Checkout session creation requires a user token")
    if caller.role not in ROLES:
        raise PermissionDenied("Unsupported checkout role")
    try:
        session = await create_checkout_session(parts_of(request), caller, environment, wanted)
    except PaygresError as error:
        checkout_answered(environment, wanted.mode, error.code)
        raise
    checkout_answered(environment, wanted.mode, session["status"])
    return Json({"checkoutSession": session}, 201)


async def read(request: Request) -> Response:
    """`id` is the row's id or Stripe's `cs_` id; an API key reads as an admin. Nobody waits for a client that left."""
    caller = await runtime_caller(request)
    environment = environment_of(request.path_params)
    if caller is None:
        caller = Caller(role="project_admin", network=network_of(request))
    if caller.role not in ROLES:
        raise PermissionDenied("Unsupported checkout role")
    parts, wanted = parts_of(request), _wanted(request)
    seconds = parse_query(CheckoutSessionQuery, request).wait
    if seconds is None:
        return Json({"checkoutSession": await read_checkout_session(parts, caller, environment, wanted)})
    answer = await _while_there(request, wait_for_checkout(parts, caller, environment, wanted, seconds))
    return Response(status_code=_CLIENT_LEFT) if answer is None else Json(answer)


async def list_all(request: Request) -> Response:
    """Newest first, or `sort=created`; everything that matches as CSV."""
    await require_admin(request)
    environment = environment_of(request.path_params)
    query = parse_query(CheckoutSessionsQuery, request)

    async def fetch(after: Place | None, limit: int) -> Page[dict[str, Any]]:
        return await list_checkout_sessions(parts_of(request).db, environment, query, after, limit)

    return await answer_page(request, query, fetch, noun="checkoutSessions", columns=_COLUMNS)


async def expire(request: Request) -> Json:
    actor = await require_admin(request)
    environment = environment_of(request.path_params)
    session = await expire_checkout_session(
        parts_of(request), environment, _wanted(request), actor=actor, request_id=request_id()
    )
    return Json({"checkoutSession": session})


async def _while_there(request: Request, work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any] | None:
    """The outcome of the work; None, and the work is cancelled, when the client leaves first."""
    working, leaving = asyncio.create_task(work), asyncio.create_task(_departure(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _departure(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _wanted(request: Request) -> str:
    wanted: str = request.path_params["id"]
    if len(wanted) > _LONGEST_ID:
        raise InvalidRequest(f"id: String must contain at most {_LONGEST_ID} character(s)")
    return wanted


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
        "Read one checkout session by its id or its cs_ id; with `wait`, once its purchase is fulfilled",
        "runtime",
        shapes.ReadCheckoutSessionAnswer,
        query=CheckoutSessionQuery,
        errors=(400, 401, 403, 404, 503),
        extension=True,
    ),
    Documented(
        "GET",
        "/api/paygres/{environment}/checkout-sessions",
        list_all,
        "List checkout sessions, newest first",
        "admin",
        shapes.CheckoutSessionsAnswer,
        query=CheckoutSessionsQuery,
        also=("text/csv",),
        errors=(400, 401, 403, 503),
    ),
    Documented(
        "POST",
        "/api/paygres/{environment}/checkout-sessions/{id}/expire",
        expire,
        "Expire an open checkout session, so that it cannot be paid any more",
        "admin",
        shapes.CheckoutSessionAnswer,
        errors=(400, 401, 403, 404, 429, 502, 503),
    ),
]
