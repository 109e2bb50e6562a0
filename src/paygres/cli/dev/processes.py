"""The processes `paygres dev` starts: each has its log, none outlives us, not even when we are killed."""

import contextlib
import ctypes
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from paygres.cli.dev.errors import DevError

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 15.0
LOG_LIMIT = 10_000_000
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """One running process. Start it from the main thread: the kernel ties its life to that thread."""

    def __init__(self, name: str, arguments: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        self._first: queue.Queue[str] = queue.Queue()
        with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=dict(environment),
                text=True,
                start_new_session=True,  # Ctrl-C is for us; we stop the parts in order
                preexec_fn=_die_with_parent(),
            )
        assert self.process.stdout is not None
        threading.Thread(target=self._drain, args=(self.process.stdout,), daemon=True).start()

    def _drain(self, out: IO[str]) -> None:
        """The first line is the ready line (it may carry secrets), the rest belongs to the log."""
        self._first.put(out.readline())
        with self.log.open("a") as log:
            for line in out:
                log.write(line)
                log.flush()

    def ready_line(self, seconds: float = 60.0) -> dict[str, Any]:
        """The JSON line this process prints when it is ready. Raises DevError when it ends or is too slow."""
        try:
            line = self._first.get(timeout=seconds)
        except queue.Empty:
            raise DevError(f"{self.name} was not ready within {seconds:.0f} s{self.last_words()}") from None
        try:
            return json.loads(line)
        except ValueError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
            raise DevError(f"{self.name} did not start{self.last_words()}") from None

    def check(self) -> None:
        """Raises DevError when this process has ended."""
        code = self.process.poll()
        if code is not None:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise DevError(f"{self.name} {how}{self.last_words()}")

    def last_words(self, lines: int = 12) -> str:
        """The end of its log, for a message."""
        text = self.log.read_text(errors="replace").splitlines()[-lines:]
        return f"; the end of {self.log}:\n" + "\n".join(f"    {line}" for line in text) if text else ""

    def stop(self) -> None:
        """SIGTERM, and after 15 seconds SIGKILL to its whole group."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


def end_leftovers(pids: list[int]) -> None:
    """Ends processes of an earlier run that was killed. Only while they are still ours: numbers recur."""
    left = [pid for pid in pids if _is_ours(pid)]
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    give_up = time.monotonic() + STOP_SECONDS
    while left and time.monotonic() < give_up:
        left = [pid for pid in left if _is_ours(pid)]
        time.sleep(0.02)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _is_ours(pid: int) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        if Path("/proc/self").exists():
            return False
        asked = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
        command = asked.stdout
    return "paygres.server" in command or "paygres.sandbox" in command


def _die_with_parent() -> Callable[[], None] | None:
    """Asks the kernel to send the child SIGTERM when we die, even by kill -9 (Linux)."""
    libc = _libc
    if libc is None:
        return None
    parent = os.getpid()

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)

    return ask
