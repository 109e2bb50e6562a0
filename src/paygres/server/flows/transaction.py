"""An event's transaction as a listener in developers' Python has it: statements and savepoints, no end of its own."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from paygres.server.db.database import Tx

_ENDS_TRANSACTION = frozenset({"begin", "start", "commit", "end", "rollback", "abort", "prepare"})


class Transaction:
    """The transaction that marks the event processed, in the role payments_trigger, with an empty search_path (write
    `public.orders`). Arguments are PostgreSQL's `$1`. There is no commit: the listener's work stands or falls with the
    event. A statement that failed spoils the rest; `async with tx.savepoint():` confines it."""

    def __init__(self, connection: Tx) -> None:
        self._connection: Tx | None = connection
        self._savepoints = 0

    async def execute(self, statement: str, *args: Any) -> str:
        """One statement (several without arguments); answers PostgreSQL's command tag, such as `UPDATE 1`."""
        return await self._checked(statement).execute(statement, *args)

    async def executemany(self, statement: str, args: Iterable[Iterable[Any]]) -> None:
        """The statement once for each row of arguments."""
        await self._checked(statement).executemany(statement, args)

    async def fetch(self, statement: str, *args: Any) -> list[Any]:
        """All rows; a row answers `row["column"]` and `row[0]`."""
        return await self._checked(statement).fetch(statement, *args)

    async def fetchrow(self, statement: str, *args: Any) -> Any:
        """The first row, or None."""
        return await self._checked(statement).fetchrow(statement, *args)

    async def fetchval(self, statement: str, *args: Any, column: int = 0) -> Any:
        """One column of the first row, or None."""
        return await self._checked(statement).fetchval(statement, *args, column=column)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What is done inside is undone when an exception leaves the block; what was done before stays."""
        self._savepoints += 1
        name = f"paygres_own_{self._savepoints}"
        await self._open().execute(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            await self._open().execute(f"ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}")
            raise
        await self._open().execute(f"RELEASE SAVEPOINT {name}")

    def close(self) -> None:
        """The listener has returned: a task it left behind must not write into what follows."""
        self._connection = None

    def _open(self) -> Tx:
        if self._connection is None:
            raise RuntimeError("the listener has returned; its transaction is no longer yours")
        return self._connection

    def _checked(self, statement: str) -> Tx:
        first = statement.split(None, 1)[:1]
        if first and first[0].rstrip(";").lower() in _ENDS_TRANSACTION:
            raise RuntimeError(
                f"{first[0]}: the transaction is the event's and is not yours to end; use tx.savepoint()"
            )
        return self._open()
