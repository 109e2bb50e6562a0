"""What restricted keys may do. A key is unrestricted until permissions are set for it; then an endpoint whose
permission it lacks answers Stripe's 403, which names the permission. Any key can be expired."""

from collections.abc import Mapping
from typing import Any

import orjson

from paygres.sandbox.store import Store
from paygres.sandbox.wire.errors import Refusal

# The noun in a permission's name, by the first words of the path. Prices still have the name of plans.
NOUNS = {
    "account": "accounts_kyc_basic",
    "accounts": "accounts_kyc_basic",
    "balance": "balance",
    "balance_transactions": "balance_transaction",
    "billing_portal": "customer_portal",
    "charges": "charge",
    "checkout": "checkout_session",
    "coupons": "coupon",
    "customers": "customer",
    "disputes": "dispute",
    "events": "event",
    "invoice_payments": "invoice",
    "invoiceitems": "invoice",
    "invoices": "invoice",
    "payment_intents": "payment_intent",
    "payment_methods": "payment_method",
    "prices": "plan",
    "products": "product",
    "promotion_codes": "promotion_code",
    "refunds": "refund",
    "setup_intents": "setup_intent",
    "subscription_items": "subscription",
    "subscription_schedules": "subscription",
    "subscriptions": "subscription",
    "test_helpers": "test_clock",
    "webhook_endpoints": "webhook",
}
LEVELS = ("none", "read", "write")
# Stripe's own pages use it with no key of the merchant's.
OPEN_TO_ALL = ("payment_pages",)
SHOWN_AT_END = 6


class RestrictedKeys:
    """The rules, kept in the state: `{"permissions": {noun: "none" | "read" | "write"}, "expired": bool}` by key."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rules: dict[str, dict[str, Any]] = orjson.loads(store.fact("restricted_keys") or "{}")

    def set(self, key: str, permissions: Mapping[str, str] | None, *, expired: bool) -> None:
        """`permissions` by the noun of Stripe's permission (`checkout_session`) or of the path (`checkout_sessions`);
        what is not named is "none". None lifts the restriction. Raises ValueError for an unknown noun or level."""
        rules = {**self._rules}
        rules.pop(key, None)
        if permissions is not None or expired:
            named = None if permissions is None else {_noun(name): _level(one) for name, one in permissions.items()}
            rules[key] = {"permissions": named, "expired": expired}
        with self._store.transaction():
            self._store.set_fact("restricted_keys", orjson.dumps(rules).decode())
        self._rules = rules

    def check(self, key: str, account: str, method: str, path: str) -> None:
        """Raises the 401 of an expired key, or the 403 of one that lacks the endpoint's permission."""
        rule = self._rules.get(key) if self._rules else None
        if rule is None:
            return
        if rule["expired"]:
            raise Refusal(f"Expired API Key provided: {masked(key)}", status=401, code="api_key_expired", stored=False)
        permissions: dict[str, str] | None = rule["permissions"]
        word = path.split("/")[2]
        if permissions is None or word in OPEN_TO_ALL:
            return
        wanted = "read" if method == "GET" else "write"
        noun = NOUNS.get(word, word)
        if LEVELS.index(permissions.get(noun, "none")) < LEVELS.index(wanted):
            raise Refusal(
                f"The provided key '{masked(key)}' does not have the required permissions for this endpoint on account "
                f"'{account}'. Having the 'rak_{noun}_{wanted}' permission would allow this request to continue.",
                status=403,
                stored=False,
            )


def masked(key: str) -> str:
    """A restricted key as Stripe's texts show it: only its sort and its last letters."""
    start = key[:8]
    return f"{start}{'*' * (len(key) - len(start) - SHOWN_AT_END)}{key[-SHOWN_AT_END:]}"


def _noun(name: str) -> str:
    if name in NOUNS.values():
        return name
    plain = {"checkout_sessions": "checkout", "billing_portal_sessions": "billing_portal"}.get(name, name)
    if plain not in NOUNS:
        raise ValueError(f"no permission is called {name!r}")
    return NOUNS[plain]


def _level(level: Any) -> str:
    if level not in LEVELS:
        raise ValueError(f"a permission is one of {', '.join(LEVELS)}")
    return level
