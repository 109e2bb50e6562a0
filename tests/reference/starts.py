"""What records begin with: a server without Stripe, or a connected one behind open or closed policies."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from paygres.server.db.embedded import Urls
from tests.flows.checkouts import Shop, shop
from tests.flows.webhooks import SECRET, script, signed
from tests.fresh_database import cloned
from tests.http.running import Server, bearer, environment, serving, token
from tests.reference.records import USER, Record

SUBJECT = {"type": "user", "id": USER}
TEAM = {"type": "team", "id": "team_1"}
# The reference lets anybody bill any subject: row-level security is off there unless developers write policies (0.2).
OPEN = """
create or replace function payments.can_bill(subject_type text, subject_id text) returns boolean
language sql stable set search_path = '' as 'select true';
create policy open_insert on payments.stripe_checkout_sessions for insert to anon with check (true);
create policy open_select on payments.stripe_checkout_sessions for select to anon using (true);
"""
# The note of section H: on, and no policy for anon and authenticated.
CLOSED = """
drop policy guests_insert on payments.stripe_checkout_sessions;
drop policy guests_select on payments.stripe_checkout_sessions;
drop policy users_insert on payments.stripe_checkout_sessions;
drop policy users_select on payments.stripe_checkout_sessions;
drop policy users_insert on payments.stripe_customer_portal_sessions;
drop policy users_select on payments.stripe_customer_portal_sessions;
"""


@dataclass
class Start:
    """A server, and its ids for the recorded ones. `faults` turns the sandbox's dials for the next request."""

    server: Server
    ids: dict[str, str] = field(default_factory=dict[str, str])
    shop: Shop | None = None

    def replay(self, record: Record) -> httpx2.Response:
        content = record.content(self.ids)
        headers = record.headers()
        if record.delivered:
            headers |= signed(content or b"")
        return self.server.client.request(
            record.request["method"], record.path(self.ids), headers=headers, content=content
        )


@contextmanager
def nothing_configured(postgres: Urls) -> Iterator[Start]:
    """Sections A to D: credentials of every kind, no Stripe key."""
    with cloned(postgres) as database, serving(environment(database.server_url, ROOT_ADMIN_USERNAME="admin")) as server:
        yield Start(server)


@contextmanager
def connected(postgres: Urls, policies: str) -> Iterator[Start]:
    """Sections E to L: a connected account with the product and prices that records name, and these policies."""
    names = {"STRIPE_TEST_WEBHOOK_SECRET": SECRET, "PAYGRES_RETURN_ORIGINS": "https://app.example"}
    with shop(postgres, **names) as opened:
        script(opened.database, policies)
        yield Start(opened.server, _catalog(opened), opened)


def _catalog(opened: Shop) -> dict[str, str]:
    stripe = opened.sandbox.stripe.v1
    product = stripe.products.create({"name": "Pro plan"}).id

    def price(**more: Any) -> str:
        params: Any = {"product": product, **more}
        return stripe.prices.create(params).id

    quarterly, yearly = {"interval": "month", "interval_count": 3}, {"interval": "year"}
    return {
        "prod_Peer00000GvkjS": product,
        "price_1Peer00000GvkjW": price(currency="usd", unit_amount=2500),
        "price_1Peer00000GvkjX": price(currency="eur", unit_amount=999, recurring=quarterly),
        "price_1Peer00000Gvkja": price(currency="usd", unit_amount=1200, recurring=yearly),
    }


@contextmanager
def long_connected(postgres: Urls) -> Iterator[Start]:
    """Sections J to L: connected before the recorded events happened, which would fulfill nothing otherwise, with a
    customer, a portal configuration, an open checkout of the user and one of the team, whose ids the events carry."""
    with connected(postgres, OPEN) as start:
        assert start.shop is not None
        start.ids |= _bought(start)
        start.shop.stop()
        script(start.shop.database, "update payments.provider_connections set connected_at = to_timestamp(1700000000)")
        start.shop.restart()
        start.server = start.shop.server
        yield start


def _bought(start: Start) -> Mapping[str, str]:
    assert start.shop is not None
    stripe = start.shop.sandbox.stripe.v1
    headers = bearer(token(sub=USER, role="authenticated"))
    bought = start.shop.buy(headers, lineItems=_items(start, "price_1Peer00000GvkjW", 2), subject=SUBJECT)
    subscribed = start.shop.buy(
        headers, mode="subscription", lineItems=_items(start, "price_1Peer00000GvkjX", 1), subject=TEAM
    )
    configuration = stripe.billing_portal.configurations.create({"features": {"invoice_history": {"enabled": True}}})
    return {
        "cus_u1": stripe.customers.create({"email": "user1@peer.example"}).id,
        "bpc_peer_valid": configuration.id,
        "<uuid:76>": bought["id"],
        "cs_test_a1BFp3qz" + "x" * 48: bought["checkoutSessionId"],
        "<uuid:52>": subscribed["id"],
        "cs_test_a1BFp3qi" + "x" * 48: subscribed["checkoutSessionId"],
    }


def _items(start: Start, price: str, quantity: int) -> list[dict[str, Any]]:
    return [{"priceId": start.ids[price], "quantity": quantity}]
