"""Apply the numbered SQL files of `migrations/`, then every file of `migrations/functions/` that changed.

One transaction a file, under one advisory lock; each file's checksum is kept, and an applied
file that was edited afterwards is refused. Runs as the owner, never as superuser.
"""

import hashlib
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable

import asyncpg

from paygres.server.db.database import Tx

LOCK = 7_130_001
_LEDGER = """
create schema if not exists system;
create table if not exists system.migrations (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
)
"""
# Files that begin so make the parts of schema auth that are ours; they are left out where a platform owns it.
_OF_AUTH = "-- schema auth"
CALLER_ROLES = ("anon", "authenticated", "project_admin", "paygres_service", "payments_trigger")


class MigrationError(Exception):
    """The database cannot be brought to this version; the message says why."""


async def migrate(url: str, *, server_role: str | None = None, auth: str = "own") -> list[str]:
    """Bring the database to the current schema; returns the names applied, oldest first.

    `server_role` is the login role the server uses (default: the migrating
    role itself); it is made a member of the roles it has to take on.
    `auth="external"` creates nothing in schema `auth` (platforms that own it).
    """
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("set client_min_messages = warning; set lock_timeout = '10s'")
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        await connection.execute(_LEDGER)
        await _look_at_auth(connection, auth)
        applied = await _apply_all(connection, auth)
        await _grant_memberships(connection, server_role)
        return applied
    finally:
        await connection.close()


def migration_files() -> Iterator[tuple[str, str, bool]]:
    """(name, SQL, repeatable) in order of application."""
    root = resources.files("paygres.server") / "migrations"
    yield from ((name, sql, False) for name, sql in _sql_files(root, ""))
    yield from ((name, sql, True) for name, sql in _sql_files(root / "functions", "functions/"))


async def is_current(connection: Tx) -> bool:
    """True when every migration of this version is applied, unedited."""
    if await connection.fetchval("select to_regclass('system.migrations')") is None:
        return False
    known = {r["name"]: r["checksum"] for r in await connection.fetch("select * from system.migrations")}
    return all(known.get(name) == _checksum(sql) for name, sql, _ in migration_files())


def _sql_files(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(prefix + f.name, f.read_text(encoding="utf-8")) for f in files if f.name != "schema.sql"]


async def _apply_all(connection: asyncpg.Connection, auth: str) -> list[str]:
    known = {r["name"]: r["checksum"] for r in await connection.fetch("select * from system.migrations")}
    # Left out by an earlier run with auth="external", and wanted now.
    owed = auth == "own" and await connection.fetchval("select to_regclass('auth.users')") is None
    applied: list[str] = []
    for name, sql, repeatable in migration_files():
        checksum = _checksum(sql)
        of_auth = sql.startswith(_OF_AUTH)
        if known.get(name) == checksum and not (of_auth and owed):
            continue
        if known.get(name, checksum) != checksum and not repeatable:
            raise MigrationError(f"migration {name} was edited after it had been applied; add a new one instead")
        try:
            async with connection.transaction():
                if not (of_auth and auth == "external"):
                    await connection.execute(sql)
                await connection.execute(
                    "insert into system.migrations (name, checksum) values ($1, $2)"
                    " on conflict (name) do update set checksum = excluded.checksum, applied_at = now()",
                    name,
                    checksum,
                )
        except asyncpg.PostgresError as error:
            raise MigrationError(f"migration {name}: {error}") from error
        applied.append(name)
    return applied


async def _look_at_auth(connection: asyncpg.Connection, auth: str) -> None:
    """Schema auth is ours or the platform's, as PAYGRES_AUTH says; one look before anything is changed."""
    if auth == "external":
        if await connection.fetchval("select to_regprocedure('auth.jwt()')") is None:
            raise MigrationError(
                "PAYGRES_AUTH=external, and there is no function auth.jwt() of a platform that policies could ask;"
                " docs/authentication.md has it, or set PAYGRES_AUTH=own"
            )
    elif await connection.fetchval(
        "select to_regclass('auth.users') is not null and not exists (select from pg_attribute"
        " where attrelid = to_regclass('auth.users') and attname = 'is_project_admin' and not attisdropped)"
    ):
        raise MigrationError("the table auth.users is a platform's, not ours; set PAYGRES_AUTH=external")


async def _grant_memberships(connection: asyncpg.Connection, server_role: str | None) -> None:
    """The server takes on every role of callers; the owner, who is the developer, sees rows as project_admin."""
    owner = await connection.fetchval("select current_user")
    takes_on = [(server_role or owner, role) for role in CALLER_ROLES]
    modern = connection.get_server_version().major >= 16
    for member, role in dict.fromkeys([*takes_on, (owner, "project_admin")]):
        wanted = "set" if modern else "member"
        if await connection.fetchval("select pg_has_role($1, $2, $3)", member, role, wanted):
            continue
        inherit = " with inherit false" if modern and (member, role) != (owner, "project_admin") else ""
        try:
            await connection.execute(f'grant {role} to "{member}"{inherit}')
        except asyncpg.InsufficientPrivilegeError as error:
            raise MigrationError(
                f"{error}. The role exists in this cluster and belongs to another owner; let a superuser run:"
                f' grant {", ".join(CALLER_ROLES)} to "{owner}" with admin option'
            ) from error


def _checksum(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()
