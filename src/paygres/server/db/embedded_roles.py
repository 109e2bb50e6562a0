"""The database and its two login roles in a fresh cluster: the owner who migrates, the server's weak role."""

import asyncpg

DATABASE = "paygres"


async def prepare(superuser_url: str, passwords: dict[str, str]) -> None:
    """Creates what is missing and sets the passwords; running it again changes nothing.

    `paygres_owner` may create roles and owns the database, `paygres_server` may do nothing until the
    migrations grant it its memberships. Neither is a superuser nor bypasses row-level security.
    """
    connection = await asyncpg.connect(superuser_url, timeout=20)
    try:
        for role, powers in (("paygres_owner", "CREATEROLE"), ("paygres_server", "NOCREATEROLE")):
            known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
            verb = "ALTER" if known else "CREATE"
            password = await connection.fetchval("SELECT quote_literal($1::text)", passwords[role])
            await connection.execute(
                f"{verb} ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOBYPASSRLS {powers} PASSWORD {password}"
            )
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE} OWNER paygres_owner")
            await connection.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
            await connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO paygres_server")
    finally:
        await connection.close()
