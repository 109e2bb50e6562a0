"""A seed file that is read: its values, the line of each, and mistakes that say where they are."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

# Where a value is: the keys and the numbers that lead to it.
Place = tuple[str | int, ...]


class SeedError(Exception):
    """The file cannot be used; the message is one sentence that begins with file, line and place."""


@dataclass(frozen=True, slots=True)
class Text:
    """A parsed file. `lines`: where each value begins, counted from 1."""

    name: str
    values: dict[str, Any]
    lines: dict[Place, int]

    def wrong(self, place: Place, what: str) -> SeedError:
        """The mistake at that place."""
        found = place
        while found and found not in self.lines:
            found = found[:-1]
        line = f":{self.lines[found]}" if found else ""
        return SeedError(f"{self.name}{line}: {named(place)}{what}")

    def unknown(self, place: Place, word: str, known: Iterable[str]) -> SeedError:
        """A key or a reference that names nothing, and what there is."""
        there = sorted(known)
        close = difflib.get_close_matches(word, there, 1)
        meant = f" Did you mean `{close[0]}`?" if close else ""
        return self.wrong(place, f"is not known here.{meant} Known: {', '.join(there) or 'nothing'}.")


def named(place: Place) -> str:
    """`products.pro.prices[0] ` of a place; nothing for the file itself."""
    shown = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return f"{shown.removeprefix('.')} " if shown else ""
