"""Who dies where: every boundary that was seen is a target for each victim, and has its turn as the dice of the seed
fall."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.crashes.statements import Boundary, is_on_a_road

POSTGRES = "postgresql"
# A target that has not had its turn is struck this often when it comes along, so that what is behind it has its turn as
# well; one that comes rarely is always struck.
CHANCE, RARE = 0.3, 25
# Nothing new came for so long: anybody dies again, for some boundaries are only reached after another's death. Each
# time in vain it is twice as long, so that what needs its time, as a sweep does, comes to its end.
FIRST_SECONDS, LONGEST_SECONDS = 6.0, 50.0


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
    _seen: Counter[Boundary] = field(default_factory=Counter[Boundary])
    _calm_since: float = 0.0
    _patience: float = FIRST_SECONDS
    _began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)

    @property
    def targets(self) -> list[Target]:
        """All that were seen so far."""
        return [target for boundary in sorted(self._seen) for target in _targets(boundary)]

    @property
    def missed(self) -> list[Target]:
        return [target for target in self.targets if target not in self.hits]

    def times_seen(self, target: Target) -> int:
        return self._seen[target.boundary]

    def rage(self) -> None:
        """From now on somebody dies at the next target; until it is struck. Call again when all is up."""
        self.raging = True
        self._calm_since = time.monotonic()

    def strike(self, boundary: Boundary) -> bool:
        """What a proxy asks: whether somebody was killed here and now."""
        if not is_on_a_road(boundary.statement):
            return False
        self._seen[boundary] += 1
        if not self.raging:
            return False
        target = self._chosen(boundary)
        if target is None:
            return False
        self.raging = False
        self.hits[target] += 1
        self.history.append(f"{time.monotonic() - self._began:7.2f} s  {target}")
        self.kill(target.victim)
        return True

    def _chosen(self, boundary: Boundary) -> Target | None:
        """Whoever had its turn least often, if no other target is behind; when none of those comes, anyone."""
        here = _targets(boundary)
        self._rng.shuffle(here)
        target = min(here, key=lambda one: self.hits[one])
        if self.hits[target] == min(self.hits[one] for one in self.targets):
            self._patience = FIRST_SECONDS
            rare = self._seen[boundary] < RARE
            return target if rare or self._rng.random() < CHANCE else None
        if time.monotonic() - self._calm_since < self._patience:
            return None
        self._patience = min(self._patience * 2, LONGEST_SECONDS)
        return target


def _targets(boundary: Boundary) -> list[Target]:
    return [Target(boundary, victim) for victim in (boundary.program, POSTGRES)]
