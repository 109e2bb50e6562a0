"""Rows of payments.sweeps: how far Stripe's list of events was compared with the ledger, and who compares now."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson

from paygres.server.db.database import Database
from paygres.server.errors import Unavailable
from paygres.server.tables.named import queries
from paygres.server.tables.sqlstates import translated

Q = queries("sweeps")

SHORT = timedelta(minutes=1)
LONG = timedelta(hours=1)
"""How often the last minutes, and the last hour, are looked at."""

_BEYOND = "events_beyond_horizon"
_UNREADABLE = "unreadable_event"


class Superseded(Unavailable):
    """Another process sweeps, because this one seemed dead."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One run of one account's sweep; `holder` is its own name. Times are Unix seconds, both ends included.

    Before a first sweep `complete_through` is the second before `complete_from`. `long`: the last hour is due.
    """

    environment: str
    account_id: str
    complete_from: int
    complete_through: int
    wanted_since: int | None
    long: bool
    holder: uuid.UUID = field(repr=False)


@dataclass(frozen=True, slots=True)
class Progress:
    """What /metrics and readiness tell of a connected account. `complete_through` is None before a first sweep."""

    environment: str
    complete_from: int
    complete_through: int | None
    missing: int
    gaps: int
    refetches: int


async def claim(db: Database, environment: str, account_id: str, since: int, lease: timedelta) -> Claim | None:
    """The account's sweep when it is due and nobody is at it; the first begins at `since`, a minute from now."""
    holder = uuid.uuid4()
    with translated():
        row = await db.fetchrow(Q.claim, environment, account_id, holder, lease)
        if row is None:
            if not await db.fetchval(Q.exists_sweep, environment, account_id):
                await db.execute(Q.insert_sweep, environment, account_id, since)
            return None
    return Claim(environment, account_id, **dict(row), holder=holder)


async def extend(db: Database, claimed: Claim, lease: timedelta) -> bool:
    """False when another run has taken over."""
    with translated():
        return await db.fetchval(Q.extend, *_of(claimed), lease) is not None


async def publish(db: Database, claimed: Claim, since: int, through: int) -> int:
    """All that Stripe listed from `since` to `through` is stored; returns what is complete now. Raises Superseded."""
    with translated():
        reached: int | None = await db.fetchval(Q.publish, *_of(claimed), since, through)
    if reached is None:
        raise Superseded("Another process sweeps the events of this account")
    return reached


async def begin_anew(db: Database, claimed: Claim, since: int) -> None:
    """Stripe does not list any more what was between `claimed.complete_through` and `since`: an operator is told."""
    message = (
        "Events were not compared with Stripe for longer than Stripe keeps them. What happened meanwhile and was not"
        " delivered can only be found by a reconcile of the objects."
    )
    details = {"after": claimed.complete_through, "before": since}
    with translated():
        async with db.as_service() as tx:
            if await tx.fetchval(Q.begin_anew, *_of(claimed), since) is None:
                raise Superseded("Another process sweeps the events of this account")
            await tx.execute(
                Q.open_attention,
                claimed.environment,
                claimed.account_id,
                _BEYOND,
                "account",
                claimed.account_id,
                message,
                orjson.dumps(details).decode(),
            )


async def close_horizon(db: Database, environment: str) -> None:
    """The objects of the account were compared with Stripe: what `begin_anew` asked for is done."""
    with translated():
        await db.execute(Q.close_attention, environment, _BEYOND)


async def finish(db: Database, claimed: Claim, listed: int, missing: int) -> None:
    """It went well; the next one comes by itself."""
    with translated():
        await db.execute(Q.finish, *_of(claimed), claimed.wanted_since, SHORT, LONG, claimed.long, listed, missing)


async def fail(db: Database, claimed: Claim, error: str) -> None:
    """It did not; what was published stays, and it is tried again in a minute."""
    with translated():
        await db.execute(Q.fail, *_of(claimed), error, SHORT)


async def want(db: Database, environment: str, account_id: str, since: int) -> None:
    """A hole is suspected after `since`: sweep now, and from there."""
    with translated():
        await db.execute(Q.want, environment, account_id, since)


async def select_unknown(db: Database, environment: str, event_ids: Sequence[str]) -> set[str]:
    """Those of `event_ids` that are not in the ledger."""
    with translated():
        return {row["id"] for row in await db.fetch(Q.select_unknown, environment, list(event_ids))}


async def queue_refetch(db: Database, environment: str, object_type: str, object_id: str, reason: str) -> None:
    """The worker reads the object at Stripe, at once."""
    with translated():
        await db.execute(Q.queue_refetch, environment, object_type, object_id, reason)


async def tell_unreadable(
    db: Database, environment: str, account_id: str, event_id: str, details: Mapping[str, Any]
) -> None:
    """An event that Stripe lists and that is no event as we know them: an operator is told, nothing is kept."""
    message = f"Stripe lists the event {event_id}, which has not the shape of an event; it could not be stored."
    with translated():
        await db.execute(
            Q.open_attention,
            environment,
            account_id,
            _UNREADABLE,
            "event",
            event_id,
            message,
            orjson.dumps(dict(details)).decode(),
        )


async def select_progress(db: Database) -> list[Progress]:
    """Of the connected accounts, test then live."""
    with translated():
        return [Progress(**row) for row in await db.fetch(Q.select_progress)]


def _of(claimed: Claim) -> tuple[str, str, uuid.UUID]:
    return claimed.environment, claimed.account_id, claimed.holder
