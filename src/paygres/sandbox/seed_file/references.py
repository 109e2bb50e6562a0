"""Names in a seed file: what each stands for, and the parameters with the ids in their place."""

import copy
from typing import Any

import orjson

from paygres.sandbox.seed_file.shape import PRICE, SECTIONS, at
from paygres.sandbox.seed_file.text import Place, Text
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.world import Work

KINDS = {section: kind.object for section, kind in SECTIONS.items()} | {"prices": PRICE.object}


def fact(work: Work, section: str, name: str) -> str:
    """Where the state remembers what a name stands for."""
    return f"seed {work.account} {section} {name}"


class References:
    """`made`: section -> name -> id of what is planted so far."""

    def __init__(self, work: Work, file: Text) -> None:
        self._work = work
        self._file = file
        self.made: dict[str, dict[str, str]] = {section: {} for section in KINDS}

    def kept(self, section: str, name: str) -> str | None:
        """The id that an earlier planting gave the name, while the object is there."""
        id = self._work.store.fact(fact(self._work, section, name))
        found = self._work.get(id) if id else None
        return id if found is not None and not found.get("deleted") else None

    def find(self, section: str, name: Any, place: Place) -> str:
        """The id behind a name of the file, an id, or a price's lookup key."""
        word = str(name)
        if word in self.made[section]:
            return self.made[section][word]
        found = self._work.get(word)
        if found is not None and found["object"] == KINDS[section]:
            return word
        if section == "prices":
            keyed = self._work.store.page(self._work.account, "price", links={"lookup_key": word}, limit=1)
            if keyed:
                return orjson.loads(keyed[0])["id"]
        raise self._file.unknown(place, word, self.made[section])

    def resolved(self, section: str, place: Place) -> Object:
        """What the endpoint of that section is asked for: short forms written out, names replaced by ids."""
        params: Any = copy.deepcopy(at(self._file, place))
        written_out = getattr(self, f"_{section}", None)
        if written_out is not None:
            written_out(params, place)
        return params

    def _products(self, params: Object, place: Place) -> None:
        params.pop("prices", None)

    def _prices(self, params: Object, place: Place) -> None:
        if isinstance(params.get("recurring"), str):
            params["recurring"] = {"interval": params["recurring"]}

    def _coupons(self, params: Object, place: Place) -> None:
        listed: Any = (params.get("applies_to") or {}).get("products")
        for number, name in enumerate(listed or ()):
            listed[number] = self.find("products", name, (*place, "applies_to", "products", number))

    def _promotion_codes(self, params: Object, place: Place) -> None:
        coupon = self.find("coupons", params.pop("coupon"), (*place, "coupon"))
        params["promotion"] = {"type": "coupon", "coupon": coupon}
        params.setdefault("code", place[-1])
        self._replace(params, place, "customer", "customers")

    def _customers(self, params: Object, place: Place) -> None:
        params.pop("card", None)
        self._replace(params, place, "test_clock", "test_clocks")

    def _webhooks(self, params: Object, place: Place) -> None:
        events = params.pop("events", "*")
        params["enabled_events"] = [events] if isinstance(events, str) else events

    def _subscriptions(self, params: Object, place: Place) -> None:
        self._replace(params, place, "customer", "customers")
        if "price" in params:
            if "items" in params:
                raise self._file.wrong((*place, "price"), "and `items` exclude each other")
            item: Object = {"price": params.pop("price")}
            if "quantity" in params:
                item["quantity"] = params.pop("quantity")
            item["price"] = self.find("prices", item["price"], (*place, "price"))
            params["items"] = [item]
        elif "quantity" in params:
            raise self._file.wrong((*place, "quantity"), "needs `price` beside it")
        else:
            for number, item in enumerate(params.get("items") or ()):
                if "price" in item:
                    self._replace(item, (*place, "items", number), "price", "prices")
        if "trial_days" in params:
            params["trial_period_days"] = params.pop("trial_days")
        discounts: list[Object] = []
        for short, section in (("coupon", "coupons"), ("promotion_code", "promotion_codes")):
            if short in params:
                discounts.append({short: self.find(section, params.pop(short), (*place, short))})
        if discounts:
            params["discounts"] = discounts

    def _portal(self, params: Object, place: Place) -> None:
        update: Any = (params.get("features") or {}).get("subscription_update") or {}
        for number, offered in enumerate(update.get("products") or ()):
            inner = (*place, "features", "subscription_update", "products", number)
            self._replace(offered, inner, "product", "products")
            prices: list[Any] = offered.get("prices") or []
            for index, name in enumerate(prices):
                prices[index] = self.find("prices", name, (*inner, "prices", index))

    def _replace(self, params: Object, place: Place, key: str, section: str) -> None:
        if key in params:
            params[key] = self.find(section, params[key], (*place, key))
