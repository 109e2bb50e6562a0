"""The options of `paygres dev`, and what its endings mean as exit codes."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from paygres.cli.dev.errors import DevError, Stop
from paygres.cli.dev.options import Options
from paygres.cli.dev.stage import present

EXIT_USAGE = 64
EXIT_INTERRUPTED = 130

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def dev(
    once: Annotated[bool, typer.Option("--once", help="Stop after the sample purchase; exit 0 if paid.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON line on stdout when ready.")] = False,
    port: Annotated[int | None, typer.Option(help="The API's port [7130, or the next free one].")] = None,
    data_dir: Annotated[Path, typer.Option(help="Where everything is kept.")] = Path(".paygres"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the data folder first.")] = False,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="No shop and no sample purchase.")] = False,
    database_url: Annotated[
        str | None, typer.Option(help="Your own PostgreSQL 15+ [DATABASE_URL, else an embedded one].")
    ] = None,
    allow_existing_database: Annotated[
        bool, typer.Option("--allow-existing-database", help="Put the demo beside the tables already there.")
    ] = False,
) -> None:
    """Start PostgreSQL, a local Stripe and the API, make one sample purchase, and serve until Ctrl-C.

    Everything is kept in --data-dir and used again next time. Exit codes: 0 stopped as asked, 1 a
    setting is wrong or the purchase was not paid, 12 a part could not be started or ended by itself.
    """
    options = Options.from_command_line(
        once=once,
        json=json,
        port=port,
        folder=data_dir,
        fresh=fresh,
        demo=not no_demo,
        database_url=database_url,
        allow_existing=allow_existing_database,
    )
    raise typer.Exit(present(options))


def run(arguments: list[str]) -> int:
    """Parses and runs; every failure is one line on stderr."""
    try:
        return app(arguments, prog_name="paygres dev", standalone_mode=False) or 0
    except typer.BadParameter as wrong:
        print(f"paygres dev: {wrong.format_message()} Try: paygres dev --help", file=sys.stderr)
        return EXIT_USAGE
    except typer.TyperException as wrong:
        print(f"paygres dev: {wrong} Try: paygres dev --help", file=sys.stderr)
        return EXIT_USAGE
    except DevError as problem:
        print(f"paygres dev: {problem}", file=sys.stderr)
        return problem.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except Stop:
        return 0
