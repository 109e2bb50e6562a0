"""Public keys of other issuers: chosen by `kid`, each pinned to one algorithm, fetched at most once a minute and kept
while their issuer is away."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import jwt
import orjson
import structlog

from paygres.server.errors import Upstream
from paygres.server.jwt_issuers import ALGORITHMS, Issuer

_log = structlog.get_logger("paygres.auth")
_ASK_AGAIN_SECONDS = 60.0
_FRESH_SECONDS = 600.0  # a key that its issuer withdrew is refused after this, plus one fetch
_STALE_SECONDS = 86_400.0  # an issuer that is away longer than this is not believed any more
_MOST_KEYS = 64
_RSA_BITS = 2048
_OF_CURVE = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}

Fetch = Callable[[str], Awaitable[bytes]]
"""Reads a small document; raises Upstream with a reason."""


class IssuerKeys:
    """The keys of one issuer. They are never fetched from an address that a token names (`jku`, `x5u`)."""

    def __init__(self, issuer: Issuer, fetch: Fetch, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._keys = usable_keys(issuer.jwks, issuer.algorithms)
        self._asked_at = self._fetched_at = float("-inf")
        self._asking = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None

    async def find(self, kid: str | None) -> jwt.PyJWK | None:
        """The key of that id, None when the issuer has none."""
        url = self._issuer.jwks_url
        if url is None:
            return self._keys.get(kid)
        age = self._clock() - self._fetched_at
        if kid in self._keys and age < _FRESH_SECONDS:
            return self._keys[kid]
        if kid in self._keys and age < _STALE_SECONDS:
            self._refresh_meanwhile(url)  # nobody waits for a key that is known
            return self._keys[kid]
        await self._ask(url)
        return self._keys.get(kid) if self._clock() - self._fetched_at < _STALE_SECONDS else None

    def _refresh_meanwhile(self, url: str) -> None:
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._ask(url))

    async def _ask(self, url: str) -> None:
        async with self._asking:  # a burst of unknown keys asks once
            if self._clock() - self._asked_at < _ASK_AGAIN_SECONDS:
                return
            self._asked_at = self._clock()
            try:
                document = orjson.loads(await self._fetch(url))
                found = usable_keys(_listed(document), self._issuer.algorithms)
                if not found:
                    raise ValueError("it has no usable public key")
            except (Upstream, ValueError) as error:
                reason = error.message if isinstance(error, Upstream) else str(error)
                _log.warning("issuer_keys_not_fetched", issuer=self._issuer.name, reason=reason)
                return
            self._keys, self._fetched_at = found, self._clock()


def usable_keys(keys: Sequence[Mapping[str, Any]], algorithms: Sequence[str]) -> dict[str | None, jwt.PyJWK]:
    """By `kid`, the first of each; keys for encryption, of other kinds, or too short are left out."""
    found: dict[str | None, jwt.PyJWK] = {}
    for key in keys[:_MOST_KEYS]:
        kid, algorithm = key.get("kid"), _algorithm(key, algorithms)
        if algorithm is None or kid in found or not (kid is None or isinstance(kid, str)):
            continue
        try:
            made = jwt.PyJWK(dict(key), algorithm)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            continue
        if getattr(made.key, "key_size", _RSA_BITS) >= _RSA_BITS or key["kty"] != "RSA":
            found[kid] = made
    return found


def _algorithm(key: Mapping[str, Any], allowed: Sequence[str]) -> str | None:
    """The one algorithm this key verifies: its own word, else what its kind says."""
    kind, named = key.get("kty"), key.get("alg")
    if kind not in ALGORITHMS or key.get("use", "sig") != "sig" or "d" in key:
        return None
    if named is None:
        of_kind = [one for one in allowed if one in ALGORITHMS[kind]]
        named = _OF_CURVE.get(key.get("crv", "")) if kind == "EC" else (of_kind or [None])[0]
    return named if named in allowed and named in ALGORITHMS[kind] else None


def _listed(document: Any) -> list[Mapping[str, Any]]:
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise ValueError("it is no JWKS document")
    return [key for key in keys if isinstance(key, dict)]
