"""End sign-ins: one, by its own refresh or access token, or all of a user's, by an admin."""

from hmac import compare_digest

from paygres.server.auth.refresh_tokens import GRACE, Kind, RefreshToken
from paygres.server.errors import NotFound, PermissionDenied
from paygres.server.flows.operator import Operator
from paygres.server.flows.parts import Parts
from paygres.server.tables import audit, sign_ins, users

_MOST_AT_ONCE = 5000


async def sign_out(parts: Parts, token: RefreshToken | None, kind: Kind, csrf: str | None) -> None:
    """Nothing happens for a token that does not hold. `csrf` as in refresh_sign_in; raises PermissionDenied."""
    if token is None or token.kind != kind:
        return
    known = await sign_ins.select_presented(parts.db, token.sign_in, token.hash, GRACE)
    if known is None or not known.live or not (known.current or known.in_grace):
        return
    if csrf is not None and not compare_digest(csrf.encode(), parts.refresh_tokens.csrf(token).encode()):
        raise PermissionDenied(
            "Invalid CSRF token",
            code="FORBIDDEN",
            next_actions="Send the csrfToken of the sign-in as the header X-CSRF-Token.",
        )
    await sign_ins.revoke(parts.db, token.sign_in, "signed_out")


async def sign_out_by_id(parts: Parts, sid: str | None) -> None:
    """The sign-in that a verified access token of ours names; for clients that send no refresh token."""
    sign_in = None if sid is None else parts.refresh_tokens.sign_in_of(sid)
    if sign_in is not None:
        await sign_ins.revoke(parts.db, sign_in, "signed_out")


async def sign_out_user(parts: Parts, user_id: str, operator: Operator) -> int:
    """Every sign-in of a user ends; access tokens run out within fifteen minutes. Raises NotFound."""
    user = await users.select(parts.db, user_id)
    if user is None:
        raise NotFound(f"User not found: {user_id[:64]}")
    async with parts.db.as_service() as tx:
        ended = await sign_ins.revoke_all(tx, "user", user.id, "by_admin")
        await audit.record(
            tx,
            actor=operator.actor,
            action="user.sign_out",
            target=user.id,
            details={"ended": ended},
            request_id=operator.request_id,
        )
    return ended


async def forget_sign_ins(parts: Parts, most: int = _MOST_AT_ONCE) -> int:
    """The worker's duty: delete what ended, so much at once that no round is long. How much it was."""
    return await sign_ins.delete_ended(parts.db, most)
