"""Stripe's test cards and what each of them does. Their names (`tok_…`, `pm_card_…`) are in card_names.py."""

from dataclasses import dataclass, replace
from typing import Any

from paygres.sandbox.objects.card_names import NUMBERS

DECLINED = "Your card was declined."
NEEDS_AUTHENTICATION = "Your card was declined. This transaction requires authentication."


@dataclass(frozen=True, slots=True)
class Card:
    """`code`: the error code a charge ends with, None when it is paid. `asks`: the buyer must authenticate first.
    `attaches`: it can be saved, although its charges fail."""

    number: str
    brand: str = "visa"
    code: str | None = None
    decline_code: str | None = None
    message: str = ""
    asks: bool = False
    attaches: bool = False
    # What dispute follows the payment (disputes.py), and how refunds end (refunds.py).
    disputed: str | None = None
    refunds: str | None = None
    funding: str = "credit"
    country: str = "US"
    # When a charge while the buyer is away needs no answer although the card asks: once it was set up for that
    # ("set_up"), or always.
    away: str | None = None
    # What Stripe itself thinks of it: "elevated", or "highest", which it blocks.
    risk: str = "normal"
    checks: tuple[tuple[str, str], ...] = (("cvc_check", "pass"),)
    # Its payments are in the balance at once.
    settles_at_once: bool = False

    def while_away(self, *, set_up: bool) -> "Card":
        """The card as a charge finds it while nobody can answer a challenge. One that asks is declined then, unless
        it was set up for such charges."""
        if not self.asks:
            return self
        if self.away == "always" or (self.away == "set_up" and set_up):
            return replace(self, asks=False)
        word = "authentication_required"
        return replace(self, asks=False, code=word, decline_code=word, message=NEEDS_AUTHENTICATION)

    def declined(self) -> "Card":
        """The card on a day on which its bank refuses everything."""
        return replace(self, code="card_declined", decline_code="generic_decline", message=DECLINED, asks=False)


def _declines(number: str, code: str, decline_code: str | None, message: str, **more: Any) -> Card:
    return Card(number, code=code, decline_code=decline_code, message=message, **more)


CARDS: dict[str, Card] = {
    card.number: card
    for card in (
        Card("4242424242424242"),
        Card("4000056655665556", funding="debit"),
        Card("5555555555554444", brand="mastercard"),
        Card("2223003122003222", brand="mastercard"),
        Card("5200828282828210", brand="mastercard", funding="debit"),
        Card("5105105105105100", brand="mastercard", funding="prepaid"),
        Card("378282246310005", brand="amex"),
        Card("371449635398431", brand="amex"),
        Card("6011111111111117", brand="discover"),
        Card("6011000990139424", brand="discover"),
        Card("3056930009020004", brand="diners"),
        Card("36227206271667", brand="diners"),
        Card("3566002020360505", brand="jcb"),
        Card("6200000000000005", brand="unionpay"),
        Card("4000000000000077", settles_at_once=True),
        Card("4000000000000259", disputed="fraudulent"),
        Card("4000000000002685", disputed="product_not_received"),
        Card("4000000000001976", disputed="inquiry"),
        Card("4000000000007726", refunds="pending"),
        Card("4000000000005126", refunds="fails"),
        Card("4000000000009235", risk="elevated"),
        Card("4000000000000101", checks=(("cvc_check", "fail"),)),
        Card("4000000000000036", checks=(("address_postal_code_check", "fail"), ("cvc_check", "pass"))),
        # It can authenticate, and nobody asks it to.
        Card("4000000000003055"),
        _declines("4000000000000002", "card_declined", "generic_decline", DECLINED),
        _declines("4000000000009995", "card_declined", "insufficient_funds", "Your card has insufficient funds."),
        _declines("4000000000009987", "card_declined", "lost_card", DECLINED),
        _declines("4000000000009979", "card_declined", "stolen_card", DECLINED),
        _declines("4000000000000069", "expired_card", None, "Your card has expired."),
        _declines("4000000000000127", "incorrect_cvc", None, "Your card's security code is incorrect."),
        _declines(
            "4000000000000119",
            "processing_error",
            None,
            "An error occurred while processing your card. Try again in a little bit.",
        ),
        _declines("4000000000006975", "card_declined", "card_velocity_exceeded", DECLINED),
        _declines("4100000000000019", "card_declined", "fraudulent", DECLINED, risk="highest"),
        _declines("4000000000004954", "card_declined", "fraudulent", DECLINED, risk="highest"),
        Card("4000000000000341", code="card_declined", decline_code="generic_decline", message=DECLINED, attaches=True),
        Card("4000002500003155", asks=True, away="set_up"),
        Card("4000003800000446", asks=True, away="always"),
        Card("4000002760003184", asks=True),
        Card("4000000000003220", asks=True),
        Card("4000000000003063", asks=True),
        _declines("4000008400001629", "card_declined", "generic_decline", DECLINED, asks=True),
        _declines(
            "4000008260003178",
            "card_declined",
            "insufficient_funds",
            "Your card has insufficient funds.",
            asks=True,
            attaches=True,
        ),
    )
}

BRANDS = {
    "visa": "Visa",
    "mastercard": "Mastercard",
    "amex": "American Express",
    "discover": "Discover",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}


def digits(number: str) -> str:
    return "".join(sign for sign in number if sign.isdigit())


def passes_luhn(number: str) -> bool:
    total = 0
    for place, sign in enumerate(reversed(number)):
        value = int(sign) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return 12 <= len(number) <= 19 and total % 10 == 0


def card_of(number_or_name: str) -> Card | None:
    """The test card of a number or a name such as `tok_visa`; None when its number is not a card's. A valid number
    that is no test card is declined, as Stripe declines real cards in test mode."""
    number = NUMBERS.get(number_or_name) or digits(number_or_name)
    if number in CARDS:
        return CARDS[number]
    if not passes_luhn(number):
        return None
    return _declines(
        number,
        "card_declined",
        "test_mode_live_card",
        "Your card was declined. Your request was in test mode, but used a non test card. "
        "For a list of valid test cards, visit: https://stripe.com/docs/testing.",
    )
