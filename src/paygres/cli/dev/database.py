"""The database of a development installation: embedded, or your own, where nothing is put by surprise."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg

from paygres.cli import recipes
from paygres.cli.dev.errors import DevError
from paygres.cli.dev.options import Options

T = TypeVar("T")
SHOP = (recipes.read("orders"), Path(__file__).with_name("shop.sql").read_text(encoding="utf-8"))
SHOP_COMMENT = "paygres dev: sample shop"

_TABLES = """
select count(*) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p', 'v', 'm') and n.nspname !~ '^(pg_|information_schema$)'
   and not exists (select from pg_catalog.pg_depend d where d.objid = c.oid and d.deptype = 'e')
"""
_OURS = "select coalesce(obj_description(to_regclass('public.orders')) = $1, false)"
_MIGRATED = "select to_regclass('system.migrations') is not null"


@dataclass(frozen=True, slots=True)
class Place:
    """One database: `owner` migrates and seeds, `server` is what the API logs in with (both URLs)."""

    owner: str
    server: str
    server_role: str | None = None
    demo: bool = True

    @property
    def address(self) -> str:
        """Host, port and name, without the password."""
        parts = urlsplit(self.owner)
        return f"{parts.hostname or 'localhost'}:{parts.port or 5432}{parts.path}"


def own_place(options: Options) -> Place:
    """Decides what may be done to the person's own database. Raises DevError when the answer is nothing.

    Demo rows go into an empty database or one that already has our shop, never beside other tables,
    unless that was asked for.
    """
    url = options.database_url or ""
    tables, ours, migrated = work(_look(url))
    if tables == 0 or ours or options.allow_existing:
        return Place(owner=url, server=url, demo=options.demo)
    where = Place(owner=url, server=url).address
    if options.from_environment and (options.demo or not migrated):
        raise DevError(
            f"DATABASE_URL is set to {where}, which already has {tables} tables; nothing was put there. "
            "Unset it for an embedded PostgreSQL, or give an empty database with --database-url, or insist "
            "with --allow-existing-database.",
            exit_code=1,
        )
    return Place(owner=url, server=url, demo=False)


async def _look(url: str) -> tuple[int, bool, bool]:
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DevError(f"the database cannot be reached: {error}") from None
    try:
        if connection.get_server_version().major < 15:
            raise DevError("Paygres needs PostgreSQL 15 or newer", exit_code=1)
        return (
            await connection.fetchval(_TABLES),
            await connection.fetchval(_OURS, SHOP_COMMENT),
            await connection.fetchval(_MIGRATED),
        )
    finally:
        await connection.close()


async def seed_shop(owner_url: str) -> bool:
    """Creates the shop's tables and trigger where they are missing; True when they were made now."""
    connection = await asyncpg.connect(owner_url)
    try:
        if await connection.fetchval(_OURS, SHOP_COMMENT):
            return False
        async with connection.transaction():
            for script in SHOP:
                await connection.execute(script)
        return True
    except asyncpg.PostgresError as error:
        raise DevError(f"the sample shop could not be made: {error}") from None
    finally:
        await connection.close()


async def insert_order(owner_url: str, price_id: str, amount: int, currency: str) -> str:
    """A new pending order; returns its id."""
    statement = "insert into public.orders (price_id, amount, currency) values ($1, $2, $3) returning id::text"
    return await _value(owner_url, statement, price_id, amount, currency)


async def order_status(owner_url: str, order_id: str) -> str | None:
    """The word of the order's row, `pending` or `paid` in the sample purchase; None when there is no such order."""
    return await _value(owner_url, "select status from public.orders where id::text = $1", order_id)


async def _value(url: str, statement: str, *arguments: Any) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement, *arguments)
    finally:
        await connection.close()


def work(job: Coroutine[Any, Any, T]) -> T:
    """Runs one piece of database work to its end."""
    return asyncio.run(job)
