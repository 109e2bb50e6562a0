"""`python -m paygres.server rebuild`: makes the mirror anew from the ledger, beside a running server or without one."""

import asyncio
import getpass
import json
import sys
from collections.abc import Sequence

import structlog

from paygres.server.app import NOT_MIGRATED, schema_state
from paygres.server.db.database import Database
from paygres.server.errors import PaygresError
from paygres.server.flows.operator import Operator
from paygres.server.flows.rebuild_phases import Progress
from paygres.server.flows.rebuild_projections import Wanted, rebuild_projections
from paygres.server.tables import installation

_EXIT_UNREACHABLE = 12


def rebuild(database_url: str, environments: Sequence[str], wanted: Wanted, reason: str | None) -> int:
    """Prints one report as JSON; what is going on is told on stderr while somebody watches.

    Returns 0, 1 when some objects could not be rebuilt (the report names them), 12 when PostgreSQL is in the way.
    """
    import uvloop

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # stdout is the report's
    return uvloop.run(_rebuild(database_url, environments, wanted, reason))


async def _rebuild(database_url: str, environments: Sequence[str], wanted: Wanted, reason: str | None) -> int:
    try:
        db = await Database.connect(database_url, checkout_pool=4, webhook_pool=1)
    except Exception as error:  # asyncpg's tree is not ours to import here
        print(f"The database cannot be reached: {type(error).__name__}", file=sys.stderr)
        return _EXIT_UNREACHABLE
    try:
        if await schema_state(db) != "current":
            print(NOT_MIGRATED, file=sys.stderr)
            return _EXIT_UNREACHABLE
        installation_id = await installation.select_id(db)
        operator = Operator(f"command:{_user()}", None, reason)
        results = [
            await rebuild_projections(db, environment, installation_id, wanted, operator, _watch)
            for environment in environments
        ]
    except PaygresError as error:
        print(error.message, file=sys.stderr)
        return _EXIT_UNREACHABLE
    finally:
        await asyncio.wait_for(db.close(), 5)
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    print(json.dumps({"results": results}, indent=2))
    return 1 if any(result["failed"] for result in results) else 0


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have a user without a name
        return "unknown"


def _watch(progress: Progress) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{progress.environment} {progress.phase} {progress.done}")
        sys.stderr.flush()
