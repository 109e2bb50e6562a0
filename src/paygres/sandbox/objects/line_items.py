"""Line items of a checkout session: prices named or made inline, quantities, and the amounts they add up to."""

from dataclasses import dataclass

from paygres.sandbox import ids
from paygres.sandbox.objects import fields, prices, products
from paygres.sandbox.objects.routes import Params
from paygres.sandbox.spec.complete import Object, complete
from paygres.sandbox.wire.errors import Refusal, bad_parameter, missing_parameter, no_such
from paygres.sandbox.world import Work

MOST = 100
SMALLEST_TOTAL = 50


@dataclass(frozen=True, slots=True)
class Bought:
    """What a session sells. Amounts are minor units."""

    items: list[Object]
    currency: str
    subtotal: int
    recurring: bool


def read(work: Work, given: list[Params], mode: str, currency: str | None) -> Bought:
    """The items of a new session; raises `Refusal` where Stripe would."""
    if len(given) > MOST:
        raise Refusal(f"You can only pass up to {MOST} line items.", param="line_items")
    items: list[Object] = []
    for place, one in enumerate(given):
        price = _price(work, one, f"line_items[{place}]")
        if currency is None:
            currency = price["currency"]
        elif price["currency"] != currency:
            raise Refusal(
                f"The price specified only supports `{price['currency']}`. This doesn't match the expected currency: "
                f"`{currency}`.",
                param=f"line_items[{place}][price]",
            )
        if mode == "payment" and price["type"] == "recurring":
            raise Refusal(
                "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or "
                "use only one-time prices.",
                param="mode",
            )
        items.append(_item(work, one, price, place))
    assert currency is not None
    recurring = any(item["price"]["type"] == "recurring" for item in items)
    if mode == "subscription" and not recurring:
        raise Refusal(
            "You must provide at least one recurring price in `subscription` mode when using prices.",
            param="line_items",
        )
    subtotal = sum(item["amount_subtotal"] for item in items)
    if 0 < subtotal < SMALLEST_TOTAL and mode == "payment" and currency not in fields.ZERO_DECIMAL:
        raise Refusal(
            f"The Checkout Session's total amount due must add up to at least {fields.money(SMALLEST_TOTAL, currency)}",
            code="amount_too_small",
        )
    if subtotal > fields.MAX_AMOUNT:
        raise Refusal(
            f"The Checkout Session's total amount due must be no more than {fields.money(fields.MAX_AMOUNT, currency)}",
            code="amount_too_large",
        )
    return Bought(items, currency, subtotal, recurring)


def _price(work: Work, given: Params, place: str) -> Object:
    if "price" in given and "price_data" in given:
        raise Refusal(
            "You may only specify one of these parameters: price, price_data.", code="parameters_exclusive", param=place
        )
    if "price" in given:
        param = f"{place}[price]"
        price = work.find("price", given["price"], param)
        if not price["active"]:
            raise Refusal("The price specified is inactive. This field only accepts active prices.", param=param)
        product = work.get(price["product"])
        if product is None or product.get("deleted") or not product["active"]:
            raise Refusal(
                "The product of the price specified is inactive. This field only accepts prices of active products.",
                param=param,
            )
        return price
    if "price_data" not in given:
        raise missing_parameter(f"{place}[price]")
    return _inline_price(work, given["price_data"], f"{place}[price_data]")


def _inline_price(work: Work, given: Params, place: str) -> Object:
    if "unit_amount" not in given and "unit_amount_decimal" not in given:
        raise missing_parameter(f"{place}[unit_amount]")
    if "product" in given:
        product = work.get(given["product"])
        if product is None or product["object"] != "product" or product.get("deleted"):
            raise no_such("product", given["product"], f"{place}[product]")
    elif "product_data" in given:
        product = products.make(work, {**given["product_data"], "active": False}, announced=False)
    else:
        raise missing_parameter(f"{place}[product]")
    return prices.make(work, {**given, "product": product["id"]}, place, active=False, announced=False)


def _item(work: Work, given: Params, price: Object, place: int) -> Object:
    param = f"line_items[{place}][quantity]"
    quantity = given.get("quantity")
    if quantity is None:
        if (price["recurring"] or {}).get("usage_type") != "metered":
            owner = f"line_items[{place}]"
            raise Refusal(f"Quantity is required. Add `quantity` to `{owner}`", param=owner)
        quantity = 0
    elif quantity < 1:
        raise bad_parameter("This value must be greater than or equal to 1.", param, "parameter_invalid_integer")
    unit = float(price["unit_amount_decimal"] or 0)
    amount = price["unit_amount"] * quantity if price["unit_amount"] is not None else round(unit * quantity)
    product = work.get(price["product"])
    return complete(
        {
            "id": ids.new("item"),
            "object": "item",
            "amount_discount": 0,
            "amount_subtotal": amount,
            "amount_tax": 0,
            "amount_total": amount,
            "currency": price["currency"],
            "description": product["name"] if product else None,
            "metadata": given.get("metadata") or {},
            "price": price,
            "quantity": quantity,
        }
    )
