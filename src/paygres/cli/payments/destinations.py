"""`destinations list | create | rotate | delete | messages | resend`: who is told of fulfillments."""

from urllib.parse import quote

from paygres.cli import values
from paygres.cli.call import Call, Command, Noun
from paygres.cli.confirm import confirm
from paygres.cli.options import Parser


def _path(call: Call, *segments: str) -> str:
    escaped = [quote(one, safe="") for one in segments]
    return "/".join((f"/api/paygres/{call.environment}/destinations", *escaped))


def list_destinations(call: Call) -> None:
    body = call.backend.call("GET", _path(call))
    if call.screen.json:
        call.screen.answer(body)
    elif body["destinations"]:
        call.screen.rows(
            ("ID", "Kind", "Name", "URL", "Active", "Pending", "Types"),
            [
                (
                    one["id"],
                    one["kind"],
                    one["name"],
                    one["url"],
                    "Yes" if one["active"] else "No",
                    one["pending"],
                    ", ".join(one["types"]),
                )
                for one in body["destinations"]
            ],
        )
    else:
        call.screen.say("Nobody is told of fulfillments.")


def _create_options(parser: Parser) -> None:
    parser.add_argument("target", metavar="url")  # --url is the server
    parser.add_argument("--name", metavar="<name>")
    parser.add_argument("--types", metavar="<types>", help="fulfillment.granted,fulfillment.reversed, …; all if absent")


def create(call: Call) -> None:
    """Shows the secret, this once."""
    confirm(call, f"send messages about fulfillments to {call.options.target}")
    asked: dict[str, object] = {"url": call.options.target}
    if call.options.name:
        asked["name"] = call.options.name
    if call.options.types:
        asked["types"] = [one.strip() for one in call.options.types.split(",") if one.strip()]
    _show_secret(call, call.backend.call("POST", _path(call), body=asked))


def _one(parser: Parser) -> None:
    parser.add_argument("destination_id")


def rotate(call: Call) -> None:
    """Shows the new secret, this once; the old one signs as well for a day."""
    confirm(call, f"change the signing secret of destination {call.options.destination_id}")
    body = call.backend.call("PATCH", _path(call, call.options.destination_id), body={"rotateSecret": True})
    _show_secret(call, body)


def _show_secret(call: Call, body: dict[str, object]) -> None:
    if call.screen.json:
        call.screen.answer(body)
        return
    call.screen.say(str(body["secret"]))
    call.screen.note("That is its signing secret. It is not shown again.")


def delete(call: Call) -> None:
    confirm(call, f"remove destination {call.options.destination_id} with its messages", ask=True)
    body = call.backend.call("DELETE", _path(call, call.options.destination_id))
    if call.screen.json:
        call.screen.answer(body)
    else:
        call.screen.success("Removed.")


def _messages_options(parser: Parser) -> None:
    _one(parser)
    parser.add_argument("--limit", type=values.limit, default=50, metavar="<count>", help="1 to 100 [50]")
    parser.add_argument("--status", metavar="<status>", help="pending, delivered or given_up")


def messages(call: Call) -> None:
    query = {"limit": str(call.options.limit)} | ({"status": call.options.status} if call.options.status else {})
    body = call.backend.call("GET", _path(call, call.options.destination_id, "messages"), query=query)
    if call.screen.json:
        call.screen.answer(body)
    elif body["messages"]:
        call.screen.rows(
            ("ID", "Type", "Status", "Attempts", "Made At", "Last Error"),
            [
                (
                    one["id"],
                    one["type"],
                    one["status"],
                    one["attempts"],
                    call.when(one["createdAt"]),
                    one["lastError"],
                )
                for one in body["messages"]
            ],
        )
    else:
        call.screen.say("No messages found.")


def _resend_options(parser: Parser) -> None:
    _one(parser)
    parser.add_argument("message_id")


def resend(call: Call) -> None:
    confirm(call, f"send message {call.options.message_id} again")
    path = _path(call, call.options.destination_id, "messages", call.options.message_id, "resend")
    body = call.backend.call("POST", path)
    if call.screen.json:
        call.screen.answer(body)
    else:
        call.screen.success("It is sent again, under the same id.")


NOUN = Noun(
    {
        "list": Command("Who is told of fulfillments", list_destinations),
        "create": Command("Send signed messages to a URL", create, _create_options, takes="<url>"),
        "rotate": Command("Change the signing secret", rotate, _one, takes="<id>"),
        "delete": Command("Remove one, with its messages", delete, _one, takes="<id>"),
        "messages": Command("What was sent to one, newest first", messages, _messages_options, takes="<id>"),
        "resend": Command("Send a message again", resend, _resend_options, takes="<id> <message>"),
    },
    bare="list",
)
