"""`prices list | get | create | update | archive`: what products cost."""

from typing import Any

from paygres.cli import values
from paygres.cli.call import Call, Command, Noun
from paygres.cli.confirm import confirm
from paygres.cli.failure import Misused
from paygres.cli.money import amount
from paygres.cli.options import Parser

COLUMNS = ("Env", "Price ID", "Product ID", "Amount", "Type", "Active", "Recurring", "Synced At")


def row(call: Call, price: dict[str, Any]) -> tuple[object, ...]:
    """The cells of COLUMNS."""
    return (
        price["environment"],
        price["priceId"],
        price["productId"],
        amount(price["unitAmount"], price["currency"]),
        price["type"],
        "Yes" if price["active"] else "No",
        recurring(price["recurringInterval"], price["recurringIntervalCount"]),
        call.when(price["syncedAt"]),
    )


def recurring(interval: str | None, count: int | None) -> str:
    """`one-time`, `month`, `3 month`."""
    if interval is None:
        return "one-time"
    return interval if count in (None, 1) else f"{count} {interval}"


def list_prices(call: Call) -> None:
    query = {"productId": call.options.product} if call.options.product else None
    body = call.backend.call("GET", call.path("catalog", "prices"), query=query)
    if call.screen.json:
        call.screen.answer(body)
    elif body["prices"]:
        call.screen.rows(COLUMNS, [row(call, price) for price in body["prices"]])
    else:
        call.screen.say("No Stripe prices found.")


def get(call: Call) -> None:
    body = call.backend.call("GET", call.path("catalog", "prices", call.options.price_id))
    if call.screen.json:
        call.screen.answer(body)
    else:
        call.screen.rows(COLUMNS, [row(call, body["price"])])


def create(call: Call) -> None:
    asked = call.options
    if asked.interval_count is not None and asked.interval is None:
        raise Misused("--interval-count needs --interval.")
    every = values.given(interval=asked.interval, intervalCount=asked.interval_count)
    fields = values.given(
        productId=asked.product,
        currency=asked.currency,
        unitAmount=asked.unit_amount,
        lookupKey=asked.lookup_key,
        active=asked.active,
        recurring=every or None,
        taxBehavior=asked.tax_behavior,
        metadata=asked.metadata,
        idempotencyKey=asked.idempotency_key,
    )
    confirm(call, f"create a price of {amount(asked.unit_amount, asked.currency)} for {asked.product}")
    body = call.backend.call("POST", call.path("catalog", "prices"), body=fields)
    _done(call, "created", body)


def update(call: Call) -> None:
    asked = call.options
    fields = values.given(
        active=asked.active, lookupKey=asked.lookup_key, taxBehavior=asked.tax_behavior, metadata=asked.metadata
    )
    if not fields:
        raise Misused("Provide at least one option to update (--active, --lookup-key, --tax-behavior, --metadata).")
    confirm(call, f"update the price {asked.price_id}")
    body = call.backend.call("PATCH", call.path("catalog", "prices", asked.price_id), body=fields)
    _done(call, "updated", body)


def archive(call: Call) -> None:
    """Nothing is asked in test: an archived price can be made active again."""
    confirm(call, f"archive the price {call.options.price_id}")
    body = call.backend.call("DELETE", call.path("catalog", "prices", call.options.price_id))
    _done(call, "archived", body)


def _done(call: Call, what: str, body: dict[str, Any]) -> None:
    if call.screen.json:
        call.screen.answer(body)
    else:
        call.screen.success(f"Stripe price {what}: {body['price']['priceId']}")


def _id(parser: Parser) -> None:
    parser.add_argument("price_id", type=values.identifier, metavar="priceId")


def _list_options(parser: Parser) -> None:
    parser.add_argument("--product", metavar="<productId>", help="prices of this product only")


def _field_options(parser: Parser) -> None:
    add = parser.add_argument
    add("--lookup-key", type=values.text_or_null, metavar="<key>", help='Stripe lookup key, or "null"')
    add("--active", type=values.boolean, metavar="<bool>", help="true or false")
    add("--tax-behavior", choices=("exclusive", "inclusive", "unspecified"))
    add("--metadata", type=values.metadata, metavar="<json>", help="a JSON object of strings")


def _create_options(parser: Parser) -> None:
    add = parser.add_argument
    add("--product", required=True, metavar="<productId>")
    add("--currency", required=True, metavar="<currency>", help="three letters, e.g. usd")
    add("--unit-amount", required=True, type=values.integer, metavar="<amount>", help="in minor units, e.g. cents")
    add("--interval", choices=("day", "week", "month", "year"), help="makes it recurring")
    add("--interval-count", type=values.positive, metavar="<count>")
    _field_options(parser)
    add("--idempotency-key", metavar="<key>", help="the same key never creates it twice")


def _update_options(parser: Parser) -> None:
    _id(parser)
    _field_options(parser)


NOUN = Noun(
    {
        "list": Command("All prices", list_prices, _list_options),
        "get": Command("One price", get, _id, "<priceId>"),
        "create": Command("Create a one-time or recurring price at Stripe", create, _create_options),
        "update": Command("Change a price at Stripe", update, _update_options, "<priceId>"),
        "archive": Command("Make a price unavailable for new purchases", archive, _id, "<priceId>"),
    },
    bare="list",
)
