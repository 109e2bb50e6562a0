"""`sync`: reads the Stripe accounts anew, and shows how far it is while somebody watches."""

import json
from typing import Any

from paygres.cli import exit_codes
from paygres.cli.call import STRIPE, Call, Command, Noun
from paygres.cli.failure import Failure
from paygres.cli.options import Parser

_LONG = 600.0  # seconds: of silence while there is progress, of the whole sync without


def _options(parser: Parser) -> None:
    parser.add_argument(
        "--progress",
        choices=("auto", "json", "none"),
        default="auto",
        help="on stderr; json: one object a line; auto: a line that moves, on a terminal only",
    )
    parser.epilog = "--environment may be `all` here, and is when nothing is said."


def sync(call: Call) -> int:
    """Exit code 1 when a connected environment could not be synced; one without a key is no failure."""
    environment = call.environment_of("all", ("test", "live", "all"))
    path = f"{STRIPE}/sync" if environment == "all" else call.path("sync")
    wanted = call.options.progress
    watched = wanted == "json" or (wanted == "auto" and call.screen.terminal)
    body = _watched(call, path) if watched else call.backend.call("POST", path)
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


def _watched(call: Call, path: str) -> dict[str, Any]:
    """Follows the server's `progress` events to its `result`."""
    counts: dict[str, int] = {}
    drawn = False
    try:
        for event, body in call.backend.events("POST", path):
            if event == "result":
                return body
            if event == "error":
                from paygres.cli.backend import refusal

                raise refusal(path, int(body.get("statusCode", 500)), body)
            if event != "progress":
                continue
            if call.options.progress == "json":
                call.screen.note(json.dumps(body))
            else:
                name = " ".join(str(body[part]) for part in ("environment", "object") if part in body)
                counts[name] = body.get("done", 0)
                call.screen.redraw(" · ".join(f"{name} {count}" for name, count in counts.items()))
                drawn = True
    finally:
        if drawn:
            call.screen.redraw("")
    raise Failure(
        "The server ended the connection before the sync was done.",
        exit_code=exit_codes.UNREACHABLE,
        code="NETWORK_ERROR",
        next_actions="Look with `paygres status`, then run it again.",
    )


NOUN = Noun({"": Command("Read the Stripe accounts anew", sync, _options, seconds=_LONG)})
