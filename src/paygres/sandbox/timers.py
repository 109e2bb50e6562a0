"""What happens by itself: due timers, each in its own unit of work, in the order of their time."""

import asyncio
import sys
import traceback
from collections.abc import Callable, Mapping

from paygres.sandbox import delayed_payments, renewals
from paygres.sandbox.objects import (
    charges,
    checkout_sessions,
    disputes,
    invoice_payments,
    refunds,
    subscription_ends,
    subscription_terms,
)
from paygres.sandbox.world import Work, World

LONGEST_SLEEP = 30.0

TIMERS: Mapping[str, Callable[[Work, str], None]] = {
    "advance_invoice": renewals.advance_invoice,
    "announce_invoice_payment": invoice_payments.announce,
    "end_debit": delayed_payments.end,
    "end_refund": refunds.end,
    "expire_incomplete": subscription_ends.expire_incomplete,
    "decide_dispute": disputes.decide,
    "expire_session": checkout_sessions.expire_by_time,
    "retry_invoice": renewals.retry_invoice,
    "settle_charge": charges.settle,
    "subscription_due": renewals.due,
    "trial_will_end": subscription_terms.announce_trial_end,
}


async def run_timers(world: World) -> None:
    """Runs until cancelled."""
    changed = asyncio.Event()
    world.wake_timers = changed.set
    while True:
        changed.clear()
        fire_due(world)
        [due] = world.store.run("SELECT min(due) FROM timers").fetchone()
        now = world.time()
        world.next_timer = min(due or now + LONGEST_SLEEP, now + LONGEST_SLEEP)
        wait = max(0.0, world.next_timer - now)
        try:
            async with asyncio.timeout(wait):
                await changed.wait()
        except TimeoutError:
            continue


def fire_due(world: World) -> None:
    rows = world.store.run(
        "SELECT seq, account, name, subject FROM timers WHERE due <= ? ORDER BY due, seq", (world.time(),)
    ).fetchall()
    for seq, account, name, subject in rows:
        try:
            with world.work(account) as work:
                world.store.run("DELETE FROM timers WHERE seq = ?", (seq,))
                TIMERS[name](work, subject)
        except Exception:
            # One broken timer must not stop the others; it is gone, and the log says why.
            traceback.print_exc(file=sys.stderr)
            world.store.run("DELETE FROM timers WHERE seq = ?", (seq,))
