"""What happens by itself: due timers, each in its own unit of work, in the order of their time; and the sandbox's clock
moved ahead, which lets everything on the way happen at its own moment."""

import asyncio
import sys
import time
import traceback
from collections.abc import Callable, Mapping

from paygres.sandbox import clock_runs, delayed_payments, renewals
from paygres.sandbox.objects import (
    charges,
    checkout_sessions,
    direct_charges,
    disputes,
    invoice_dues,
    invoice_payments,
    invoice_upcoming,
    payment_intent_captures,
    payouts,
    refunds,
    subscription_ends,
    subscription_pauses,
    subscription_pending,
    subscription_terms,
    test_clocks,
)
from paygres.sandbox.wire.errors import Refusal
from paygres.sandbox.world import Work, World

LONGEST_SLEEP = 30.0
# So long may timers run before requests have their turn, in seconds.
SLICE = 0.01
LONGEST_MOVE = 10 * 366 * 24 * 3600

TIMERS: Mapping[str, Callable[[Work, str], None]] = {
    "advance_invoice": renewals.advance_invoice,
    "announce_invoice_payment": invoice_payments.announce,
    "decide_dispute": disputes.decide,
    "delete_test_clock": test_clocks.expire,
    "end_debit": delayed_payments.end,
    "end_payout": payouts.end,
    "end_refund": refunds.end,
    "expire_authorization": payment_intent_captures.expire,
    "expire_charge": direct_charges.expire,
    "expire_incomplete": subscription_ends.expire_incomplete,
    "expire_pending_update": subscription_pending.expire,
    "expire_session": checkout_sessions.expire_by_time,
    "invoice_due": invoice_dues.fall_due,
    "resume_collection": subscription_pauses.resume_collection,
    "retry_invoice": renewals.retry_invoice,
    "settle_charge": charges.settle,
    "subscription_due": renewals.due,
    "trial_will_end": subscription_terms.announce_trial_end,
    "upcoming_invoice": invoice_upcoming.announce,
}


async def run_timers(world: World) -> None:
    """Runs until cancelled."""
    changed = asyncio.Event()
    world.wake_timers = changed.set
    async with clock_runs.Runs(world, TIMERS) as runs:
        while True:
            changed.clear()
            runs.start()
            async with world.clock.moving:
                await _fire_due(world, world.time)
            [due] = world.store.run("SELECT min(due) FROM timers").fetchone()
            now = world.time()
            world.next_timer = min(due or now + LONGEST_SLEEP, now + LONGEST_SLEEP)
            wait = max(0.0, world.next_timer - now)
            try:
                async with asyncio.timeout(wait):
                    await changed.wait()
            except TimeoutError:
                continue


async def move(world: World, to: float) -> int:
    """Moves the sandbox's clock ahead to this Unix time, and answers how many timers were due on the way: each ran
    with the clock at its own moment. Test clocks stay where they are. Raises `Refusal` for a time that is past."""
    async with world.clock.moving:
        now = world.time()
        if to < now:
            raise Refusal(f"The clock cannot go back: it is {int(now)} already.", param="to")
        if to - now > LONGEST_MOVE:
            raise Refusal("The clock cannot be moved by more than ten years at once.", param="to")
        world.clock.hold(now)
        try:
            fired = await _fire_due(world, lambda: to)
            world.clock.hold(to)
        finally:
            world.clock.set(world.time())
    world.wake_timers()
    world.wake_deliveries()
    return fired


async def _fire_due(world: World, until: Callable[[], float]) -> int:
    """Runs the timers that are due, also those that others of them set; answers how many. A clock that is held moves
    with them."""
    fired, since = 0, time.monotonic()
    while True:
        row = world.store.run(
            "SELECT seq, account, due, name, subject FROM timers WHERE due <= ? ORDER BY due, seq LIMIT 1", (until(),)
        ).fetchone()
        if row is None:
            return fired
        seq, account, due, name, subject = row
        if world.clock.is_held and due > world.time():
            world.clock.hold(due)
        _fire(world, seq, account, name, subject)
        fired += 1
        if time.monotonic() - since > SLICE:
            await asyncio.sleep(0)
            since = time.monotonic()


def _fire(world: World, seq: int, account: str, name: str, subject: str) -> None:
    try:
        with world.work(account) as work:
            world.store.run("DELETE FROM timers WHERE seq = ?", (seq,))
            TIMERS[name](work, subject)
    except Exception:
        # One broken timer must not stop the others; it is gone, and the log says why.
        traceback.print_exc(file=sys.stderr)
        world.store.run("DELETE FROM timers WHERE seq = ?", (seq,))
