"""The originals that seeded objects are copies of: a shop's story, told by the endpoints themselves in a transaction
that is undone. So copies look like what the sandbox makes, whatever it learns to make."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import orjson

from paygres.sandbox import confirm
from paygres.sandbox.objects import (
    balance_transactions,
    charges,
    checkout_sessions,
    customers,
    disputes,
    payment_intents,
    prices,
    products,
    refunds,
)
from paygres.sandbox.objects.cards import CARDS
from paygres.sandbox.objects.payment_methods import Buyer
from paygres.sandbox.seeding.pattern import STAGE
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.world import Work, World

# Nobody's account; nothing in it outlives the story.
ACCOUNT = "acct_1SeedOriginals0"

# When things happen in the story. Apart from each other, so that a copy's times can be told apart, too.
STAGES = {
    name: (10 + place) * STAGE
    for place, name in enumerate(("product_at", "price_at", "customer_at", "sold_at", "refunded_at", "disputed_at"))
}

# Numbers that occur nowhere else in the story, minor units.
AMOUNT, PART = 9973, 4001
NUMBERS = {
    AMOUNT: "amount",
    -AMOUNT: "minus_amount",
    PART: "part",
    -PART: "minus_part",
    -AMOUNT - balance_transactions.DISPUTE_FEE: "disputed_net",
}

EMAIL, NAME, PRODUCT, LOOKUP = "seed-email@example.com", "Seed Buyer", "Seed product", "seed-lookup"
INTERVALS = ("month", "year")


@dataclass(frozen=True, slots=True)
class Originals:
    """By name: the objects, what is hidden behind some of them, and which words in them name what."""

    items: dict[str, Object] = field(default_factory=dict)
    hidden: dict[str, Object] = field(default_factory=dict)
    words: dict[str, str] = field(
        default_factory=lambda: {
            EMAIL: "email",
            NAME: "name",
            PRODUCT: "product_name",
            LOOKUP: "lookup_key",
            str(AMOUNT): "amount",
            f"{AMOUNT / 100:.2f}": "amount_shown",
        }
    )


class _Undo(Exception):
    pass


def tell(world: World, metadata: Mapping[str, Any]) -> Originals:
    """`metadata`: of subscriptions and of payment intents, which reaches others by itself."""
    told = Originals()
    try:
        with world.store.transaction():
            _Story(world, told, metadata).tell()
            raise _Undo
    except _Undo:
        return told


class _Story:
    def __init__(self, world: World, told: Originals, metadata: Mapping[str, Any]) -> None:
        self._world = world
        self._told = told
        self._metadata = metadata

    def tell(self) -> None:
        made = products.create(self._at("product_at"), {"name": PRODUCT})
        product = self._keep("product", made["id"], "product")
        for variant in ("plain", "whole", "part", "disputed"):
            self._sell_once(product, variant)
        for interval in INTERVALS:
            self._subscribe(product, interval)

    def _at(self, stage: str) -> Work:
        return Work(self._world, ACCOUNT, STAGES[stage])

    def _keep(self, name: str, id: str, slot: str) -> Object:
        """Keeps the object as it is stored now and answers a copy; `slot`: what its id is called in others."""
        work = self._at("sold_at")
        stored = work.get(id)
        assert stored is not None
        self._told.items[name] = deepcopy(stored)
        self._told.hidden[name] = work.hidden(id)
        self._told.words[id] = slot
        return stored

    def _customer(self) -> Object:
        customer = customers.create(self._at("customer_at"), {"email": EMAIL, "name": NAME})
        self._told.words[customer["invoice_prefix"]] = "prefix"
        return self._keep("customer", customer["id"], "customer")

    def _price(self, name: str, product: Object, **more: Any) -> Object:
        given = {"product": product["id"], "currency": "usd", "unit_amount": AMOUNT, "lookup_key": LOOKUP}
        price = prices.create(self._at("price_at"), {**given, "transfer_lookup_key": True, **more})
        return self._keep(f"price.{name}", price["id"], "price")

    def _session(self, price: Object, customer: Object, mode: str) -> Object:
        of_mode, kind = {
            "payment": ("payment_intent_data", "payment_intents"),
            "subscription": ("subscription_data", "subscriptions"),
        }[mode]
        session = checkout_sessions.create(
            self._at("sold_at"),
            {
                "mode": mode,
                "customer": customer["id"],
                "line_items": [{"price": price["id"], "quantity": 1}],
                "success_url": "https://shop.example.com/thanks?session={CHECKOUT_SESSION_ID}",
                of_mode: {"metadata": self._metadata.get(kind, {})},
            },
        )
        for item in checkout_sessions.line_items_of(self._at("sold_at"), session["id"]):
            self._told.words[item["id"]] = "line"
        return session

    def _pay(self, name: str, session: Object) -> Object:
        confirm.confirm(self._at("sold_at"), session, CARDS["4242424242424242"], Buyer(email=EMAIL, name=NAME))
        return self._keep(name, session["id"], "session")

    def _sell_once(self, product: Object, variant: str) -> None:
        customer, price = self._customer(), self._price("once", product)
        abandoned = self._session(price, customer, "payment")
        checkout_sessions.expire(self._at("sold_at"), {}, abandoned["id"])
        self._keep("session.expired", abandoned["id"], "session")
        session = self._pay("session.payment", self._session(price, customer, "payment"))
        intent = self._keep("payment_intent.paid", session["payment_intent"], "payment_intent")
        self._told.items["payment_intent.new"] = payment_intents.as_born(intent)
        self._keep("payment_method", intent["payment_method"], "payment_method")
        charges.settle(self._at("sold_at"), intent["latest_charge"])
        charge = self._keep("charge.plain", intent["latest_charge"], "charge")
        self._keep("balance.charge", charge["balance_transaction"], "balance_transaction")
        if variant in ("whole", "part"):
            amount = AMOUNT if variant == "whole" else PART
            made = refunds.create(self._at("refunded_at"), {"charge": charge["id"], "amount": amount})
            refund = self._keep(f"refund.{variant}", made["id"], "refund")
            self._keep(f"balance.{variant}", refund["balance_transaction"], "refund_balance")
            self._keep(f"charge.{variant}", charge["id"], "charge")
        elif variant == "disputed":
            sort, card = disputes.SORTS["fraudulent"], CARDS["4000000000000259"]
            made = disputes.make(self._at("disputed_at"), charge, sort, card)
            dispute = self._keep("dispute", made["id"], "dispute")
            self._keep("balance.dispute", dispute["balance_transactions"][0]["id"], "dispute_balance")
            self._keep("charge.disputed", charge["id"], "charge")

    def _subscribe(self, product: Object, interval: str) -> None:
        customer = self._customer()
        price = self._price(interval, product, recurring={"interval": interval})
        session = self._pay(f"session.{interval}", self._session(price, customer, "subscription"))
        subscription = self._keep(f"subscription.{interval}", session["subscription"], "subscription")
        [item] = subscription["items"]["data"]
        self._keep(f"item.{interval}", item["id"], "item")
        method = self._keep("payment_method", subscription["default_payment_method"], "payment_method")
        assert method["customer"] == customer["id"]
        invoice = self._keep(f"invoice.{interval}", session["invoice"], "invoice")
        self._told.words[invoice["number"]] = "number"
        for line in invoice["lines"]["data"]:
            self._told.words[line["id"]] = "invoice_line"
        [body] = self._world.store.page(ACCOUNT, "invoice_payment", links={"invoice": invoice["id"]}, limit=2)
        payment = orjson.loads(body)
        self._keep("invoice_payment", payment["id"], "invoice_payment")
        self._told.words[payment["payment"]["payment_intent"]] = "payment_intent"
