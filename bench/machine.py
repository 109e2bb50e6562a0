"""What the figures were taken on, stated with every table: elsewhere they would be others."""

import os
import platform
import time
from pathlib import Path

from paygres.server.db.embedded_binaries import bin_dir, major_version


def describe() -> str:
    """Cores, CPU, memory, kernel, Python and PostgreSQL in one sentence."""
    memory = _field(Path("/proc/meminfo"), "MemTotal").split()
    programs = bin_dir()
    postgres = f"PostgreSQL {major_version(programs)}" if programs else "no PostgreSQL"
    return (
        f"{os.cpu_count()} cores of {_field(Path('/proc/cpuinfo'), 'model name')}, "
        f"{int(memory[0]) / 2**20:.0f} GB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {postgres} with fsync and synchronous_commit on; "
        "load generator, server, PostgreSQL and Stripe's stand-in share these cores."
    )


def idle_share(seconds: float = 1.0) -> float:
    """Which part of all cores' time was idle during the next `seconds`."""
    before = _times()
    time.sleep(seconds)
    spent = [after - earlier for after, earlier in zip(_times(), before, strict=True)]
    return (spent[3] + spent[4]) / max(1, sum(spent))  # idle and waiting for the disk


def _times() -> list[int]:
    """user, nice, system, idle, iowait, irq, softirq, steal of all cores together, in ticks."""
    return [int(number) for number in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]


def _field(file: Path, name: str) -> str:
    for line in file.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"
