"""Stripe's test cards and what each of them does."""

from dataclasses import dataclass

DECLINED = "Your card was declined."


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


def _declines(number: str, code: str, decline_code: str | None, message: str, *, asks: bool = False) -> Card:
    return Card(number, code=code, decline_code=decline_code, message=message, asks=asks)


CARDS: dict[str, Card] = {
    card.number: card
    for card in (
        Card("4242424242424242"),
        Card("4000056655665556"),
        Card("5555555555554444", brand="mastercard"),
        Card("378282246310005", brand="amex"),
        Card("4000000000000259", disputed="fraudulent"),
        Card("4000000000002685", disputed="product_not_received"),
        Card("4000000000001976", disputed="inquiry"),
        Card("4000000000007726", refunds="pending"),
        Card("4000000000005126", refunds="fails"),
        Card("6011111111111117", brand="discover"),
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
        Card("4000000000000341", code="card_declined", decline_code="generic_decline", message=DECLINED, attaches=True),
        Card("4000002500003155", asks=True),
        Card("4000002760003184", asks=True),
        Card("4000000000003220", asks=True),
        _declines("4000008400001629", "card_declined", "generic_decline", DECLINED, asks=True),
    )
}

TOKENS = {
    "tok_createDispute": "4000000000000259",
    "tok_visa_createDispute": "4000000000000259",
    "pm_card_createDispute": "4000000000000259",
    "tok_createDisputeProductNotReceived": "4000000000002685",
    "pm_card_createDisputeProductNotReceived": "4000000000002685",
    "tok_createDisputeInquiry": "4000000000001976",
    "pm_card_createDisputeInquiry": "4000000000001976",
    "tok_pendingRefund": "4000000000007726",
    "pm_card_pendingRefund": "4000000000007726",
    "tok_refundFail": "4000000000005126",
    "pm_card_refundFail": "4000000000005126",
    "tok_visa": "4242424242424242",
    "pm_card_visa": "4242424242424242",
    "tok_mastercard": "5555555555554444",
    "pm_card_mastercard": "5555555555554444",
    "tok_amex": "378282246310005",
    "pm_card_amex": "378282246310005",
    "tok_chargeDeclined": "4000000000000002",
    "tok_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "tok_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "tok_chargeCustomerFail": "4000000000000341",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "tok_threeDSecureRequired": "4000002760003184",
    "pm_card_authenticationRequired": "4000002500003155",
    "pm_card_threeDSecure2Required": "4000000000003220",
}

BRANDS = {"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "discover": "Discover"}


def digits(number: str) -> str:
    return "".join(sign for sign in number if sign.isdigit())


def passes_luhn(number: str) -> bool:
    total = 0
    for place, sign in enumerate(reversed(number)):
        value = int(sign) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return 12 <= len(number) <= 19 and total % 10 == 0


def card_of(number_or_token: str) -> Card | None:
    """The test card of a number or a token such as `tok_visa`; None when its number is not a card's. A valid number
    that is no test card is declined, as Stripe declines real cards in test mode."""
    number = TOKENS.get(number_or_token) or digits(number_or_token)
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
