"""`sync`: reads the Stripe accounts anew, and shows how far it is while somebody watches."""

from typing import Any

from paygres.cli import exit_codes
from paygres.cli.call import STRIPE, Call, Command, Noun
from paygres.cli.options import Parser
from paygres.cli.payments import progress

_LONG = 600.0  # seconds: of silence while there is progress, of the whole sync without


def _options(parser: Parser) -> None:
    progress.add_option(parser)
    parser.epilog = "--environment may be `all` here, and is when nothing is said."


def sync(call: Call) -> int:
    """Exit code 1 when a connected environment could not be synced; one without a key is no failure."""
    environment = call.environment_of("all", ("test", "live", "all"))
    path = f"{STRIPE}/sync" if environment == "all" else call.path("sync")
    body = progress.post(
        call,
        path,
        name="sync",
        told_as=("environment", "object"),
        next_actions="Look with `paygres status`, then run it again.",
    )
    results: list[dict[str, Any]] = body["results"]
    failed = [result for result in results if _failed(result["connection"])]
    if call.screen.json:
        call.screen.answer(body)
        return exit_codes.GENERAL if failed else exit_codes.OK
    call.screen.rows(
        ("Env", "Status", "Products", "Prices", "Customers", "Subscriptions", "Unmapped", "Synced At"),
        [_row(call, result) for result in results],
    )
    for result in failed:
        call.screen.note(f"{call.screen.red('✘')} {result['environment']}: {result['connection']['lastSyncError']}")
    if failed:
        return exit_codes.GENERAL
    call.screen.success("Stripe payments synced.")
    return exit_codes.OK


def _failed(connection: dict[str, Any]) -> bool:
    return connection["status"] != "unconfigured" and connection["lastSyncStatus"] == "failed"


def _row(call: Call, result: dict[str, Any]) -> tuple[object, ...]:
    connection, subscriptions = result["connection"], result["subscriptions"] or {}
    counts: dict[str, int] = connection["lastSyncCounts"]
    return (
        result["environment"],
        connection["lastSyncStatus"],
        counts.get("products", 0),
        counts.get("prices", 0),
        counts.get("customers", 0),
        subscriptions.get("synced", 0),
        subscriptions.get("unmapped", 0),
        call.when(connection["lastSyncedAt"]),
    )


NOUN = Noun({"": Command("Read the Stripe accounts anew", sync, _options, seconds=_LONG)})
