"""Stripe's objects and events around one purchase, as far as projections and developers' code read them."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from paygres.server.stripe_gateway.gateway import STRIPE_VERSION

Raw = dict[str, Any]
Event = dict[str, Any]
DAY = 86_400
CHEAP_PRICE = "price_cheap"


@dataclass(frozen=True, slots=True)
class Shop:
    """What is sold, to whom, and when. Amounts in minor units, `start` in Unix seconds."""

    metadata: dict[str, str]
    subject: tuple[str, str] | None
    price: str
    amount: int
    currency: str
    plan: str
    plan_amount: int
    start: int

    @property
    def cheap_amount(self) -> int:
        """What somebody pays who chose another price than the order's."""
        return max(1, self.amount // 50)


@dataclass(frozen=True, slots=True)
class CheckoutRow:
    """The row that starting the checkout left behind."""

    id: uuid.UUID
    mode: str
    session_id: str
    line_items: list[Raw]
    metadata: dict[str, str]
    amount_subtotal: int
    currency: str
    created: int


def event(event_type: str, at: int, raw: Raw, previous: Raw | None = None) -> Event:
    """An event around an object; its id is made of type, object and second, so it is the same in every run."""
    contents: Raw = {"object": raw}
    if previous is not None:
        contents["previous_attributes"] = previous
    named = uuid.uuid5(uuid.NAMESPACE_OID, f"{event_type} {raw['id']} {at} {raw.get('status')}")
    return {
        "id": f"evt_{named.hex[:24]}",
        "object": "event",
        "api_version": STRIPE_VERSION,
        "created": at,
        "data": contents,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": event_type,
    }


@dataclass(frozen=True, slots=True)
class Bought:
    """One checkout and the objects that hang on it, all under one name."""

    shop: Shop
    name: str = "chaos"
    mode: str = "payment"
    price: str = ""
    amount: int = -1
    at: int = 0
    metadata: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def paid(self) -> int:
        return self.amount if self.amount >= 0 else self.shop.amount

    @property
    def second(self) -> int:
        return self.at or self.shop.start

    @property
    def row_id(self) -> uuid.UUID:
        return uuid.uuid5(uuid.NAMESPACE_OID, f"checkout {self.name}")

    def row(self) -> CheckoutRow:
        """As the server wrote it before the buyer was sent to Stripe."""
        items = [{"priceId": self.price or self.shop.price, "quantity": 1}]
        own = dict(self.shop.metadata)
        return CheckoutRow(
            self.row_id, self.mode, f"cs_test_{self.name}", items, own, self.paid, self.shop.currency, self.second - 60
        )

    def stamped(self) -> dict[str, str]:
        """The buyer's metadata and the server's."""
        told = {
            **self.shop.metadata,
            "insforge_checkout_mode": self.mode,
            "insforge_checkout_session_id": str(self.row_id),
        }
        if self.shop.subject:
            told |= {
                "insforge_subject_type": self.shop.subject[0],
                "insforge_subject_id": self.shop.subject[1],
            }
        return told

    @property
    def customer(self) -> str | None:
        return "cus_chaos" if self.shop.subject or self.mode == "subscription" else None

    def session(self, **changed: Any) -> Raw:
        """The checkout session, complete and paid unless told otherwise."""
        return {
            "id": f"cs_test_{self.name}",
            "object": "checkout.session",
            "mode": self.mode,
            "status": "complete",
            "payment_status": "paid",
            "amount_subtotal": self.paid,
            "amount_total": self.paid,
            "client_reference_id": None,
            "created": self.second - 60,
            "currency": self.shop.currency,
            "customer": self.customer,
            "customer_details": {"email": "buyer@example.com"},
            "customer_email": None,
            "expires_at": self.second + DAY,
            "invoice": None,
            "livemode": False,
            "metadata": self.stamped(),
            "payment_intent": f"pi_{self.name}" if self.mode == "payment" else None,
            "subscription": None,
            "url": None,
            **changed,
        }

    def intent(self, **changed: Any) -> Raw:
        """The payment intent, waiting for a payment method."""
        return {
            "id": f"pi_{self.name}",
            "object": "payment_intent",
            "amount": self.paid,
            "amount_received": 0,
            "created": self.second,
            "currency": self.shop.currency,
            "customer": self.customer,
            "description": None,
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": self.stamped(),
            "receipt_email": None,
            "status": "requires_payment_method",
            **changed,
        }

    def succeeded(self, attempt: int = 1) -> Raw:
        """The payment intent with the money."""
        return self.intent(status="succeeded", amount_received=self.paid, latest_charge=f"ch_{self.name}_{attempt}")

    def charge(self, attempt: int = 1, **changed: Any) -> Raw:
        """A charge that succeeded."""
        return {
            "id": f"ch_{self.name}_{attempt}",
            "object": "charge",
            "amount": self.paid,
            "amount_captured": self.paid,
            "amount_refunded": 0,
            "balance_transaction": None,
            "billing_details": {"email": "buyer@example.com"},
            "captured": True,
            "created": self.second,
            "currency": self.shop.currency,
            "customer": self.customer,
            "disputed": False,
            "livemode": False,
            "metadata": self.stamped(),
            "paid": True,
            "payment_intent": f"pi_{self.name}",
            "refunded": False,
            "status": "succeeded",
            **changed,
        }

    def refund(self, amount: int, at: int, **changed: Any) -> Raw:
        """A refund of the charge."""
        return {
            "id": f"re_{self.name}",
            "object": "refund",
            "amount": amount,
            "charge": f"ch_{self.name}_1",
            "created": at,
            "currency": self.shop.currency,
            "description": None,
            "metadata": {},
            "payment_intent": f"pi_{self.name}",
            "reason": "requested_by_customer",
            "status": "succeeded",
            **changed,
        }

    def dispute(self, status: str, at: int) -> Raw:
        """A dispute about all of the charge."""
        return {
            "id": f"du_{self.name}",
            "object": "dispute",
            "amount": self.paid,
            "balance_transactions": [],
            "charge": f"ch_{self.name}_1",
            "created": at,
            "currency": self.shop.currency,
            "evidence_details": {"due_by": at + 7 * DAY, "has_evidence": False},
            "livemode": False,
            "metadata": {},
            "payment_intent": f"pi_{self.name}",
            "reason": "fraudulent",
            "status": status,
        }
