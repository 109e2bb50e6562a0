"""Plays histories by the server's own road and reads what they leave in the developer's tables. Sequences of a scenario
share their beginnings: they are one tree, walked with savepoints in one transaction that is rolled back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson

from paygres.server.chaos.objects import Shop
from paygres.server.chaos.scenario import Scenario
from paygres.server.db.database import Database, Tx
from paygres.server.flows.apply_event import Road, apply_within
from paygres.server.flows.listeners import Listeners
from paygres.server.projections.events import read_event
from paygres.server.tables import developers_tables, event_log, installation, listeners
from paygres.server.tables.developers_tables import Table

ENVIRONMENT = "test"
_ROUNDS = 3  # of the worker, for what failed or was left to it
_LEASE = timedelta(seconds=60)
# Each event has a transaction of its own in life: what such a one forgets at its end is forgotten here.
_FRESH = "SET LOCAL statement_timeout = '10s'; SET LOCAL lock_timeout = '3s'; SET LOCAL payments.reversals = ''"

Rows = dict[str, list[dict[str, Any]]]
Step = tuple[int, bool]  # position of the event, and whether an operator runs it again
Order = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """An event that is not done after all attempts."""

    event_type: str
    error: str


@dataclass(frozen=True, slots=True)
class End:
    """What a played order leaves behind."""

    rows: Rows
    failures: tuple[Failure, ...]


@dataclass(slots=True)
class _Node:
    order: Order | None = None
    steps: dict[Step, "_Node"] = field(default_factory=dict[Step, "_Node"])


class _RollBack(Exception):
    pass


class Stage:
    """One throw-away database with the developer's code in it."""

    def __init__(self, db: Database, shop: Shop, tables: list[Table], road: Road) -> None:
        self._db = db
        self._shop = shop
        self._road = road
        self.tables = tables

    @classmethod
    async def open(cls, db: Database, shop: Shop, ignored: Sequence[str], called: Listeners) -> "Stage":
        """Tables named in `ignored` are not looked at."""
        installation_id = await installation.select_id(db)
        async with db.as_service("webhook") as tx:
            tables = await developers_tables.list_tables(tx)
            for one in called.all():
                await listeners.register(tx, one.name, one.environment, one.types)
        road = Road(ENVIRONMENT, "", 0, installation_id, listeners=called)
        return cls(db, shop, [table for table in tables if table.name not in ignored], road)

    async def initial(self) -> Rows:
        """The tables before anything was bought."""
        async with self._db.as_service("webhook") as tx:
            return await developers_tables.read_rows(tx, self.tables)

    async def play(self, scenario: Scenario, orders: Sequence[Order]) -> dict[Order, End]:
        """The end of each order."""
        root = _Node()
        for order in orders:
            node = root
            for step in order:
                node = node.steps.setdefault(step, _Node())
            node.order = order
        ends: dict[Order, End] = {}
        try:
            async with self._db.as_service("webhook", settings=_FRESH) as tx:
                await self._start_checkouts(tx, scenario)
                await self._walk(tx, scenario, root, 0, ends)
                raise _RollBack
        except _RollBack:
            return ends

    async def play_in_transactions(self, scenario: Scenario, order: Order) -> End:
        """One order with every event committed by itself, as in life; nothing is taken back."""
        async with self._db.as_service("webhook", settings=_FRESH) as tx:
            await self._start_checkouts(tx, scenario)
        for step in order:
            async with self._db.as_service("webhook", settings=_FRESH) as tx:
                await self._take(tx, scenario, step)
        async with self._db.as_service("webhook", settings=_FRESH) as tx:
            return await self._end(tx, scenario)

    async def _start_checkouts(self, tx: Tx, scenario: Scenario) -> None:
        for row in scenario.rows:
            await developers_tables.add_checkout(
                tx,
                row.id,
                row.mode,
                self._shop.subject,
                row.line_items,
                row.metadata,
                row.session_id,
                row.currency,
                row.amount_subtotal,
                row.created,
            )

    async def _walk(self, tx: Tx, scenario: Scenario, node: _Node, depth: int, ends: dict[Order, End]) -> None:
        if node.order is not None:
            await tx.execute("SAVEPOINT ending")
            ends[node.order] = await self._end(tx, scenario)
            await tx.execute("ROLLBACK TO SAVEPOINT ending; RELEASE SAVEPOINT ending")
        for step, after in node.steps.items():
            name = f"step_{depth}"
            await tx.execute(f"SAVEPOINT {name}; {_FRESH}")
            await self._take(tx, scenario, step)
            await self._walk(tx, scenario, after, depth + 1, ends)
            await tx.execute(f"ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}")

    async def _take(self, tx: Tx, scenario: Scenario, step: Step) -> None:
        position, again = step
        body = scenario.events[position]
        if again:
            await event_log.queue_again(tx, ENVIRONMENT, body["id"], _LEASE)
        await self._apply(tx, body)

    async def _apply(self, tx: Tx, body: dict[str, Any]) -> None:
        await apply_within(tx, self._road, read_event(body), orjson.dumps(body).decode())

    async def _end(self, tx: Tx, scenario: Scenario) -> End:
        """What the worker would still do, then the tables."""
        bodies = {body["id"]: body for body in scenario.events}
        left = await developers_tables.unfinished(tx)
        refused: dict[str | None, str | None] = {}
        rounds = 0
        while left and rounds < _ROUNDS:
            rounds += 1
            for one in left:
                await tx.execute(_FRESH)
                if one.event_id is not None:
                    await self._apply(tx, bodies[one.event_id])
                elif one.payment_key is not None:
                    error = await developers_tables.settle_reversal(tx, ENVIRONMENT, one.payment_key)
                    refused[one.payment_key] = error
            left = await developers_tables.unfinished(tx)
        failures = tuple(
            Failure(
                bodies[one.event_id]["type"] if one.event_id else f"reversal of {one.payment_key}",
                one.error or refused.get(one.payment_key) or "not done",
            )
            for one in left
        )
        return End(await developers_tables.read_rows(tx, self.tables), failures)
