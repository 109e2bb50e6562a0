"""What a subscription sells: how requests name its items, what one period of them costs, the item objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from paygres.sandbox import ids
from paygres.sandbox.objects import prices
from paygres.sandbox.objects.periods import same_length
from paygres.sandbox.objects.routes import Params
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, bad_parameter, missing_parameter
from paygres.sandbox.wire.lists import inline_page
from paygres.sandbox.world import Work

MOST = 20


@dataclass(frozen=True, slots=True)
class Planned:
    """An item as it will be. `before`: as it is now, None when it is new. `price`: None when it goes.
    `quantity`: None for what is metered."""

    before: Object | None
    price: Object | None
    quantity: int | None
    metadata: dict[str, str]

    @property
    def is_billed_anew(self) -> bool:
        """Whether it costs something else from now on."""
        before, price = self.before, self.price
        if before is None or price is None:
            return True
        return before["price"]["id"] != price["id"] or before.get("quantity") != self.quantity


def plan(work: Work, present: Sequence[Object], given: Sequence[Params], place: str = "items") -> list[Planned]:
    """All items of a subscription after a request with `items[]`; untouched ones included. Raises `Refusal`."""
    planned = {item["id"]: Planned(item, item["price"], item.get("quantity"), item["metadata"]) for item in present}
    added: list[Planned] = []
    for number, one in enumerate(given):
        param = f"{place}[{number}]"
        if one.get("discounts"):
            raise Refusal("The sandbox gives discounts to whole subscriptions only.", param=f"{param}[discounts]")
        if "id" in one:
            planned[one["id"]] = _changed(work, planned, one, param)
        else:
            price = _price(work, one, param)
            added.append(Planned(None, price, _quantity(one, price, param), metadata.from_params(one)))
    all_of_them = [*planned.values(), *added]
    _check(all_of_them, place)
    return all_of_them


def unchanged(present: Sequence[Object]) -> list[Planned]:
    return [Planned(item, item["price"], item.get("quantity"), item["metadata"]) for item in present]


def cost(price: Object, quantity: int | None) -> int:
    """What a whole period costs, in minor units. Metered and tiered prices cost nothing here."""
    if not quantity or price["unit_amount_decimal"] is None:
        return 0
    return rounded(Fraction(price["unit_amount_decimal"]) * quantity)


def rounded(amount: Fraction) -> int:
    """To whole minor units, halves away from zero."""
    sign = -1 if amount < 0 else 1
    return sign * int(abs(amount) + Fraction(1, 2))


def make(work: Work, subscription: str, planned: Planned, start: int, end: int) -> Object:
    """A new item of the subscription in its first period."""
    item: Object = {
        "id": ids.new("subscription_item"),
        "object": "subscription_item",
        "created": work.now,
        "current_period_end": end,
        "current_period_start": start,
        "discounts": [],
        "metadata": planned.metadata,
        "price": planned.price,
        "subscription": subscription,
        "tax_rates": [],
    }
    if planned.quantity is not None:
        item["quantity"] = planned.quantity
    return work.add(item)


def listed(subscription: str, items: list[Object]) -> Object:
    """The items as they lie inside their subscription."""
    return inline_page(items, f"/v1/subscription_items?subscription={subscription}", {"limit": 100})


def _changed(work: Work, planned: dict[str, Planned], one: Params, param: str) -> Planned:
    present = planned.get(one["id"])
    if present is None or present.before is None:
        raise Refusal(f"No such subscription_item: '{one['id']}'", code="resource_missing", param=f"{param}[id]")
    if one.get("deleted"):
        return Planned(present.before, None, None, present.metadata)
    price = _price(work, one, param) if "price" in one or "price_data" in one else present.price
    assert price is not None
    quantity = _quantity(one, price, param) if "quantity" in one else present.quantity
    if price["recurring"]["usage_type"] == "metered":
        quantity = None
    elif quantity is None:
        quantity = 1
    return Planned(present.before, price, quantity, metadata.merged(present.metadata, one.get("metadata")))


def _price(work: Work, one: Params, param: str) -> Object:
    if "price_data" in one:
        place = f"{param}[price_data]"
        work.find_living("product", one["price_data"]["product"], f"{place}[product]")
        return prices.make(work, one["price_data"], place, active=False, announced=False)
    if "price" not in one:
        raise missing_parameter(f"{param}[price]")
    price = work.find("price", one["price"], f"{param}[price]")
    if price["recurring"] is None:
        raise Refusal(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            param=f"{param}[price]",
        )
    if not price["active"]:
        raise Refusal(
            "The price specified is inactive. This field only accepts active prices.", param=f"{param}[price]"
        )
    return price


def _quantity(one: Params, price: Object, param: str) -> int | None:
    if price["recurring"]["usage_type"] == "metered":
        if "quantity" in one:
            raise Refusal("You cannot set the quantity for metered plans.", param=f"{param}[quantity]")
        return None
    quantity: int = one.get("quantity", 1)
    if quantity < 0:
        raise bad_parameter("Invalid non-negative integer", f"{param}[quantity]", "parameter_invalid_integer")
    return quantity


def _check(planned: list[Planned], place: str) -> None:
    staying = [one.price for one in planned if one.price is not None]
    if not staying:
        raise Refusal(
            "A subscription must have at least one active plan. In order to cancel a subscription, please use the "
            "cancel API endpoint."
        )
    if len(staying) > MOST:
        raise Refusal(f"A subscription can have up to {MOST} items.", param=place)
    seen: set[str] = set()
    for price in staying:
        if price["id"] in seen:
            raise Refusal(f"Cannot add multiple subscription items with the same plan: {price['id']}", param=place)
        seen.add(price["id"])
        for field, differs in (
            ("currency", price["currency"] != staying[0]["currency"]),
            ("interval", not same_length(price, staying[0])),
        ):
            if differs:
                raise Refusal(
                    f"Currency and interval fields must match across all plans on this subscription. Found mismatch "
                    f"in {field} field.",
                    param=place,
                )
