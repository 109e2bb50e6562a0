"""The two doors to PostgreSQL: as the caller (row-level security decides) and as the service.

Two pools, because a burst of webhooks must not starve checkouts. Every connection starts as `paygres_service`, never
as the login role. We set nothing for a session, but developers' triggers may (`set role`, `set_config(..., false)`).
That is undone without a round trip of its own: within the query that begins a transaction and the one that ends it;
after a single statement, when the next one is refused or cancelled for it.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import asyncpg

from paygres.server.caller import ROLES, Caller
from paygres.server.errors import Unavailable

Tx = asyncpg.pool.PoolConnectionProxy | asyncpg.Connection
PoolName = Literal["checkout", "webhook"]

SERVICE_ROLE = "paygres_service"
ACQUIRE_SECONDS = 10.0
KEEP_SECONDS = 60.0
IDLE_SECONDS = 300.0

# Nothing waits longer in PostgreSQL, unless a flow says so. Webhooks are tight because developers' triggers run
# there and Stripe holds the buyer's redirect for the answer (decision 8).
LIMITS = {
    "checkout": {"lock_timeout": "5s", "statement_timeout": "20s"},
    "webhook": {"lock_timeout": "900ms", "statement_timeout": "2s"},
}

_TOO_SOON = 1.0  # no limit of ours ends a statement within so many seconds
# To what Database.connect asked for. Costs microseconds, and nothing when nothing was set.
_AS_AT_FIRST = "RESET ALL; RESET ROLE"


class RoleNotTaken(Exception):
    """Connections do not start in the service role: a pooler in between drops start-up parameters."""


class Database:
    """Pools of connections to one database."""

    def __init__(self, pools: dict[str, asyncpg.Pool]) -> None:
        self._pools = {name: _Pool(pool) for name, pool in pools.items()}

    @classmethod
    async def connect(cls, url: str, *, checkout_pool: int = 10, webhook_pool: int = 3) -> "Database":
        """Open both pools; sizes are maxima, idle connections close after five minutes."""
        sizes = {"checkout": checkout_pool, "webhook": webhook_pool}
        db = cls({name: await _open_pool(url, size, name) for name, size in sizes.items()})
        if await db.fetchval("select current_user") != SERVICE_ROLE:
            await db.close()
            raise RoleNotTaken
        return db

    async def close(self) -> None:
        """Wait for running transactions, then close every connection."""
        for pool in self._pools.values():
            await pool.close()

    def in_use(self) -> dict[str, int]:
        """Connections at work, by pool."""
        return {name: pool.in_use for name, pool in self._pools.items()}

    def as_caller(self, caller: Caller) -> AbstractAsyncContextManager[Tx]:
        """A transaction under the caller's own role and claims; policies see `auth.jwt()`."""
        if caller.role not in ROLES:
            raise ValueError(f"not a role of callers: {caller.role}")
        settings = (
            f"SET LOCAL ROLE {caller.role}; "
            f"SET LOCAL request.jwt.claims = {_literal(caller.claims)}; "
            f"SET LOCAL paygres.caller_scope = {_literal(caller.scope(None))}"
        )
        return self._transaction("checkout", settings)

    def as_service(self, pool: PoolName = "checkout", *, settings: str = "") -> AbstractAsyncContextManager[Tx]:
        """A transaction as `paygres_service`; `settings` are further SET LOCAL statements of our own."""
        return self._transaction(pool, settings)

    async def fetch(self, statement: str, *args: Any, pool: PoolName = "checkout") -> list[asyncpg.Record]:
        """One statement as the service, its own transaction, one round trip."""
        return await self._alone(pool, "fetch", statement, args)

    async def fetchrow(self, statement: str, *args: Any, pool: PoolName = "checkout") -> asyncpg.Record | None:
        """As `fetch`, the first row or None."""
        return await self._alone(pool, "fetchrow", statement, args)

    async def fetchval(self, statement: str, *args: Any, pool: PoolName = "checkout") -> Any:
        """As `fetch`, the first column of the first row."""
        return await self._alone(pool, "fetchval", statement, args)

    async def execute(self, statement: str, *args: Any, pool: PoolName = "checkout") -> str:
        """One statement as the service; the command tag."""
        return await self._alone(pool, "execute", statement, args)

    async def _alone(self, pool: PoolName, method: str, statement: str, args: tuple[Any, ...]) -> Any:
        """A statement that fails for what an earlier one's trigger set has done nothing, and is sent again."""
        async with _Lent(self._pools[pool]) as connection:
            began = time.monotonic()
            try:
                return await getattr(connection, method)(statement, *args)
            except (asyncpg.InsufficientPrivilegeError, asyncpg.QueryCanceledError) as error:
                await _put_right(connection)
                if isinstance(error, asyncpg.QueryCanceledError) and time.monotonic() - began > _TOO_SOON:
                    raise
            return await getattr(connection, method)(statement, *args)

    @asynccontextmanager
    async def _transaction(self, pool: PoolName, settings: str) -> AsyncIterator[Tx]:
        # Developers' triggers run in single statements too, but not in those of the webhook pool.
        first = settings if pool == "webhook" else f"{_AS_AT_FIRST}; {settings}"
        async with _Lent(self._pools[pool]) as connection:
            try:
                # One simple query, so a single round trip.
                await connection.execute(f"BEGIN; {first}")
                yield connection
            except BaseException:
                await _roll_back(connection)
                raise
            await connection.execute(f"COMMIT; {_AS_AT_FIRST}")


