"""Work that the server tells of while it goes on: shown as a line that moves, or as JSON lines."""

import json
from typing import Any

from paygres.cli import exit_codes
from paygres.cli.call import Call
from paygres.cli.failure import Failure
from paygres.cli.options import Parser


def add_option(parser: Parser) -> None:
    """`--progress`."""
    parser.add_argument(
        "--progress",
        choices=("auto", "json", "none"),
        default="auto",
        help="on stderr; json: one object a line; auto: a line that moves, on a terminal only",
    )


def post(
    call: Call,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    name: str,
    told_as: tuple[str, ...],
    next_actions: str,
) -> dict[str, Any]:
    """The answer of a POST, followed on its way when `--progress` says so. `told_as`: what names a part of the work.

    Raises Failure: the server's refusal, or that the connection ended before the `name` did.
    """
    wanted = call.options.progress
    if wanted == "none" or (wanted == "auto" and not call.screen.terminal):
        return call.backend.call("POST", path, body=body)
    counts: dict[str, int] = {}
    try:
        for event, told in call.backend.events("POST", path, body=body):
            if event == "result":
                return told
            if event == "error":
                from paygres.cli.backend import refusal

                raise refusal(path, int(told.get("statusCode", 500)), told)
            if event != "progress":
                continue
            if wanted == "json":
                call.screen.note(json.dumps(told))
            else:
                counts[" ".join(str(told[part]) for part in told_as if part in told)] = told.get("done", 0)
                call.screen.redraw(" · ".join(f"{part} {count}" for part, count in counts.items()))
    finally:
        if counts:
            call.screen.redraw("")
    raise Failure(
        f"The server ended the connection before the {name} was done.",
        exit_code=exit_codes.UNREACHABLE,
        code="NETWORK_ERROR",
        next_actions=next_actions,
    )
