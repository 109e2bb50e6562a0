"""Access tokens: ours (RS256), those signed with JWT_SECRET (HS256), those of configured issuers. The key is chosen by
issuer and `kid` and pins the algorithm; `sub` is required."""

import base64
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
import orjson
from jwt.types import Options

from paygres.server.auth.issuer_keys import Fetch, IssuerKeys
from paygres.server.auth.signing_key import ALGORITHM, OwnKey, SigningKey
from paygres.server.errors import Authentication
from paygres.server.jwt_issuers import Issuer

ACCESS_SECONDS = 15 * 60
_REMEMBER_SECONDS = 30.0
_NEVER = 1e12
_REMEMBER_TOKENS = 4096
_LONGEST_TOKEN = 8192  # a longer one is never parsed: its header is untrusted JSON
_LONGEST_SUBJECT = 512  # bytes; it is part of a unique index
_OTHER_PURPOSES = frozenset({"refresh", "csrf"})
_LEEWAY_SECONDS = 10  # clocks of other issuers
# `iat` in the future and any `iss`/`aud` are the issuer's business; `sub` gets a text of its own below.
_OPTIONS: Options = {
    "verify_aud": False,
    "verify_iss": False,
    "verify_iat": False,
    "verify_sub": False,
    "verify_jti": False,
}
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. `role` may be one nobody supports; routes refuse those. `sid` is the sign-in that our
    own tokens belong to."""

    sub: str
    role: str
    email: str | None
    sid: str | None = None


async def _no_key() -> SigningKey | None:
    return None


async def _no_fetch(url: str) -> bytes:
    raise ValueError(f"nothing fetches {url}")


class Tokens:
    """Verifies and issues; remembers verified tokens for at most 30 s, never past their `exp`."""

    def __init__(
        self,
        secret: str,
        *,
        own: Callable[[], Awaitable[SigningKey | None]] = _no_key,
        issuers: Sequence[Issuer] = (),
        fetch: Fetch = _no_fetch,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._secret = secret
        encoded = base64.urlsafe_b64encode(secret.encode()).decode()
        # Prepared once: from plain text the library would look for PEM and DER keys in it at every token.
        self._key = jwt.PyJWK.from_dict({"kty": "oct", "k": encoded, "alg": "HS256"})
        self._own = OwnKey(own)
        self._issuers = {one.issuer: (one, IssuerKeys(one, fetch)) for one in issuers}
        self._clock = clock
        self._verified: dict[str, tuple[Claims, float]] = {}

    async def own_key(self) -> SigningKey | None:
        """The pair that signs, made when there was none. Raises Unavailable while the database is away."""
        return await self._own.get()

    async def verify(self, token: str) -> Claims:
        """The claims of a valid access token; raises Authentication (AUTH_UNAUTHORIZED) otherwise."""
        now = self._clock()
        known = self._verified.get(token)
        if known is not None and now < known[1]:
            return known[0]
        claims, expires = await self._decode(token)
        if len(self._verified) >= _REMEMBER_TOKENS:
            self._verified.clear()
        self._verified[token] = (claims, min(now + _REMEMBER_SECONDS, expires))
        return claims

    async def issue(
        self, sub: str, role: str, *, email: str | None = None, sid: str | None = None, seconds: int = ACCESS_SECONDS
    ) -> str:
        """An access token of ours; with JWT_SECRET when our key cannot be read."""
        now = int(self._clock())
        claims: dict[str, Any] = {"sub": sub, "role": role}
        claims |= {name: value for name, value in (("email", email), ("sid", sid)) if value is not None}
        claims |= {"iat": now, "exp": now + seconds}
        key = await self._own.get()
        return jwt.encode(claims, self._secret, algorithm="HS256") if key is None else key.sign(claims)

    async def _decode(self, token: str) -> tuple[Claims, float]:
        if len(token) > _LONGEST_TOKEN:
            raise _invalid("Invalid token")
        try:
            header = jwt.get_unverified_header(token)
            said = _unverified(token) if self._issuers else {}
        except _UNREADABLE:
            raise _invalid("Invalid token") from None
        issuer = said.get("iss")
        if header.get("alg") == ALGORITHM:
            own = await self._own.get()
            if own is not None and header.get("kid") == own.kid:
                return _claims(_verified(token, own.public, ALGORITHM, {**_OPTIONS, "require": ["exp"]}))
        if isinstance(issuer, str) and issuer in self._issuers:
            return await self._foreign(token, header, *self._issuers[issuer])
        return _claims(_verified(token, self._key, "HS256", _OPTIONS))

    async def _foreign(
        self, token: str, header: Mapping[str, Any], issuer: Issuer, keys: IssuerKeys
    ) -> tuple[Claims, float]:
        key = await keys.find(header.get("kid"))
        if key is None:
            raise _invalid("Invalid token")
        options: Options = {"require": ["exp", "iss"], "verify_iat": False, "verify_sub": False, "verify_jti": False}
        options["verify_aud"] = bool(issuer.audience)
        said = _verified(
            token,
            key,
            key.algorithm_name,
            options,
            issuer=issuer.issuer,
            audience=list(issuer.audience) or None,
            leeway=_LEEWAY_SECONDS,
        )
        sub, email = said.get(issuer.subject_claim), said.get("email")
        known = {
            "type": said.get("type"),
            "exp": said["exp"],
            "sub": f"{issuer.name}:{sub}" if issuer.scoped and isinstance(sub, str) and sub else sub,
            # Whatever it says: nobody else makes our admins.
            "role": "anon" if said.get("role") == "anon" else "authenticated",
            "email": None if said.get("email_verified") is False else email,
        }
        return _claims(known)


def _unverified(token: str) -> Mapping[str, Any]:
    """What the token says of itself, to look up whose key it needs; believed only once that key has verified it."""
    payload = token.split(".")[1]
    said = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return said if isinstance(said, dict) else {}


def _verified(token: str, key: jwt.PyJWK, algorithm: str, options: Options, **more: Any) -> dict[str, Any]:
    try:
        return jwt.decode(token, key, algorithms=[algorithm], options=options, **more)
    except _UNREADABLE:
        raise _invalid("Invalid token") from None


def _claims(said: Mapping[str, Any]) -> tuple[Claims, float]:
    """The claims we use, and when they end."""
    if said.get("type") in _OTHER_PURPOSES:
        raise _invalid("Invalid token")
    sub, role, email, sid = said.get("sub"), said.get("role"), said.get("email"), said.get("sid")
    expires = said.get("exp", _NEVER)
    if not isinstance(expires, int | float):
        raise _invalid("Invalid token")
    if not isinstance(sub, str) or not _storable(sub) or len(sub.encode()) > _LONGEST_SUBJECT:
        raise _invalid("Invalid token subject")
    if role is None:
        role = "authenticated"
    if not isinstance(role, str):
        raise _invalid("Invalid token")
    usable_email = email if isinstance(email, str) and _storable(email) else None
    return Claims(sub, role, usable_email, sid if isinstance(sid, str) else None), min(expires, _NEVER)


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
