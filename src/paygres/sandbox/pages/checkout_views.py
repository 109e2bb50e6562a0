"""What the payment page shows of a session, as plain values for its template."""

from typing import Any

from paygres.sandbox.objects import bank_debits, subscription_starts
from paygres.sandbox.objects.cards import BRANDS
from paygres.sandbox.pages.checkout_form import (
    asks_address,
    asks_phone,
    fixed_email,
    is_free,
    offers_saving,
    saved_cards,
)
from paygres.sandbox.pages.money import day, money, per
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.world import Work

TEST_CARDS = (
    ("4242 4242 4242 4242", "pays"),
    ("5555 5555 5555 4444", "pays (Mastercard)"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0000 0000 9995", "has insufficient funds"),
    ("4000 0000 0000 0127", "has a wrong security code"),
    ("4000 0025 0000 3155", "asks for authentication"),
    ("4000 0084 0000 1629", "asks for it and is declined"),
    ("4000 0000 0000 0259", "pays and is disputed"),
)
OF_SUBSCRIPTION = ("4000 0000 0000 0341", "pays nothing, but can be saved: renewals fail")
TEST_ACCOUNTS = (
    ("AT61 1904 3002 3457 3201", "pays after a while"),
    ("AT86 1904 3002 3547 3202", "fails after a while"),
)
SUBMITS = {"book": "Book", "donate": "Donate", "subscribe": "Subscribe"}


def shown(work: Work, session: Object, typed: dict[str, str]) -> dict[str, Any]:
    hidden = work.hidden(session["id"])
    mode, currency = session["mode"], session["currency"]
    sold: list[Object] = hidden.get("line_items", [])
    due = 0 if mode == "setup" else subscription_starts.due_now(session, hidden)
    total = money(session["amount_total"] or 0, currency or "usd")
    headline, then = _headline(work, session, hidden, sold, due)
    heading, button = _words(session, hidden, due)
    free = is_free(session)
    debits = bank_debits.TYPE in session["payment_method_types"]
    return {
        "asks_address": asks_address(session),
        "asks_phone": asks_phone(session),
        "button": button,
        "cancel_url": session["cancel_url"],
        "custom_fields": [_custom(one) for one in session["custom_fields"]],
        "custom_text": _text(session, "submit"),
        "discount": _discount(work, session),
        "due": money(due, currency or "usd"),
        "fixed_email": fixed_email(session),
        "free": free,
        "heading": heading,
        "headline": headline,
        "id": session["id"],
        "items": [_item(work, item) for item in sold],
        "means": _means(work, session, typed, debits),
        "offers_saving": offers_saving(session) and not free,
        "removable": bool(session["allow_promotion_codes"]) and bool(session["discounts"]),
        "setup": mode == "setup",
        "small_print": _small_print(mode),
        "subscribes": mode == "subscription",
        "subtotal": money(session["amount_subtotal"] or 0, currency or "usd"),
        "takes_codes": bool(session["allow_promotion_codes"]) and not session["discounts"],
        "test_accounts": TEST_ACCOUNTS if debits else (),
        "test_cards": _test_cards(session),
        "then": then,
        "total": "" if mode == "setup" else total,
        "typed": typed,
    }


def card_text(method: Object) -> str:
    card = method["card"]
    return f"{BRANDS.get(card['brand'], card['brand'])} ending in {card['last4']}"


def _words(session: Object, hidden: Object, due: int) -> tuple[str, str]:
    """(heading, text of the button)."""
    if session["mode"] == "setup":
        return "Save a payment method", "Save"
    if session["mode"] == "subscription":
        return "Subscribe", "Start trial" if _trial(hidden) and not due else "Subscribe"
    if is_free(session):
        return "Complete your order", "Complete the order"
    word = SUBMITS.get(session["submit_type"] or "", "Pay")
    return "Order summary" if word == "Pay" else word, f"{word} {money(due, session['currency'])}"


def _headline(work: Work, session: Object, hidden: Object, sold: list[Object], due: int) -> tuple[str, str | None]:
    """(what is due now, what comes after that)."""
    if session["mode"] == "setup":
        return "Payment method", None
    currency = session["currency"]
    recurring = [one for one in sold if one["price"]["recurring"]]
    if session["mode"] != "subscription" or not recurring:
        return money(due, currency), None
    every = per(recurring[0]["price"])
    lasting = _lasts(work, session)
    amount = sum(one["amount_total" if lasting else "amount_subtotal"] for one in recurring)
    then = f"Then {money(amount, currency)} {every}"
    trial = _trial(hidden)
    if trial:
        return (trial if not due else f"{money(due, currency)} now, {trial}"), then
    if due == amount:
        return f"{money(due, currency)} {every}", None
    return money(due, currency), then


def _trial(hidden: Object) -> str | None:
    given: Object = hidden.get("subscription_data", {})
    days = given.get("trial_period_days")
    if days:
        return "1 day free" if days == 1 else f"{days} days free"
    return f"Free until {day(given['trial_end'])}" if given.get("trial_end") else None


def _lasts(work: Work, session: Object) -> bool:
    """Whether the session's discount is taken off every later payment too."""
    coupons = [work.get(one["coupon"]) for one in session["discounts"]]
    return all(one is not None and one.get("duration") == "forever" for one in coupons)


def _discount(work: Work, session: Object) -> dict[str, str] | None:
    taken: int = (session["total_details"] or {}).get("amount_discount", 0)
    if not taken:
        return None
    given = session["discounts"][0] if session["discounts"] else {}
    code = work.get(given["promotion_code"]) if given.get("promotion_code") else None
    coupon = (work.get(given["coupon"]) if given.get("coupon") else None) or {}
    name = (code or {}).get("code") or coupon.get("name") or _off(coupon)
    return {"amount": money(taken, session["currency"]), "name": name}


def _off(coupon: Object) -> str:
    percent = coupon.get("percent_off")
    return f"{percent:g}% off" if percent else "coupon"


def _item(work: Work, item: Object) -> dict[str, Any]:
    price, quantity = item["price"], item["quantity"]
    product = work.get(price["product"]) or {}
    unit = price["unit_amount"]
    return {
        "amount": money(item["amount_subtotal"], item["currency"]),
        "each": money(unit, item["currency"]) if unit is not None and quantity and quantity > 1 else None,
        "every": f"Billed {per(price)}" if price["recurring"] else None,
        "name": item["description"],
        "quantity": quantity,
        "text": product.get("description"),
    }


def _means(work: Work, session: Object, typed: dict[str, str], debits: bool) -> list[dict[str, Any]]:
    found = [(one["id"], f"{card_text(one)}, saved") for one in saved_cards(work, session)]
    if "card" in session["payment_method_types"]:
        found.append(("card", "Another card" if found else "Card"))
    if debits:
        found.append((bank_debits.TYPE, "Bank debit (SEPA)"))
    chosen = typed.get("method") or (found[0][0] if found else "")
    return [{"value": value, "label": label, "chosen": value == chosen} for value, label in found]


def _custom(field: Object) -> dict[str, Any]:
    rules = field[field["type"]]
    return {
        "choices": rules.get("options"),
        "label": field["label"]["custom"] + (" (optional)" if field["optional"] else ""),
        "name": f"custom_{field['key']}",
        "numeric": field["type"] == "numeric",
        "optional": field["optional"],
        "value": rules["value"] or rules["default_value"] or "",
    }


def _text(session: Object, place: str) -> str | None:
    return ((session["custom_text"] or {}).get(place) or {}).get("message")


def _test_cards(session: Object) -> tuple[tuple[str, str], ...]:
    if "card" not in session["payment_method_types"]:
        return ()
    return TEST_CARDS if session["mode"] == "payment" else (*TEST_CARDS, OF_SUBSCRIPTION)


def _small_print(mode: str) -> str | None:
    return {
        "subscription": "Your card would be charged like this until you cancel.",
        "setup": "It would be kept for later payments.",
    }.get(mode)
