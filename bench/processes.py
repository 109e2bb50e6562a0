"""Processes under measurement: output goes to files, CPU time and memory are read from /proc."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TICK = 1 / os.sysconf("SC_CLK_TCK")
READY_SECONDS = 60.0
STOP_SECONDS = 30.0
ROOT = Path(__file__).resolve().parent.parent
_FOREIGN = ("DATABASE_URL", "PAYGRES_", "STRIPE_", "ACCESS_", "ROOT_ADMIN_", "PG")


def clean_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our own environment without any setting of a server, and `more`."""
    return {n: v for n, v in os.environ.items() if not n.startswith(_FOREIGN)} | dict(more or {})


@dataclass(frozen=True, slots=True)
class Running:
    """A process that said it is ready: `line` is the JSON object it said it with."""

    process: subprocess.Popen[bytes]
    line: dict[str, Any]
    out: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def port(self) -> int:
        """The port in its `url`."""
        return int(str(self.line["url"]).rpartition(":")[2])


@contextmanager
def running(
    name: str,
    arguments: list[str],
    folder: Path,
    environment: Mapping[str, str],
    is_ready: Callable[[dict[str, Any]], bool] = lambda line: "url" in line,
) -> Iterator[Running]:
    """`python arguments` until the end of the block. Files take its output: a full pipe would stall it."""
    out, err = folder / f"{name}.out", folder / f"{name}.err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=dict(environment),
            cwd=ROOT,
        )
    try:
        yield Running(process, _ready_line(process, out, err, is_ready), out)
    finally:
        stop(process)


def _ready_line(
    process: subprocess.Popen[bytes], out: Path, err: Path, is_ready: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    give_up = time.monotonic() + READY_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        for text in out.read_bytes().splitlines(keepends=True):
            if text.startswith(b"{") and text.endswith(b"\n") and is_ready(line := json.loads(text)):
                return line
        time.sleep(0.01)
    raise RuntimeError(f"{out.stem} did not start: {err.read_text()[-500:]}{out.read_text()[-500:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and SIGKILL to one that does not listen."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads so far, in steps of 10 ms."""
    user, system = _stat(pid)[11:13]
    return (int(user) + int(system)) * TICK


def family_cpu_seconds(pid: int) -> float:
    """As `cpu_seconds`, with every child: those that live, and those that ended and were waited for."""
    spent = sum(int(ticks) for ticks in _stat(pid)[11:15]) * TICK
    for child in children(pid):
        try:
            spent += cpu_seconds(child)
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended just now; its parent has its time
    return spent


def parent(pid: int) -> int:
    """The process it was started by."""
    return int(_stat(pid)[1])


def children(pid: int) -> list[int]:
    """Processes whose parent it is."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if parent(int(entry.name)) == pid:
                    found.append(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def rss_mb(pid: int) -> float:
    """Resident memory, shared pages included, in MB (10^6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"process {pid} has ended")


def command_line(pid: int) -> list[str]:
    """Its arguments; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def _stat(pid: int) -> list[str]:
    """Fields from the third (state) on; the second, a name, may contain anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
