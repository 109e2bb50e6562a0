"""Where a command's words go: results to stdout; progress, hints, prompts and errors to stderr."""

import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from typing import Any

from paygres.cli import table
from paygres.cli.failure import Failure

_AGENTS = ("CLAUDECODE", "CURSOR_AGENT", "GEMINI_CLI", "OPENCODE")
_COLORS = {
    **dict.fromkeys(("connected", "succeeded", "active", "paid", "processed", "Configured"), "32"),
    **dict.fromkeys(("pending", "trialing", "past_due", "partially_refunded", "paused", "incomplete"), "33"),
    **dict.fromkeys(("failed", "error", "unpaid", "failed_payment"), "31"),
    **dict.fromkeys(("refunded", "unconfigured", "canceled"), "34"),
    "live": "35",
}


def driven_by_an_agent() -> bool:
    """Whether a coding agent runs us: it cannot answer prompts and reads plain tables best."""
    return any(os.environ.get(name) for name in _AGENTS) or any(n.startswith("CODEX_") for n in os.environ)


def as_text(body: Any) -> str:
    """JSON with an indent of 2, as JSON.stringify writes it; C1 controls stay escaped for terminals' sake."""
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return re.sub("[\x7f-\x9f]", lambda found: f"\\u{ord(found[0]):04x}", text)


class Screen:
    """`json`: stdout is for a program. `asks`: somebody is there to answer a prompt."""

    def __init__(self, *, json: bool = False, plain: bool = False, color: str = "auto", no_input: bool = False) -> None:
        for stream in (sys.stdout, sys.stderr):
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure:  # an odd locale must not turn a check mark into a traceback
                reconfigure(errors="backslashreplace")
        agent = driven_by_an_agent()
        self.json = json
        self.terminal = sys.stderr.isatty() and not agent and os.environ.get("TERM") != "dumb"
        self.asks = sys.stdin.isatty() and sys.stderr.isatty() and not (json or no_input or agent)
        self._boxed = sys.stdout.isatty() and not (plain or agent)
        self._color = _wants_color(color, sys.stdout.isatty() and not agent)
        self._color_of_hints = _wants_color(color, self.terminal)

    # results

    def answer(self, body: Any) -> None:
        """The backend's body for a program."""
        print(as_text(body))

    def rows(self, headers: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
        """A table; None and "" are shown as `-`."""
        texts = [[table.clean(str(value)) if value not in (None, "") else "-" for value in row] for row in rows]
        if title:
            print(self._paint(title, "1"))
        if self._boxed:
            lines = table.boxed(
                headers,
                texts,
                columns=shutil.get_terminal_size((100, 24)).columns,
                head=lambda text: self._paint(text, "36"),
                line=lambda text: self._paint(text, "90"),
                cell=lambda text: self._paint(text, _COLORS.get(text, "")),
            )
        else:
            lines = table.plain(headers, texts)
        print("\n".join(lines))

    def say(self, text: str) -> None:
        """One line of result."""
        print(table.clean(text))

    def success(self, text: str) -> None:
        """`✓ text`."""
        print(f"{self._paint('✓', '32')} {table.clean(text)}")

    # beside the result

    def hint(self, text: str) -> None:
        """What may be done next, for people only."""
        if self.terminal and not self.json:
            self.note(self._paint(text, "2", of_hints=True))

    def warn(self, text: str) -> None:
        """Something to know that is no failure; a program gets nothing but the error object on stderr."""
        if not self.json:
            self.note(f"{self._paint('!', '33', of_hints=True)} {text}")

    def note(self, text: str) -> None:
        """A line on stderr, at once."""
        print(text, file=sys.stderr, flush=True)

    def redraw(self, text: str) -> None:
        """A line on stderr that replaces itself; "" takes it away."""
        columns = shutil.get_terminal_size((80, 24)).columns
        sys.stderr.write(f"\r\x1b[K{table.clean(text)[: columns - 1]}")
        sys.stderr.flush()

    def red(self, text: str) -> str:
        """The text in red when stderr has colors."""
        return self._paint(text, "31", of_hints=True)

    def fail(self, failure: Failure) -> int:
        """Tells the failure and returns its exit code."""
        if self.json:
            self.note(json.dumps(failure.as_json(), ensure_ascii=False, separators=(",", ":")))
        else:
            text = f"{failure.message}\n{failure.next_actions or ''}".rstrip()
            # A message may have lines of its own; nothing else in it may steer the terminal.
            said = "\n".join(table.clean(line) for line in text.split("\n"))
            self.note(f"{self.red('Error:')} {said}")
        return failure.exit_code

    def _paint(self, text: str, code: str, *, of_hints: bool = False) -> str:
        painted = self._color_of_hints if of_hints else self._color
        return f"\x1b[{code}m{text}\x1b[0m" if painted and code else text


def _wants_color(color: str, terminal: bool) -> bool:
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (terminal and os.environ.get("TERM") != "dumb")
