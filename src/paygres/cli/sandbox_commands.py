"""Commands to a running sandbox: begin anew, plant a file, move the clock, pay, look at events."""

import os
import re
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from paygres.cli import exit_codes, values
from paygres.cli.failure import Failure, Misused
from paygres.cli.options import Parser
from paygres.cli.output import Screen
from paygres.contrib.payments_sandbox import Event, Sandbox, SandboxError

DEFAULT_URL = "http://127.0.0.1:7140"
UNITS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}


def run(arguments: list[str]) -> int:
    """One command; returns its exit code."""
    screen = Screen(json="--json" in arguments)
    try:
        options = _parser().parse_args(arguments)
        _read_time(options)
        if (options.key or "").startswith(("sk_live_", "rk_live_")):
            raise Misused("This is a live key, and a simulator refuses it.")
        screen = Screen(json=options.json or options.output == "json", plain=options.output == "plain")
        sandbox = Sandbox.at(options.url or os.environ.get("STRIPE_API_BASE") or DEFAULT_URL, secret_key=options.key)
        try:
            COMMANDS[options.command](sandbox, options, screen)
        finally:
            sandbox.stop()
        sys.stdout.flush()
    except SystemExit as asked:  # --help
        return int(asked.code or 0)
    except Failure as failure:
        return screen.fail(failure)
    except SandboxError as problem:
        return screen.fail(_failure(problem))
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return exit_codes.OK


