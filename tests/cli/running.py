"""The command line in tests: as a real process, as a real process on a terminal, and in this process for its speed."""

import contextlib
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from paygres.cli.payments.command import run
from tests.http.running import API_KEY

FOREIGN = ("PAYGRES_", "INSFORGE_", "STRIPE_", "CODEX_", "CLAUDECODE", "CURSOR_AGENT", "GEMINI_CLI", "OPENCODE")
COLORS = ("NO_COLOR", "FORCE_COLOR")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    errors: str


@dataclass
class Line:
    """A command line that speaks to `url`. `here` runs it in this process: no start-up time, real requests."""

    url: str
    capture: pytest.CaptureFixture[str]

    def here(self, *words: str) -> Ran:
        try:
            code = run([*words, "--url", self.url, "--api-key", API_KEY])
        except SystemExit as ended:  # --help
            code = int(ended.code or 0)
        out, errors = self.capture.readouterr()
        return Ran(code, out, errors)


def clean_environment(**more: str) -> dict[str, str]:
    """Nothing that would make us think of another server, of an agent, or of colors."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith((*FOREIGN, *COLORS))}
    return outer | {"TERM": "xterm", "COLUMNS": "160"} | more


def spawn(*words: str, typed: str = "", cwd: Path | None = None, **environment: str) -> Ran:
    """`paygres words`, a process of its own, without a terminal."""
    ended = subprocess.run(
        [sys.executable, "-m", "paygres.cli.main", *words],
        input=typed,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=clean_environment(**environment),
        timeout=60,
    )
    return Ran(ended.returncode, ended.stdout, ended.stderr)


def on_a_terminal(*words: str, answers: Mapping[str, str] | None = None, **environment: str) -> Ran:
    """The same on a terminal of 160 columns; each prompt is answered when it appears. `errors` is in `out`."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "paygres.cli.main", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=clean_environment(**environment),
        start_new_session=True,
    )
    os.close(theirs)
    waiting, seen = dict(answers or {}), ""
    give_up = time.monotonic() + 30
    with contextlib.suppress(OSError):  # Linux says so when the other side has closed
        while True:
            assert time.monotonic() < give_up, seen
            if not select.select([ours], [], [], 0.5)[0]:
                continue
            if not (read := os.read(ours, 65536)):
                break
            seen += read.decode(errors="replace")
            for prompt in [prompt for prompt in waiting if prompt in seen]:
                os.write(ours, f"{waiting.pop(prompt)}\n".encode())
    os.close(ours)
    assert not waiting, f"never asked: {[*waiting]}\n{seen}"
    return Ran(process.wait(10), seen.replace("\r\n", "\n"), "")


def cells(line: str) -> list[str]:
    """The cells of a plain table's line."""
    return [cell.strip() for cell in line.split("  ") if cell.strip()]
