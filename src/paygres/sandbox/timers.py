"""What happens by itself: due timers, each in its own unit of work, in the order of their time."""

import asyncio
import sys
import traceback
from collections.abc import Callable, Mapping

from paygres.sandbox.objects import charges, checkout_sessions, invoices
from paygres.sandbox.world import Work, World

LONGEST_SLEEP = 30.0

TIMERS: Mapping[str, Callable[[Work, str], None]] = {
    "announce_invoice_payment": invoices.announce_payment,
    "expire_session": checkout_sessions.expire_by_time,
    "settle_charge": charges.settle,
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
