"""Read a whole Stripe account, page by page, through the same road as events. Memory is one page."""

from collections.abc import AsyncIterator
from typing import Any

import structlog

from paygres.server import errors
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.connections import Connection, leased
from paygres.server.flows.parts import Parts
from paygres.server.flows.read_connections import read_connection
from paygres.server.projections.snapshots import Unreadable
from paygres.server.tables import connections

log = structlog.get_logger()

# Archived products come with the others; archived prices have to be asked for.
_LISTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("products", "/v1/products", {}),
    ("prices", "/v1/prices", {"active": "true"}),
    ("prices", "/v1/prices", {"active": "false"}),
    ("customers", "/v1/customers", {}),
)


async def sync_environment(parts: Parts, environment: str) -> dict[str, Any]:
    """Bring products, prices and customers up to date; the contract's sync result (1.6).

    Never raises for what Stripe or the configuration does: the outcome is in the connection. An environment
    without a key is left alone, and is no failure (F60). Raises `Unavailable` when another sync of it does
    not end within 20 s.
    """
    finished = False
    if await parts.connections.has_key(environment):
        async with leased(parts.db, environment):
            finished = await _sync(parts, environment)
    return {
        "environment": environment,
        "connection": await read_connection(parts.db, environment),
        "subscriptions": _no_subscriptions(environment) if finished else None,
    }


async def _sync(parts: Parts, environment: str) -> bool:
    try:
        connection = await parts.connections.current(environment)
        account = await _account(parts, connection)
        counts = {name: 0 for name, _, _ in _LISTS}
        async for name, page, as_of in _pages(parts, connection):
            await apply_reads(parts.db, connection, page, as_of)
            counts[name] += len(page)
            await _still_connected(parts, connection)
    except (errors.PaygresError, Unreadable) as error:
        await connections.update_sync_failed(parts.db, environment, str(error))
        log.warning("sync failed", environment=environment, reason=str(error))
        return False
    except Exception:
        await connections.update_sync_failed(parts.db, environment, "The sync stopped at an internal error")
        raise
    await connections.update_sync_succeeded(parts.db, environment, account, counts)
    log.info("sync finished", environment=environment, **counts)
    return True


async def _account(parts: Parts, connection: Connection) -> dict[str, Any]:
    answer = await parts.gateway.request(connection.stripe_key, "get", "/v1/account", priority="backfill")
    if connection.account_id and answer.object.get("id") != connection.account_id:
        raise errors.Upstream("The stored key belongs to another Stripe account than the connected one")
    return answer.object


async def _pages(parts: Parts, connection: Connection) -> AsyncIterator[tuple[str, list[dict[str, Any]], int]]:
    for name, path, params in _LISTS:
        async for page, as_of in parts.gateway.pages(connection.stripe_key, path, params):
            yield name, page, as_of


async def _still_connected(parts: Parts, connection: Connection) -> None:
    """Stop when the environment was given another account, or none, while we were reading this one."""
    now = await parts.connections.current(connection.environment)
    if now.account_id != connection.account_id:
        raise errors.Unavailable("The sync stopped: another Stripe account was connected meanwhile")


def _no_subscriptions(environment: str) -> dict[str, Any]:
    """Subscriptions are not synced yet; the shape is the contract's."""
    return {"environment": environment, "synced": 0, "unmapped": 0, "deleted": 0}
