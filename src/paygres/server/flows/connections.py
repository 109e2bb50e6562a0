"""The Stripe account of each environment, as every request needs it: one query, remembered for 5 seconds."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from paygres.server import errors
from paygres.server.auth.vault import Unreadable, Vault
from paygres.server.db.database import Database
from paygres.server.flows.side_by_side import meanwhile
from paygres.server.stripe_gateway.keys import ENVIRONMENTS, secret_key_name, webhook_secret_name
from paygres.server.tables import connections, secrets

log = structlog.get_logger()

_REMEMBER_SECONDS = 5.0
_ASK_AGAIN_SECONDS = 1.0
_LEASE_WAIT_SECONDS = 20.0  # longer than a lease, so that one of a killed process is outlived


@dataclass(frozen=True, slots=True)
class Connection:
    """A connected environment. `connected_at` (unix s) is the watermark: older events fulfill nothing."""

    environment: str
    account_id: str
    stripe_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    connected_at: int


@dataclass(frozen=True, slots=True)
class WebhookSide:
    """What receiving events needs of an environment; there with or without an API key (F26)."""

    secrets: tuple[str, ...] = field(repr=False)
    account_id: str
    connected_at: int


@dataclass(frozen=True, slots=True)
class _Known:
    """What one load found. `connection` is None when there is no key, or (`problem`) no readable one."""

    connection: Connection | None
    problem: str | None
    webhook: WebhookSide
    at: float


def mask_name(environment: str) -> str:
    """Where the mask of the key is kept, so that showing it needs no decryption."""
    return f"{secret_key_name(environment)}_MASKED"


def previous_webhook_secret_name(environment: str) -> str:
    """Where the signing secret of the endpoint that was just replaced is kept while it is still accepted."""
    return f"{webhook_secret_name(environment)}_PREVIOUS"


def next_webhook_secret_name(environment: str) -> str:
    """Where the signing secret of an endpoint that is about to replace the managed one is kept meanwhile."""
    return f"{webhook_secret_name(environment)}_NEXT"


def own_webhook_secret_name(environment: str) -> str:
    """Where a signing secret that people brought (`stripe listen`, a hand-made endpoint) is kept (F63)."""
    return f"{webhook_secret_name(environment)}_OWN"


class Connections:
    """Reads connections; flows that change one call `forget`. Other processes notice within five seconds."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault
        self._known: dict[str, _Known] = {}
        self._loading: dict[str, asyncio.Lock] = {}

    async def current(self, environment: str) -> Connection:
        """The connection; raises `NotConfigured` when there is no key, or none that can be read."""
        known = await self._get(environment)
        if known.connection is None:
            raise errors.NotConfigured(known.problem or f"{secret_key_name(environment)} is not configured")
        return known.connection

    async def has_key(self, environment: str) -> bool:
        """Whether a key is stored, readable or not."""
        known = await self._get(environment)
        return known.connection is not None or known.problem is not None

    async def unreadable(self) -> dict[str, str]:
        """The environments whose stored key cannot be read, each with a sentence that says so."""
        known = {environment: await self._get(environment) for environment in ENVIRONMENTS}
        return {environment: one.problem for environment, one in known.items() if one.problem is not None}

    async def webhook(self, environment: str, *, fresh: bool = False) -> WebhookSide:
        """The signing secrets in force, newest first (may be empty), with account and watermark.

        `fresh` asks the database again (at most once a second): for a signature that fits none of them,
        because another process may have just configured a new endpoint.
        """
        known = await self._get(environment, _ASK_AGAIN_SECONDS if fresh else _REMEMBER_SECONDS)
        return known.webhook

    def forget(self, environment: str) -> None:
        """The environment was changed here: the next look is at the database."""
        self._known.pop(environment, None)
        # A load that is under way may carry the old state; it keeps its own lock and is not remembered.
        self._loading.pop(environment, None)

    def seal(self, name: str, environment: str, plain: str) -> str:
        """`plain` encrypted for its row in `system.secrets`."""
        return self._vault.seal(plain, place=secrets.place(name, environment))

    def unseal(self, name: str, environment: str, sealed: str | None) -> str | None:
        """The secret, or None when there is none that can be read."""
        if sealed is None:
            return None
        try:
            return self._vault.open(sealed, place=secrets.place(name, environment))
        except Unreadable as error:
            log.warning("stored secret cannot be read", secret=name, reason=str(error))
            return None

    async def _get(self, environment: str, age: float = _REMEMBER_SECONDS) -> _Known:
        known = self._known.get(environment)
        if known is not None and time.monotonic() - known.at < age:
            return known
        lock = self._loading.setdefault(environment, asyncio.Lock())
        async with lock:  # a burst of requests asks once
            known = self._known.get(environment)
            if known is None or time.monotonic() - known.at >= age:
                known = await self._load(environment)
                if self._loading.get(environment) is lock:
                    self._known[environment] = known
            return known

    async def _load(self, environment: str) -> _Known:
        key_name = secret_key_name(environment)
        secret_names = (
            webhook_secret_name(environment),
            next_webhook_secret_name(environment),
            own_webhook_secret_name(environment),
            previous_webhook_secret_name(environment),
        )
        at = time.monotonic()
        row = await connections.select_environment(self._db, environment, (key_name, *secret_names))
        opened = [self.unseal(name, environment, row.sealed.get(name)) for name in secret_names]
        webhook_secrets = tuple(secret for secret in opened if secret)
        webhook = WebhookSide(webhook_secrets, row.account_id or "", row.connected_at or 0)
        key = self.unseal(key_name, environment, row.sealed.get(key_name))
        if key is None:
            problem = f"{key_name} is stored but cannot be read; set it again"
            return _Known(None, problem if key_name in row.sealed else None, webhook, at)
        connection = Connection(environment, row.account_id or "", key, webhook_secrets, row.connected_at or 0)
        return _Known(connection, None, webhook, at)


@asynccontextmanager
async def leased(db: Database, environment: str) -> AsyncIterator[None]:
    """Be the only one who configures or syncs the environment; nothing in the database is held meanwhile.

    Waits for another to finish; raises `Unavailable` after 20 s.
    """
    until = await _claim(db, environment)
    holding = [until]
    try:
        async with meanwhile(_keep(db, environment, holding)):
            yield
    finally:
        await connections.release_lease(db, environment, holding[0])


async def _claim(db: Database, environment: str) -> datetime:
    deadline = time.monotonic() + _LEASE_WAIT_SECONDS
    while (until := await connections.claim_lease(db, environment)) is None:
        if time.monotonic() > deadline:
            raise errors.Unavailable(
                f"Another sync or webhook setup of {environment} is still running; try again later",
                retry_after=10,
            )
        await asyncio.sleep(0.25)
    return until


async def _keep(db: Database, environment: str, holding: list[datetime]) -> None:
    """Extend the lease while its holder works. A lost one is not fought for: its work is safe to repeat."""
    while True:
        await asyncio.sleep(connections.LEASE.total_seconds() / 3)
        with suppress(errors.Unavailable):
            later = await connections.extend_lease(db, environment, holding[0])
            if later is None:
                return
            holding[0] = later
