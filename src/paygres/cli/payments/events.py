"""`events backfill`: fetches what Stripe lists and did not deliver, in a stretch of time."""

from datetime import UTC, datetime, timedelta
from typing import Any

from paygres.cli.call import Call, Command, Noun
from paygres.cli.confirm import confirm
from paygres.cli.options import Parser
from paygres.cli.payments.replay import REPLAY


def _backfill_options(parser: Parser) -> None:
    parser.add_argument("--since", metavar="<time>", help="2026-05-01T12:00:00Z; an hour ago when absent")
    parser.add_argument("--until", metavar="<time>", help="now when absent")
    parser.add_argument("--types", metavar="<types>", help="only these: invoice.paid,charge.*")
    parser.add_argument("--dry-run", action="store_true", help="count what is missing and fetch nothing")
    parser.add_argument("--reason", metavar="<text>", help="for the audit log")
    parser.epilog = "Stripe keeps events for 30 days; `paygres reconcile` finds what is older."


def backfill(call: Call) -> None:
    """What is older than the connection is mirrored and fulfills nothing."""
    options, environment = call.options, call.environment
    asked: dict[str, Any] = {"since": options.since or _an_hour_ago(), "dryRun": options.dry_run}
    asked |= {name: value for name, value in (("until", options.until), ("reason", options.reason)) if value}
    if options.types:
        asked["types"] = [word.strip() for word in options.types.split(",") if word.strip()]
    if not options.dry_run:
        confirm(call, f"fetch the {environment} events that did not arrive, which runs your triggers")
    body = call.backend.call("POST", f"/api/paygres/{environment}/events/backfill", body=asked)
    if call.screen.json:
        call.screen.answer(body)
        return
    names = ("listed", "missing", "applied", "ignored", "unfinished", "unreadable")
    call.screen.rows(tuple(name.capitalize() for name in names), [tuple(body[name] for name in names)])
    if body["unfinished"]:
        call.screen.hint("The worker goes on with the unfinished ones.")
    if body["dryRun"] and body["missing"]:
        call.screen.hint("Fetch them with the same command without --dry-run.")


def _an_hour_ago() -> str:
    return f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"


NOUN = Noun(
    {
        "backfill": Command("Fetch what Stripe lists and did not deliver", backfill, _backfill_options, seconds=600.0),
        "replay": REPLAY,
    }
)