@dataclass(slots=True)
class _Kept:
    """A connection out of asyncpg's pool, ours until a moment of the monotonic clock."""

    connection: Tx
    until: float


class _Pool:
    """asyncpg's pool, whose connections are kept for a minute: giving one back costs the library a task of its own, as
    much as a statement. What a block ended badly is given back at once, since the library may still have to wait for
    PostgreSQL there. What is idle after its minute is given back too, for the library to close what stays idle."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._size = pool.get_max_size()
        self._turns = asyncio.Semaphore(self._size)
        self._idle: list[_Kept] = []  # the last one is taken first
        self._asked = 0  # at work, and waited for
        self._closing = False
        self._keeper = asyncio.create_task(self._give_back_idle())

    @property
    def in_use(self) -> int:
        return min(self._asked, self._size)

    async def acquire(self) -> _Kept:
        self._asked += 1
        try:
            if self._turns.locked():
                async with asyncio.timeout(ACQUIRE_SECONDS):
                    await self._turns.acquire()
            else:
                await self._turns.acquire()
            try:
                return await self._take()
            except BaseException:
                self._turns.release()
                raise
        except BaseException:
            self._asked -= 1
            raise

    async def _take(self) -> _Kept:
        while self._idle:
            kept = self._idle.pop()
            if not _is_closed(kept.connection):
                return kept
            await self._give_back(kept)
        async with asyncio.timeout(ACQUIRE_SECONDS):  # the library's own timeout would cost a task
            return _Kept(await self._pool.acquire(), time.monotonic() + KEEP_SECONDS)

    async def release(self, kept: _Kept, *, ended_well: bool) -> None:
        try:
            if not ended_well or self._closing or kept.until < time.monotonic():
                await self._give_back(kept)
            else:
                self._idle.append(kept)
        finally:
            self._turns.release()
            self._asked -= 1

    async def _give_back(self, kept: _Kept) -> None:
        """What breaks on the way is closed by the library. How the block ended is known without it, and not changed."""
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            await self._pool.release(kept.connection)  # may wait for PostgreSQL to cancel a statement

    async def _give_back_idle(self) -> None:
        """A task for as long as the pool is open: where nothing is asked for, nothing else would come by."""
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            now = time.monotonic()
            while self._idle and self._idle[0].until < now:
                await self._give_back(self._idle.pop(0))

    async def close(self) -> None:
        self._closing = True
        self._keeper.cancel()
        while self._idle:
            await self._give_back(self._idle.pop())
        await self._pool.close()


class _Lent:
    """A connection for the length of a block; what happens to it there is told in our words. No generator: every
    statement comes through here, and it would cost as much as the library's own work."""

    __slots__ = ("_kept", "_pool")

    def __init__(self, pool: _Pool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Tx:
        try:
            self._kept = await self._pool.acquire()
        except TimeoutError:
            raise Unavailable("The database is busy; try again shortly", retry_after=2) from None
        except (OSError, asyncpg.PostgresError) as error:
            if isinstance(error, asyncpg.PostgresError) and not _away(error):
                raise
            raise Unavailable("The database cannot be reached; try again shortly", retry_after=5) from error
        return self._kept.connection

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        connection = self._kept.connection
        try:
            if isinstance(
                error, OSError | asyncpg.PostgresError | asyncpg.InterfaceError | asyncpg.InternalClientError
            ):
                if type(error) is asyncpg.InternalClientError:  # told of its end while idle, and not yet closed
                    _terminate(connection)
                if _is_closed(connection) or _away(error):
                    # A COMMIT whose answer is lost may have happened: the same request again finds out.
                    raise Unavailable("The database connection was lost; try again shortly", retry_after=2) from error
        finally:
            await self._pool.release(self._kept, ended_well=error is None)


def _away(error: Exception) -> bool:
    """Whether PostgreSQL is starting, stopping, out of connections, or the connection to it broke."""
    return str(getattr(error, "sqlstate", None) or "").startswith(("08", "57P", "53300"))


def _is_closed(connection: Tx) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # the pool took a broken one back already
        return True


def _terminate(connection: Tx) -> None:
    with contextlib.suppress(asyncpg.InterfaceError):  # the pool took a broken one back already
        connection.terminate()


async def _open_pool(url: str, size: int, name: str) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        max_inactive_connection_lifetime=IDLE_SECONDS,
        reset=_keep_as_is,
        timeout=5.0,
        server_settings={
            "application_name": f"paygres {name}",
            "role": SERVICE_ROLE,
            "search_path": "",
            "jit": "off",
            **LIMITS[name],
            "idle_in_transaction_session_timeout": "30s",
        },
    )


async def _roll_back(connection: Tx) -> None:
    if _is_closed(connection):
        return
    try:
        await connection.execute(f"ROLLBACK; {_AS_AT_FIRST}", timeout=2.0)
    except Exception:
        _terminate(connection)  # a statement that will not stop: the server ends it with its connection


async def _put_right(connection: Tx) -> None:
    """Undo what developers' triggers set for the session."""
    try:
        await connection.execute(_AS_AT_FIRST, timeout=2.0)
    except Exception:
        _terminate(connection)


async def _keep_as_is(connection: asyncpg.Connection) -> None:
    """Replace asyncpg's own reset, which would cost every request a round trip."""


def _literal(text: str) -> str:
    """Quote a SQL string literal (standard_conforming_strings is on); NUL cannot be stored anywhere."""
    if "\x00" in text:
        raise ValueError("NUL in a claim")
    return "'" + text.replace("'", "''") + "'"
