"""The fault dials: slow answers, refusals in place of the next answers, and deliveries that are dropped, lost, doubled,
late or shuffled. Seeded, so that a run can be repeated."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

from paygres.sandbox.wire.errors import Refusal

RATE_LIMITED = (
    "Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits."
)


@dataclass(slots=True)
class NextAnswer:
    """Refuses the next `count` requests whose path starts with `path` (and method, if given) with `status`.
    `after`: the work is done first and only its answer lost."""

    status: int
    count: int = 1
    path: str = "/v1/"
    method: str | None = None
    after: bool = False

    def matches(self, method: str, path: str) -> bool:
        return self.count > 0 and path.startswith(self.path) and self.method in (None, method)


@dataclass(slots=True)
class Faults:
    """`latency` in seconds, before each answer of a POST. Shares are 0 to 1: of tries that are dropped on the way and
    made again later, of deliveries that are lost for good, of tries that arrive twice at once. `delay`: how many
    seconds the first try may come late. `shuffle`: whatever is due goes in any order."""

    latency: float = 0.0
    answers: list[NextAnswer] = field(default_factory=list)
    drop: float = 0.0
    lose: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    shuffle: bool = False
    seed: int = 0
    rng: random.Random = field(default_factory=lambda: random.Random(0))

    def set(self, dials: dict[str, Any]) -> None:
        """Turns the dials that are named; raises ValueError for one that does not exist."""
        for name, value in dials.items():
            if name == "answers":
                self.answers = [NextAnswer(**one) for one in value]
            elif name == "seed":
                self.seed = int(value)
                self.rng = random.Random(self.seed)
            elif name == "shuffle":
                self.shuffle = bool(value)
            elif name in ("latency", "delay"):
                setattr(self, name, float(value))
            elif name in ("drop", "lose", "duplicate"):
                if not 0 <= float(value) <= 1:
                    raise ValueError(f"{name} is a share, 0 to 1")
                setattr(self, name, float(value))
            else:
                raise ValueError(f"no such dial: {name}")

    def shown(self) -> dict[str, Any]:
        answers = [
            {"status": one.status, "count": one.count, "path": one.path, "method": one.method, "after": one.after}
            for one in self.answers
        ]
        return {
            "latency": self.latency,
            "answers": answers,
            "drop": self.drop,
            "lose": self.lose,
            "duplicate": self.duplicate,
            "delay": self.delay,
            "shuffle": self.shuffle,
            "seed": self.seed,
        }

    def strikes(self, share: float) -> bool:
        """Whether a fault of this share happens now; a dial at 0 takes nothing from the seeded numbers."""
        return share > 0 and self.rng.random() < share

    async def before(self, method: str, path: str) -> None:
        self._refuse(method, path, after=False)

    async def after(self, method: str, path: str) -> None:
        if self.latency and method == "POST":
            await asyncio.sleep(self.latency)
        self._refuse(method, path, after=True)

    def _refuse(self, method: str, path: str, *, after: bool) -> None:
        for one in self.answers:
            if one.after == after and one.matches(method, path):
                one.count -= 1
                raise _refusal(one.status)


def _refusal(status: int) -> Refusal:
    if status == 429:
        return Refusal(RATE_LIMITED, status=429, code="rate_limit", stored=False)
    if status >= 500:
        return Refusal("An unknown error occurred", status=status, type="api_error")
    return Refusal("The sandbox was told to refuse this request.", status=status)
