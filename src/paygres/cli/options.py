"""The parser of every command: wrong usage raises Misused, and the options that all commands have."""

import argparse
from typing import NoReturn

from paygres.cli import values
from paygres.cli.failure import Misused


class Parser(argparse.ArgumentParser):
    """argparse, strict about names, and without its own way to exit."""

    def __init__(self, **settings: object) -> None:
        super().__init__(allow_abbrev=False, **settings)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        raise Misused(f"{message[:1].upper()}{message[1:]}.", next_actions=f"Try: {self.prog} --help")


def for_all() -> Parser:
    """Accepted before and after the command's words."""
    parser = Parser(add_help=False, prog="paygres")
    add = parser.add_argument_group("options of every command").add_argument
    add("-e", "--environment", metavar="<test|live>", help="Stripe environment [PAYGRES_ENVIRONMENT, else test]")
    add("--json", action="store_true", help="the server's JSON on stdout, errors as one JSON object on stderr")
    add("--output", choices=("table", "plain", "json"), default="table", help="plain: without lines")
    add("--url", "--api-url", metavar="<url>", help="the server [PAYGRES_URL, INSFORGE_URL, the linked one]")
    add("--api-key", metavar="<key>", help="[PAYGRES_ACCESS_TOKEN, INSFORGE_API_KEY, the linked one]")
    add("-y", "--yes", action="store_true", help="answer yes to what would be asked")
    add("--confirm-live", metavar="<acct>", help="the live account's id: what --yes needs in live")
    add("--no-input", action="store_true", help="never ask")
    add("--color", choices=("auto", "always", "never"), default="auto", help="NO_COLOR and FORCE_COLOR work too")
    add("--utc", action="store_true", help="times in UTC instead of local time")
    add("--timeout", type=values.seconds, metavar="<seconds>", help="how long to wait for the server")
    return parser
