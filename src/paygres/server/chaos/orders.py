"""In which orders a history is played: permuted, late, repeated, and without one of two events that tell the same."""

import itertools
import math
import random
from dataclasses import dataclass

from paygres.server.chaos.scenario import Scenario
from paygres.server.chaos.stage import Order

_ALL_UP_TO = 5  # events: 120 orders
_RANDOM = 24


@dataclass(frozen=True, slots=True)
class Twins:
    """Two events that tell of the same money: without both, with the one, with the other."""

    first: int
    second: int
    neither: Order
    only_first: Order
    only_second: Order


@dataclass(frozen=True, slots=True)
class Plan:
    """`baseline`: each event once, in the order in which they happened. `late` has one event after all others, as when
    it was lost and found by the sweep; `repeated` runs one again, or all."""

    baseline: Order
    permuted: tuple[Order, ...]
    late: tuple[Order, ...]
    repeated: tuple[Order, ...]
    twins: tuple[Twins, ...]

    @property
    def orders(self) -> list[Order]:
        """All of them."""
        apart = [order for pair in self.twins for order in (pair.neither, pair.only_first, pair.only_second)]
        return [self.baseline, *self.permuted, *self.late, *self.repeated, *apart]


def plan(scenario: Scenario, runs: int | None, seed: int) -> Plan:
    """`runs`: how many permutations at most; None: all of up to five events, 24 of more. One seed, one plan."""
    count = len(scenario.events)
    baseline = tuple((position, False) for position in range(count))
    permuted: list[Order] = []
    late: list[Order] = []
    if scenario.ordered:
        permuted = _permuted(baseline, runs, random.Random(f"{seed} {scenario.name}"))
        late = [(*_without(baseline, step[0]), step) for step in baseline]
    again: list[Order] = [(*baseline, (position, True)) for position in range(count)]
    again.append(baseline + tuple((position, True) for position in range(count)))
    twins = [
        Twins(a, b, _without(baseline, a, b), _without(baseline, b), _without(baseline, a)) for a, b in scenario.twins
    ]
    return Plan(
        baseline,
        tuple(order for order in dict.fromkeys(permuted) if order != baseline),
        tuple(order for order in dict.fromkeys(late) if order != baseline),
        tuple(dict.fromkeys(again)),
        tuple(twins),
    )


def _permuted(baseline: Order, runs: int | None, chance: random.Random) -> list[Order]:
    count = len(baseline)
    everything = math.factorial(count)
    wanted = runs if runs is not None else everything if count <= _ALL_UP_TO else _RANDOM
    if everything <= wanted:
        return list(itertools.permutations(baseline))
    found: list[Order] = [baseline[::-1]][:wanted]
    while len(found) < wanted:
        found.append(tuple(chance.sample(baseline, count)))
    return found


def _without(order: Order, *positions: int) -> Order:
    return tuple(step for step in order if step[0] not in positions)
