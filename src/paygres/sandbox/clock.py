"""The sandbox's clock, the one notion of now: real time, moved ahead or back as somebody asked. Also what lives in the
time of a Stripe test clock instead."""

import asyncio
import time
from collections.abc import Callable, Set

from paygres.sandbox.store import Object, Store

TEST_CLOCK = "test_helpers.test_clock"
# Timers that wait in the time of a test clock; everything else (a charge that settles, a refund) happens in the
# sandbox's.
CLOCKED = frozenset(
    (
        "advance_invoice",
        "end_debit",
        "expire_incomplete",
        "expire_pending_update",
        "expire_session",
        "invoice_due",
        "resume_collection",
        "retry_invoice",
        "subscription_due",
        "trial_will_end",
        "upcoming_invoice",
    )
)
# What knows nothing of test clocks: it is `created` when it is made, as Stripe's payments are.
UNCLOCKED = frozenset(
    (
        "balance_transaction",
        "billing_portal.session",
        "charge",
        "dispute",
        "payment_intent",
        "payment_method",
        "refund",
        "setup_attempt",
        "setup_intent",
    )
)


def test_clock_of(item: Object, get: Callable[[str], Object | None]) -> Object | None:
    """The living test clock that the object belongs to; a checkout session does through its customer."""
    id = item.get("test_clock")
    if id is None and item["object"] == "checkout.session" and item["customer"]:
        id = (get(item["customer"]) or {}).get("test_clock")
    clock = get(id) if id else None
    return None if clock is None or clock.get("deleted") else clock


class Clock:
    """Survives a restart with the state. `moving`: one at a time moves it, with timers.move."""

    def __init__(self, store: Store, begins: float | None = None) -> None:
        """`begins`: where it is set when the state has no clock of its own yet."""
        self._store = store
        self._held: float | None = None
        self._accounts: set[str] | None = None
        self.moving = asyncio.Lock()
        ahead = store.fact("clock_ahead")
        self._ahead = float(ahead or 0)
        if ahead is None and begins is not None:
            self.set(begins)

    def time(self) -> float:
        """Unix seconds."""
        return self._held if self._held is not None else time.time() + self._ahead

    def set(self, moment: float) -> None:
        """It goes on from this moment with real time. What is due on the way is not awaited: timers.move does that."""
        self._held, self._ahead = None, moment - time.time()
        with self._store.transaction():
            self._store.set_fact("clock_ahead", repr(self._ahead))

    def hold(self, moment: float) -> None:
        """It stands still at this moment until it is held elsewhere, or set."""
        self._held = moment

    @property
    def is_held(self) -> bool:
        return self._held is not None

    def accounts_with_test_clocks(self) -> Set[str]:
        """Whose objects may belong to a test clock; nobody else pays for asking."""
        if self._accounts is None:
            self._accounts = set(self._store.accounts_with(TEST_CLOCK))
        return self._accounts

    def forget_test_clocks(self) -> None:
        """Reads who has test clocks anew when it is needed next."""
        self._accounts = None
