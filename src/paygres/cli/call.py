"""What a command is, and what it gets when it runs: its options, the screen, the server."""

import os
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote

from paygres.cli.failure import Misused
from paygres.cli.options import Parser
from paygres.cli.output import Screen
from paygres.cli.project import Link, resolve
from paygres.cli.times import moment

if TYPE_CHECKING:
    from paygres.cli.backend import Backend

STRIPE = "/api/payments/stripe"
_USUAL_SECONDS = 30.0


class Call:
    """One run of one command. `words` is the command line as it was typed."""

    def __init__(self, options: Namespace, screen: Screen, words: list[str], seconds: float) -> None:
        self.options = options
        self.screen = screen
        self.words = words
        self._seconds = seconds

    @cached_property
    def link(self) -> Link:
        """The server and the key for it."""
        return resolve(self.options.url, self.options.api_key)

    @cached_property
    def backend(self) -> "Backend":
        """Made when the first request is."""
        from paygres.cli.backend import Backend  # costs a fifth of a second: not for --help and wrong usage

        return Backend(self.link, timeout=self.options.timeout or self._seconds)

    def close(self) -> None:
        """Lets the connection go, if there is one."""
        if "backend" in self.__dict__:
            self.backend.close()

    @cached_property
    def environment(self) -> str:
        """`test` or `live`; test when nothing is said."""
        return self.environment_of("test", ("test", "live"))

    def environment_of(self, default: str, allowed: tuple[str, ...]) -> str:
        """What --environment says, else PAYGRES_ENVIRONMENT, else `default`. Raises Misused for other words."""
        found = self.options.environment or os.environ.get("PAYGRES_ENVIRONMENT") or default
        if found not in allowed:
            words = [f'"{word}"' for word in allowed]
            raise Misused(f"Environment must be {', '.join(words[:-1])} or {words[-1]}.")
        return found

    def path(self, *segments: str) -> str:
        """A path below the environment, every segment escaped."""
        return "/".join((STRIPE, self.environment, *(quote(segment, safe="") for segment in segments)))

    def when(self, text: str | None) -> str:
        """A time as this call shows it."""
        return moment(text, utc=self.options.utc)


def _no_options(parser: Parser) -> None:
    """Only those that every command has."""


@dataclass(frozen=True, slots=True)
class Command:
    """`line` is its help, `takes` its words before the options. `seconds`: how long its request may last."""

    line: str
    run: Callable[[Call], int | None]
    options: Callable[[Parser], None] = _no_options
    takes: str = ""
    seconds: float = _USUAL_SECONDS


@dataclass(frozen=True, slots=True)
class Noun:
    """A group of commands: `bare` is the one without a verb. A noun that is a command itself has the verb ""."""

    commands: Mapping[str, Command] = field(default_factory=dict[str, Command])
    bare: str | None = None
