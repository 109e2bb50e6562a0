"""POST …/checkout-sessions/{id}/expire: an operator ends an open session, so that nobody can pay it any more."""

from typing import Any

from paygres.server.errors import InvalidRequest, NotFound, PaygresError, Unavailable, Upstream
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.connections import Connection
from paygres.server.flows.parts import Parts
from paygres.server.flows.send_checkout_session import find_session
from paygres.server.tables import audit, checkout_sessions, listed_checkout_sessions


async def expire_checkout_session(
    parts: Parts, environment: str, wanted: str, *, actor: str, request_id: str | None
) -> dict[str, Any]:
    """The expired session; `wanted` is a row id or a cs_ id.

    Raises NotFound, InvalidRequest (it is not open, or was paid just now), and what asking Stripe may raise.
    """
    found = await listed_checkout_sessions.find(parts.db, environment, wanted)
    if found is None:
        raise NotFound("No such checkout session", code="PAYMENT_NOT_FOUND")
    if found.status != "open" or found.checkout_session_id is None:
        raise _not_open(found.status)
    connection = await parts.connections.current(environment)
    if found.account_id != connection.account_id:
        raise InvalidRequest("This session belongs to a Stripe account that is not connected now")
    await audit.record(
        parts.db,
        actor=actor,
        action="checkout_session.expire",
        environment=environment,
        target=str(found.id),
        details={"checkoutSessionId": found.checkout_session_id},
        request_id=request_id,
    )
    await expire_at_stripe(parts, connection, found.checkout_session_id)
    session = await checkout_sessions.select_json(parts.db, found.id)
    if session is None:
        raise Unavailable("The checkout session was removed meanwhile")
    if session["status"] != "expired":
        raise _not_open(session["status"])
    return session


async def expire_at_stripe(parts: Parts, connection: Connection, session_id: str) -> None:
    """Expire a session and apply what became of it. One that is not open any more, or gone, is read instead."""
    try:
        path = f"/v1/checkout/sessions/{session_id}/expire"
        answer = await parts.gateway.request(connection.stripe_key, "post", path)
    except Upstream as error:
        if not error.definite or error.status not in (400, 404):
            raise
        answer = await find_session(parts, connection, session_id, guest=False)
        if answer.object.get("status") == "open":  # refused for another reason
            raise error from None
    await apply_reads(parts.db, connection, [answer.object], answer.as_of)


def _not_open(status: str) -> PaygresError:
    later = " Try again in a moment." if status == "initialized" else ""
    return InvalidRequest(f"Only an open checkout session can be expired; this one is {status}.{later}")
