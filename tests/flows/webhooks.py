"""A server that knows a signing secret, and signed deliveries to it."""

import hashlib
import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import httpx2
import orjson

from tests.fresh_database import FreshDatabase, in_its_own_loop
from tests.http.running import Server, environment, serving

SECRET = "whsec_0123456789abcdef0123456789abcdef"
ROUTE = "/api/webhooks/stripe/test"


@contextmanager
def hooked(database: FreshDatabase, **more: str) -> Iterator[Server]:
    """A server whose test environment has a hand-made webhook endpoint, and no Stripe behind it."""
    with serving(environment(database.server_url, STRIPE_TEST_WEBHOOK_SECRET=SECRET, **more)) as server:
        yield server


def signed(payload: bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """Headers of a delivery."""
    seconds = int(time.time() if at is None else at)
    mac = hmac.new(secret.encode(), b"%d." % seconds + payload, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={seconds},v1={mac}", "content-type": "application/json"}


def deliver(server: Server, body: dict[str, Any] | bytes, **signing: Any) -> httpx2.Response:
    """POST an event as Stripe does."""
    payload = body if isinstance(body, bytes) else orjson.dumps(body)
    return server.client.post(ROUTE, content=payload, headers=signed(payload, **signing))


def sql(database: FreshDatabase, statement: str, *args: Any, role: str = "paygres_owner") -> list[dict[str, Any]]:
    """Rows of a statement run as the owner, who is also the developer here. Session rows are under forced
    row-level security even for the owner: read those as `project_admin`."""

    async def run() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(database.superuser_url)
        try:
            await connection.execute(f"set role {role}")
            return [dict(r) for r in await connection.fetch(statement, *args)]
        finally:
            await connection.close()

    return in_its_own_loop(run())


def script(database: FreshDatabase, statements: str) -> None:
    """Several statements as the owner."""

    async def run() -> None:
        connection = await asyncpg.connect(database.superuser_url)
        try:
            await connection.execute("set role paygres_owner;" + statements)
        finally:
            await connection.close()

    in_its_own_loop(run())
