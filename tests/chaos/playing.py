"""`paygres chaos` in this process, on the session's PostgreSQL: the report without the start of a server."""

import argparse
from pathlib import Path

from paygres.server.chaos.arguments import add_arguments
from paygres.server.chaos.command import read_arguments
from paygres.server.chaos.run import Report, run
from paygres.server.db.embedded import Urls
from paygres.server.db.throwaway import Throwaway
from tests.fresh_database import in_its_own_loop

SQL = Path(__file__).parent / "sql"
RECIPES = Path(__file__).parents[2] / "src/paygres/recipes"
ORDER = "0b9a4f3e-5a8c-4d6e-9f10-2b3c4d5e6f70"  # as orders.setup.sql has it


def asked(*words: str) -> argparse.Namespace:
    """The command's arguments, parsed."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(words)


def report(postgres: Urls, *words: str) -> Report:
    """What the command with these words finds."""

    async def play() -> Report:
        place = Throwaway(postgres.superuser, postgres.owner, like="paygres")
        try:
            return await run(place, read_arguments(asked(*words)), lambda _: None)
        finally:
            await place.drop()

    return in_its_own_loop(play())


def planted(name: str) -> list[str]:
    """The shop with one fault."""
    return ["--sql", str(SQL / "shop.sql"), str(SQL / f"{name}.sql")]
