"""Histories of Stripe events for tests: what Stripe sends around a purchase, in the recorded order and seconds.

Objects hold the fields projections read, with invented values; the sandbox's tests cover whole objects.
"""

import itertools
import uuid
from typing import Any

Event = dict[str, Any]
START = 1_790_000_000
_ids = itertools.count(1)


def event(
    event_type: str,
    created: int,
    raw: dict[str, Any],
    previous: dict[str, Any] | None = None,
    *,
    ident: str = "",
    version: str = "2026-05-27.dahlia",
) -> Event:
    """One event around an object, as delivered in an API version."""
    contents: dict[str, Any] = {"object": raw}
    if previous is not None:
        contents["previous_attributes"] = previous
    return {
        "id": ident or f"evt_{next(_ids):08d}",
        "object": "event",
        "api_version": version,
        "created": created,
        "data": contents,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": event_type,
    }


def session(name: str, **changed: Any) -> dict[str, Any]:
    """A checkout session in payment mode, open."""
    return {
        "id": f"cs_test_{name}",
        "object": "checkout.session",
        "mode": "payment",
        "status": "open",
        "payment_status": "unpaid",
        "amount_subtotal": 2500,
        "amount_total": 2500,
        "currency": "usd",
        "created": START,
        "customer": None,
        "customer_details": None,
        "customer_email": None,
        "metadata": {},
        "client_reference_id": None,
        "payment_intent": None,
        "subscription": None,
        "invoice": None,
        "livemode": False,
        "url": f"https://pay.example.com/c/{name}",
        "expires_at": START + 86400,
        **changed,
    }


def intent(name: str, **changed: Any) -> dict[str, Any]:
    """A payment intent that waits for a payment method."""
    return {
        "id": f"pi_{name}",
        "object": "payment_intent",
        "amount": 2500,
        "amount_received": 0,
        "currency": "usd",
        "created": START,
        "customer": None,
        "description": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "receipt_email": None,
        "status": "requires_payment_method",
        "last_payment_error": None,
        **changed,
    }


def charge(name: str, attempt: int = 1, **changed: Any) -> dict[str, Any]:
    """A charge that succeeded."""
    return {
        "id": f"ch_{name}_{attempt}",
        "object": "charge",
        "amount": 2500,
        "amount_captured": 2500,
        "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": {"email": f"{name}@example.com"},
        "captured": True,
        "created": START,
        "currency": "usd",
        "customer": None,
        "disputed": False,
        "metadata": {},
        "paid": True,
        "payment_intent": f"pi_{name}",
        "refunded": False,
        "status": "succeeded",
        "livemode": False,
        **changed,
    }


def customer(ident: str, /, **changed: Any) -> dict[str, Any]:
    """A customer as checkout makes one."""
    return {
        "id": f"cus_{ident}",
        "object": "customer",
        "email": f"{ident}@example.com",
        "name": None,
        "phone": None,
        "metadata": {},
        "created": START,
        "livemode": False,
        **changed,
    }


def purchase(
    name: str,
    *,
    subject: tuple[str, str] | None = None,
    at: int = START,
    declines: int = 0,
    authenticates: bool = False,
    refunded: int = 0,
    customer_events: bool = True,
    payer: str = "",
    bought: str = "",
) -> list[Event]:
    """A one-time card purchase as recorded: the burst of one second, then the charge's booking. `payer`: the name of a
    customer that exists; `bought`: the price."""
    metadata = {
        "order_id": name,
        "insforge_checkout_mode": "payment",
        "insforge_checkout_session_id": str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
    }
    if bought:
        metadata["bought"] = bought
    person = customer(payer or name, created=at)
    found: list[Event] = []
    if subject:
        metadata |= {"insforge_subject_type": subject[0], "insforge_subject_id": subject[1]}
        if customer_events and not payer:
            found += [
                event("customer.created", at, person),
                event("customer.updated", at, {**person, "name": "Ada"}, {"name": None}),
            ]
    stamped = {"metadata": metadata, "customer": person["id"] if subject else None}
    second = at
    for attempt in range(1, declines + 1):
        failed = charge(
            name, attempt, created=second, status="failed", captured=False, amount_captured=0, paid=False, **stamped
        )
        found += [
            event("charge.failed", second, failed),
            event(
                "payment_intent.payment_failed",
                second,
                intent(
                    name,
                    created=at,
                    last_payment_error={"code": "card_declined"},
                    latest_charge=failed["id"],
                    **stamped,
                ),
            ),
        ]
        if attempt == 1:
            found.append(event("payment_intent.created", second, intent(name, created=at, **stamped)))
        second += 7
    if authenticates:
        found += [
            event(
                "payment_intent.requires_action", second, intent(name, created=at, status="requires_action", **stamped)
            )
        ]
        if not declines:
            found.append(event("payment_intent.created", second, intent(name, created=at, **stamped)))
        second += 5
    paid = charge(name, declines + 1, created=second, **stamped)
    done = intent(name, created=at, status="succeeded", amount_received=2500, latest_charge=paid["id"], **stamped)
    found += [event("charge.succeeded", second, paid), event("payment_intent.succeeded", second, done)]
    if not declines and not authenticates:
        found.append(event("payment_intent.created", second, intent(name, created=at, **stamped)))
    complete = session(
        name,
        status="complete",
        payment_status="paid",
        payment_intent=done["id"],
        url=None,
        customer_details={"email": f"{name}@example.com"},
        created=at,
        **stamped,
    )
    found.append(event("checkout.session.completed", second, complete))
    booked = {**paid, "balance_transaction": f"txn_{name}"}
    found.append(event("charge.updated", second + 2, booked, {"balance_transaction": None}))
    if refunded:
        back = {**booked, "amount_refunded": refunded, "refunded": refunded >= 2500}
        found.append(event("charge.refunded", second + 60, back, {"amount_refunded": 0, "refunded": False}))
    return found


