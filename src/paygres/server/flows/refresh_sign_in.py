"""Exchange a refresh token for the next one and a new access token. A replaced token answers alike for 30 seconds; used
after that, two hold it, and the whole sign-in ends."""

from hmac import compare_digest

import structlog

from paygres.server.auth.refresh_tokens import GRACE, LASTS, Kind, RefreshToken
from paygres.server.errors import Authentication, PermissionDenied
from paygres.server.flows.begin_sign_in import SignedIn, admin_credential, of_admin, of_user
from paygres.server.flows.parts import Parts
from paygres.server.tables import audit, sign_ins, users
from paygres.server.tables.sign_ins import Presented

_log = structlog.get_logger("paygres.auth")
_SIGN_IN_AGAIN = "Sign in again."


async def refresh_sign_in(
    parts: Parts, token: RefreshToken, kind: Kind, csrf: str | None, request_id: str | None
) -> SignedIn:
    """`csrf` is what a page sent beside its cookie, "" when it sent none; None where no cookie is used.

    Raises Authentication for a token that does not hold, PermissionDenied (FORBIDDEN) for a wrong `csrf`.
    """
    if token.kind != kind:
        raise refused("Invalid refresh session type")
    if csrf is not None and not compare_digest(csrf.encode(), parts.refresh_tokens.csrf(token).encode()):
        await _refuse_page(parts, token)
    credential = admin_credential(parts) if kind == "admin" else None
    following = parts.refresh_tokens.after(token)
    sub = await sign_ins.rotate(parts.db, token.sign_in, kind, credential, token.hash, following.hash, LASTS)
    if sub is None:
        sub, following = await _once_more(parts, token, credential, request_id)
    if kind == "admin":
        return await of_admin(parts, sub, following)
    user = await users.select(parts.db, sub)
    if user is None:
        await sign_ins.revoke(parts.db, token.sign_in, "user_deleted")
        raise refused("User not found")
    return await of_user(parts, user, following)


def refused(message: str) -> Authentication:
    """401; this code because the contract has it."""
    return Authentication(message, code="AUTH_UNAUTHORIZED", next_actions=_SIGN_IN_AGAIN)


async def _refuse_page(parts: Parts, token: RefreshToken) -> None:
    """A live token keeps its cookie: the request may have come from somebody else's page."""
    known = await sign_ins.select_presented(parts.db, token.sign_in, token.hash, GRACE)
    if known is not None and known.live and (known.current or known.in_grace):
        raise PermissionDenied(
            "Invalid CSRF token",
            code="FORBIDDEN",
            next_actions="Send the csrfToken of the sign-in as the header X-CSRF-Token.",
        )
    raise refused("Invalid or expired refresh token")


async def _once_more(
    parts: Parts, token: RefreshToken, credential: bytes | None, request_id: str | None
) -> tuple[str, RefreshToken]:
    """The presented token is not the current one: the second of two tabs, or a thief."""
    known = await sign_ins.select_presented(parts.db, token.sign_in, token.hash, GRACE)
    if known is None or not known.live or known.current or known.credential != credential:
        raise refused("Invalid or expired refresh token")
    if known.in_grace and known.place is not None:
        current = parts.refresh_tokens.after(token, known.place)
        if compare_digest(current.hash, known.token_hash):
            return known.sub, current
        raise refused("Invalid or expired refresh token")  # JWT_SECRET was changed a moment ago
    await _end_reused(parts, token, known, request_id)
    raise refused("Invalid or expired refresh token")


async def _end_reused(parts: Parts, token: RefreshToken, known: Presented, request_id: str | None) -> None:
    sub, details = known.sub, {"kind": known.kind}
    async with parts.db.as_service() as tx:
        if await sign_ins.revoke(tx, token.sign_in, "reused") is not None:
            await audit.record(
                tx, actor=sub, action="session.reuse", target=sub, details=details, request_id=request_id
            )
    _log.warning("refresh_token_reused", kind=known.kind, sub=sub)
