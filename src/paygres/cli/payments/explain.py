"""`explain`: how did it come to this? The timeline of an order, subject, event or customer as a person reads it."""

from typing import Any
from urllib.parse import quote

from paygres.cli.call import Call, Command, Noun
from paygres.cli.money import amount
from paygres.cli.options import Parser
from paygres.cli.payments.subjects import subject

_MOST_CHANGES = 12  # of a telling; --json has all
_QUIET = ("livemode", "object", "id")


def _options(parser: Parser) -> None:
    parser.add_argument(
        "id",
        metavar="<id>",
        help="evt_… · cus_… · any id of Stripe's · team:team_1 · a checkout's id · your own key (order id)",
    )
    parser.add_argument("--changes", action="store_true", help="every change, not the first few")


def explain(call: Call) -> None:
    """Steps in causal order, each with the rows that stand on it."""
    path = f"/api/paygres/{call.environment}/explain/{quote(call.options.id, safe='')}"
    body = call.backend.call("GET", path)
    if call.screen.json:
        call.screen.answer(body)
        return
    rows: dict[int | None, list[dict[str, Any]]] = {}
    for row in body["rows"]:
        rows.setdefault(row["step"], []).append(row)
    if body["truncated"]:
        call.screen.note("Only the newest thousand deliveries are shown.")
    for step in body["steps"]:
        call.screen.say(f"{step['step']:>4}  {call.when(step['at'])}  {_headline(step)}")
        for line in _below(call, step):
            call.screen.say(f"        {line}")
        for row in rows.get(step["step"], ()):
            call.screen.say(f"      = {_row(row)}")
    for row in rows.get(None, ()):
        call.screen.say(f"   ?    {_row(row)}")


def _headline(step: dict[str, Any]) -> str:
    match step["kind"]:
        case "checkout":
            whose = subject(step["subjectType"], step["subjectId"]) or "a guest"
            bought = ", ".join(f"{item['quantity']} × {item['priceId']}" for item in step["lineItems"])
            return f"checkout {step['id']} for {whose}, by {step['requestedBy'] or 'a guest'}: {bought}"
        case "delivery":
            return f"{step['eventType']} {step['objectId']} ({step['eventId']}): {step['status']}"
        case "read":
            return f"{step['objectType']} {step['objectId']} read at Stripe"
        case "fulfillment":
            paid = amount(step["amountPaid"], step["currency"])
            return f"fulfillment of {step['rule']} {step['key'] or step['paymentKey']}: {step['outcome']}, {paid} paid"
        case "reversal":
            return f"fulfillment {step['status']}: {step['amountKept']} of {step['amountPaid']} kept"
        case "message":
            when = "delivered" if step["deliveredAt"] else step["error"] or "waits"
            return f"message {step['type']} to {step['destination']}: {when}"
        case _:
            why = f" ({step['reason']})" if step["reason"] else ""
            return f"{step['actor']} did {step['action']} {step['target'] or ''}{why}"


def _below(call: Call, step: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    tried = step["attempts"] if step["kind"] == "delivery" else []
    if len(tried) > 1 or any(one["error"] for one in tried):
        for one in tried:
            why = f": {one['error']}" if one["error"] else ""
            lines.append(f"attempt {one['attempt']} {call.when(one['at'])} {one['outcome']}{why}")
    if step["kind"] in ("fulfillment", "checkout", "reversal"):
        lines += [str(step[name]) for name in ("reason", "error") if step.get(name)]
    changes = [one for one in step.get("changes", ()) if one["path"] not in _QUIET]
    shown = changes if call.options.changes else changes[:_MOST_CHANGES]
    lines += [f"~ {one['path']}: {_value(one, 'before')} → {_value(one, 'after')}" for one in shown]
    if len(shown) < len(changes):
        lines.append(f"~ and {len(changes) - len(shown)} more (--changes)")
    return lines


def _value(change: dict[str, Any], side: str) -> str:
    if side not in change:
        return "(nothing)"
    text = str(change[side])
    return text if len(text) <= 60 else f"{text[:57]}…"


def _row(row: dict[str, Any]) -> str:
    key = " ".join(str(value) for value in row["key"].values())
    now = ", ".join(f"{name} {value}" for name, value in row["now"].items() if value is not None)
    return f"{row['table']} {key}: {now}"


NOUN = Noun({"": Command("How did it come to this?", explain, _options, takes="<id>")})
