"""`reconcile`: compares the mirror with Stripe row by row, shows what differs, and repairs it with --fix."""

from typing import Any

from paygres.cli import exit_codes
from paygres.cli.call import Call, Command, Noun
from paygres.cli.confirm import confirm
from paygres.cli.money import amount
from paygres.cli.options import Parser
from paygres.cli.payments import progress

_LONG = 600.0  # seconds: of silence while there is progress, of the whole comparison without
_SHOWN = 50


def _options(parser: Parser) -> None:
    parser.add_argument("--fix", action="store_true", help="repair what differs; without it nothing is changed")
    parser.add_argument(
        "--only", metavar="<nouns>", help="compare these: customers,subscriptions,charges, …; all when absent"
    )
    parser.add_argument("--since", metavar="<time>", help="only objects made then or later: 2026-05-01")
    parser.add_argument(
        "--confirm-missing",
        action="store_true",
        help="ask Stripe about every row it did not list, however many they are",
    )
    parser.add_argument("--reason", metavar="<text>", help="for the audit log")
    progress.add_option(parser)
    parser.epilog = "Exit code 0 when nothing differs (any more), 10 when something does."


def reconcile(call: Call) -> int:
    """Exit code 10 while rows differ or belong to no subject, 1 when the comparison did not come to its end."""
    options = call.options
    environment = call.environment
    if options.fix:
        confirm(call, f"change the {environment} mirror to what Stripe has")
    asked: dict[str, Any] = {"fix": options.fix, "confirm": options.confirm_missing}
    if options.only:
        asked["only"] = [name.strip() for name in options.only.split(",") if name.strip()]
    asked |= {name: value for name, value in (("since", options.since), ("reason", options.reason)) if value}
    path = f"/api/paygres/{environment}/reconcile"
    body = progress.post(
        call,
        path,
        asked,
        name="comparison",
        told_as=("object",),
        next_actions=f"Look with GET {path}: a run that ended early is `interrupted`. Then run it again.",
    )
    found: dict[str, Any] = body["reconciliation"]
    if call.screen.json:
        call.screen.answer(body)
    else:
        _show(call, body)
    if found["status"] != "succeeded":
        return exit_codes.GENERAL
    return exit_codes.PROBLEMS if _left(found) else exit_codes.OK


def _left(found: dict[str, Any]) -> bool:
    """Whether rows still differ. Another installation's objects are as they should be."""
    open_rows = sum(one["rows"] - one["fixed"] for name, one in found["classes"].items() if name != "foreign")
    return bool(open_rows or found["unconfirmed"])


def _show(call: Call, body: dict[str, Any]) -> None:
    found: dict[str, Any] = body["reconciliation"]
    rows = body["findings"][:_SHOWN]
    if rows:
        call.screen.rows(
            ("Class", "Table", "Key", "Object", "Differs In", "Amount", "Fixed"),
            [
                (
                    one["class"],
                    one["table"],
                    one["key"],
                    one["objectType"],
                    ", ".join(one["columns"]),
                    amount(one["amount"], one["currency"]),
                    "yes" if one["fixed"] else "no",
                )
                for one in rows
            ],
        )
    total = sum(one["rows"] for one in found["classes"].values())
    if total > len(rows):
        call.screen.note(f"… and {total - len(rows)} more: paygres reconcile --json, or GET …/reconcile?after=")
    for name, count in found["unconfirmed"].items():
        call.screen.warn(f"Stripe did not list {count} {name}; --confirm-missing asks about each of them.")
    if found["error"]:
        call.screen.note(f"{call.screen.red('✘')} {found['environment']}: {found['error']}")
        return
    compared = sum(found["counts"].values())
    if not total and not found["unconfirmed"]:
        call.screen.success(f"{compared} objects compared: every row is as Stripe has it.")
        return
    money = ", ".join(amount(minor, currency) for currency, minor in sorted(found["moneyAtStake"].items()))
    call.screen.say(
        "  ".join(
            [f"{compared} objects compared."]
            + [f"{name}: {one['rows']} ({one['fixed']} fixed)" for name, one in sorted(found["classes"].items())]
            + ([f"Money at stake: {money}."] if money else [])
        )
    )
    if _left(found) and not found["fix"]:
        call.screen.hint("Repair it with: paygres reconcile --fix")


NOUN = Noun({"": Command("Compare the mirror with Stripe, row by row", reconcile, _options, seconds=_LONG)})
