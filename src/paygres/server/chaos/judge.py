"""Judges the ends of played histories: which of them should have been the same, or should have given nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from paygres.server.chaos import grants
from paygres.server.chaos.findings import Finding
from paygres.server.chaos.orders import Plan
from paygres.server.chaos.plans import SUBSCRIBED
from paygres.server.chaos.purchases import PAID
from paygres.server.chaos.scenario import Scenario
from paygres.server.chaos.stage import End, Order
from paygres.server.chaos.state import Change, Reading, State, changes

_Shown = tuple[Order, list[Change], str]  # the order, what differs, from what
_ALTERNATIVES = 3
_IN_ORDER = "the same events once, in order"
_NOTHING = "the tables before anything was bought"


@dataclass(frozen=True, slots=True)
class Played:
    """A scenario, how it was played, and what came of it."""

    scenario: Scenario
    plan: Plan
    ends: dict[Order, End]


class Judge:
    """`claims` are the values of the buyer's metadata."""

    def __init__(self, reading: Reading, initial: State, claims: Sequence[str]) -> None:
        self._reading = reading
        self._initial = initial
        self._claims = claims
        self._paid: dict[str, State] = {}

    def judge(self, all_played: Sequence[Played]) -> list[Finding]:
        """Every finding, one of a kind for each scenario; the first of a family is what the others are held against."""
        for played in all_played:
            if played.scenario.outcome == "paid":
                self._paid.setdefault(played.scenario.family, self._state(played, played.plan.baseline))
        return [finding for played in all_played for finding in self._of(played)]

    def _of(self, played: Played) -> Iterator[Finding]:
        yield from self._failing(played)
        if played.ends[played.plan.baseline].failures:
            return
        if played.scenario.ordered:
            yield from self._order_dependent(played)
        yield from self._double(played)
        yield from self._outcome(played)

    def _failing(self, played: Played) -> Iterator[Finding]:
        failed = [(order, list[Change](), "no failure") for order in played.plan.orders if played.ends[order].failures]
        yield from self._shown("failing", played, failed)

    def _order_dependent(self, played: Played) -> Iterator[Finding]:
        baseline = self._state(played, played.plan.baseline)
        found: list[_Shown] = []
        for order in (*played.plan.late, *played.plan.permuted):
            if played.ends[order].failures:
                continue
            state = self._state(played, order)
            differs = changes(baseline, state, self._reading)
            if differs and not (played.scenario.outcome == "returned" and self._nothing_stands(played, state)):
                found.append((order, differs, _IN_ORDER))
        yield from self._shown("order_dependent", played, found)

    def _nothing_stands(self, played: Played, state: State) -> bool:
        """Money that went back before it was given may never have been given: then nothing is left of it either."""
        paid = self._paid.get(played.scenario.family)
        if paid is None:
            return False
        stands = grants.given(self._initial, paid, state, self._reading, None)
        in_order = self._state(played, played.plan.baseline)
        excused = grants.given(self._initial, paid, in_order, self._reading, None)
        return all(change in excused for change in stands)

    def _double(self, played: Played) -> Iterator[Finding]:
        baseline = self._state(played, played.plan.baseline)
        found: list[_Shown] = []
        for order in played.plan.repeated:
            if not played.ends[order].failures:
                differs = changes(baseline, self._state(played, order), self._reading)
                if differs:
                    found.append((order, differs, "the same without the repeat"))
        for pair in played.plan.twins:
            apart = (pair.neither, pair.only_first, pair.only_second)
            if any(played.ends[order].failures for order in apart):
                continue
            states = [self._state(played, order) for order in apart]
            differs = grants.doubled([*states, baseline], self._reading)
            if differs:
                one, other = (played.scenario.events[n]["type"] for n in (pair.first, pair.second))
                found.append((played.plan.baseline, differs, f"either {one} or {other}, not both"))
        paid = self._paid.get(played.scenario.family)
        if played.scenario.outcome == "paid_late" and paid is not None:
            differs = grants.surplus(self._initial, paid, baseline, self._reading)
            if differs:
                found.append((played.plan.baseline, differs, "a purchase by card"))
        yield from self._shown("double_grant", played, found)

    def _outcome(self, played: Played) -> Iterator[Finding]:
        """What the baseline's end says beside order and repeats."""
        state = self._state(played, played.plan.baseline)
        paid = self._paid.get(played.scenario.family)
        kind, differs, compared = "", list[Change](), "a purchase by card"
        if paid is None:
            return
        gives = changes(self._initial, paid, self._reading)
        match played.scenario.outcome:
            case "paid" if not gives:
                if played.scenario.name in (PAID, SUBSCRIBED):
                    yield self._finding("nothing_granted", played, played.plan.baseline, [], _NOTHING, 0)
                return
            case "unpaid":
                kind, compared = "unpaid_grant", _NOTHING
                differs = grants.given(self._initial, paid, state, self._reading, None)
                if played.scenario.name == "abandoned" and len(differs) < len(gives):
                    differs = []  # it may undo a reservation, as a purchase does
            case "paid_late":
                kind = "lost_async_success"
                differs = grants.missing(self._initial, paid, state, self._reading)
            case "mispriced":
                kind, compared = "mispriced_grant", _NOTHING
                differs = grants.given(self._initial, paid, state, self._reading, self._claims)
            case "twice":
                kind = "granted_for_each_payment"
                differs = grants.surplus(self._initial, paid, state, self._reading)
            case "returned":
                if gives and not changes(paid, state, self._reading):
                    yield self._finding("kept_after_return", played, played.plan.baseline, gives, _NOTHING, 0)
            case "free":
                if gives and not changes(self._initial, state, self._reading):
                    yield self._finding("free_purchase_ignored", played, played.plan.baseline, [], _NOTHING, 0)
            case "paid" | "other":
                pass
        if kind and differs:
            yield self._finding(kind, played, played.plan.baseline, differs, compared, 0)

    def _shown(self, kind: str, played: Played, shown: Sequence[_Shown]) -> Iterator[Finding]:
        """One finding for all the orders that show it; a few others are kept, in case the first is none in life."""
        others = len(shown) - 1
        found = [self._finding(kind, played, *one, others) for one in shown[:_ALTERNATIVES]]
        if found:
            found[0].alternatives = tuple(found[1:])
            yield found[0]

    def _state(self, played: Played, order: Order) -> State:
        return self._reading.settled(self._reading.state(played.ends[order].rows))

    def _finding(
        self, kind: str, played: Played, order: Order, differs: list[Change], compared_with: str, others: int
    ) -> Finding:
        told = [played.scenario.events[position]["type"] + (" (again)" if again else "") for position, again in order]
        failures = played.ends[order].failures
        return Finding(kind, played.scenario.name, compared_with, order, told, differs, failures, others)
