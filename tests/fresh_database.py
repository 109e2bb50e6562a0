"""Throw-away databases for tests: one private PostgreSQL per session, one migrated template, clones of it."""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from paygres.server.db.embedded import EmbeddedPostgres, Urls
from paygres.server.db.migrate import migrate
from paygres.server.db.throwaway import quick_place

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class FreshDatabase:
    """A migrated, empty database of its own: as its owner, as the server's weak role, as superuser."""

    name: str
    owner_url: str
    server_url: str
    superuser_url: str


def in_its_own_loop(work: Coroutine[Any, Any, Any]) -> Any:
    """Runs async work from a synchronous fixture without touching the event loop of the test."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@contextmanager
def private_postgres() -> Iterator[Urls]:
    """A PostgreSQL for this session (fsync off), its database `paygres` migrated: the template of the rest.

    Not below pytest's own folder, which is 0700: as root, PostgreSQL's user could not enter it.
    """
    folder = Path(tempfile.mkdtemp(prefix="paygres-tests-", dir=quick_place()))
    try:
        with EmbeddedPostgres(folder, durable=False) as server:
            in_its_own_loop(migrate(server.urls.owner, server_role="paygres_server"))
            yield server.urls
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def cloned(urls: Urls, *, template: str = "paygres") -> Iterator[FreshDatabase]:
    """A copy of the template, dropped afterwards even when a test left a connection open."""
    name = f"test_{next(_numbers)}"
    in_its_own_loop(_as_superuser(urls, f"CREATE DATABASE {name} TEMPLATE {template} OWNER paygres_owner"))
    try:
        yield FreshDatabase(name, _at(urls.owner, name), _at(urls.server, name), _at(urls.superuser, name))
    finally:
        in_its_own_loop(_as_superuser(urls, f"DROP DATABASE {name} WITH (FORCE)"))


def _at(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def _as_superuser(urls: Urls, statement: str) -> None:
    connection = await asyncpg.connect(_at(urls.superuser, "postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
