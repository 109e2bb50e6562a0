"""Databases to be thrown away: a migrated template on a PostgreSQL of our own, or on a given server beside the
databases there; copies of it; all of them are dropped at the end."""

import asyncio
import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from paygres.server.db.embedded import EmbeddedPostgres, EmbeddedPostgresError
from paygres.server.db.migrate import MigrationError, migrate

_MEMORY = "/dev/shm"  # Linux
_PLENTY = 4 << 30  # bytes


class ThrowawayError(Exception):
    """There is no place for a throw-away database, or (`is_sql`) the developer's SQL does not run; the message says
    why."""

    def __init__(self, message: str, *, is_sql: bool = False) -> None:
        super().__init__(message)
        self.is_sql = is_sql


class Throwaway:
    """`admin_url` may create databases; the databases belong to `owner_url`'s role, which is also the one that plays.
    `like` names a database to begin with, migrated already."""

    def __init__(self, admin_url: str, owner_url: str, like: str | None = None) -> None:
        self._admin_url = admin_url
        self._owner_url = owner_url
        self._like = like
        self._owner = urlsplit(owner_url).username
        self._prefix = f"paygres_chaos_{secrets.token_hex(4)}"
        self._made: list[str] = []

    async def prepare(self, scripts: list[tuple[str, str]]) -> str:
        """Makes the template: migrated, then each (name, SQL) run by the owner. Its URL; nobody may be connected to it
        while it is copied."""
        try:
            url = await self._create(self._like)
            await migrate(url)
            await _run(url, scripts)
            return url
        except (asyncpg.InsufficientPrivilegeError, MigrationError) as error:
            raise ThrowawayError(f"no throw-away database can be made here: {error}") from error

    async def copy(self) -> str:
        """The URL of a new copy of the template."""
        return await self._create(self._made[0])

    async def drop(self) -> None:
        """Every database that was made, or may have been."""
        for name in reversed(self._made):
            await _execute(self._admin_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._made.clear()

    async def _create(self, template: str | None) -> str:
        name = f"{self._prefix}_{len(self._made)}"
        owner = f' OWNER "{self._owner}"' if self._owner else ""
        like = f' TEMPLATE "{template}"' if template else ""
        self._made.append(name)  # first: it may be there even if we are stopped before the answer
        await _execute(self._admin_url, f'CREATE DATABASE "{name}"{like}{owner}')
        return _at(self._owner_url, name)


@contextmanager
def throwaway(server_url: str | None) -> Iterator[Throwaway]:
    """On the server of `server_url`, whose own database is never opened for anything but CREATE and DROP DATABASE of
    others; without one, on an embedded PostgreSQL that ends with the block. Raises ThrowawayError."""
    if server_url is not None:
        made = Throwaway(server_url, server_url)
        try:
            yield made
        finally:
            asyncio.run(made.drop())
        return
    # Not below a private folder: as root, PostgreSQL's user could not enter it.
    folder = Path(tempfile.mkdtemp(prefix="paygres-chaos-", dir=quick_place()))
    try:
        try:
            server = EmbeddedPostgres(folder, durable=False)
            urls = server.start()
        except (EmbeddedPostgresError, OSError) as error:
            raise ThrowawayError(str(error)) from error
        try:
            yield Throwaway(_at(urls.superuser, "postgres"), urls.owner)
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def quick_place() -> str | None:
    """Where short-lived databases are made and dropped fastest: in memory, if there is plenty; else None.

    A database is a thousand files, and ext4 is slow to find inodes right after many were freed: making one took 0.4 s
    there, one after the other, and 0.05 s in memory.
    """
    with contextlib.suppress(OSError):
        if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _PLENTY:
            return _MEMORY
    return None


async def _run(url: str, scripts: list[tuple[str, str]]) -> None:
    connection = await asyncpg.connect(url)
    try:
        for name, sql in scripts:
            try:
                await connection.execute(sql)
            except asyncpg.PostgresError as error:
                raise ThrowawayError(f"{name}: {error}", is_sql=True) from error
    finally:
        await connection.close()


async def _execute(url: str, statement: str) -> None:
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError) as error:
        raise ThrowawayError(f"PostgreSQL cannot be reached: {type(error).__name__}") from error
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _at(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
