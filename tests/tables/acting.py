"""Statements as a caller: role, claims and idempotency scope as the server sets them, inside a savepoint."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from paygres.server.caller import Caller

GUEST = Caller("anon", network="198.51.100.0/24")
SESSIONS = "payments.stripe_checkout_sessions"


def user(sub: str) -> Caller:
    return Caller("authenticated", sub=sub)


@asynccontextmanager
async def acting(
    connection: asyncpg.Connection, caller: Caller, *, scope: str = "", capability: str = ""
) -> AsyncIterator[None]:
    """The caller inside a savepoint; whatever happens, the connection is itself again afterwards."""
    savepoint = connection.transaction()
    await savepoint.start()
    try:
        await connection.execute(f"set local role {caller.role}")
        for name, value in {
            "request.jwt.claims": caller.claims,
            "paygres.caller_scope": scope or caller.scope(None),
            "paygres.capability": capability,
        }.items():
            await connection.execute("select set_config($1, $2, true)", name, value)
        yield
        for name in ("role", "request.jwt.claims", "paygres.caller_scope", "paygres.capability"):
            await connection.execute("select set_config($1, $2, true)", name, "none" if name == "role" else "")
    except BaseException:
        await savepoint.rollback()
        raise
    await savepoint.commit()


async def insert(
    connection: asyncpg.Connection,
    caller: Caller,
    subject: tuple[str, str] | None = None,
    *,
    mode: str = "payment",
    created_by: str | None = None,
    scope: str | None = None,
) -> uuid.UUID:
    """A checkout row exactly as the server inserts it for this caller; raises what PostgreSQL raises."""
    row_id = uuid.uuid4()
    own_scope = caller.scope(subject)
    async with acting(connection, caller, scope=own_scope):
        await connection.execute(
            f"insert into {SESSIONS} (id, environment, mode, subject_type, subject_id, success_url, cancel_url,"
            " idempotency_key, created_by, caller_scope) values ($1, 'test', $2, $3, $4, 'a:b', 'a:b', $5, $6, $7)"
            " on conflict (environment, caller_scope, idempotency_key, generation)"
            " where idempotency_key is not null do nothing",
            row_id,
            mode,
            *(subject or (None, None)),
            str(row_id),
            created_by or caller.sub,
            own_scope if scope is None else scope,
        )
    return row_id


async def sees(connection: asyncpg.Connection, caller: Caller, row_id: uuid.UUID, **more: str) -> bool:
    """Whether the row exists for this caller."""
    async with acting(connection, caller, **more):
        return await connection.fetchval(f"select exists (select from {SESSIONS} where id = $1)", row_id)
