"""API keys (`ik_…`, known only by hash) and anonymous keys (`anon_…`, public): is the presented one valid?
Keys are remembered for ten seconds; an unknown key asks the database again at most once a second."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Protocol

from paygres.server.errors import Authentication

_REMEMBER_SECONDS = 10.0
_ASK_AGAIN_SECONDS = 1.0


class StoredKey(Protocol):
    """What is known of a key. `hash` is the hex SHA-256; only anonymous keys keep their `value`."""

    @property
    def kind(self) -> str: ...
    @property
    def hash(self) -> str: ...
    @property
    def value(self) -> str | None: ...
    @property
    def expires_at(self) -> datetime | None: ...


def hash_key(key: str) -> str:
    """Hex SHA-256 of the key's UTF-8 text. Keys are long and random, so a slow hash adds nothing."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def new_api_key() -> str:
    """`ik_` and 64 hex digits."""
    return f"ik_{secrets.token_hex(32)}"


def new_anon_key() -> str:
    """`anon_` and 64 hex digits."""
    return f"anon_{secrets.token_hex(32)}"


class Keys:
    """Answers for one installation's keys; `load` reads the live rows, newest first."""

    def __init__(
        self,
        load: Callable[[], Awaitable[Sequence[StoredKey]]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._clock = clock
        self._keys: Sequence[StoredKey] = ()
        self._loaded_at = float("-inf")
        self._loading = asyncio.Lock()

    def forget(self) -> None:
        """The keys were changed here: the next look is at the database. Other processes notice in ten seconds."""
        self._loaded_at = float("-inf")

    async def require_api_key(self, presented: str) -> None:
        """Raises Authentication (AUTH_INVALID_API_KEY) unless the key is a live API key."""
        if not await self._holds("api", presented):
            raise Authentication(
                "Invalid API key",
                code="AUTH_INVALID_API_KEY",
                next_actions="Check the API key is valid or generate a new API key.",
            )

    async def require_anon_key(self, presented: str) -> None:
        """Raises Authentication (AUTH_INVALID_CREDENTIALS) unless the key is a live anonymous key."""
        if not await self._holds("anon", presented):
            raise Authentication(
                "Invalid anon key", next_actions="Check the token is valid or login to get a new token."
            )

    async def anon_key(self) -> str | None:
        """The newest live anonymous key, None when there is none."""
        await self._refresh(_REMEMBER_SECONDS)
        return next((key.value for key in self._keys if key.kind == "anon" and key.value), None)

    async def _holds(self, kind: str, presented: str) -> bool:
        hashed = hash_key(presented)
        await self._refresh(_REMEMBER_SECONDS)
        if self._matches(kind, hashed):
            return True
        # A key made a moment ago by another process: look again, but never once per bad request.
        await self._refresh(_ASK_AGAIN_SECONDS)
        return self._matches(kind, hashed)

    def _matches(self, kind: str, hashed: str) -> bool:
        found = False
        for key in self._keys:
            if compare_digest(key.hash, hashed) and key.kind == kind and not _expired(key):
                found = True
        return found

    async def _refresh(self, oldest: float) -> None:
        if self._clock() - self._loaded_at < oldest:
            return
        async with self._loading:
            if self._clock() - self._loaded_at < oldest:
                return
            self._keys = await self._load()
            self._loaded_at = self._clock()


def _expired(key: StoredKey) -> bool:
    return key.expires_at is not None and key.expires_at <= datetime.now(key.expires_at.tzinfo)
