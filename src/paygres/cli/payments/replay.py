"""`events replay`: runs events again, one by its id or a selection; --dry-run tells what that would change and fire."""

from typing import Any

from paygres.cli import values
from paygres.cli.call import Call, Command
from paygres.cli.confirm import confirm
from paygres.cli.failure import Misused
from paygres.cli.options import Parser

_FILTERS = {
    "type": "type",
    "status": "status",
    "object": "objectId",
    "since": "from",
    "until": "to",
    "after": "after",
    "reason": "reason",
}
_MOST = 1000


def _options(parser: Parser) -> None:
    add = parser.add_argument
    add("ids", nargs="*", metavar="<event>", help="these events; without any, those the options choose")
    add("--type", metavar="<type>", help="invoice.paid, or a family: invoice.*")
    add("--status", choices=("pending", "processed", "failed", "ignored", "parked", "dead"), help="how they ended")
    add("--object", metavar="<id>", help="about this object of Stripe's")
    add("--subject", metavar="<type:id>", help="about this billing subject: team:team_1")
    add("--since", metavar="<time>", help="received then or later: 2026-05-01T12:00:00Z")
    add("--until", metavar="<time>", help="received before")
    add("--limit", type=values.positive, default=100, metavar="<count>", help=f"1 to {_MOST}, the oldest first [100]")
    add("--after", metavar="<next>", help="go on behind an answer before")
    add("--dry-run", action="store_true", help="tell what would change and fire, and do nothing")
    add("--reason", metavar="<text>", help="for the audit log")


def replay(call: Call) -> None:
    """What was granted for a payment is granted once, however often its events run."""
    asked = _asked(call)
    if not call.options.dry_run:
        confirm(call, f"run these {call.environment} events again, which fires your triggers", ask=True)
    body = call.backend.call("POST", f"/api/paygres/{call.environment}/events/replay", body=asked)
    if call.screen.json:
        call.screen.answer(body)
        return
    if body["rehearsed"] is None:
        call.screen.success(f"{body['selected']} event(s) run again; the worker is at them.")
    else:
        _tell(call, body)
    if body["next"]:
        call.screen.note(f"There are more: the same command with --after {body['next']}")


def _asked(call: Call) -> dict[str, Any]:
    options = call.options
    asked: dict[str, Any] = {"limit": options.limit, "dryRun": options.dry_run}
    asked |= {name: value for option, name in _FILTERS.items() if (value := getattr(options, option))}
    if options.ids:
        asked["eventIds"] = options.ids
    if options.subject:
        kind, colon, ident = options.subject.partition(":")
        if not (kind and colon and ident):
            raise Misused(f'--subject must be <type>:<id>, got "{options.subject}".')
        asked |= {"subjectType": kind, "subjectId": ident}
    return asked


def _tell(call: Call, body: dict[str, Any]) -> None:
    rows = [
        (
            one["event"]["eventId"],
            one["event"]["eventType"],
            one["outcome"],
            len(one["changes"]),
            ", ".join(f"{w['table']} {w['inserted']}+{w['updated']}~{w['deleted']}-" for w in one["writes"]),
            ", ".join(f"{t['name']} on {t['table']}" for t in one["triggers"]),
        )
        for one in body["rehearsed"]
    ]
    if not rows:
        call.screen.say("No such events.")
        return
    call.screen.rows(("Event", "Type", "Outcome", "Changes", "Would Write", "Would Fire"), rows)
    for one in body["rehearsed"]:
        for change in one["changes"]:
            before, after = change["before"] or {}, change["after"] or {}
            names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
            told = ", ".join(f"{name}: {before.get(name)} → {after.get(name)}" for name in names)
            key = " ".join(str(value) for value in change["key"].values())
            call.screen.say(f"  {one['event']['eventId']}  {change['table']} {key}  {told}")


REPLAY = Command("Run events again, or tell what that would do", replay, _options, takes="[<event> …]", seconds=120.0)
