"""`products list | get | create | update | delete`: what is sold."""

from typing import Any

from paygres.cli import values
from paygres.cli.call import Call, Command, Noun
from paygres.cli.confirm import confirm
from paygres.cli.failure import Misused
from paygres.cli.money import amount
from paygres.cli.options import Parser

COLUMNS = ("Env", "Product ID", "Name", "Active", "Default Price", "Synced At")


def row(call: Call, product: dict[str, Any]) -> tuple[object, ...]:
    """The cells of COLUMNS."""
    return (
        product["environment"],
        product["productId"],
        product["name"],
        "Yes" if product["active"] else "No",
        product["defaultPriceId"],
        call.when(product["syncedAt"]),
    )


def list_products(call: Call) -> None:
    body = call.backend.call("GET", call.path("catalog", "products"))
    if call.screen.json:
        call.screen.answer(body)
    elif body["products"]:
        call.screen.rows(COLUMNS, [row(call, product) for product in body["products"]])
    else:
        call.screen.say("No Stripe products found.")


def get(call: Call) -> None:
    """The product and, in a second table, its prices."""
    body = call.backend.call("GET", call.path("catalog", "products", call.options.product_id))
    if call.screen.json:
        call.screen.answer(body)
        return
    call.screen.rows(COLUMNS, [row(call, body["product"])])
    if body["prices"]:
        call.screen.rows(
            ("Price ID", "Amount", "Type", "Active", "Lookup Key"),
            [
                (
                    price["priceId"],
                    amount(price["unitAmount"], price["currency"]),
                    price["type"],
                    "Yes" if price["active"] else "No",
                    price["lookupKey"],
                )
                for price in body["prices"]
            ],
            title="Prices",
        )


def create(call: Call) -> None:
    fields = values.given(**_fields(call), idempotencyKey=call.options.idempotency_key)
    confirm(call, f"create the product {call.options.name!r}")
    body = call.backend.call("POST", call.path("catalog", "products"), body=fields)
    _done(call, "created", body["product"]["productId"], body)


def update(call: Call) -> None:
    fields = values.given(**_fields(call))
    if not fields:
        raise Misused("Provide at least one option to update (--name, --description, --active, --metadata).")
    confirm(call, f"update the product {call.options.product_id}")
    path = call.path("catalog", "products", call.options.product_id)
    body = call.backend.call("PATCH", path, body=fields)
    _done(call, "updated", body["product"]["productId"], body)


def delete(call: Call) -> None:
    confirm(call, f"delete the product {call.options.product_id} at Stripe", ask=True)
    body = call.backend.call("DELETE", call.path("catalog", "products", call.options.product_id))
    _done(call, "deleted", body["productId"], body)


def _done(call: Call, what: str, product_id: str, body: dict[str, Any]) -> None:
    if call.screen.json:
        call.screen.answer(body)
    else:
        call.screen.success(f"Stripe product {what}: {product_id}")


def _fields(call: Call) -> dict[str, object]:
    asked = call.options
    return {
        "name": asked.name,
        "description": asked.description,
        "active": asked.active,
        "metadata": asked.metadata,
    }


def _id(parser: Parser) -> None:
    parser.add_argument("product_id", type=values.identifier, metavar="productId")


def _field_options(parser: Parser, *, name_required: bool) -> None:
    add = parser.add_argument
    add("--name", required=name_required, metavar="<name>", help="what buyers see")
    add("--description", type=values.text_or_null, metavar="<text>", help='"null" clears it')
    add("--active", type=values.boolean, metavar="<bool>", help="true or false")
    add("--metadata", type=values.metadata, metavar="<json>", help="a JSON object of strings")


def _create_options(parser: Parser) -> None:
    _field_options(parser, name_required=True)
    parser.add_argument("--idempotency-key", metavar="<key>", help="the same key never creates it twice")


def _update_options(parser: Parser) -> None:
    _id(parser)
    _field_options(parser, name_required=False)


NOUN = Noun(
    {
        "list": Command("All products", list_products),
        "get": Command("One product and its prices", get, _id, "<productId>"),
        "create": Command("Create a product at Stripe", create, _create_options),
        "update": Command("Change a product at Stripe", update, _update_options, "<productId>"),
        "delete": Command("Delete a product at Stripe, if it has no prices", delete, _id, "<productId>"),
    },
    bare="list",
)
