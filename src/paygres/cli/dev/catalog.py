"""The sample shop's products and prices, made at the sandbox through Stripe's own API as anyone would."""

from dataclasses import dataclass
from typing import Any

import httpx2

from paygres.cli.dev.errors import DevError

CURRENCY = "usd"
MUG = "paygres_dev_mug"
PLAN = "paygres_dev_pro_monthly"


@dataclass(frozen=True, slots=True)
class Catalog:
    """Price ids; `mug_amount` in cents."""

    mug: str
    mug_amount: int
    plan: str
    made: bool


def seed_catalog(sandbox_url: str, secret_key: str) -> Catalog:
    """Finds the two prices by their lookup keys and makes what is missing. Raises DevError."""
    with httpx2.Client(base_url=sandbox_url, auth=(secret_key, ""), timeout=20.0, trust_env=False) as stripe:
        found = _call(stripe, "GET", "/v1/prices", {"lookup_keys[0]": MUG, "lookup_keys[1]": PLAN, "limit": "10"})
        prices: dict[str, Any] = {price["lookup_key"]: price for price in found["data"]}
        made = not {MUG, PLAN} <= prices.keys()
        if MUG not in prices:
            prices[MUG] = _price(stripe, "Enamel mug", MUG, {"unit_amount": "1900"})
        if PLAN not in prices:
            monthly = {"unit_amount": "1200", "recurring[interval]": "month"}
            prices[PLAN] = _price(stripe, "Team plan Pro", PLAN, monthly)
    return Catalog(prices[MUG]["id"], prices[MUG]["unit_amount"], prices[PLAN]["id"], made)


def _price(stripe: httpx2.Client, name: str, lookup_key: str, terms: dict[str, str]) -> dict[str, Any]:
    product = _call(stripe, "POST", "/v1/products", {"name": name})
    fields = {"product": product["id"], "currency": CURRENCY, "lookup_key": lookup_key}
    return _call(stripe, "POST", "/v1/prices", fields | terms)


def _call(stripe: httpx2.Client, method: str, path: str, fields: dict[str, str]) -> dict[str, Any]:
    try:
        read = method == "GET"
        answer = stripe.get(path, params=fields) if read else stripe.post(path, data=fields)
    except httpx2.HTTPError as error:
        raise DevError(f"the sandbox did not answer {method} {path}: {error}") from None
    if answer.status_code != 200:
        raise DevError(f"the sandbox refused {method} {path}: {answer.text[:300]}")
    return answer.json()
