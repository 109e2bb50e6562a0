"""What a benchmark hands back, and the one table all of them share (Markdown, aligned for a terminal)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure. `quick` is for proving that a benchmark works, never for a figure to quote.

    `pace`: the most (ms) that the loop of bench/pace.py may cost around a round that counts, where that is asked for;
    such rounds are waited for until a moment of the monotonic clock.
    """

    rounds: int
    quick: bool
    pace: float | None = None
    until: float = math.inf

    def size(self, count: int) -> int:
        """`count` requests, or a tenth (at least 32) when quick."""
        return max(32, count // 10) if self.quick else count


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: the values of all rounds in `unit`; `floor` those of the bare program measured beside them.

    `target` is the figure to reach (`above`: at least, else at most); `reference` what the hosted
    original's own code needed on a machine of two cores.
    """

    benchmark: str
    name: str
    unit: str
    values: Sequence[float]
    floor: Sequence[float] = ()
    target: float | None = None
    reference: float | None = None
    above: bool = False

    @property
    def met(self) -> str:
        """Whether the median reaches the target; a dash without one."""
        if self.target is None:
            return "–"
        value = median(self.values)
        return "yes" if (value >= self.target if self.above else value <= self.target) else "NO"

    def cells(self) -> tuple[str, ...]:
        """The row's texts in the table's order."""
        spread = f" ({shown(min(self.values))}–{shown(max(self.values))})" if len(self.values) > 1 else ""
        return (
            self.benchmark,
            self.name,
            f"{shown(median(self.values))} {self.unit}{spread}",
            f"{'≥' if self.above else '≤'} {shown(self.target)}" if self.target is not None else "–",
            self.met,
            shown(self.reference) if self.reference is not None else "–",
            f"{shown(median(self.floor))} {self.unit}" if self.floor else "–",
        )


HEADINGS = ("benchmark", "figure", "median (range of the rounds)", "target", "met", "reference", "floor")


def table(figures: Sequence[Figure]) -> str:
    """A Markdown table whose columns also line up as plain text."""
    rows = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def shown(value: float) -> str:
    """Three digits that count, none invented."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` of a sorted series does not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]
