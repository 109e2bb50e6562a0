"""A history of Stripe's events with what is to be expected of it."""

from dataclasses import dataclass
from typing import Literal

from paygres.server.chaos.objects import CheckoutRow, Event

# paid: the money came at once; paid_late: days later; free: nothing was to pay; unpaid: no money came; returned: all
# of it went back, or the subscription ended; twice: two payments for one thing; mispriced: paid, but for something
# cheaper; other: nothing is said beyond order and repeats.
Outcome = Literal["paid", "paid_late", "free", "unpaid", "returned", "twice", "mispriced", "other"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`twins`: pairs of positions in `events` that tell of the same money. `ordered`: what comes out must not depend
    on the order; with two payments for one thing it may, since either can be the first."""

    name: str
    rows: tuple[CheckoutRow, ...]
    events: tuple[Event, ...]
    outcome: Outcome = "paid"
    twins: tuple[tuple[int, int], ...] = ()
    ordered: bool = True
    family: str = "purchase"
