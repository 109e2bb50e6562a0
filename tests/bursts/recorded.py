"""The bursts. `source` says where their order and seconds were seen: "log" is a public `stripe listen` log,
"documented" Stripe's documentation; "inferred" is what must be expected though nobody has recorded it. Every name
holds the mark Q0Q, so that many copies of a burst fit into one database."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.histories import (
    START,
    Event,
    catalog,
    charge,
    customer,
    delayed_purchase,
    dispute,
    event,
    intent,
    purchase,
    session,
)
from tests.subscription_histories import DAY, billed, invoice, invoice_payment, item, refund, subscribed, subscription

NAME = "Q0Q"
WHO = ("team", f"t{NAME}")
STAMP = {"insforge_subject_type": WHO[0], "insforge_subject_id": WHO[1]}
PRICE, PRODUCT = f"price_{NAME}", f"prod_{NAME}"


@dataclass(frozen=True, slots=True)
class Burst:
    """One recorded burst."""

    name: str
    source: str
    make: Callable[[], list[Event]]

    def events(self) -> list[Event]:
        """In the recorded order, event ids in that order too."""
        return [{**one, "id": f"evt_{number:02d}_{self.name}"} for number, one in enumerate(self.make())]


def _card() -> list[Event]:
    return purchase(NAME, subject=WHO, customer_events=False)


def _challenge() -> list[Event]:
    return purchase(NAME, subject=WHO, authenticates=True, customer_events=False)


def _declined_once() -> list[Event]:
    return purchase(NAME, subject=WHO, declines=1, customer_events=False)


def _subscription_of_a_new_customer() -> list[Event]:
    bought = subscription(NAME, metadata=STAMP, items=_items())
    person = customer(NAME)
    complete = session(
        NAME,
        mode="subscription",
        status="complete",
        payment_status="paid",
        subscription=bought["id"],
        invoice=f"in_{NAME}_1",
        customer=person["id"],
        customer_details={"email": person["email"]},
        created=START - 60,
        metadata={**STAMP, "insforge_checkout_session_id": "6b1f0d2c-0000-4000-8000-000000000001"},
        url=None,
    )
    return [
        event("charge.succeeded", START, _paid_charge()),
        event("customer.created", START, person),
        event("customer.updated", START, {**person, "name": "Ada"}, {"name": None}),
        event("checkout.session.completed", START, complete),
        event("customer.subscription.created", START, bought),
        event("payment_intent.created", START, intent(f"{NAME}_1", amount=900, customer=person["id"])),
        event("payment_intent.succeeded", START, _paid_intent()),
        *_invoice_life(),
        event("invoice_payment.paid", START + 9, invoice_payment(NAME, 1)),
    ]


def _subscription_by_api() -> list[Event]:
    person = {**customer(NAME), "name": "Ada"}
    return [
        event("charge.succeeded", START, _paid_charge()),
        event("customer.updated", START, {**person, "delinquent": False}, {"delinquent": None}),
        event("customer.subscription.created", START, subscription(NAME, metadata=STAMP, items=_items())),
        event("payment_intent.succeeded", START, _paid_intent()),
        event("payment_intent.created", START, intent(f"{NAME}_1", amount=900, customer=person["id"])),
        *_invoice_life(),
        event("invoice_payment.paid", START + 21, invoice_payment(NAME, 1)),
    ]


def _invoice_in_one_second() -> list[Event]:
    return _invoice_life()


def _renewal(*, declines: int = 0) -> list[Event]:
    first = subscription(NAME, metadata=STAMP, items=_items())
    later = {**first, "items": _items(at=START + 30 * DAY), "latest_invoice": f"in_{NAME}_2"}
    turned = event(
        "customer.subscription.updated",
        START + 30 * DAY,
        later,
        {"items": first["items"], "latest_invoice": first["latest_invoice"]},
    )
    return [turned, *billed(NAME, 2, START + 30 * DAY, STAMP, declines=declines)]


def _failed_renewal() -> list[Event]:
    found = _renewal(declines=1)
    late = {**found[0]["data"]["object"], "status": "past_due"}
    return [*found[:7], event("customer.subscription.updated", START + 30 * DAY, late, {"status": "active"})]


def _refund() -> list[Event]:
    return refund(NAME, 1, START + 60, 1000, charge(NAME))


def _refund_of_a_purchase() -> list[Event]:
    paid = charge(NAME, metadata=STAMP)
    done = intent(NAME, status="succeeded", amount_received=2500, latest_charge=paid["id"], metadata=STAMP)
    return [event("payment_intent.succeeded", START, done), *refund(NAME, 1, START + 60, 2500, paid)]


def _cancellation_in_the_portal() -> list[Event]:
    active = subscription(NAME, metadata=STAMP, items=_items())
    asked = {**active, "cancel_at": START + 30 * DAY, "canceled_at": START + 99}
    before = {"cancel_at": None, "canceled_at": None}
    gone = {**asked, "status": "canceled", "ended_at": START + 30 * DAY}
    return [
        event("customer.subscription.created", START, active),
        event("customer.subscription.updated", START + 99, asked, before),
        event("customer.subscription.deleted", START + 30 * DAY, gone),
    ]


def _subscription_that_ends_in_its_second() -> list[Event]:
    new = subscription(NAME, metadata=STAMP, items=_items(), status="incomplete")
    active = {**new, "status": "active"}
    return [
        event("customer.subscription.created", START, new),
        event("customer.subscription.updated", START, active, {"status": "incomplete"}),
        event("customer.subscription.deleted", START, {**active, "status": "canceled", "canceled_at": START}),
    ]


def _customer_of_a_checkout() -> list[Event]:
    new = customer(NAME)
    named = {**new, "name": "Ada", "address": {"city": "Rome", "country": "it"}}
    settled = {**named, "invoice_settings": {"default_payment_method": f"pm_{NAME}"}}
    return [
        event("customer.created", START, new),
        event("customer.updated", START, named, {"name": None, "address": None}),
        event("customer.updated", START, settled, {"invoice_settings": {"default_payment_method": None}}),
    ]


def _new_catalog() -> list[Event]:
    return catalog(NAME)


def _delayed_payment() -> list[Event]:
    return delayed_purchase(NAME, subject=WHO)


def _delayed_payment_that_fails() -> list[Event]:
    return delayed_purchase(NAME, subject=WHO, succeeds=False)


def _dispute() -> list[Event]:
    return dispute(NAME)


def _two_lives_of_a_subscription() -> list[Event]:
    return subscribed(NAME, subject=WHO, renewals=1, declines=1, refunded=400, ends=True)


def _items(*, at: int = START) -> dict[str, Any]:
    return {"object": "list", "data": [item(NAME, PRICE, PRODUCT, at=at)], "has_more": False}


def _paid_charge() -> dict[str, Any]:
    return charge(f"{NAME}_1", amount=900, amount_captured=900, customer=f"cus_{NAME}")


def _paid_intent() -> dict[str, Any]:
    paid = {"amount": 900, "amount_received": 900, "customer": f"cus_{NAME}", "latest_charge": f"ch_{NAME}_1_1"}
    return intent(f"{NAME}_1", status="succeeded", **paid)


def _invoice_life() -> list[Event]:
    draft = invoice(NAME, 1, metadata=STAMP)
    final = {**draft, "status": "open", "number": f"{NAME}-1", "status_transitions": {"finalized_at": START}}
    paid = {
        **final,
        "status": "paid",
        "amount_paid": 900,
        "attempted": True,
        "attempt_count": 1,
        "status_transitions": {"finalized_at": START, "paid_at": START},
    }
    return [
        event("invoice.created", START, draft),
        event("invoice.finalized", START, final),
        event("invoice.paid", START, paid),
        event("invoice.payment_succeeded", START, paid),
    ]


LOGS = "log, Oct 2025, Dec 2025 and June 2026, the same each time"
RECORDED = (
    Burst("card", LOGS, _card),
    Burst("challenge", "log, Jan 2026", _challenge),
    Burst("declined_once", "log; the retry in the same session is inferred", _declined_once),
    Burst("subscription_of_a_new_customer", "log, Sept and Oct 2025", _subscription_of_a_new_customer),
    Burst("subscription_by_api", "log, Mar 2026", _subscription_by_api),
    Burst("invoice_in_one_second", "log, Sept and Oct 2025: a part of a subscription's burst", _invoice_in_one_second),
    Burst("renewal", "documented, workflow-transitions", _renewal),
    Burst("failed_renewal", "documented, workflow-transitions", _failed_renewal),
    Burst("refund", "log, May 2025", _refund),
    Burst("refund_of_a_purchase", "log, May 2025, after the payment", _refund_of_a_purchase),
    Burst("cancellation_in_the_portal", "log, Sept and Oct 2025", _cancellation_in_the_portal),
    Burst("subscription_that_ends_at_once", "inferred", _subscription_that_ends_in_its_second),
    Burst("customer_of_a_checkout", "log, Sept and Oct 2025; the second change is inferred", _customer_of_a_checkout),
    Burst("new_catalog", "inferred", _new_catalog),
    Burst("delayed_payment", "documented, checkout/fulfillment", _delayed_payment),
    Burst("delayed_payment_that_fails", "documented, checkout/fulfillment", _delayed_payment_that_fails),
    Burst("dispute", "documented, disputes", _dispute),
    Burst(
        "two_lives",
        "log and documented: purchase, renewal, refund and end after each other",
        _two_lives_of_a_subscription,
    ),
)
