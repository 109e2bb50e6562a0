"""`python -m bench [names]`: runs the benchmarks asked for (all without a name) and prints one table."""

import argparse
import importlib
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from bench.machine import describe, idle_share
from bench.pace import TURNS, pace
from bench.report import Figure, Plan, table

BENCHMARKS = (
    "start",
    "slow-stripe",
    "checkout",
    "webhook",
    "fulfillment",
    "wait",
    "sync",
    "lists",
    "ledger",
    "rebuild",
    "sandbox",
)
ASKED_FOR = ("instructions",)  # those that need another program, or much patience
ALL = BENCHMARKS + ASKED_FOR


def main() -> int:
    """Exit code 1 only when a benchmark could not be taken; a missed target is a figure, not an error."""
    parser = argparse.ArgumentParser(prog="python3 run.py bench", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="name",
        help=f"any of: {', '.join(ALL)}; without one, all but {', '.join(ASKED_FOR)}",
    )
    parser.add_argument("--rounds", type=int, default=5, help="medians are over so many (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="one small round: does it work, not how fast is it")
    parser.add_argument(
        "--pace",
        type=float,
        metavar="MS",
        help="checkout and webhook: count only rounds before and after which a fixed loop costs at most so much CPU; "
        "the first lines of a run say what it costs now",
    )
    parser.add_argument(
        "--patience", type=float, default=60, metavar="MIN", help="wait so long for them in all (default: %(default)s)"
    )
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(ALL))
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(ALL)}")
    if not Path("/proc/self/stat").exists():
        print("bench: CPU per request is read from /proc, so this runs on Linux only", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started ends with it
    plan = Plan(
        rounds=1 if asked.quick else max(1, asked.rounds),
        quick=asked.quick,
        pace=asked.pace,
        until=time.monotonic() + asked.patience * 60,
    )
    print(describe(), flush=True)
    share = idle_share()
    busy = "" if share > 0.97 else "; something else is running, the figures will be worse than they are"
    print(
        f"Before the run the cores were {share:.0%} idle{busy}; {TURNS} turns of a loop took {pace():.1f} ms.",
        flush=True,
    )
    counted = (
        ""
        if asked.pace is None
        else f"Of checkout and webhook, rounds count while they take {asked.pace} ms at most.\n"
    )
    print(counted, flush=True)
    failed: list[str] = []
    figures: list[Figure] = []
    for name in [known for known in ALL if known in (asked.names or BENCHMARKS)]:
        print(f"bench: {name} …", file=sys.stderr, flush=True)
        folder = Path(tempfile.mkdtemp(prefix=f"paygres-bench-{name}-"))
        folder.chmod(0o711)  # as root, PostgreSQL's own user has to pass through
        try:
            figures += importlib.import_module(f"bench.{name.replace('-', '_')}").run(plan, folder)
        except Exception as error:
            failed.append(name)
            traceback.print_exception(error)
            print(f"bench: {name} failed", file=sys.stderr, flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(table(figures))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
