"""Begin a sign-in: an access token of fifteen minutes, and the first refresh token of a chain."""

from dataclasses import dataclass, field
from typing import Any

from paygres.server.auth.refresh_tokens import LASTS, RefreshToken
from paygres.server.flows.parts import Parts
from paygres.server.tables import sign_ins
from paygres.server.tables.users import User


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What the client gets. Pages get `refresh_token` as a cookie and `csrf_token` to send beside it."""

    subject: Any  # the user, or {"sub"} of an admin, as answered
    access_token: str = field(repr=False)
    refresh_token: RefreshToken
    csrf_token: str = field(repr=False)


async def begin_user(parts: Parts, user: User) -> SignedIn:
    """For somebody whose password was right just now."""
    token = parts.refresh_tokens.first("user")
    await sign_ins.insert(parts.db, token.sign_in, "user", user.id, token.hash, None, LASTS)
    return await of_user(parts, user, token)


async def begin_admin(parts: Parts) -> SignedIn:
    """For the admin of the settings."""
    token = parts.refresh_tokens.first("admin")
    sub = f"local:{parts.admin_username}"
    await sign_ins.insert(parts.db, token.sign_in, "admin", sub, token.hash, admin_credential(parts), LASTS)
    return await of_admin(parts, sub, token)


async def of_user(parts: Parts, user: User, token: RefreshToken) -> SignedIn:
    """The answer that belongs to a token of theirs."""
    access = await parts.tokens.issue(
        user.id, "authenticated", email=user.email, sid=parts.refresh_tokens.sid(token.sign_in)
    )
    return SignedIn(shown(user), access, token, parts.refresh_tokens.csrf(token))


async def of_admin(parts: Parts, sub: str, token: RefreshToken) -> SignedIn:
    access = await parts.tokens.issue(sub, "project_admin", sid=parts.refresh_tokens.sid(token.sign_in))
    return SignedIn({"sub": sub}, access, token, parts.refresh_tokens.csrf(token))


def admin_credential(parts: Parts) -> bytes:
    """What the admin's sign-ins are bound to."""
    return parts.refresh_tokens.admin_credential(parts.admin_username, parts.admin_password)


def shown(user: User) -> dict[str, Any]:
    """A user as answered (contract 1.3.5)."""
    return {
        "id": user.id,
        "email": user.email,
        "emailVerified": user.email_verified,
        "createdAt": user.created_at,
        "updatedAt": user.updated_at,
        "providers": ["email"] if user.has_password else [],
        "profile": user.profile,
        "metadata": user.metadata,
    }
