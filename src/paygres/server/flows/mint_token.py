"""Sign an access token for a test or an operator: what an app's own sign-in would give its user."""

from datetime import UTC, datetime, timedelta
from typing import Any

from paygres.server.errors import PermissionDenied
from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.flows.requests.keys import TokenRequest
from paygres.server.tables import audit


async def mint_token(parts: Parts, wanted: TokenRequest, operator: Operator) -> dict[str, Any]:
    """`{accessToken, expiresAt, sub, role}`; never an admin's.

    Raises PermissionDenied where only live is connected, unless forced: there the token can spend real money.
    """
    if not wanted.force and await parts.connections.has_key("live") and not await parts.connections.has_key("test"):
        raise PermissionDenied(
            "Only live is connected here: a token would act for a real user",
            next_actions="Send force: true if that is what you want; it is recorded in the audit log.",
        )
    expires_at = datetime.now(UTC) + timedelta(seconds=wanted.ttl_seconds)
    await audit.record(
        parts.db,
        actor=operator.actor,
        action="token.mint",
        target=wanted.sub,
        details={"role": wanted.role, "ttlSeconds": wanted.ttl_seconds, "force": wanted.force},
        request_id=operator.request_id,
    )
    token = await parts.tokens.issue(wanted.sub, wanted.role, email=wanted.email, seconds=wanted.ttl_seconds)
    return {
        "accessToken": token,
        "expiresAt": expires_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "sub": wanted.sub,
        "role": wanted.role,
    }
