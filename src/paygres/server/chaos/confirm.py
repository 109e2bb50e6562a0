"""A second look at what was found in one long transaction: a clock that stands still there could make two times equal
that never are. It is played again in databases of its own, with every event committed by itself."""

from collections.abc import Sequence

from paygres.server.chaos.findings import Finding
from paygres.server.chaos.judge import Played
from paygres.server.chaos.objects import Shop
from paygres.server.chaos.stage import End, Order, Stage
from paygres.server.chaos.state import Reading, changes
from paygres.server.db.database import Database
from paygres.server.db.throwaway import Throwaway
from paygres.server.flows.listeners import Listeners

# What two plays of the same events in another order say; the other kinds do not hang on the clock.
_KINDS = ("order_dependent", "double_grant", "failing")


class Confirmation:
    """Remembers what it has played and what it is sure of."""

    def __init__(
        self, place: Throwaway, shop: Shop, ignored: Sequence[str], called: Listeners, reading: Reading
    ) -> None:
        self._place = place
        self._shop = shop
        self._ignored = ignored
        self._called = called
        self._reading = reading
        self._ends: dict[tuple[str, Order], End] = {}
        self._sure: set[tuple[str, frozenset[tuple[str, str | None]]]] = set()

    async def confirmed(self, finding: Finding, played: Played) -> Finding | None:
        """The finding, or the same shown by another order; None when it does not happen in life. What was confirmed
        once in these columns need not be for each history that shows it."""
        for one in (finding, *finding.alternatives):
            where = (one.kind, frozenset((change.table, change.column) for change in one.changes))
            if where in self._sure or await self._holds(one, played):
                self._sure.add(where)
                return one
        return None

    async def _holds(self, finding: Finding, played: Played) -> bool:
        baseline = played.plan.baseline
        if finding.kind not in _KINDS or (finding.order == baseline and not finding.failures):
            return True
        end = await self._end(played, finding.order)
        if finding.kind == "failing":
            return bool(end.failures)
        before = self._reading.settled(self._reading.state((await self._end(played, baseline)).rows))
        after = self._reading.settled(self._reading.state(end.rows))
        return bool(changes(before, after, self._reading))

    async def _end(self, played: Played, order: Order) -> End:
        name = (played.scenario.name, order)
        if name not in self._ends:
            db = await Database.connect(await self._place.copy(), checkout_pool=1, webhook_pool=1)
            try:
                stage = await Stage.open(db, self._shop, self._ignored, self._called)
                self._ends[name] = await stage.play_in_transactions(played.scenario, order)
            finally:
                await db.close()
        return self._ends[name]
