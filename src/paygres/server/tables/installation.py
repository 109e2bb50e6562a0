"""The installation's id, whether its schema is current, and roles that row-level security does not bind."""

from paygres.server.db.database import Database
from paygres.server.db.migrate import is_current
from paygres.server.tables import named

Q = named.queries("installation")


async def select_id(db: Database) -> str:
    """The one id that marks what we create at Stripe as ours."""
    return str(await db.fetchval(Q.select_id))


async def is_migrated(db: Database) -> bool:
    """True when every migration of this version is applied."""
    async with db.as_service() as tx:
        return await is_current(tx)


async def select_careless_roles(db: Database) -> list[tuple[str, bool]]:
    """Roles that are superuser or BYPASSRLS: (name, is it the server's login role)."""
    return [(row["role"], row["is_login"]) for row in await db.fetch(Q.select_careless_roles)]
