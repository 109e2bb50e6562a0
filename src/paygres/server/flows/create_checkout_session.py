"""POST checkout-sessions: reserve as the caller, create at Stripe with nothing held, finish as the service.

A crash between any two steps leaves an `initialized` row with the exact Stripe parameters: the same key, or
the worker, resumes it. A definite failure ends the row; the next try is a new generation (contract 0.2).
"""

import asyncio
import contextlib
import time
import uuid
from datetime import timedelta
from functools import partial
from typing import Any

from paygres.server.caller import ROLES, Caller
from paygres.server.errors import (
    Idempotency,
    NotConfigured,
    PermissionDenied,
    RateLimit,
    Unavailable,
    Upstream,
)
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.checkout_draft import draft_checkout
from paygres.server.flows.connections import Connection
from paygres.server.flows.parts import Parts
from paygres.server.flows.read_prices import read_prices
from paygres.server.flows.requests.checkout_sessions import CheckoutRequest
from paygres.server.flows.return_origins import check_return_urls
from paygres.server.flows.send_checkout_session import NOT_RESERVED, already_subscribed, find_session, send
from paygres.server.tables import checkout_sessions
from paygres.server.tables.checkout_sessions import Draft, GuestLimit, Reserved

LEASE = timedelta(seconds=35)  # longer than the gateway's own limit of 28 s
WAIT_SECONDS = 20.0  # for another request with the same key that is at Stripe now
GENERATIONS = 3  # one that ended unheard, and one more that another request made meanwhile


async def create_checkout_session(
    parts: Parts, caller: Caller, environment: str, request: CheckoutRequest
) -> dict[str, Any]:
    """The contract's CheckoutSession. Same key and request: the open or completed session again, never a dead one.

    Raises PermissionDenied (row-level security), Idempotency (the key belongs to another request, or the subject has
    a live subscription to the plan), NotConfigured (nothing stored), RateLimit (guests; Stripe's own limit), Upstream
    (Stripe refused or was unreachable).
    """
    if caller.role not in ROLES:
        raise PermissionDenied("Unsupported checkout role")
    guest_limit = _guest_limit(parts, caller)
    try:
        connection = await parts.connections.current(environment)
    except NotConfigured:
        await _ask_policies(parts, caller, environment, request, guest_limit)
        raise
    check_return_urls(parts, environment, {"successUrl": request.success_url, "cancelUrl": request.cancel_url})
    draft = draft_checkout(parts.installation_id, caller, environment, connection.account_id, request)
    guest = caller.role == "anon"
    for _ in range(GENERATIONS):  # a session that turns out to have ended is followed by a new one
        reserved = await _reserve(parts, connection, caller, draft, guest_limit)
        guest_limit = None  # one request counts once
        if reserved.outcome == "limited":
            raise RateLimit("Too many guest checkouts; try again in a minute", retry_after=60)
        if reserved.outcome == "conflict":
            raise Idempotency("Idempotency key is already used for another checkout request")
        if reserved.outcome == "subscribed" and reserved.session is None:
            raise already_subscribed()
        if reserved.outcome == "existing":
            assert reserved.session is not None
            return reserved.session
        assert reserved.row_id is not None
        if reserved.outcome == "created":
            assert reserved.params is not None
            keyed = request.idempotency_key is not None
            return await send(
                parts, connection, reserved.row_id, reserved.params, guest=guest, wanted_later=keyed and not guest
            )
        if reserved.outcome in ("overdue", "subscribed"):
            assert reserved.session is not None
            session = await _ask_stripe(parts, connection, reserved.row_id, reserved.session, guest=guest)
        else:
            session = await _join(parts, connection, reserved.row_id, guest=guest)
        subscribing = request.mode == "subscription" and session is not None and session["status"] == "open"
        if subscribing and (
            reserved.outcome == "subscribed" or await checkout_sessions.is_superseded(parts.db, reserved.row_id)
        ):
            raise already_subscribed()
        if session is not None and session["status"] in ("open", "completed"):
            return session
    raise Unavailable("The checkout session ended while it was being opened; try again")


async def _reserve(
    parts: Parts, connection: Connection, caller: Caller, draft: Draft, guest_limit: GuestLimit | None
) -> Reserved:
    """The row as the caller. Prices of a subscription that our mirror does not know are read at Stripe first."""
    reserve = partial(
        checkout_sessions.reserve, parts.db, caller, draft, configured=True, guest_limit=guest_limit, lease=LEASE
    )
    reserved = await reserve()
    if reserved.outcome == "unknown_prices":
        await read_prices(parts, connection, reserved.unknown_prices, guest=caller.role == "anon")
        reserved = await reserve(prices_asked=True)
    return reserved


async def _join(parts: Parts, connection: Connection, row_id: uuid.UUID, *, guest: bool) -> dict[str, Any] | None:
    """The row is at Stripe with another request: wait for it, or take over when its owner died.

    None when Stripe surely did not make the session (a guest's, resumed too late for its expiry).
    """
    deadline = time.monotonic() + WAIT_SECONDS
    pause = 0.05
    while time.monotonic() < deadline:
        taken = await checkout_sessions.lease(parts.db, row_id, LEASE)
        if taken is not None and taken["params"] is None:
            await checkout_sessions.fail(parts.db, row_id, NOT_RESERVED)
        elif taken is not None and taken["account_id"] == connection.account_id:
            try:
                return await send(parts, connection, row_id, taken["params"], guest=guest, resumed=True)
            except Upstream as error:
                if not error.definite or error.code == "PAYMENT_CONFIG_INVALID":
                    raise
                return None
        session = await checkout_sessions.select_json(parts.db, row_id)
        if session is None or session["status"] == "failed":
            raise Unavailable("The other request with this idempotency key failed; try again")
        if session["status"] != "initialized":
            return session
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.5)
    raise Unavailable("Another request with this idempotency key is still running; try again", retry_after=5)


async def _ask_stripe(
    parts: Parts, connection: Connection, row_id: uuid.UUID, session: dict[str, Any], *, guest: bool
) -> dict[str, Any] | None:
    """It may have been paid unheard: its time is over, or the subject has its plan from somewhere."""
    answer = await find_session(parts, connection, session["checkoutSessionId"], guest=guest)
    await apply_reads(parts.db, connection, [answer.object], answer.as_of)
    return await checkout_sessions.select_json(parts.db, row_id)


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
