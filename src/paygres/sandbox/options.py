"""The command line of `paygres sandbox`. Imports nothing heavy, so that --help and mistakes are answered at once."""

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

from paygres.sandbox.moments import read_moment
from paygres.sandbox.settings import Settings

EXIT_USAGE = 64
LIVE = ("sk_live_", "rk_live_")

EXAMPLES = """\
It prints one line of JSON when it is ready: its url, a secretKey and the accountId, and with them `webhooks` (id, url,
secret) and `seeded` (name to id) if you asked for any. Point a server at it with STRIPE_API_BASE=<url>.

examples:
  paygres sandbox --port 7140                                 a fresh Stripe at http://127.0.0.1:7140
  paygres sandbox --state sandbox.db --seed shop.yaml         products, customers … of a file; kept for the next start
  paygres sandbox --webhook http://127.0.0.1:8000/webhooks    deliver every event there; prints the signing secret
  paygres sandbox --clock 2026-01-31                          begin on the last day of January
  paygres sandbox --fault duplicate=0.5 --fault shuffle --fault seed=7

while it runs, from another terminal:
  paygres sandbox clock advance 31d        paygres sandbox checkout pay cs_test_… --card 4000000000000341
  paygres sandbox fail-next                paygres sandbox events --type invoice.paid
  paygres sandbox seed shop.yaml           paygres sandbox resend evt_…            paygres sandbox reset

No live key is ever accepted, and nothing leaves this machine. It is not Stripe."""


class Parser(argparse.ArgumentParser):
    """argparse whose mistakes are one sentence and the exit code of wrong usage."""

    def error(self, message: str) -> NoReturn:
        print(f"paygres sandbox: {message}. Try: paygres sandbox --help", file=sys.stderr)
        sys.exit(EXIT_USAGE)


def read_settings(arguments: list[str]) -> Settings:
    """Ends the process with 64 and a sentence on stderr when the arguments are wrong."""
    parser = _parser()
    if any(word in argument for word in LIVE for argument in arguments):
        parser.error("this is a simulator: it refuses live keys, also on its command line")
    given = parser.parse_args(arguments)
    _check_hosts_and_files(parser, given)
    settings: dict[str, Any] = vars(given)
    settings["webhooks"] = tuple(given.webhooks)
    settings["faults"] = _dials(parser, given.faults)
    return Settings(**settings)


def _parser() -> Parser:
    parser = Parser(
        prog="paygres sandbox",
        usage="paygres sandbox [options]",
        description="A local Stripe for development and tests: its API, a payment page, a portal, signed webhooks.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument_group("where").add_argument
    add("--port", type=_port, default=0, metavar="N", help="0 takes any free port (default)")
    add("--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (default: %(default)s)")
    add("--state", type=Path, metavar="FILE", help="keep the state in this SQLite file (default: forget it)")
    add = parser.add_argument_group("how it begins").add_argument
    add("--seed", type=Path, metavar="FILE.yaml", help="what exists at the beginning; what is there already stays")
    add("--clock", type=_moment, metavar="TIME", help="where its clock begins: ISO 8601 (UTC) or Unix seconds")
    add("--webhook", dest="webhooks", action="append", default=[], metavar="URL", help="deliver every event there")
    add("--account-seed", metavar="TEXT", help="the same text gives the same account and key")
    add = parser.add_argument_group("what goes wrong").add_argument
    add("--fault", dest="faults", action="append", default=[], metavar="NAME=VALUE", help="turn a fault dial")
    add("--latency", type=_seconds, default=0.0, metavar="SECONDS", help="wait before answering each POST under /v1")
    add(
        "--limits",
        nargs="?",
        const="25,25",
        type=_limits,
        metavar="N,N",
        help="answer 429 beyond so many requests a second, of an account and of one endpoint (alone: Stripe's 25,25)",
    )
    add = parser.add_argument_group("how it goes on").add_argument
    add("--validate", action="store_true", help="check every answer and event against Stripe's schemas")
    add(
        "--retries",
        type=_waits,
        default=(1.0, 5.0, 30.0),
        metavar="SECONDS,…",
        help="waits between the tries of a delivery (default: 1,5,30)",
    )
    add("--delivery-timeout", type=_seconds, default=10.0, metavar="SECONDS", help="for a webhook's answer (10)")
    add("--delivery-width", type=_width, default=1, metavar="N", help="deliveries to one endpoint at the same time (1)")
    add("--redirect-hold", type=_seconds, default=10.0, metavar="SECONDS", help="the page waits so long for them (10)")
    add("--settle-after", type=_seconds, default=2.0, metavar="SECONDS", help="what Stripe does a little later (2)")
    add("--with-parent", action="store_true", help="end when standard input is closed")
    return parser


def _check_hosts_and_files(parser: Parser, given: argparse.Namespace) -> None:
    if given.seed is not None and not given.seed.is_file():
        parser.error(f"argument --seed: there is no file {given.seed}")
    for url in given.webhooks:
        if not url.startswith(("http://", "https://")):
            parser.error(f"argument --webhook: {url!r} is no http:// address")
    if given.host not in ("127.0.0.1", "::1", "localhost"):
        print(
            f"paygres sandbox: anybody who reaches {given.host} can use it and its test controls; it is made for "
            "127.0.0.1.",
            file=sys.stderr,
        )


def _dials(parser: Parser, given: list[str]) -> dict[str, Any]:
    if not given:
        return {}
    from paygres.sandbox.faults import read_dials  # it knows every dial, and imports more than --help should

    try:
        return {name: value for one in given for name, value in read_dials(one).items()}
    except ValueError as problem:
        parser.error(f"argument --fault: {problem}")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port, which is 0 to 65535")
    return int(text)


def _moment(text: str) -> float:
    try:
        return read_moment(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds


def _waits(text: str) -> tuple[float, ...]:
    try:
        return tuple(_seconds(wait) for wait in text.split(",") if wait.strip())
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"not a list of seconds: {text!r}") from None


def _limits(text: str) -> tuple[float, float]:
    try:
        account, endpoint = (float(rate) for rate in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"not two numbers: {text!r}") from None
    return account, endpoint


def _width(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of deliveries")
    return int(text)
