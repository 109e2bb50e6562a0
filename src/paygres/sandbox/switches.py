"""What somebody at the control page wants to happen once: to an account's next payment, and to its next delivery."""

from collections import Counter
from dataclasses import replace

from paygres.sandbox.objects.cards import CARDS, DECLINED, Card

# What may happen to the next payment, by the word that chooses it.
PAYMENTS = {
    "declined": "is declined",
    "asks": "asks for authentication",
    "disputed": "is paid and then disputed",
}
# It may also be declined as one of the test cards is, by the code that says why.
CODES = {card.decline_code or card.code: card for card in CARDS.values() if card.code and not card.asks}


class Switches:
    """In memory: a restart turns them off. Accounts by their ids."""

    def __init__(self) -> None:
        self._payments: dict[str, str] = {}
        self._losses: Counter[str] = Counter()

    def turn(self, account: str, payment: str | None) -> None:
        """What its next payment does (a word of PAYMENTS or of CODES), or None: whatever its card does. Raises
        ValueError."""
        if payment is None:
            self._payments.pop(account, None)
        elif payment in PAYMENTS or payment in CODES:
            self._payments[account] = payment
        else:
            codes = ", ".join(sorted(filter(None, CODES)))
            raise ValueError(f"the next payment can be {', '.join(PAYMENTS)}, or declined with the code {codes}")

    def lose(self, account: str, deliveries: int) -> None:
        """So many of its next deliveries are lost."""
        self._losses[account] = deliveries

    def payment(self, account: str) -> str | None:
        return self._payments.get(account)

    def losses(self, account: str) -> int:
        """How many deliveries are still to be lost."""
        return self._losses[account]

    def card(self, account: str, card: Card) -> Card:
        """The card as this payment finds it; the switch is off again then."""
        word = self._payments.get(account)
        if word not in ("declined", "asks") and word not in CODES:
            return card
        del self._payments[account]
        if word == "asks":
            return replace(card, asks=True)
        like = CODES.get(word)
        if like is not None:
            return replace(card, code=like.code, decline_code=like.decline_code, message=like.message, asks=False)
        return replace(card, code="card_declined", decline_code="generic_decline", message=DECLINED, asks=False)

    def disputes(self, account: str) -> bool:
        """Whether the payment that was just made is disputed; the switch is off again then."""
        if self._payments.get(account) != "disputed":
            return False
        del self._payments[account]
        return True

    def loses(self, account: str) -> bool:
        """Whether this delivery is lost."""
        if not self._losses[account]:
            return False
        self._losses[account] -= 1
        return True
