"""GET /api/paygres/{environment}/checkout-sessions/{id}: one session for its owner, never proof of payment."""

from typing import Any

from paygres.server.caller import ROLES, Caller
from paygres.server.errors import NotFound, PermissionDenied
from paygres.server.flows.parts import Parts
from paygres.server.tables import checkout_sessions


async def read_checkout_session(parts: Parts, caller: Caller, environment: str, wanted: str) -> dict[str, Any]:
    """The session with this row id or cs_ id, under the caller's own policies; a guest's id is its capability.

    Raises NotFound for what does not exist and for what the caller may not see, alike.
    """
    if caller.role not in ROLES:
        raise PermissionDenied("Unsupported checkout role")
    session = await checkout_sessions.read(parts.db, caller, environment, wanted)
    if session is None:
        raise NotFound(
            "No such checkout session",
            code="PAYMENT_NOT_FOUND",
            next_actions="Use the id or checkoutSessionId of a session this caller created.",
        )
    return session
