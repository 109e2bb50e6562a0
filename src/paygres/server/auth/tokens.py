"""Access tokens: verify HS256 JWTs signed with JWT_SECRET, issue short ones for signed-in admins.
Any issuer that knows the secret may sign; `sub` is required, `exp` only honored when present."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jwt
from jwt.types import Options

from paygres.server.errors import Authentication

ADMIN_TOKEN_SECONDS = 15 * 60
_REMEMBER_SECONDS = 30.0
_NEVER = 1e12
_REMEMBER_TOKENS = 4096
_LONGEST_TOKEN = 8192  # a longer one is never parsed: its header is untrusted JSON
_LONGEST_SUBJECT = 512  # bytes; it is part of a unique index
_OTHER_PURPOSES = frozenset({"refresh", "csrf"})
# `iat` in the future and any `iss`/`aud` are the issuer's business; `sub` gets a text of its own below.
_OPTIONS: Options = {
    "verify_aud": False,
    "verify_iss": False,
    "verify_iat": False,
    "verify_sub": False,
    "verify_jti": False,
}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. `role` may be one nobody supports; routes refuse those."""

    sub: str
    role: str
    email: str | None


class Tokens:
    """Verifies and issues; remembers verified tokens for at most 30 s, never past their `exp`."""

    def __init__(self, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret
        encoded = base64.urlsafe_b64encode(secret.encode()).decode()
        # Prepared once: from plain text the library would look for PEM and DER keys in it at every token.
        self._key = jwt.PyJWK.from_dict({"kty": "oct", "k": encoded, "alg": "HS256"})
        self._clock = clock
        self._verified: dict[str, tuple[Claims, float]] = {}

    def verify(self, token: str) -> Claims:
        """The claims of a valid access token; raises Authentication (AUTH_UNAUTHORIZED) otherwise."""
        now = self._clock()
        known = self._verified.get(token)
        if known is not None and now < known[1]:
            return known[0]
        claims, expires = self._decode(token)
        if len(self._verified) >= _REMEMBER_TOKENS:
            self._verified.clear()
        self._verified[token] = (claims, min(now + _REMEMBER_SECONDS, expires))
        return claims

    def issue_admin(self, username: str) -> str:
        """An access token of 15 minutes for `local:<username>` with role project_admin."""
        return self._issue({"sub": f"local:{username}", "role": "project_admin"}, ADMIN_TOKEN_SECONDS)

    def issue_user(self, sub: str, role: Literal["authenticated", "anon"], email: str | None, seconds: int) -> str:
        """An access token for a user or guest, as an issuer that knows the secret would sign it."""
        email_claim = {} if email is None else {"email": email}
        return self._issue({"sub": sub, "role": role, **email_claim}, seconds)

    def _issue(self, claims: dict[str, Any], seconds: int) -> str:
        now = int(self._clock())
        return jwt.encode({**claims, "iat": now, "exp": now + seconds}, self._secret, algorithm="HS256")

    def _decode(self, token: str) -> tuple[Claims, float]:
        if len(token) > _LONGEST_TOKEN:
            raise _invalid("Invalid token")
        try:
            claims: dict[str, Any] = jwt.decode(token, self._key, algorithms=["HS256"], options=_OPTIONS)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            raise _invalid("Invalid token") from None
        if claims.get("type") in _OTHER_PURPOSES:
            raise _invalid("Invalid token")
        sub, role, email = claims.get("sub"), claims.get("role"), claims.get("email")
        expires = claims.get("exp", _NEVER)
        if not isinstance(expires, int | float):
            raise _invalid("Invalid token")
        if not isinstance(sub, str) or not _storable(sub) or len(sub.encode()) > _LONGEST_SUBJECT:
            raise _invalid("Invalid token subject")
        if role is None:
            role = "authenticated"
        if not isinstance(role, str):
            raise _invalid("Invalid token")
        usable_email = email if isinstance(email, str) and _storable(email) else None
        return Claims(sub, role, usable_email), min(expires, _NEVER)


def _storable(text: str) -> bool:
    """PostgreSQL keeps neither NUL nor lone surrogates; '' says nothing."""
    if not text or "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _invalid(message: str) -> Authentication:
    # This code with a 401 is what makes the SDK refresh its token; no other 401 may use it.
    return Authentication(message, code="AUTH_UNAUTHORIZED")
