"""The `paygres` command: finds the group, then imports it. --help and --version load nothing heavy."""

import importlib
import sys

from paygres.cli.payments import nouns

EXIT_USAGE = 64
EXIT_INTERRUPTED = 130

# Group -> module with `run(arguments) -> exit code`, and the line --help shows.
GROUPS = {
    "dev": (
        "paygres.cli.dev.command",
        "everything on this machine: PostgreSQL, sandbox, API, a sample purchase",
    ),
    "serve": ("paygres.cli.serve", "the API server with its worker"),
    "worker": ("paygres.cli.worker", "a worker alone, beside `serve --no-worker`"),
    "rebuild": ("paygres.cli.rebuild", "the mirrored tables anew from the ledger; --dry-run tells what would differ"),
    "fulfillment": ("paygres.cli.fulfillment", "recipes: ready SQL for orders, credits, entitlements, team billing"),
    "chaos": ("paygres.cli.chaos", "your triggers and listeners against events permuted, repeated, late and unpaid"),
    "db": ("paygres.cli.db", "migrate: bring the database in DATABASE_URL to this version"),
    "sandbox": ("paygres.cli.sandbox", "a local Stripe for tests: API, hosted payment page, signed webhooks"),
    "version": ("paygres.cli.version", "the installed version"),
}


def main() -> int:
    """Runs one command; the exit codes are those of the reference documentation (64 = wrong usage)."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if arguments else EXIT_USAGE
    name = "version" if arguments[0] in ("--version", "-V") else arguments[0]
    if name not in GROUPS and not nouns.is_ours(name):
        print(f"paygres: there is no command `{name}`. Try: paygres --help", file=sys.stderr)
        return EXIT_USAGE
    try:
        if name not in GROUPS:
            return int(importlib.import_module("paygres.cli.payments.command").run(arguments))
        return int(importlib.import_module(GROUPS[name][0]).run(arguments[1:]))
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("paygres"):
            raise
        extra = {"dev": "dev", "sandbox": "sandbox"}.get(name, "server")
        print(f"paygres {name} needs more than the SDK: pip install 'paygres[{extra}]'", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def usage() -> str:
    """The text of --help."""
    commands = "\n".join(f"  {name:<14} {line}" for name, (_, line) in GROUPS.items())
    return f"""usage: paygres <command> [options]

Self-hosted Stripe checkout, subscriptions and exactly-once fulfillment on your PostgreSQL.

{commands}

For operators, against a running server (also as `paygres payments stripe <command>`):

{nouns.usage()}

`paygres <command> --help` explains one. Start with: paygres dev"""


if __name__ == "__main__":
    sys.exit(main())
