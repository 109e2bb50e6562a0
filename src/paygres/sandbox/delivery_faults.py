"""What the dials do to deliveries: which of them is late, gets lost, comes twice, is signed wrongly; and the order in
which those that are due go out when they are shuffled."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from paygres.sandbox.faults import Faults
from paygres.sandbox.wire.signatures import another_secret, signature_header

# Beyond the 300 seconds that Stripe's libraries allow by default.
STALE_SECONDS = 600
# What reads an event's type and object.
Read = Callable[[], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to one try. `delay` in seconds, before anything else. `forgery`: "secret" or "timestamp", what is
    wrong about its signature."""

    delay: float = 0.0
    lost: bool = False
    dropped: bool = False
    doubled: bool = False
    unheard: bool = False
    forgery: str | None = None
    two_signatures: bool = False

    def sign(self, payload: bytes, secrets: tuple[str, ...], now: int) -> str:
        """The header as this try carries it."""
        if self.forgery == "secret":
            secrets = tuple(another_secret(secret) for secret in secrets)
        elif self.forgery == "timestamp":
            now -= STALE_SECONDS
        if self.two_signatures and len(secrets) == 1:
            secrets = (another_secret(secrets[0]), *secrets)
        return signature_header(payload, secrets, now)


UNDISTURBED = Fate()


class DeliveryFaults:
    """Deliveries are known by the endpoint's place among its account's, the event's type and its object's marks."""

    def __init__(self, dials: Faults) -> None:
        self._dials = dials
        self._names: dict[int, str] = {}
        self._put_off: set[int] = set()

    @property
    def shuffles(self) -> bool:
        return bool(self._dials.amount("shuffle"))

    def rank(self, seq: int, place: int, read: Read) -> float:
        """Where the delivery stands in the shuffled order: two that are due together go in the order of their ranks."""
        return self._dials.dice.throw("shuffle", self._name(seq, place, read))

    def fate(self, seq: int, tries: int, place: int, read: Read) -> Fate:
        """Of the try after `tries` others."""
        dials = self._dials
        if not dials.disturbs_deliveries:
            return UNDISTURBED
        name = self._name(seq, place, read)
        longest = dials.amount("delay")
        if longest and not tries and seq not in self._put_off:
            self._put_off.add(seq)
            return Fate(delay=longest * dials.dice.throw("delay", name))
        of_try = f"{name} try {tries}"
        forgery = None
        # A receiver that refuses the first try gets the event all the same.
        if not tries and dials.strikes("wrong_signature", name):
            forgery = "secret" if dials.dice.throw("forgery", name) < 0.5 else "timestamp"
        return Fate(
            lost=dials.strikes("lose", of_try),
            dropped=dials.strikes("drop", of_try),
            doubled=dials.strikes("duplicate", of_try),
            unheard=dials.strikes("unheard", of_try),
            forgery=forgery,
            two_signatures=bool(dials.amount("two_signatures")),
        )

    def forget(self, seq: int) -> None:
        """The delivery is over; when it is sent again it is another one."""
        self._names.pop(seq, None)
        self._put_off.discard(seq)

    def _name(self, seq: int, place: int, read: Read) -> str:
        known = self._names.get(seq)
        if known is None:
            event = read()
            sort = f"{place} {event['type']}"
            known = self._names[seq] = self._dials.dice.call(sort, event["data"]["object"])
        return known
