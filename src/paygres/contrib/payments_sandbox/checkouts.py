"""A checkout session as its buyer has it: paid, declined, left until it expires."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from paygres.contrib.payments_sandbox.errors import Declined, SandboxError
from paygres.contrib.payments_sandbox.wire import Wire

GOOD = "4242424242424242"
DECLINED = "4000000000000002"
SESSION = re.compile(r"(?:cs_test|bps)_[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Paid:
    """How paying ended. `status`: `complete`; `requires_action` while the buyer has not authenticated; `open` when the
    authentication failed. `success_url`: where the buyer goes, when it is complete."""

    status: Literal["complete", "requires_action", "open"]
    success_url: str | None


class Checkout:
    """One session, by its id or by the address of its payment page."""

    def __init__(self, wire: Wire, id_or_url: str) -> None:
        found = SESSION.search(id_or_url)
        if found is None:
            raise SandboxError(f"{id_or_url!r} is neither a checkout session's id nor the address of its page.")
        self._wire = wire
        self.id = found[0]

    def pay(
        self,
        card: str = GOOD,
        *,
        email: str | None = None,
        name: str | None = None,
        iban: str | None = None,
        authenticate: bool | None = None,
    ) -> Paid:
        """Pays as the page does, and returns when the webhook was answered (or after 10 seconds). `iban` pays by bank
        debit instead. `authenticate`: what the buyer does when the card asks for it: True passes, False fails, None
        leaves the question open. Raises `Declined`."""
        answer = {None: None, True: "complete", False: "fail"}[authenticate]
        sent = {"iban": iban} if iban is not None else {"card": card.replace(" ", "")}
        ended = self._wire.post("/_sim/pay", session=self.id, email=email, name=name, authenticate=answer, **sent)
        return Paid(ended["status"], ended.get("success_url"))

    def decline(self, card: str = DECLINED, *, email: str | None = None) -> Declined:
        """Tries to pay with a card that is declined; answers the decline. The session stays open."""
        try:
            self.pay(card, email=email)
        except Declined as declined:
            return declined
        raise SandboxError(f"The card {card} was not declined.")

    def expire(self) -> None:
        """Its time is over now."""
        self._wire.post("/_sim/expire", session=self.id)

    def read(self) -> dict[str, Any]:
        """The session as Stripe's API answers it."""
        return self._wire.stripe("GET", f"/v1/checkout/sessions/{self.id}", {})
