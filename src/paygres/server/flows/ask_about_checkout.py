"""Nothing was heard of a checkout that somebody waits for: ask Stripe once, by the roads that everything takes."""

import asyncio
import time
import uuid

from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.connections import Connection
from paygres.server.flows.parts import Parts
from paygres.server.flows.sweep_events import sweep_window
from paygres.server.stripe_gateway.paths import path_of
from paygres.server.tables import settled_checkouts
from paygres.server.tables.settled_checkouts import Settlement

# How far back a lost event is looked for: a buyer waits right after paying. The sweeps find what is older.
SWEPT_SECONDS = 300
TELLING = (
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "customer.subscription.created",
    "invoice.paid",
    "payment_intent.succeeded",
)

_MISSING = ("event", "invoice", "subscription")


async def ask_about_checkout(parts: Parts, environment: str, row_id: uuid.UUID, pause: float) -> None:
    """After `pause` seconds: read the session at Stripe, and the events of the last minutes when one is missing here.

    Raises what Stripe and the database raise; who waits learns from the database, and the sweeps come by anyway.
    """
    await asyncio.sleep(pause)
    if not _stripe_may_know(await settled_checkouts.settlement(parts.db, row_id)):
        return
    async with parts.waiters.turn(environment, row_id):
        known = await settled_checkouts.settlement(parts.db, row_id)  # the turn before may have brought everything
        if _stripe_may_know(known):
            await _ask(parts, await parts.connections.current(environment), row_id, known)


def _stripe_may_know(known: Settlement) -> bool:
    return known.checkout_session_id is not None and known.waits_for in ("payment", *_MISSING)


async def _ask(parts: Parts, connection: Connection, row_id: uuid.UUID, known: Settlement) -> None:
    if known.account_id != connection.account_id:
        return
    if known.waits_for == "payment":
        path = path_of("/v1/checkout/sessions", known.checkout_session_id or "")
        answer = await parts.gateway.request(connection.stripe_key, "get", path, priority="refetch")
        await apply_reads(parts.db, connection, [answer.object], answer.as_of)
        known = await settled_checkouts.settlement(parts.db, row_id)
    if known.waits_for in _MISSING:
        since = int(time.time()) - SWEPT_SECONDS
        await sweep_window(parts, connection.environment, since, types=TELLING, priority="refetch")
