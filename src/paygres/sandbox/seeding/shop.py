"""The shop that a plan describes: which seeded object belongs to which, when and at what price. All of it is
arithmetic on their numbers, so nothing but ids is kept in memory."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.objects import balance_transactions, disputes
from paygres.sandbox.seeding.originals import INTERVALS
from paygres.sandbox.seeding.plan import KINDS, Plan

# What every third price is.
SORTS = (*INTERVALS, "once")
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sale:
    """What a payment was for: the numbers of customer and price, and when."""

    customer: int
    price: int
    at: int


class Shop:
    """Numbers count from 0 within a kind. The `of_…` methods answer the values that fill a pattern's slots."""

    def __init__(self, plan: Plan) -> None:
        self.counts = plan.counts
        self.since, self.until = plan.since, plan.until
        self.ids = {kind: [ids.new(noun) for _ in range(plan.counts[kind])] for kind, noun in KINDS.items()}
        # Two seedings of one account use different emails and lookup keys.
        self._tag = ids.letters(6).lower()

    def at(self, kind: str, number: int) -> int:
        """When the object was made: each kind is spread evenly, from `since` on."""
        return self.since + (self.until - self.since) * number // self.counts[kind]

    def parent(self, kind: str, number: int, count: int) -> int:
        """The parent of one of `count` children; it is never younger than the child."""
        return number * self.counts[kind] // count

    @cached_property
    def _once(self) -> int:
        return self.counts["prices"] // 3

    def recurring_price(self, subscription: int) -> int:
        place = subscription * (self.counts["prices"] - self._once) // self.counts["subscriptions"]
        return place // 2 * 3 + place % 2

    def price_sold_once(self, number: int, count: int) -> int:
        return number * self._once // count * 3 + 2

    def subscription_of(self, invoice: int) -> int:
        return self.parent("subscriptions", invoice, self.counts["invoices"])

    def invoices_of(self, subscription: int) -> range:
        """The numbers of its invoices, oldest first."""
        count, owners = self.counts["invoices"], self.counts["subscriptions"]
        # Rounded up: the first child whose parent it is, and the first of the next.
        return range(-(-subscription * count // owners), -(-(subscription + 1) * count // owners))

    @cached_property
    def paid_invoices(self) -> int:
        return min(self.counts["invoices"], self.counts["charges"])

    @cached_property
    def paid_sessions(self) -> int:
        return min(self.counts["checkout_sessions"], self.counts["charges"] - self.paid_invoices)

    def sale(self, payment: int) -> Sale:
        """Payment intents pay the invoices first, then the sessions; the rest stands alone."""
        if payment < self.paid_invoices:
            subscription = self.subscription_of(payment)
            customer = self.parent("customers", subscription, self.counts["subscriptions"])
            return Sale(customer, self.recurring_price(subscription), self.at("invoices", payment))
        place, kind = payment - self.paid_invoices, "checkout_sessions"
        if place >= self.paid_sessions:
            place, kind = payment, "payment_intents"
        count = self.counts[kind]
        return Sale(self.parent("customers", place, count), self.price_sold_once(place, count), self.at(kind, place))

    # values

    def of_product(self, number: int) -> Values:
        return {
            "product": self.ids["products"][number],
            "product_at": self.at("products", number),
            "product_name": f"Seeded product {number}",
        }

    def of_price(self, number: int) -> Values:
        amount = 500 + number * 37 % 9500
        return {
            **self.of_product(self.parent("products", number, self.counts["prices"])),
            "amount": amount,
            "amount_shown": f"{amount / 100:,.2f}",
            "lookup_key": f"seed-{self._tag}-{number}",
            "price": self.ids["prices"][number],
            "price_at": self.at("prices", number),
        }

    def of_customer(self, number: int) -> Values:
        id = self.ids["customers"][number]
        return {
            "customer": id,
            "customer_at": self.at("customers", number),
            "email": f"buyer-{self._tag}-{number}@example.com",
            "name": f"Buyer {number}",
            "payment_method": f"pm_1{id[4:]}Seeded000",
            "prefix": id[-8:].upper(),
        }

    def of_sale(self, sale: Sale) -> Values:
        return {**self.of_price(sale.price), **self.of_customer(sale.customer), "sold_at": sale.at}

    def of_subscription(self, number: int, at: int | None = None) -> Values:
        """`at`: when it is sold again, by an invoice of its own."""
        customer = self.parent("customers", number, self.counts["subscriptions"])
        sold_at = self.at("subscriptions", number) if at is None else at
        invoices = self.invoices_of(number)
        id = self.ids["subscriptions"][number]
        return {
            **self.of_sale(Sale(customer, self.recurring_price(number), sold_at)),
            "invoice": self.ids["invoices"][invoices[-1]] if invoices else None,
            "item": f"si_{id[-14:]}",
            "subscription": id,
            "subscriptions.n": number,
        }

    def of_invoice(self, number: int) -> Values:
        values = self.of_subscription(self.subscription_of(number), self.at("invoices", number))
        id = self.ids["invoices"][number]
        first = number == self.invoices_of(self.subscription_of(number))[0]
        return {
            **values,
            "invoice": id,
            "invoice_line": f"il_1{id[4:]}",
            "invoice_payment": f"inpay_1{id[4:]}",
            "number": f"{values['prefix']}-{number:06d}",
            "payment_intent": self.ids["payment_intents"][number] if number < self.paid_invoices else None,
            "reason": "subscription_create" if first else "subscription_cycle",
        }

    def of_payment(self, number: int) -> Values:
        values = self.of_sale(self.sale(number))
        id = self.ids["payment_intents"][number]
        charge = self.ids["charges"][number] if number < self.counts["charges"] else None
        fee = (values["amount"] * 29 + 500) // 1000 + 30
        return {
            **values,
            "balance_transaction": f"txn_3{id[4:]}",
            "charge": charge,
            "fee": fee,
            "net": values["amount"] - fee,
            "payment_intent": id,
            "payment_intents.n": number,
        }

    def of_refund(self, payment: int, refund: str) -> Values:
        values = self.of_payment(payment)
        part = values["amount"] // 2
        return {
            **values,
            "minus_amount": -values["amount"],
            "minus_part": -part,
            "part": part,
            "refund": refund,
            "refund_balance": f"txn_3{refund[4:]}",
            "refunded_at": (values["sold_at"] + self.until) // 2,
        }

    def of_dispute(self, payment: int, dispute: str) -> Values:
        values = self.of_payment(payment)
        at = (values["sold_at"] + self.until) // 2
        return {
            **values,
            "disputed_at": at,
            "disputed_net": -values["amount"] - balance_transactions.DISPUTE_FEE,
            "dispute": dispute,
            "dispute_balance": f"txn_3{dispute[4:]}",
            "due_by": disputes.due_by(at),
            "minus_amount": -values["amount"],
        }

    def of_start(self, subscription: int) -> Values:
        """Of the session that started the subscription."""
        invoices = self.invoices_of(subscription)
        paid = bool(invoices) and invoices[0] < self.paid_invoices
        return {
            **self.of_subscription(subscription),
            "invoice": self.ids["invoices"][invoices[0]] if invoices else None,
            "payment_intent": self.ids["payment_intents"][invoices[0]] if paid else None,
        }

    def of_abandoned(self, session: int) -> Values:
        count = self.counts["checkout_sessions"]
        at = self.at("checkout_sessions", session)
        values = self.of_sale(Sale(self.parent("customers", session, count), self.price_sold_once(session, count), at))
        return {**values, "payment_intents.n": session}
