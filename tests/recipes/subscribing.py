"""What Stripe says around a subscription of a user or a team, in seconds that tell its order."""

from typing import Any

from tests.histories import START, Event, event, session
from tests.subscription_histories import DAY, invoice, item, subscription

Subject = tuple[str, str]


def state(name: str, whose: Subject | None, price: str, seats: int = 1, **changed: Any) -> dict[str, Any]:
    """The subscription with one item."""
    sold = {**item(name, price), "quantity": seats}
    metadata = {"insforge_subject_type": whose[0], "insforge_subject_id": whose[1]} if whose else {}
    return subscription(
        name, metadata=metadata, **{"items": {"object": "list", "data": [sold], "has_more": False}, **changed}
    )


def started(name: str, whose: Subject | None, price: str, **changed: Any) -> Event:
    return event("customer.subscription.created", START, state(name, whose, price, **changed))


def changed(name: str, whose: Subject | None, price: str, day: int, **now: Any) -> Event:
    """It is so since that day. Without what it was before: each is alone in its second."""
    return event("customer.subscription.updated", START + day * DAY, state(name, whose, price, **now), {})


def ended(name: str, whose: Subject | None, price: str, day: int, **now: Any) -> Event:
    at = START + day * DAY
    told = state(name, whose, price, status="canceled", canceled_at=at, ended_at=at, **now)
    return event("customer.subscription.deleted", at, told)


def subscribed_at_checkout(name: str, whose: Subject) -> Event:
    """The checkout of it is complete."""
    raw = session(
        name,
        mode="subscription",
        status="complete",
        payment_status="paid",
        subscription=f"sub_{name}",
        customer=f"cus_{name}",
        url=None,
        metadata={"insforge_subject_type": whose[0], "insforge_subject_id": whose[1]},
    )
    return event("checkout.session.completed", START, raw)


def first_invoice_paid(name: str) -> Event:
    times = {"finalized_at": START, "paid_at": START}
    return event("invoice.paid", START, invoice(name, status="paid", amount_paid=900, status_transitions=times))
