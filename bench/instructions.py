"""What a request costs PostgreSQL in instructions, counted by callgrind: the same on any day, whatever the host does.

Only what its programs do themselves is counted, not the kernel. Two runs differ by so many requests; what they differ
by in instructions is what these cost, start and first plans left out. Needs valgrind, and about ten minutes.
"""

import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.buyers import checkouts
from bench.load import send
from bench.mix import mixed
from bench.report import Figure, Plan
from bench.stand import Stand, standing
from bench.stored import analyze, execute
from bench.webhook import deliveries

NAME = "instructions"
WARM, FEW, MANY = 120, 700, 1400  # whole blocks of the mix
AT_ONCE = 100  # a client's patience is measured in seconds, and callgrind has none
LOADS: dict[str, Callable[[Stand, int], list[bytes]]] = {
    "a webhook of the mix": lambda _stand, count: mixed(count),
    "a webhook of the bursts": deliveries,
    "a checkout": lambda _stand, count: checkouts(count, keyed=False),
}
_SUMMARY = re.compile(r"^summary: (\d+)", re.MULTILINE)


def run(_: Plan, folder: Path) -> list[Figure]:
    """One client, one run of each size: the counts of two runs differ by a few in a thousand."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise RuntimeError("valgrind is not installed: apt install valgrind")
    figures: list[Figure] = []
    for number, (load, prepare) in enumerate(LOADS.items()):
        counted = [_count(valgrind, folder / f"{number}-{size}", prepare, size) for size in (FEW, MANY)]
        (sent, spent), (sent_more, spent_more) = counted
        each = (spent_more - spent) / (sent_more - sent) / 1e6
        print(f"bench: {load}: {each:.2f} million instructions", file=sys.stderr, flush=True)
        figures.append(Figure(NAME, f"{load}: PostgreSQL", "million", [each]))
    return figures


def _count(valgrind: str, folder: Path, prepare: Callable[[Stand, int], list[bytes]], size: int) -> tuple[int, int]:
    """How many requests were answered, and the instructions of all of PostgreSQL's processes in their whole lives."""
    folder.mkdir(mode=0o711)
    counts = folder / "counts"
    counts.mkdir()
    counts.chmod(0o777)  # as root, PostgreSQL runs as a user of its own
    under = [valgrind, "-q", "--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={counts}/%p"]
    with standing(folder, latency=0.0, under=under) as stand:
        # It would come in one run and not in the other.
        execute(stand.urls.superuser, "alter system set autovacuum = off", "select pg_reload_conf()")
        _send(stand, prepare(stand, WARM))
        analyze(stand.urls.superuser)
        requests = prepare(stand, size)
        _send(stand, requests)
    told = [_SUMMARY.search(file.read_text(errors="replace")) for file in counts.iterdir()]
    return len(requests), sum(int(found[1]) for found in told if found)


def _send(stand: Stand, requests: Sequence[bytes]) -> None:
    for start in range(0, len(requests), AT_ONCE):
        send(stand.server.port, requests[start : start + AT_ONCE], 1)
