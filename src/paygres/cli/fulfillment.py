"""`paygres fulfillment`: ready recipes as SQL migrations of your own. Writes files; asks no server and no database."""

import os
import sys
import time
from pathlib import Path

from paygres.cli import exit_codes
from paygres.cli.failure import Failure
from paygres.cli.options import Parser
from paygres.cli.output import Screen
from paygres.cli.recipes import RECIPES, read


def run(arguments: list[str]) -> int:
    """`scaffold` or `recipes`; returns the exit code."""
    screen = Screen()
    try:
        options = _parser().parse_args(arguments)
    except Failure as failure:
        return screen.fail(failure)
    except SystemExit as asked:  # --help
        return int(asked.code or 0)
    try:
        if options.command == "scaffold":
            return _scaffold(screen, options.recipe, Path(options.out))
        screen.rows(["Recipe", "Gives"], list(RECIPES.items()))
        return exit_codes.OK
    except Failure as failure:
        return screen.fail(failure)


def _parser() -> Parser:
    parser = Parser(prog="paygres fulfillment", description="Ready recipes for giving people what they paid for.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="<command>")
    commands.add_parser("recipes", help="list them")
    scaffold = commands.add_parser("scaffold", help="write one as a migration of yours, with its way back")
    scaffold.add_argument("--recipe", required=True, choices=list(RECIPES), help="which one")
    scaffold.add_argument("--out", default="migrations", metavar="<dir>", help="where to [migrations]")
    return parser


def _scaffold(screen: Screen, recipe: str, folder: Path) -> int:
    """Writes <time>_<recipe>.sql and <time>_<recipe>.down.sql. A folder that has the recipe keeps what it has."""
    name = recipe.replace("-", "_")
    try:
        if there := sorted(folder.glob(f"*_{name}.sql")):
            raise Failure(
                f"{there[0]} is there already.",
                exit_code=exit_codes.CONFLICT,
                code="ALREADY_EXISTS",
                next_actions="Nothing was written. Choose another --out to compare it with this version's.",
            )
        folder.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime())
        for down in (False, True):
            path = folder / f"{stamp}_{name}{'.down' if down else ''}.sql"
            with path.open("x", encoding="utf-8") as file:
                file.write(read(recipe, down=down))
            screen.say(str(path))
    except OSError as error:
        raise Failure(f"{folder} cannot be written: {error.strerror or error}") from None
    if sys.stderr.isatty():
        screen.hint(f"It is yours now: read it, then run it as the owner of your tables, psql -1 -f {folder}{os.sep}…")
    return exit_codes.OK
