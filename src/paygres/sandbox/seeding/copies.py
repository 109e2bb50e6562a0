"""Writes the copies that a plan asks for, kind by kind."""

from collections.abc import Iterator
from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.objects import periods
from paygres.sandbox.seeding.originals import NUMBERS, STAGES, Originals
from paygres.sandbox.seeding.pattern import Pattern, Slots
from paygres.sandbox.seeding.plan import KINDS, Plan
from paygres.sandbox.seeding.shop import SORTS, Shop, Values
from paygres.sandbox.store import Bulk

# They stand in an original for numbers that only a copy knows.
PERIOD_START, PERIOD_END, ENDED_AT, FEE, NET, DUE_BY = range(-1_000_006, -1_000_000)
SPECIAL = {
    PERIOD_START: "period_start",
    PERIOD_END: "period_end",
    ENDED_AT: "ended_at",
    FEE: "fee",
    NET: "net",
    DUE_BY: "due_by",
}
PERIOD = {"current_period_end": PERIOD_END, "current_period_start": PERIOD_START}
REASON = "{reason}"
ENDED = {
    "canceled_at": ENDED_AT,
    "cancellation_details": {"comment": None, "feedback": None, "reason": "cancellation_requested"},
    "ended_at": ENDED_AT,
    "status": "canceled",
}
# Every so many subscriptions, one is over.
ENDED_EVERY = 10


