"""A subscription that a request starts: its first invoice, paid at once, open, or refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.objects import (
    charges,
    discount_amounts,
    invoice_collection,
    invoice_lines,
    invoice_papers,
    invoices,
    payment_intent_charges,
    payment_intents,
    periods,
    prices,
    sold_items,
    subscription_discounts,
    subscription_setups,
    subscription_terms,
)
from paygres.sandbox.objects.routes import Params
from paygres.sandbox.objects.sold_items import Planned
from paygres.sandbox.objects.subscription_discounts import Wanted
from paygres.sandbox.objects.subscription_starts import Started, announce_first_invoice, build, give_discounts
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal, missing_parameter
from paygres.sandbox.world import Work

# Makes the subscription with its discounts.
Begin = Callable[[], tuple[Object, list[Object]]]


@dataclass(frozen=True, slots=True)
class Terms:
    """How a subscription begins. `share`: how much of a whole period the first one costs; `ending`: the parameters
    that already say when it is to end."""

    trial_end: int | None
    anchor: int | None
    share: Fraction
    ending: Params
    discounts: Sequence[Wanted]
    # One-time prices on the first invoice, with their quantities.
    added: Sequence[tuple[Object, int]] = ()


def read_terms(work: Work, customer: Object, planned: Sequence[Planned], params: Params) -> Terms:
    """Raises `Refusal` for terms that cannot be."""
    sold = [one.price for one in planned if one.price is not None]
    every = sold[0]["recurring"]
    trial_end = subscription_terms.read_trial_end(work, params)
    anchor = subscription_terms.read_anchor(work, params, periods.around(work.now, work.now, every)[1])
    share = Fraction(0 if trial_end else 1)
    if anchor is not None:
        begin, _ = periods.around(anchor, anchor - 1, every)
        prorates = params.get("proration_behavior", "create_prorations") != "none"
        share = Fraction(anchor - work.now, anchor - begin) if prorates else Fraction(0)
    total = sum(sold_items.cost(one.price, one.quantity) for one in planned if one.price)
    wanted = subscription_discounts.read(
        work,
        params.get("discounts") or (),
        customer=customer["id"],
        currency=sold[0]["currency"],
        subtotal=total,
    )
    return Terms(trial_end, anchor, share, params, wanted, _added(work, params, sold[0]["currency"]))


def start(
    work: Work,
    customer: Object,
    planned: Sequence[Planned],
    terms: Terms,
    *,
    behavior: str,
    off_session: bool,
    fields: dict[str, Any],
) -> Object:
    """Starts a subscription and collects its first invoice. `behavior`: Stripe's `payment_behavior`. Raises `Refusal`
    where nothing comes of it."""
    currency: str = next(one.price["currency"] for one in planned if one.price is not None)
    due = max(0, _total(work, planned, terms) + customer["balance"])
    sends = fields.get("collection_method") == "send_invoice"
    method = invoice_collection.method_of(work, customer, fields)
    collects = due > 0 and not sends and behavior != "default_incomplete"
    if collects and method is None:
        raise invoice_collection.no_payment_method()
    refusal: Refusal | None = None
    if collects and method is not None:
        refusal = invoice_collection.will_pay(work, method, off_session=off_session)
        if refusal is not None and behavior == "error_if_incomplete":
            raise refusal
    invoice_id = ids.new("invoice")
    if due > 0 and not sends and (not collects or refusal is not None):
        fields = {**fields, "status": "incomplete"}
    if (
        collects
        and method is not None
        and (fields.get("payment_settings") or {}).get("save_default_payment_method") == "on_subscription"
    ):
        fields = {**fields, "default_payment_method": method["id"]}

    setup: Object | None = None
    if due == 0 and method is None and not sends and behavior == "default_incomplete":
        setup = subscription_setups.begin(work, customer["id"])
        fields = {**fields, "pending_setup_intent": setup["id"]}

    def begin() -> tuple[Object, list[Object]]:
        made = build(
            work,
            customer["id"],
            planned,
            currency=currency,
            trial_end=terms.trial_end,
            anchor=terms.anchor,
            latest_invoice=invoice_id,
            **fields,
        )
        changes = subscription_terms.ending(work, made, terms.ending)
        if changes:
            work.change(made, **changes)
            subscription_terms.schedule(work, made)
        return made, give_discounts(work, made, terms.discounts)

    if collects and method is not None and refusal is None and method["type"] == "card":
        return _paid_at_once(work, customer, method, due, currency, invoice_id, begin, terms, off_session=off_session)
    _set_currency(work, customer, currency)
    subscription, discounts = begin()
    lines = _lines(work, invoice_id, subscription, terms)
    subscription_discounts.announce(work, discounts)
    work.emit("customer.subscription.created", subscription)
    if due == 0:
        paid = invoices.paid_at_once(work, invoice_id, subscription, customer, lines, None, None)
        if setup is not None:
            work.emit("setup_intent.created", setup)
        invoices.announce_paid(work, paid.invoice)
        return subscription
    draft = invoice_papers.draw_up(
        work,
        invoice_id,
        customer,
        lines,
        currency=currency,
        reason="subscription_create",
        subscription=subscription,
        # One that is sent stays a draft for a while, for the shop to add to it.
        automatically_finalizes_at=work.now + invoices.DRAFT_FOR if sends else None,
    )
    work.emit("invoice.created", work.add(draft))
    if sends:
        work.at(draft["automatically_finalizes_at"], "advance_invoice", invoice_id)
        return subscription
    invoice_collection.open_up(work, draft)
    if collects and method is not None:
        invoice_collection.charge(work, draft, method, off_session=off_session)
    if subscription["status"] == "incomplete":
        work.later(subscription_terms.INCOMPLETE_FOR, "expire_incomplete", subscription["id"])
    return work.find("subscription", subscription["id"], "subscription")


def _paid_at_once(
    work: Work,
    customer: Object,
    method: Object,
    due: int,
    currency: str,
    invoice_id: str,
    begin: Begin,
    terms: Terms,
    *,
    off_session: bool,
) -> Object:
    """The card pays before there is a subscription, as the recorded events say."""
    intent = payment_intents.make(
        work, amount=due, currency=currency, customer=customer["id"], given={"description": "Subscription creation"}
    )
    tried = payment_intent_charges.charge_saved(work, intent, method, off_session=off_session, new=True)
    assert tried.charge is not None
    charges.announce(work, tried.charge)
    _set_currency(work, customer, currency)
    subscription, discounts = begin()
    lines = _lines(work, invoice_id, subscription, terms)
    paid = invoices.paid_at_once(work, invoice_id, subscription, customer, lines, intent, tried.charge)
    subscription_discounts.announce(work, discounts)
    work.emit("customer.subscription.created", subscription)
    work.emit("payment_intent.created", payment_intents.as_born(intent))
    work.emit("payment_intent.succeeded", intent)
    announce_first_invoice(work, Started(subscription, paid.invoice, paid.payment))
    return subscription


def _added(work: Work, params: Params, currency: str) -> list[tuple[Object, int]]:
    """What `add_invoice_items` put on the first invoice besides."""
    found: list[tuple[Object, int]] = []
    given: Sequence[Params] = params.get("add_invoice_items") or ()
    for place, one in enumerate(given):
        param = f"add_invoice_items[{place}]"
        if "price_data" in one:
            work.find_living("product", one["price_data"]["product"], f"{param}[price_data][product]")
            price = prices.make(work, one["price_data"], f"{param}[price_data]", active=False, announced=False)
        elif "price" in one:
            price = work.find("price", one["price"], f"{param}[price]")
        else:
            raise missing_parameter(f"{param}[price]")
        if price["recurring"] is not None:
            raise Refusal(
                "The price specified is set to `type=recurring` but this field only accepts prices with "
                "`type=one_time`.",
                param=f"{param}[price]",
            )
        if price["currency"] != currency:
            raise Refusal(f"This price is in {price['currency']}, and the subscription in {currency}.", param=param)
        found.append((price, one.get("quantity", 1)))
    return found


def _lines(work: Work, invoice: str, subscription: Object, terms: Terms) -> list[Object]:
    lines: list[Object] = []
    for item in subscription["items"]["data"]:
        amount = sold_items.rounded(sold_items.cost(item["price"], item.get("quantity")) * terms.share)
        trial = subscription["status"] == "trialing"
        lines.append(invoice_lines.of_period(work, invoice, subscription, item, trial=trial, amount=amount))
    lines += [invoice_lines.of_once(work, invoice, price, quantity) for price, quantity in terms.added]
    return lines


def _total(work: Work, planned: Sequence[Planned], terms: Terms) -> int:
    """What the first invoice will come to, in minor units."""
    lines: list[Object] = [
        {
            "amount": sold_items.rounded(sold_items.cost(one.price, one.quantity) * terms.share),
            "discountable": True,
            "pricing": invoice_lines.pricing(one.price),
        }
        for one in planned
        if one.price is not None
    ]
    for price, quantity in terms.added:
        amount = sold_items.cost(price, quantity)
        lines.append({"amount": amount, "discountable": True, "pricing": invoice_lines.pricing(price)})
    discount_amounts.reduce_lines(lines, subscription_discounts.as_reductions(work, terms.discounts))
    return sum(discount_amounts.left_of(line) for line in lines)


def _set_currency(work: Work, customer: Object, currency: str) -> None:
    if customer["currency"] is None:
        work.update_and_emit(customer, "customer.updated", currency=currency)
