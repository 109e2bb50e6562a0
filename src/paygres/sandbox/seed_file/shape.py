"""What a seed file may say. Stripe's own parameters are known from its published API; here is what is ours: sections,
short forms, and what only names something else in the file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paygres.sandbox.seed_file.text import Place, SeedError, Text
from paygres.sandbox.spec.document import operations

LIVE = ("sk_live_", "rk_live_")


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of thing. `own`: keys that Stripe does not have. `never`: parameters of Stripe's that mean nothing here
    or have a short form. `fixed_id`: it may be given an id of its own."""

    object: str
    operation: str
    own: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()
    needed: tuple[str, ...] = ()

    def keys(self) -> set[str]:
        body: dict[str, Any] = operations().get(self.operation, {}).get("body", {})
        return (set(body.get("properties", ())) - self.never - {"expand"}) | self.own


def _kind(object: str, path: str, own: str = "", never: str = "", needed: str = "") -> Kind:
    return Kind(object, f"POST {path}", frozenset(own.split()), frozenset(never.split()), tuple(needed.split()))


# In the order in which they are planted: what is named comes before what names it, and webhook endpoints come last,
# for they hear what happens from then on.
SECTIONS: Mapping[str, Kind] = {
    "test_clocks": _kind("test_helpers.test_clock", "/v1/test_helpers/test_clocks", needed="frozen_time"),
    "products": _kind("product", "/v1/products", own="prices", never="default_price_data", needed="name"),
    "coupons": _kind("coupon", "/v1/coupons", never="currency_options"),
    "promotion_codes": _kind("promotion_code", "/v1/promotion_codes", own="coupon", never="promotion", needed="coupon"),
    "customers": _kind("customer", "/v1/customers", own="card", never="payment_method source cash_balance"),
    "subscriptions": _kind(
        "subscription",
        "/v1/subscriptions",
        own="price quantity trial_days coupon promotion_code",
        never="trial_period_days discounts",
        needed="customer",
    ),
    "webhooks": _kind(
        "webhook_endpoint",
        "/v1/webhook_endpoints",
        own="events secret",
        never="enabled_events connect",
        needed="url",
    ),
}
PRICE = _kind(
    "price",
    "/v1/prices",
    own="id",
    never="product product_data tiers tiers_mode billing_scheme currency_options",
    needed="currency",
)
PORTAL = _kind("billing_portal.configuration", "/v1/billing_portal/configurations/{configuration}", never="active")
ALONE = ("clock", "faults", "portal")


def read(name: str, text: str) -> Text:
    """The file with its keys checked; raises `SeedError`. `name` is what mistakes call it."""
    from paygres.sandbox.seed_file.yaml_text import parse  # PyYAML, which a start without a file does without

    file = parse(name, text)
    _refuse_live_keys(file, file.values, ())
    for section, entries in file.values.items():
        if section not in SECTIONS and section not in ALONE:
            raise file.unknown((section,), section, [*SECTIONS, *ALONE])
        if section in ALONE:
            if section == "portal":
                _check(file, PORTAL, ("portal",))
            elif section == "faults":
                mapping(file, ("faults",))
            continue
        if entries is None:
            file.values[section] = {}
            continue
        for entry in mapping(file, (section,)):
            place = (section, entry)
            _check(file, SECTIONS[section], place)
            if section == "products" and "prices" in at(file, place):
                for price in mapping(file, (*place, "prices")):
                    _check(file, PRICE, (*place, "prices", price))
    return file


def mapping(file: Text, place: Place) -> dict[str, Any]:
    """The mapping at that place; `SeedError` when it is none."""
    found = at(file, place)
    if not isinstance(found, dict):
        raise file.wrong(place, "must be a mapping of names, such as `pro: …`, to what they are")
    return found


def at(file: Text, place: Place) -> Any:
    found: Any = file.values
    for step in place:
        found = found[step]
    return found


def _check(file: Text, kind: Kind, place: Place) -> None:
    entry = mapping(file, place)
    known = kind.keys()
    for key in entry:
        if key not in known:
            raise file.unknown((*place, key), key, known)
    for key in kind.needed:
        if key not in entry:
            raise file.wrong(place, f"needs `{key}`")


def _refuse_live_keys(file: Text, value: Any, place: Place) -> None:
    if isinstance(value, str) and any(word in value for word in LIVE):
        raise SeedError(f"{file.name}:{file.lines.get(place, 1)}: a live key does not belong into a simulator")
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, one in inner:
        _refuse_live_keys(file, one, (*place, step))
