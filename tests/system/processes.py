"""Starting our own programs in tests, looking at what they left running, and killing them."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psutil

LIMIT = 60.0
FOREIGN = ("DATABASE_URL", "PAYGRES_", "STRIPE_")


def wait_until(true: Callable[[], Any], what: str, seconds: float = LIMIT) -> Any:
    """The first truthy answer; fails with `what` when there is none in time."""
    give_up = time.monotonic() + seconds
    while not (answer := true()):
        assert time.monotonic() < give_up, f"not within {seconds} s: {what}"
        time.sleep(0.02)
    return answer


@contextlib.contextmanager
def private_folder(name: str = "home") -> Iterator[Path]:
    """A folder below /tmp, removed afterwards. PostgreSQL's user could not enter pytest's own (0700)."""
    outer = Path(mkdtemp(prefix="paygres-system-"))
    outer.chmod(0o711)
    try:
        yield outer / name
    finally:
        shutil.rmtree(outer, ignore_errors=True)


def spawn(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.Popen[str]:
    """`python -m arguments`, its output captured; no database of the outer shell leaks in."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean | environment,
        cwd=cwd,
        text=True,
    )


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The process and everything below it."""
    root = psutil.Process(process.pid)
    return [root, *root.children(recursive=True)]


def gone(processes: list[psutil.Process]) -> bool:
    """Whether none of them runs any more."""
    return not [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def end(process: subprocess.Popen[str], signum: int = signal.SIGTERM) -> int:
    """Sends the signal when it still runs, waits, and returns the exit code."""
    if process.poll() is None:
        process.send_signal(signum)
    process.communicate(timeout=LIMIT)
    return process.returncode