class Copies:
    def __init__(self, plan: Plan, told: Originals) -> None:
        self._fields = plan.fields
        self._told = told
        self._shop = Shop(plan)
        words = {**told.words, REASON: "reason", **{f"{{{kind}.n}}": f"{kind}.n" for kind in KINDS}}
        self._slots = Slots(words, NUMBERS | SPECIAL, STAGES)
        self._patterns: dict[str, Pattern] = {}

    def all(self) -> Iterator[Bulk]:
        yield from self._products()
        yield from self._prices()
        yield from self._customers()
        yield from self._subscriptions()
        yield from self._invoices()
        yield from self._payments()
        yield from self._refunds()
        yield from self._disputes()
        yield from self._sessions()

    def _write(self, name: str, number: int, id: str, at: int, values: Values) -> Bulk:
        """A copy of the original `name`, which is number `number` of its kind."""
        pattern = self._patterns.get(name)
        if pattern is None:
            pattern = self._patterns[name] = self._pattern(name)
        values["n"] = number
        return pattern.copy(id, at, values)

    def _pattern(self, name: str) -> Pattern:
        original = self._told.items[name.removesuffix(".ended")]
        kind = next((kind for kind, noun in KINDS.items() if noun == original["object"]), "")
        changes: dict[str, Any] = dict(self._fields.get(kind, {}))
        if kind == "subscriptions":
            items = original["items"]
            changes["items"] = {**items, "data": [{**one, **PERIOD} for one in items["data"]]}
            changes |= ENDED if name.endswith(".ended") else {}
        elif kind == "disputes":
            changes["evidence_details"] = {**original["evidence_details"], "due_by": DUE_BY}
        elif kind == "invoices":
            changes["billing_reason"] = REASON
        elif original["object"] == "subscription_item":
            changes |= PERIOD
        elif name == "balance.charge":
            [fee] = original["fee_details"]
            changes |= {"fee": FEE, "fee_details": [{**fee, "amount": FEE}], "net": NET}
        return Pattern(original, self._told.hidden.get(name), self._slots, changes)

    def _products(self) -> Iterator[Bulk]:
        for number, id in enumerate(self._shop.ids["products"]):
            values = self._shop.of_product(number)
            yield self._write("product", number, id, values["product_at"], values)

    def _prices(self) -> Iterator[Bulk]:
        for number, id in enumerate(self._shop.ids["prices"]):
            values = self._shop.of_price(number)
            yield self._write(f"price.{SORTS[number % 3]}", number, id, values["price_at"], values)

    def _customers(self) -> Iterator[Bulk]:
        pay = bool(self._shop.counts["subscriptions"] or self._shop.counts["payment_intents"])
        for number, id in enumerate(self._shop.ids["customers"]):
            values = self._shop.of_customer(number)
            at = values["sold_at"] = values["customer_at"]
            yield self._write("customer", number, id, at, values)
            if pay:
                yield self._write("payment_method", number, values["payment_method"], at, values)

    def _subscriptions(self) -> Iterator[Bulk]:
        for number, id in enumerate(self._shop.ids["subscriptions"]):
            values = self._shop.of_subscription(number)
            at = values["sold_at"]
            sort = SORTS[self._shop.recurring_price(number) % 3]
            ended = number % ENDED_EVERY == ENDED_EVERY - 1
            values["ended_at"] = (at + self._shop.until) // 2
            last = values["ended_at"] if ended else self._shop.until
            start, end = periods.around(at, last, {"interval": sort, "interval_count": 1})
            values |= {"period_start": start, "period_end": end}
            yield self._write(f"subscription.{sort}{'.ended' if ended else ''}", number, id, at, values)
            yield self._write(f"item.{sort}", number, values["item"], at, values)

    def _invoices(self) -> Iterator[Bulk]:
        for number, id in enumerate(self._shop.ids["invoices"]):
            values = self._shop.of_invoice(number)
            at = values["sold_at"]
            sort = SORTS[self._shop.recurring_price(self._shop.subscription_of(number)) % 3]
            yield self._write(f"invoice.{sort}", number, id, at, values)
            if values["payment_intent"] is not None:
                yield self._write("invoice_payment", number, values["invoice_payment"], at, values)

    def _payments(self) -> Iterator[Bulk]:
        refunds, disputes = self._shop.counts["refunds"], self._shop.counts["disputes"]
        charges = self._shop.counts["charges"]
        for number, id in enumerate(self._shop.ids["payment_intents"]):
            values = self._shop.of_payment(number)
            at = values["sold_at"]
            charge = values["charge"]
            yield self._write(f"payment_intent.{'paid' if charge else 'new'}", number, id, at, values)
            if charge is None:
                continue
            if number < refunds:
                variant = ("whole", "part")[number % 2]
                values["part"] = values["amount"] // 2
            else:
                variant = "disputed" if number >= charges - disputes else "plain"
            yield self._write(f"charge.{variant}", number, charge, at, values)
            yield self._write("balance.charge", number, values["balance_transaction"], at, values)

    def _refunds(self) -> Iterator[Bulk]:
        for number, id in enumerate(self._shop.ids["refunds"]):
            values = self._shop.of_refund(number, id)
            variant = ("whole", "part")[number % 2]
            yield self._write(f"refund.{variant}", number, id, values["refunded_at"], values)
            balance = values["refund_balance"]
            yield self._write(f"balance.{variant}", number, balance, values["refunded_at"], values)

    def _disputes(self) -> Iterator[Bulk]:
        """The last charges are disputed, as the first are refunded."""
        first = self._shop.counts["charges"] - self._shop.counts["disputes"]
        for number, id in enumerate(self._shop.ids["disputes"]):
            values = self._shop.of_dispute(first + number, id)
            at = values["disputed_at"]
            yield self._write("dispute", number, id, at, values)
            yield self._write("balance.dispute", number, values["dispute_balance"], at, values)

    def _sessions(self) -> Iterator[Bulk]:
        """Those that were paid, then those that started subscriptions, then those that nobody completed."""
        shop = self._shop
        for number, id in enumerate(shop.ids["checkout_sessions"]):
            started = number - shop.paid_sessions
            if started < 0:
                name, values = "payment", shop.of_payment(number + shop.paid_invoices)
            elif started < shop.counts["subscriptions"]:
                values = shop.of_start(started)
                name = SORTS[shop.recurring_price(started) % 3]
            else:
                values = shop.of_abandoned(number)
                name = "expired"
            values |= {"line": ids.new("item"), "session": id}
            yield self._write(f"session.{name}", number, id, values["sold_at"], values)
