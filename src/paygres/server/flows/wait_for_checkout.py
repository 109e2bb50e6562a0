"""GET …/checkout-sessions/{id}?wait=<seconds>: the session as soon as its purchase is projected and fulfilled."""

import asyncio
import uuid
from contextlib import suppress
from typing import Any

from paygres.server.caller import Caller
from paygres.server.flows.ask_about_checkout import ask_about_checkout
from paygres.server.flows.parts import Parts
from paygres.server.flows.read_checkout_session import read_checkout_session
from paygres.server.metrics import wait_ended
from paygres.server.tables import settled_checkouts

PATIENCE_SECONDS = 2.0  # Stripe is asked when nothing came until then, at the latest after half of the waiting


async def wait_for_checkout(
    parts: Parts, caller: Caller, environment: str, wanted: str, seconds: int
) -> dict[str, Any]:
    """`{checkoutSession, settled, waitsFor, fulfillments}`, at the latest after `seconds`, under the caller's policies.

    Raises NotFound as a read does, and Unavailable when too many wait already.
    """
    session = await read_checkout_session(parts, caller, environment, wanted)
    row_id = uuid.UUID(session["id"])
    found = await settled_checkouts.settlement(parts.db, row_id)
    if seconds and not found.ended:
        with parts.waiters.one(parts.db, row_id, session["checkoutSessionId"]) as waited:
            if waited.asking is None:
                pause = min(PATIENCE_SECONDS, seconds / 2)
                waited.asking = parts.errands.start(ask_about_checkout(parts, environment, row_id, pause))
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await waited.ended.wait()
        found = await settled_checkouts.settlement(parts.db, row_id)
        wait_ended(environment, "settled" if found.waits_for is None else "dead" if found.ended else "late")
    return {
        # Read after the settlement, so that it is never older.
        "checkoutSession": await read_checkout_session(parts, caller, environment, wanted),
        "settled": found.waits_for is None,
        "waitsFor": found.waits_for,
        "fulfillments": found.fulfillments,
    }
