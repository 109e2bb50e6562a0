"""Who dies where: every boundary that was seen is a target for each victim, in an order that the seed gives."""

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.crashes.statements import Boundary, is_on_a_road

POSTGRES = "postgresql"
# How long one target is waited for; after that, the next one that comes along dies. A worker may have nothing to do.
AIM_SECONDS = {"server": 0.7, "worker": 2.2}
# After so long anybody dies again: what is left of the round comes once in minutes. Not sooner, or what needs its time,
# as a sweep does, would never come to its end.
LONGEST_SECONDS = 12.0
# When the worker is aimed at, a boundary that was seen less often is struck whenever it comes.
RARE = 25


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """Kill the victim at this boundary. A program dies at its own boundaries, PostgreSQL at all of them."""

    boundary: Boundary
    victim: str

    def __str__(self) -> str:
        return f"{self.victim} killed: {self.boundary}"


@dataclass
class Storm:
    """The proxies tell it of every boundary. `kill` is called with the victim's name, and once for each kill."""

    seed: int
    kill: Callable[[str], None] = lambda victim: None
    raging: bool = False
    hits: Counter[Target] = field(default_factory=Counter[Target])
    history: list[str] = field(default_factory=list[str])
    _targets: set[Target] = field(default_factory=set[Target])
    _seen: Counter[Boundary] = field(default_factory=Counter[Boundary])
    _aim: list[Target] = field(default_factory=list[Target])
    _aimed_at: float = 0.0
    _began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)

    @property
    def targets(self) -> list[Target]:
        """All that were seen so far."""
        return sorted(self._targets)

    @property
    def missed(self) -> list[Target]:
        return [target for target in self.targets if target not in self.hits]

    def rage(self) -> None:
        """From now on somebody dies at the next target; until it is struck. Call again when all is up."""
        self.raging = True
        self._aimed_at = time.monotonic()

    def strike(self, boundary: Boundary) -> bool:
        """What a proxy asks: whether somebody was killed here and now."""
        if not is_on_a_road(boundary.statement):
            return False
        self._seen[boundary] += 1
        if self._seen[boundary] == 1:
            for victim in (boundary.program, POSTGRES):
                self._targets.add(Target(boundary, victim))
        if not self.raging:
            return False
        target = self._chosen(boundary)
        if target is None:
            return False
        self.raging = False
        self.hits[target] += 1
        self._aim = [one for one in self._aim if one != target]
        self.history.append(f"{time.monotonic() - self._began:7.2f} s  {target}")
        self.kill(target.victim)
        return True

    def _chosen(self, boundary: Boundary) -> Target | None:
        """The target aimed at, or a rare one; when neither comes, one that was hit as rarely as any; at last anyone."""
        if not self._aim:
            least = min((self.hits[target] for target in self._targets), default=0)
            round_ = [target for target in self.targets if self.hits[target] == least]
            self._rng.shuffle(round_)
            servers, workers = [[one for one in round_ if one.boundary.program == name] for name in AIM_SECONDS]
            # Three of the server's, where the money comes in, for each of the worker's.
            fours = itertools.zip_longest(servers[::3], servers[1::3], servers[2::3], workers)
            self._aim = [target for four in fours for target in four if target is not None]
        aimed = self._aim[0].boundary
        waited = time.monotonic() - self._aimed_at
        here = [target for target in self._aim if target.boundary == boundary]
        if boundary == aimed:
            return self._aim[0]
        if here and aimed.program == "worker" and self._seen[boundary] < RARE:
            return here[0]
        if here and waited > AIM_SECONDS[aimed.program]:
            self._aim.append(self._aim.pop(0))  # its turn comes again
            return here[0]
        if waited > LONGEST_SECONDS:
            return min(
                (target for target in self.targets if target.boundary == boundary), key=lambda target: self.hits[target]
            )
        return None
