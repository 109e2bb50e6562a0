"""The middle and the end of a checkout: create the session at Stripe with nothing held, project the answer."""

import contextlib
import time
import uuid
from typing import Any

import orjson

from paygres.server.errors import Idempotency, PaygresError, RateLimit, Unavailable, Upstream
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.connections import Connection
from paygres.server.flows.explain_prices import explain_prices
from paygres.server.flows.parts import Parts
from paygres.server.projections.objects import KINDS
from paygres.server.projections.project import lock, project
from paygres.server.projections.snapshots import Snapshot
from paygres.server.stripe_gateway.answer import Answer
from paygres.server.tables import checkout_sessions
from paygres.server.tables.sqlstates import Contended

SESSION = KINDS["checkout.session"]
# Only our own reserving writes what is sent with the merchant's key; a row that SQL put there is sent nothing.
NOT_RESERVED = "This row was not made by a checkout request, so nothing is sent to Stripe for it"


async def send(
    parts: Parts,
    connection: Connection,
    row_id: uuid.UUID,
    params: dict[str, Any],
    *,
    guest: bool,
    resumed: bool = False,
    wanted_later: bool = True,
) -> dict[str, Any]:
    """Create the session of a leased row at Stripe and project the answer.

    `resumed`: an earlier attempt may have reached Stripe. Its stored answer is then as old as the session,
    so Stripe is asked what became of it since.
    `wanted_later`: its buyer may come back for it. Otherwise a refusal for its rate is the end of a row that Stripe
    surely made nothing for, lest the worker make a session that nobody waits for.
    """
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
        if resumed:
            answer = await read_session(parts, connection, answer.object["id"], guest=guest)
    except (Unavailable, RateLimit) as error:
        over = isinstance(error, RateLimit) and error.definite and not (wanted_later or resumed)
        ending = checkout_sessions.fail if over else checkout_sessions.release
        await ending(parts.db, row_id, error.message)
        raise
    except Upstream as error:
        # A refused key says nothing about what the earlier attempt did with the same Stripe key.
        over = error.definite and not (resumed and error.code == "PAYMENT_CONFIG_INVALID")
        ending = checkout_sessions.fail if over else checkout_sessions.release
        await ending(parts.db, row_id, error.message)
        about_prices = error.definite and error.status == 400 and "price" in error.message.lower()
        if about_prices and error.next_actions is None:
            error.next_actions = await explain_prices(
                parts.db, environment, params["mode"], [item["price"] for item in params["line_items"]]
            )
        raise
    except PaygresError as error:
        await checkout_sessions.fail(parts.db, row_id, error.message)
        raise
    if (await parts.connections.current(environment)).account_id != connection.account_id:
        await checkout_sessions.fail(parts.db, row_id, "The Stripe account was changed during this checkout")
        raise Unavailable("The Stripe account was changed during this checkout; try again")
    session = await _finish(parts, connection, row_id, answer.object, answer.as_of)
    subscribing = params["mode"] == "subscription" and session["status"] == "open"
    if subscribing and await checkout_sessions.is_superseded(parts.db, row_id):
        parts.wake.set()  # the worker expires it
        raise already_subscribed()
    return session


def already_subscribed() -> Idempotency:
    """One live subscription per subject and plan family (decision 14)."""
    return Idempotency(
        "This subject already has a live subscription to this plan",
        next_actions=(
            "Change or cancel it in the customer portal (createCustomerPortalSession of the SDK), or as an operator"
            " with POST /api/paygres/{environment}/subscriptions/{id}/change or …/cancel."
        ),
    )


async def _finish(
    parts: Parts, connection: Connection, row_id: uuid.UUID, session: dict[str, Any], as_of: int
) -> dict[str, Any]:
    current = Snapshot("checkout.session", session["id"], as_of, "api", session)
    object_lock = lock(connection.environment, SESSION.name, session["id"])
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
                object_lock,
            )
    if finished is None:  # an event overtook the answer: weigh them like any two snapshots
        await apply_reads(parts.db, connection, [session], as_of)
        finished = await checkout_sessions.select_json(parts.db, row_id)
    if finished is None:
        raise Unavailable("The checkout session was removed while it was being created")
    return finished


async def read_session(parts: Parts, connection: Connection, session_id: str, *, guest: bool) -> Answer:
    """The session as Stripe has it now."""
    path = f"/v1/checkout/sessions/{session_id}"
    return await parts.gateway.request(connection.stripe_key, "get", path, guest=guest)


async def find_session(parts: Parts, connection: Connection, session_id: str, *, guest: bool) -> Answer:
    """The session as Stripe has it now, or a tombstone: its account's test data may have been deleted."""
    try:
        return await read_session(parts, connection, session_id, guest=guest)
    except Upstream as error:
        if not error.definite or error.status != 404:
            raise
        return Answer({"id": session_id, "object": SESSION.name, "deleted": True}, int(time.time()), None)
