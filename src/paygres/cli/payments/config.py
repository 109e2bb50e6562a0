"""`config set | remove | show`: the Stripe key of an environment. A key goes in and never comes out."""

import getpass
import os
import sys
from pathlib import Path

from paygres.cli.call import STRIPE, Call, Command, Noun
from paygres.cli.confirm import confirm
from paygres.cli.failure import Misused
from paygres.cli.options import Parser

_LONG = 600.0  # seconds: a new key is followed by a whole sync


def _set_options(parser: Parser) -> None:
    add = parser.add_argument
    add("key", nargs="?", metavar="secretKey", help="the key itself; others can see it, prefer the ways below")
    add("--secret-key", metavar="<key>", help="the same")
    add("--stdin", action="store_true", help="read the key from standard input")
    add("--from-env", metavar="<NAME>", help="take it from an environment variable")
    add("--from-file", metavar="<file>", help="read it from a file")


def set_key(call: Call) -> None:
    """The server checks the key at Stripe, sets up the webhook endpoint and syncs."""
    environment = call.environment
    key = _secret_key(call)
    confirm(call, f"set the Stripe {environment} key", key=key)
    call.backend.call("PUT", call.path("config"), body={"secretKey": key})
    if call.screen.json:
        call.screen.answer({"provider": "stripe", "environment": environment, "configured": True})
        return
    call.screen.success(f"Stripe {environment} key configured.")
    call.screen.hint("Next: paygres status (account, webhook endpoint, first sync)")


def _secret_key(call: Call) -> str:
    asked = call.options
    ways = [way for way in (asked.key, asked.secret_key, asked.from_env, asked.from_file) if way is not None]
    if len(ways) + asked.stdin > 1:
        raise Misused("Give the key in one way only.")
    if asked.stdin:
        key = sys.stdin.readline()
    elif asked.from_env is not None:
        key = os.environ.get(asked.from_env, "")
    elif asked.from_file is not None:
        key = _read(Path(asked.from_file))
    elif ways:
        key = ways[0]
        call.screen.warn("A key on the command line is in the shell's history; --stdin or --from-env are not.")
    elif call.screen.asks:
        key = getpass.getpass(f"Stripe {call.environment} secret key: ", stream=sys.stderr)
    else:
        raise Misused(
            "The secret key is missing.",
            next_actions=f"Try: paygres config set -e {call.environment} --from-env STRIPE_SECRET_KEY",
        )
    if not key.strip():
        raise Misused("The secret key is empty.")
    return key.strip()


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise Misused(f"{file} cannot be read.") from None


def remove(call: Call) -> None:
    """The server deletes our webhook endpoint too; mirrored rows stay."""
    environment = call.environment
    confirm(
        call,
        f"remove the Stripe {environment} key and its webhook endpoint; checkouts in {environment} stop",
        ask=True,
    )
    call.backend.call("DELETE", call.path("config"))
    if call.screen.json:
        call.screen.answer({"provider": "stripe", "environment": environment, "configured": False})
    else:
        call.screen.success(f"stripe {environment} keys removed.")


def show(call: Call) -> None:
    """Both keys, masked."""
    body = call.backend.call("GET", f"{STRIPE}/config")
    if call.screen.json:
        call.screen.answer(body)
    else:
        call.screen.rows(("Env", "Key"), [(key["environment"], key["value"]) for key in body["keys"]])


NOUN = Noun(
    {
        "set": Command("Give an environment its Stripe key", set_key, _set_options, "[secretKey]", _LONG),
        "remove": Command("Take the key away; what was mirrored stays", remove),
        "show": Command("Both keys, masked", show),
    },
    bare="show",
)
