"""What the person sees: one line per step with ids and time. Under --json all of it goes to stderr."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Step:
    """Filled in while a step runs; `detail` is what its line says."""

    detail = ""


class Screen:
    """Writes to stdout, or to stderr when stdout belongs to a program."""

    def __init__(self, *, json: bool) -> None:
        self._out: TextIO = sys.stderr if json else sys.stdout
        self._color = self._out.isatty() and not os.environ.get("NO_COLOR")
        self.began = time.monotonic()

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Times what happens inside; the line appears when it is done."""
        began = time.monotonic()
        step = Step()
        yield step
        self.say(f"  {self._paint('✔', '32')} {name:<18} {step.detail}  ({time.monotonic() - began:.2f} s)")

    def say(self, text: str = "") -> None:
        """One line, at once; a closed terminal is no reason to stop."""
        try:
            print(text, file=self._out, flush=True)
        except BrokenPipeError:
            self._out = open(os.devnull, "w")  # noqa: SIM115 (replaces the stream for good)

    def title(self, text: str) -> None:
        """A line that stands out on a terminal."""
        self.say(self._paint(text, "1"))

    def elapsed(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self.began

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color else text
