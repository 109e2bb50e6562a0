"""`fulfillments list | release`: what was given for which payment, and letting a quarantined one pass."""

from typing import Any
from urllib.parse import quote

from paygres.cli import exit_codes, values
from paygres.cli.call import Call, Command, Noun
from paygres.cli.confirm import confirm
from paygres.cli.money import amount
from paygres.cli.options import Parser

_NARROW = ("status", "rule", "key", "payment")


def list_options(parser: Parser) -> None:
    add = parser.add_argument
    add("--limit", type=values.limit, default=50, metavar="<count>", help="1 to 100 [50]")
    add("--status", metavar="<status>", help="granted, reversed, quarantined or released")
    add("--rule", metavar="<rule>", help="what is given: orders, credits, …")
    add("--key", metavar="<key>", help="your own: an order's id")
    add("--payment", metavar="<id>", help="any Stripe id of the payment")


def list_fulfillments(call: Call) -> None:
    """Newest first."""
    narrowed = {name: getattr(call.options, name) for name in _NARROW}
    query = {"limit": str(call.options.limit), **{name: value for name, value in narrowed.items() if value}}
    body = call.backend.call("GET", f"/api/paygres/{call.environment}/fulfillments", query=query)
    if call.screen.json:
        call.screen.answer(body)
    elif body["fulfillments"]:
        call.screen.rows(
            ("ID", "Status", "Rule", "Key", "Payment", "Paid", "Kept", "When", "Reason"),
            [_row(call, one) for one in body["fulfillments"]],
        )
        if body["nextCursor"]:
            call.screen.note("… and more: --limit, --status, --key")
    else:
        call.screen.say("No fulfillments found.")


def _row(call: Call, one: dict[str, Any]) -> tuple[object, ...]:
    return (
        one["id"],
        one["status"],
        one["rule"],
        one["key"],
        one["paymentKey"],
        amount(one["amountPaid"], one["currency"]),
        amount(one["amountKept"], one["currency"]),
        call.when(one["grantedAt"] or one["createdAt"]),
        one["reason"],
    )


def release_options(parser: Parser) -> None:
    parser.add_argument("fulfillment_id")
    parser.add_argument("--reason", required=True, metavar="<text>", help="for the audit log")


def release(call: Call) -> int:
    """Exit code 1 when its event failed."""
    environment, wanted = call.environment, call.options.fulfillment_id
    confirm(call, f"let the quarantined payment of fulfillment {wanted} pass", ask=True)
    path = f"/api/paygres/{environment}/fulfillments/{quote(wanted, safe='')}/release"
    body = call.backend.call("POST", path, body={"reason": call.options.reason})
    if call.screen.json:
        call.screen.answer(body)
    elif body["outcome"] == "failed":
        call.screen.warn(f"Released, and its event failed: {body['error']}. The server tries it again.")
    elif body["outcome"] == "processed" and body["fulfillment"]["status"] == "granted":
        call.screen.success("Released and granted.")
    else:
        call.screen.say(f"Released; its event is {body['outcome']}, the fulfillment {body['fulfillment']['status']}.")
    return exit_codes.GENERAL if body["outcome"] == "failed" else exit_codes.OK


NOUN = Noun(
    {
        "list": Command("What was given for which payment, newest first", list_fulfillments, list_options),
        "release": Command("Let a quarantined payment pass", release, release_options, takes="<id> --reason <text>"),
    },
    bare="list",
)
