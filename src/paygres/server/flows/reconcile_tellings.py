"""What a difference is: two tellings of an object compared by what they say, and the money on one. No I/O."""

from collections.abc import Mapping
from typing import Any

from paygres.server.projections.renderings import canonical
from paygres.server.projections.snapshots import StripeObject, as_id

# Stripe makes these anew for whoever asks, or counts with them; no event tells of it.
_RESTLESS = frozenset(
    {
        "client_secret",
        "hosted_invoice_url",
        "invoice_pdf",
        "next_invoice_sequence",
        "receipt_url",
        "webhooks_delivered_at",
    }
)
_CONTENTS = frozenset({"items", "lines"})  # lists that are part of the object; others are there when asked for
# An event only names a card; that its brand is not known is no difference.
_TOLD_TO_SOME = frozenset({"payment_method_id", "payment_method_brand", "payment_method_last4", "country_code"})
_LIVE = frozenset({"trialing", "active", "past_due", "unpaid", "paused"})


def said(raw: StripeObject, *, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The object by what it says: null and absent, expanded and named are the same."""
    left_out = _RESTLESS | without | ({"url"} if raw.get("object") == "checkout.session" else frozenset[str]())
    found = {key: _named(value) for key, value in raw.items() if key not in left_out and not _beside(key, value)}
    return canonical(found)


def different_columns(ours: Mapping[str, Any], stripes: Mapping[str, Any]) -> dict[str, Any]:
    """{column: {"ours", "stripe"}}; of `raw`, the fields that differ, as `raw.amount`."""
    found: dict[str, Any] = {}
    for name in sorted(ours.keys() | stripes.keys()):
        here, there = ours.get(name), stripes.get(name)
        if here == there or (name in _TOLD_TO_SOME and here is None):
            continue
        if name == "raw" and isinstance(here, dict) and isinstance(there, dict):
            found.update(different_fields(here, there))
        elif name != "url":
            found[name] = {"ours": here, "stripe": there}
    return found


def different_fields(
    ours: StripeObject, stripes: StripeObject, *, without: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The fields in which two tellings of an object differ, as columns are told."""
    here, there = said(ours, without=without), said(stripes, without=without)
    return {
        f"raw.{name}": {"ours": ours.get(name), "stripe": stripes.get(name)}
        for name in sorted(here.keys() | there.keys())
        if here.get(name) != there.get(name)
    }


def money_of(raw: StripeObject) -> tuple[int, str] | None:
    """(minor units, currency) of an object: what a payment is about, or a live subscription costs a period."""
    kind, currency = raw.get("object"), raw.get("currency")
    if kind == "subscription":
        return _price_of(raw) if raw.get("status") in _LIVE else None
    if kind == "invoice":
        amount = raw.get("amount_paid") if raw.get("status") == "paid" else raw.get("amount_due")
    elif kind == "checkout.session":
        amount = raw.get("amount_total")
    elif kind == "invoice_payment":
        amount = raw.get("amount_paid") or raw.get("amount_requested")
    elif kind in ("payment_intent", "charge", "refund", "dispute"):
        amount = raw.get("amount")
    else:
        return None
    return (amount, currency) if isinstance(amount, int) and isinstance(currency, str) else None


def _named(value: Any) -> Any:
    """An object that Stripe also tells by its id, by its id; a list of objects by what they are."""
    if isinstance(value, dict):
        if value.get("object") == "list":
            return [_inside(one) for one in value.get("data") or []]
        if "object" in value and (ident := as_id(value)):
            return ident
        return {key: _named(one) for key, one in value.items() if not _beside(key, one)}
    if isinstance(value, list):
        return [_named(one) for one in value]
    return value


def _inside(value: Any) -> Any:
    return {key: _named(one) for key, one in value.items()} if isinstance(value, dict) else value


def _beside(key: str, value: Any) -> bool:
    return isinstance(value, dict) and value.get("object") == "list" and key not in _CONTENTS


def _price_of(raw: StripeObject) -> tuple[int, str] | None:
    items = [item for item in (raw.get("items") or {}).get("data") or [] if isinstance(item, dict)]
    prices = [(item.get("price") or {}, item.get("quantity") or 1) for item in items]
    currency = raw.get("currency") or next((price.get("currency") for price, _ in prices), None)
    amount = sum(int(price.get("unit_amount") or 0) * quantity for price, quantity in prices)
    return (amount, currency) if isinstance(currency, str) and prices else None