def delayed_purchase(
    name: str, *, subject: tuple[str, str] | None = None, at: int = START, succeeds: bool = True
) -> list[Event]:
    """A purchase by bank debit: complete and unpaid at once, paid or failed days later."""
    metadata = {"insforge_checkout_session_id": str(uuid.uuid5(uuid.NAMESPACE_URL, name))}
    if subject:
        metadata |= {"insforge_subject_type": subject[0], "insforge_subject_id": subject[1]}
    stamped = {"metadata": metadata, "customer": f"cus_{name}" if subject else None}
    end = at + 3 * 86_400
    slow = intent(name, created=at, status="processing", **stamped)
    unpaid = session(name, created=at - 60, status="complete", payment_intent=slow["id"], url=None, **stamped)
    found = [
        event("payment_intent.processing", at, slow),
        event("checkout.session.completed", at, unpaid),
    ]
    if not succeeds:
        gone = {**slow, "status": "requires_payment_method", "last_payment_error": {"code": "debit_not_authorized"}}
        return [
            *found,
            event("payment_intent.payment_failed", end, gone),
            event("checkout.session.async_payment_failed", end, unpaid),
        ]
    paid = charge(name, created=at, **stamped)
    done = {**slow, "status": "succeeded", "amount_received": 2500, "latest_charge": paid["id"]}
    return [
        *found,
        event("charge.succeeded", end, paid),
        event("payment_intent.succeeded", end, done),
        event("checkout.session.async_payment_succeeded", end, {**unpaid, "payment_status": "paid"}),
    ]


def dispute(name: str, *, at: int = START + 900, ends: str = "lost") -> list[Event]:
    """A dispute of a card payment: opened and the money taken in one second, answered, closed."""
    waiting = {
        "id": f"du_{name}",
        "object": "dispute",
        "amount": 2500,
        "balance_transactions": [],
        "charge": f"ch_{name}_1",
        "created": at,
        "currency": "usd",
        "evidence_details": {"due_by": at + 86_400, "has_evidence": False},
        "livemode": False,
        "metadata": {},
        "payment_intent": f"pi_{name}",
        "reason": "fraudulent",
        "status": "needs_response",
    }
    taken = {**waiting, "balance_transactions": [{"id": f"txn_{name}_d", "amount": -2500}]}
    answered = {**taken, "status": "under_review", "evidence_details": {"due_by": at + 86_400, "has_evidence": True}}
    before = {"status": "needs_response", "evidence_details": {"has_evidence": False}}
    return [
        event("charge.dispute.created", at, waiting),
        event("charge.dispute.funds_withdrawn", at, taken),
        event("charge.dispute.updated", at + 50, answered, before),
        event("charge.dispute.closed", at + 99, {**answered, "status": ends}),
    ]


def catalog(name: str, *, at: int = START, families: tuple[str | None, ...] = (None,)) -> list[Event]:
    """A product with its default price, made in one second; then its plan family changes, word by word."""
    product = {
        "id": f"prod_{name}",
        "object": "product",
        "name": "Pro",
        "active": True,
        "default_price": None,
        "description": None,
        "livemode": False,
        "metadata": {},
        "created": at,
        "updated": at,
    }
    price = {
        "id": f"price_{name}",
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": at,
        "currency": "usd",
        "livemode": False,
        "lookup_key": f"pro_{name}",
        "metadata": {},
        "product": product["id"],
        "recurring": {"interval": "month", "interval_count": 1},
        "type": "recurring",
        "unit_amount": 900,
        "unit_amount_decimal": "900",
    }
    with_price = {**product, "default_price": price["id"]}
    found = [
        event("product.created", at, product),
        event("price.created", at, price),
        event("product.updated", at, with_price, {"default_price": None}),
    ]
    state = with_price
    for number, family in enumerate(families, start=1):
        metadata = {"plan_family": family} if family else {}
        if metadata == state["metadata"]:
            continue
        after = {**state, "metadata": metadata, "updated": at + number * 60}
        before = {"metadata": {"plan_family": state["metadata"].get("plan_family")}, "updated": state["updated"]}
        found.append(event("product.updated", at + number * 60, after, before))
        state = after
    return found
