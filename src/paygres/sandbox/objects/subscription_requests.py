"""A subscription that a request starts: its first invoice, paid at once, open, or refused."""

from collections.abc import Sequence
from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.objects import (
    charges,
    invoice_collection,
    invoice_lines,
    invoice_papers,
    invoices,
    payment_intents,
    sold_items,
    subscription_terms,
)
from paygres.sandbox.objects.routes import Params
from paygres.sandbox.objects.sold_items import Planned
from paygres.sandbox.objects.subscription_starts import Started, announce_first_invoice, build
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.world import Work


def start(
    work: Work,
    customer: Object,
    planned: Sequence[Planned],
    *,
    trial_end: int | None,
    behavior: str,
    ending: Params,
    off_session: bool,
    fields: dict[str, Any],
) -> Object:
    """Starts a subscription and collects its first invoice. `behavior`: Stripe's `payment_behavior`; `ending`: the
    parameters that already say when it is to end. Raises `Refusal` where nothing comes of it."""
    prices = [one.price for one in planned if one.price is not None]
    currency: str = prices[0]["currency"]
    total = 0 if trial_end else sum(sold_items.cost(one.price, one.quantity) for one in planned if one.price)
    due = max(0, total + customer["balance"])
    sends = fields.get("collection_method") == "send_invoice"
    method = invoice_collection.method_of(work, customer, fields)
    collects = due > 0 and not sends and behavior != "default_incomplete"
    if collects and method is None:
        raise invoice_collection.no_payment_method()
    card = invoice_collection.card_of_method(work, method, off_session=off_session) if collects and method else None
    pays = card is not None and card.code is None and not card.asks
    if card is not None and not pays and behavior == "error_if_incomplete":
        raise invoice_collection.declined(
            card.message or "Your card was declined.", card.code or "authentication_required", card.decline_code
        )
    invoice_id = ids.new("invoice")
    waits = due > 0 and not sends and not pays
    if waits:
        fields = {**fields, "status": "incomplete"}

    def begin() -> Object:
        made = build(
            work, customer["id"], planned, currency=currency, trial_end=trial_end, latest_invoice=invoice_id, **fields
        )
        changes = subscription_terms.ending(work, made, ending)
        if changes:
            work.change(made, **changes)
            subscription_terms.schedule(work, made)
        return made

    if pays and method is not None and card is not None:
        intent = payment_intents.make(
            work, amount=due, currency=currency, customer=customer["id"], given={"description": "Subscription creation"}
        )
        attempt = invoice_collection.attempt_of(work, method, card)
        charge = payment_intents.attempt(work, intent, attempt, new=True)
        assert charge is not None
        charges.announce(work, charge)
        _set_currency(work, customer, currency)
        if (fields.get("payment_settings") or {}).get("save_default_payment_method") == "on_subscription":
            fields = {**fields, "default_payment_method": method["id"]}
        subscription = begin()
        lines = _lines(work, invoice_id, subscription)
        paid = invoices.paid_at_once(work, invoice_id, subscription, customer, lines, intent, charge)
        work.emit("customer.subscription.created", subscription)
        work.emit("payment_intent.created", payment_intents.as_born(intent))
        work.emit("payment_intent.succeeded", intent)
        announce_first_invoice(work, Started(subscription, paid.invoice, paid.payment))
        return subscription
    _set_currency(work, customer, currency)
    subscription = begin()
    lines = _lines(work, invoice_id, subscription)
    work.emit("customer.subscription.created", subscription)
    if due == 0:
        paid = invoices.paid_at_once(work, invoice_id, subscription, customer, lines, None, None)
        invoices.announce_paid(work, paid.invoice)
        return subscription
    draft = invoice_papers.draw_up(
        work, invoice_id, customer, lines, currency=currency, reason="subscription_create", subscription=subscription
    )
    work.emit("invoice.created", work.add(draft))
    invoice_collection.open_up(work, draft)
    if collects and method is not None:
        invoice_collection.charge(work, draft, method, off_session=off_session)
    if waits:
        work.later(subscription_terms.INCOMPLETE_FOR, "expire_incomplete", subscription["id"])
    return work.find("subscription", subscription["id"], "subscription")


def _lines(work: Work, invoice: str, subscription: Object) -> list[Object]:
    trial = subscription["status"] == "trialing"
    items = subscription["items"]["data"]
    return [invoice_lines.of_period(work, invoice, subscription, item, trial=trial) for item in items]


def _set_currency(work: Work, customer: Object, currency: str) -> None:
    if customer["currency"] is None:
        work.update_and_emit(customer, "customer.updated", currency=currency)
