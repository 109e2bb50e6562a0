"""What to seed: how many objects of each kind, over which time, with which fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from paygres.sandbox.spec.complete import Object

# The kinds that can be asked for, as their lists are called.
KINDS = {
    "products": "product",
    "prices": "price",
    "customers": "customer",
    "subscriptions": "subscription",
    "invoices": "invoice",
    "checkout_sessions": "checkout.session",
    "payment_intents": "payment_intent",
    "charges": "charge",
    "refunds": "refund",
    "disputes": "dispute",
}
MOST = 1_000_000
YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Plan:
    """`since` and `until` are Unix seconds: objects are spread evenly between them. `fields`: what all objects of a
    kind are to have, such as metadata; `{n}` in a text becomes the object's number, from 0."""

    counts: dict[str, int]
    since: int
    until: int
    fields: dict[str, Object] = field(default_factory=dict)
    events: bool = False

    @property
    def span(self) -> int:
        return self.until - self.since


def read_plan(asked: Mapping[str, Any], now: int) -> Plan:
    """The plan of `{"products": n, …, "since", "until", "fields": {"customers": {…}}, "events": false}`, grown by what
    its objects need. Without times, the last year. Raises ValueError for what it cannot mean."""
    unknown = asked.keys() - KINDS.keys() - {"since", "until", "fields", "events"}
    if unknown:
        raise ValueError(f"Nothing called {', '.join(sorted(unknown))} can be seeded.")
    counts = {kind: _count(kind, asked.get(kind, 0)) for kind in KINDS}
    until = _moment("until", asked.get("until", now))
    since = _moment("since", asked.get("since", until - YEAR))
    if since > until:
        raise ValueError("`since` must not be after `until`.")
    fields = asked.get("fields", {})
    if not isinstance(fields, dict) or not all(kind in KINDS and isinstance(one, dict) for kind, one in fields.items()):
        raise ValueError("`fields` must be an object of objects, by kind.")
    _grow(counts)
    return Plan(counts, since, until, fields, bool(asked.get("events", False)))


def _grow(counts: dict[str, int]) -> None:
    """Nothing hangs in the air: a refund has a charge, that a payment intent, that a customer and a price."""
    counts["charges"] = max(counts["charges"] or counts["payment_intents"], counts["refunds"] + counts["disputes"])
    counts["payment_intents"] = max(counts["payment_intents"], counts["charges"])
    if counts["invoices"]:
        counts["subscriptions"] = max(counts["subscriptions"], 1)
    if any(counts[kind] for kind in ("subscriptions", "checkout_sessions", "payment_intents")):
        counts["customers"] = max(counts["customers"], 1)
        # One of each sort: monthly, yearly, sold once.
        counts["prices"] = max(counts["prices"], 3)
    if counts["prices"]:
        counts["products"] = max(counts["products"], 1)


def _count(kind: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST:
        raise ValueError(f"`{kind}` must be a number from 0 to {MOST}.")
    return value


def _moment(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**33:
        raise ValueError(f"`{name}` must be a Unix time in seconds.")
    return value
