"""`invariants`: what must always be true of the rows, and what is not."""

from typing import Any

from paygres.cli import exit_codes
from paygres.cli.call import Call, Command, Noun
from paygres.cli.options import Parser


def _options(parser: Parser) -> None:
    parser.add_argument("--last", action="store_true", help="tell what the last look found, instead of looking anew")
    parser.epilog = "Exit code 0 when everything holds, 10 when something does not."


def invariants(call: Call) -> int:
    """Exit code 10 when one is broken."""
    path = f"/api/paygres/{call.environment}/invariants" + ("" if call.options.last else "?now=true")
    body = call.backend.call("GET", path)
    if call.screen.json:
        call.screen.answer(body)
    else:
        _show(call, body["invariants"])
    return exit_codes.OK if body["ok"] else exit_codes.PROBLEMS


def _show(call: Call, checks: list[dict[str, Any]]) -> None:
    broken = [check for check in checks if check["violations"]]
    if not broken:
        call.screen.success(f"All {len(checks)} hold.")
        return
    call.screen.rows(
        ("Invariant", "Broken", "Since", "Meaning"),
        [(one["name"], one["violations"], call.when(one["since"]), one["meaning"]) for one in broken],
    )
    for one in broken:
        for sample in one["samples"]:
            told = " ".join(f"{name}={value}" for name, value in sample.items())
            call.screen.note(f"{one['name']}: {told}")


NOUN = Noun({"": Command("What must always be true", invariants, _options)})
