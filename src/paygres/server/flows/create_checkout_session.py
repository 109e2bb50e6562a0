"""POST checkout-sessions: reserve as the caller, create at Stripe with nothing held, finish as the service.

A crash between any two steps leaves an `initialized` row with the exact Stripe parameters: the same key, or
the worker, resumes it. A definite failure ends the row; the next try is a new generation (contract 0.2).
"""

import asyncio
import contextlib
import time
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson

from paygres.server.caller import ROLES, Caller
from paygres.server.errors import (
    Idempotency,
    InvalidRequest,
    NotConfigured,
    PaygresError,
    PermissionDenied,
    RateLimit,
    Unavailable,
    Upstream,
)
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.checkout_draft import draft_checkout
from paygres.server.flows.connections import Connection
from paygres.server.flows.parts import Parts
from paygres.server.flows.requests import CheckoutRequest
from paygres.server.projections.objects import KINDS
from paygres.server.projections.project import locks, project
from paygres.server.projections.snapshots import Snapshot
from paygres.server.tables import checkout_sessions
from paygres.server.tables.checkout_sessions import GuestLimit
from paygres.server.tables.sqlstates import Contended

LEASE = timedelta(seconds=35)  # longer than the gateway's own limit of 28 s
WAIT_SECONDS = 20.0  # for another request with the same key that is at Stripe now
SESSION = KINDS["checkout.session"]


async def create_checkout_session(
    parts: Parts, caller: Caller, environment: str, request: CheckoutRequest
) -> dict[str, Any]:
    """The contract's CheckoutSession. Same key and request: the open or completed session again, never a dead one.

    Raises PermissionDenied (row-level security), Idempotency (the key belongs to another request), NotConfigured
    (nothing stored), RateLimit (guests; Stripe's own limit), Upstream (Stripe refused or was unreachable).
    """
    if caller.role not in ROLES:
        raise PermissionDenied("Unsupported checkout role")
    _check_return_urls(parts, environment, request)
    guest_limit = _guest_limit(parts, caller)
    try:
        connection = await parts.connections.current(environment)
    except NotConfigured:
        await _ask_policies(parts, caller, environment, request, guest_limit)
        raise
    draft = draft_checkout(parts.installation_id, caller, environment, connection.account_id, request)
    reserved = await checkout_sessions.reserve(
        parts.db, caller, draft, configured=True, guest_limit=guest_limit, lease=LEASE
    )
    if reserved.outcome == "limited":
        raise RateLimit("Too many guest checkouts; try again in a minute", retry_after=60)
    if reserved.outcome == "conflict":
        raise Idempotency("Idempotency key is already used for another checkout request")
    if reserved.outcome == "existing":
        assert reserved.session is not None
        return reserved.session
    assert reserved.row_id is not None
    if reserved.outcome == "created":
        assert reserved.params is not None
        return await send(parts, connection, reserved.row_id, reserved.params, guest=caller.role == "anon")
    return await _join(parts, connection, reserved.row_id, guest=caller.role == "anon")


async def send(
    parts: Parts, connection: Connection, row_id: uuid.UUID, params: dict[str, Any], *, guest: bool
) -> dict[str, Any]:
    """Create the session of a leased row at Stripe and project the answer."""
    environment = connection.environment
    try:
        answer = await parts.gateway.request(
            connection.stripe_key,
            "post",
            "/v1/checkout/sessions",
            params,
            idempotency_key=f"insforge:{environment}:checkout_session:{row_id}",
            guest=guest,
        )
    except (Unavailable, RateLimit) as error:
        await checkout_sessions.release(parts.db, row_id, error.message)
        raise
    except Upstream as error:
        ending = checkout_sessions.fail if error.definite else checkout_sessions.release
        await ending(parts.db, row_id, error.message)
        raise
    except PaygresError as error:
        await checkout_sessions.fail(parts.db, row_id, error.message)
        raise
    if (await parts.connections.current(environment)).account_id != connection.account_id:
        await checkout_sessions.fail(parts.db, row_id, "The Stripe account was changed during this checkout")
        raise Unavailable("The Stripe account was changed during this checkout; try again")
    return await _finish(parts, connection, row_id, answer.object, answer.as_of)


async def _finish(
    parts: Parts, connection: Connection, row_id: uuid.UUID, session: dict[str, Any], as_of: int
) -> dict[str, Any]:
    current = Snapshot("checkout.session", session["id"], as_of, "api", session)
    lock = locks(connection.environment, SESSION, session)[0]
    rows = project(SESSION, current, (), None, ())
    finished = None
    if session.get("status") == "open":
        with contextlib.suppress(Contended):  # an event of this very session: both are weighed below
            finished = await checkout_sessions.finish(
                parts.db,
                connection.environment,
                connection.account_id,
                row_id,
                session["id"],
                as_of,
                orjson.dumps(session).decode(),
                rows,
                lock,
            )
    if finished is None:  # an event overtook the answer: weigh them like any two snapshots
        await apply_reads(parts.db, connection, [session], as_of)
        finished = await checkout_sessions.select_json(parts.db, row_id)
    if finished is None:
        raise Unavailable("The checkout session was removed while it was being created")
    return finished


async def _join(parts: Parts, connection: Connection, row_id: uuid.UUID, *, guest: bool) -> dict[str, Any]:
    """The row is at Stripe with another request: wait for it, or take over when its owner died."""
    deadline = time.monotonic() + WAIT_SECONDS
    pause = 0.05
    while time.monotonic() < deadline:
        taken = await checkout_sessions.lease(parts.db, row_id, LEASE)
        if taken is not None and taken["params"] is not None and taken["account_id"] == connection.account_id:
            return await send(parts, connection, row_id, taken["params"], guest=guest)
        session = await checkout_sessions.select_json(parts.db, row_id)
        if session is not None and session["status"] in ("open", "completed"):
            return session
        if session is None or session["status"] in ("failed", "expired"):
            raise Unavailable("The other request with this idempotency key failed; try again")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.5)
    raise Unavailable("Another request with this idempotency key is still running; try again", retry_after=5)


async def _ask_policies(
    parts: Parts, caller: Caller, environment: str, request: CheckoutRequest, guest_limit: GuestLimit | None
) -> None:
    """A caller whom row-level security refuses hears that, not that a key is missing; nothing is stored."""
    draft = draft_checkout(parts.installation_id, caller, environment, "", request)
    with contextlib.suppress(NotConfigured):
        await checkout_sessions.reserve(parts.db, caller, draft, configured=False, guest_limit=guest_limit, lease=LEASE)


def _guest_limit(parts: Parts, caller: Caller) -> GuestLimit | None:
    if caller.role != "anon":
        return None
    limits = parts.guest_limits
    if not limits.allowed:
        raise PermissionDenied("Guest checkout is turned off; sign in to pay")
    return GuestLimit(limits.per_minute, limits.per_network_per_minute) if limits.enabled else None


def _check_return_urls(parts: Parts, environment: str, request: CheckoutRequest) -> None:
    """Where buyers may be sent back to (contract F44); in live mode the list is required at start-up."""
    if environment != "live":
        return
    for name, url in (("successUrl", request.success_url), ("cancelUrl", request.cancel_url)):
        split = urlsplit(url)
        if f"{split.scheme}://{split.netloc}" not in parts.return_origins:
            raise InvalidRequest(
                f"{name}: origin is not allowed",
                next_actions="Add the origin (scheme://host[:port]) to PAYGRES_RETURN_ORIGINS.",
            )