def _parser() -> Parser:
    everywhere = Parser(add_help=False, prog="paygres sandbox")
    add = everywhere.add_argument_group("options of every command").add_argument
    add("--url", metavar="<url>", help=f"the sandbox [STRIPE_API_BASE, else {DEFAULT_URL}]")
    add("--key", metavar="<sk_test_…>", help="the account to look at; else the sandbox's own")
    add("--json", action="store_true", help="JSON on stdout, errors as one JSON object on stderr")
    add("--output", choices=("table", "plain", "json"), default="table", help="plain: without lines")
    parser = Parser(prog="paygres sandbox", description="Commands to a running sandbox.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="<command>")

    def command(name: str, line: str) -> Parser:
        return commands.add_parser(name, help=line, description=line, parents=[everywhere])

    reset = command("reset", "begin anew, as it was started, with nothing of what was")
    reset.add_argument("--new-account", action="store_true", help="with another account and key")
    reset.add_argument("--seed", metavar="<file>", help="with this seed file instead of its own")
    reset.add_argument("--clock", metavar="<time>", help="with the clock at this time: ISO 8601, UTC")
    seed = command("seed", "plant a seed file beside what is there")
    seed.add_argument("file", metavar="<file>", type=_file)
    clock = command("clock", "what the clock shows; or move it ahead, and all that is due happens")
    clock.add_argument("verb", nargs="?", choices=("show", "advance", "to"), default="show", metavar="show|advance|to")
    clock.add_argument("by", nargs="?", metavar="<31d|12h|2026-03-01>", help="how far, or to which time (UTC)")
    clock.add_argument("--timeout", type=values.seconds, default=60.0, metavar="<seconds>", help="for webhooks [60]")
    faults = command("faults", "turn fault dials, such as duplicate=0.5 shuffle seed=7; alone: how they stand")
    faults.add_argument("dials", nargs="*", metavar="<name=value>")
    faults.add_argument("--clear", action="store_true", help="nothing goes wrong any more")
    fail = command("fail-next", "how the account's next payment ends, whatever its card")
    fail.add_argument(
        "outcome",
        nargs="?",
        default="declined",
        metavar="<outcome>",
        help="declined, insufficient_funds …, asks, disputed [declined]",
    )
    checkout = command("checkout", "what the buyer of a checkout session does")
    checkout.add_argument("verb", choices=("pay", "expire"), metavar="pay|expire")
    checkout.add_argument("session", metavar="<cs_test_… or its page's address>")
    checkout.add_argument("--card", default="4242424242424242", metavar="<number>", help="[4242424242424242]")
    checkout.add_argument("--email", metavar="<address>")
    checkout.add_argument("--authenticate", choices=("pass", "fail"), help="when the card asks for it")
    events = command("events", "what happened, oldest first")
    events.add_argument("--type", metavar="<type>", help="invoice.paid, customer.*")
    events.add_argument("--object", metavar="<id>", help="events about this object")
    events.add_argument("--limit", type=values.limit, default=50, metavar="<n>", help="the last so many [50]")
    resend = command("resend", "deliver an event once more")
    resend.add_argument("event", metavar="<evt_…>")
    return parser


def _reset(sandbox: Sandbox, options: Namespace, screen: Screen) -> None:
    sandbox.reset(seed=options.seed, clock=options.clock, new_account=options.new_account)
    shown = {"url": sandbox.url, "secretKey": sandbox.secret_key, "accountId": sandbox.account_id}
    webhooks = [{"id": one.id, "url": one.url, "secret": one.secret} for one in sandbox.webhooks]
    if screen.json:
        screen.answer({**shown, "webhooks": webhooks, "seeded": sandbox.seeded})
        return
    screen.success(f"{sandbox.url} begins anew: account {sandbox.account_id}, key {sandbox.secret_key}")
    for one in webhooks:
        screen.say(f"  {one['url']} is signed with {one['secret']}")


def _seed(sandbox: Sandbox, options: Namespace, screen: Screen) -> None:
    planted = sandbox.seed(options.file)
    if screen.json:
        screen.answer(planted)
        return
    ids = [
        (section, name, made["id"] if isinstance(made, dict) else made)
        for section, names in planted.items()
        for name, made in names.items()
    ]
    screen.rows(["Section", "Name", "Id"], ids)


def _clock(sandbox: Sandbox, options: Namespace, screen: Screen) -> None:
    if options.verb == "show":
        moment = sandbox.clock.now
    elif options.verb == "advance":
        moment = sandbox.clock.advance(seconds=options.by, timeout=options.timeout)
    else:
        moment = sandbox.clock.to(options.by, timeout=options.timeout)
    told = moment.isoformat(timespec="seconds").replace("+00:00", "Z")
    if screen.json:
        screen.answer({"now": told})
    else:
        screen.say(f"The sandbox's clock shows {told}.")


def _faults(sandbox: Sandbox, options: Namespace, screen: Screen) -> None:
    if options.clear:
        sandbox.faults.clear()
    for dial in options.dials:
        name, separator, value = dial.partition("=")
        sandbox.faults.set(**{name: value if separator else True})
    dials = sandbox.faults.read()
    if screen.json:
        screen.answer(dials)
    else:
        screen.rows(["Dial", "Stands at"], [(name, str(value)) for name, value in dials.items()])


def _fail_next(sandbox: Sandbox, options: Namespace, screen: Screen) -> None:
    sandbox.fail_next(options.outcome)
    if screen.json:
        screen.answer({"outcome": options.outcome})
    else:
        ends = {"asks": "asks for authentication", "disputed": "is paid and then disputed"}
        why = "" if options.outcome == "declined" else f": {options.outcome}"
        screen.success(f"The next payment {ends.get(options.outcome, f'is declined{why}')}.")


def _checkout(sandbox: Sandbox, options: Namespace, screen: Screen) -> None:
    checkout = sandbox.checkout(options.session)
    if options.verb == "expire":
        checkout.expire()
        ended: dict[str, str | None] = {"session": checkout.id, "status": "expired"}
    else:
        answer = None if options.authenticate is None else options.authenticate == "pass"
        paid = checkout.pay(options.card, email=options.email, authenticate=answer)
        ended = {"session": checkout.id, "status": paid.status, "success_url": paid.success_url}
    if screen.json:
        screen.answer(ended)
    else:
        screen.say(f"{checkout.id} is {ended['status']}.")
        if ended.get("success_url"):
            screen.hint(f"The buyer goes to {ended['success_url']}")


def _events(sandbox: Sandbox, options: Namespace, screen: Screen) -> None:
    found = sandbox.events.list(options.type, object=options.object)[-options.limit :]
    if screen.json:
        screen.answer({"events": [event.raw for event in found]})
        return
    screen.rows(["Created (UTC)", "Type", "Id", "Object", "Webhooks"], [_row(event) for event in found])


def _resend(sandbox: Sandbox, options: Namespace, screen: Screen) -> None:
    count = sandbox.events.resend(options.event)
    if not count:
        raise Failure(f"{options.event} went to no webhook endpoint.", exit_code=exit_codes.NOT_FOUND, code="NOT_FOUND")
    if screen.json:
        screen.answer({"event": options.event, "deliveries": count})
    else:
        screen.success(f"{options.event} goes out again, to {count} endpoint{'s' if count > 1 else ''}.")


COMMANDS: Mapping[str, Callable[[Sandbox, Namespace, Screen], None]] = {
    "reset": _reset,
    "seed": _seed,
    "clock": _clock,
    "faults": _faults,
    "fail-next": _fail_next,
    "checkout": _checkout,
    "events": _events,
    "resend": _resend,
}


def _row(event: Event) -> tuple[str, ...]:
    heard = "failed" if event.failed else "pending" if event.pending else "ok"
    return f"{event.created:%Y-%m-%d %H:%M:%S}", event.type, event.id, str(event.object.get("id", "")), heard


def _failure(problem: SandboxError) -> Failure:
    if problem.status is None:
        return Failure(
            problem.message,
            exit_code=exit_codes.UNREACHABLE,
            code="NETWORK_ERROR",
            next_actions="Does it run (paygres sandbox --port 7140), and is the address right (--url)?",
        )
    code = exit_codes.for_answer(problem.status, problem.code or "REFUSED")
    return Failure(problem.message, exit_code=code, code=problem.code, status=problem.status)


def _read_time(options: Namespace) -> None:
    """Turns the words of `clock` into seconds or a time, before anything is sent."""
    if options.command == "clock" and options.verb != "show":
        if options.by is None:
            raise Misused(f"`clock {options.verb}` must be told how far.", next_actions="Such as: clock advance 31d")
        options.by = _seconds(options.by) if options.verb == "advance" else _moment(options.by)


def _file(text: str) -> str:
    if not Path(text).is_file():
        raise Misused(f"There is no file {text}.")
    return text


def _seconds(text: str) -> float:
    """`31d`, `2h30m`, `90s`."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([wdhms])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise Misused(f'"{text}" is no time span.', next_actions="Write it as 31d, 12h, 90m, 45s or 1d12h.")
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Misused(f'"{text}" is no time.', next_actions="Write it as 2026-03-01 or 2026-03-01T12:00:00Z.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
