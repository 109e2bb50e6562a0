"""Starting: `paygres dev` in an empty folder and again in the same one, idle memory, `paygres --help`.

Seen from outside: the clock starts with the process, the API is ready when its health route first answers,
the sample purchase is fulfilled when the JSON line is out (the order has been read back as paid by then).
"""

import http.client
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from statistics import median

from bench.processes import children, clean_environment, command_line, rss_mb, stop
from bench.report import Figure, Plan
from bench.stand import standing
from paygres.server.db.embedded import EmbeddedPostgres

NAME = "start"
LIMIT_SECONDS = 90.0
IDLE_SECONDS = 3.0
HELP_TIMES = 10


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds to the API's first answer, from there to the fulfilled purchase, and idle memory in MB."""

    ready: float
    fulfilled: float
    memory: float


def run(plan: Plan, folder: Path) -> list[Figure]:
    """Every round: an empty folder (--fresh), then the same one again."""
    rounds = min(plan.rounds, 3)
    cold: list[Start] = []
    warm: list[Start] = []
    for _ in range(rounds):
        cold.append(_dev(folder, "--fresh"))
        warm.append(_dev(folder))
    postgres = [_postgres(folder / f"postgres-{number}") for number in range(rounds)]
    with standing(folder) as stand:
        time.sleep(1.0)
        bare_memory = rss_mb(stand.floor.pid)
    program = str(Path(sys.executable).with_name("paygres"))
    return [
        Figure(NAME, "cold: API ready", "s", [s.ready for s in cold], [p[0] for p in postgres], target=6.0),
        Figure(NAME, "cold: then sample purchase fulfilled", "s", [s.fulfilled for s in cold], target=3.0),
        Figure(
            NAME,
            "warm: API ready",
            "s",
            [s.ready for s in warm],
            [p[1] for p in postgres],
            target=3.0,
            reference=3.3,
        ),
        Figure(NAME, "warm: all, with a sample purchase", "s", [s.ready + s.fulfilled for s in warm], target=3.0),
        Figure(
            NAME,
            "idle memory of the API",
            "MB",
            [s.memory for s in warm],
            [bare_memory],
            target=120.0,
            reference=180.0,
        ),
        Figure(
            NAME,
            "paygres --help",
            "ms",
            [median(_timed([program, "--help"]) for _ in range(HELP_TIMES))],
            [median(_timed([sys.executable, "-c", "pass"]) for _ in range(HELP_TIMES))],
            target=200.0,
        ),
        Figure(NAME, "import of the SDK, beyond httpx2 and pydantic", "ms", [_sdk()], target=150.0),
    ]


def _sdk() -> float:
    """Milliseconds that a program waits longer for `from paygres import …` than for what it needs."""
    ours = "from paygres import create_async_client, create_client, CheckoutSession"
    needed = "import httpx2, pydantic; pydantic.BaseModel"
    pairs = [[_timed([sys.executable, "-c", code]) for code in (ours, needed)] for _ in range(HELP_TIMES)]
    return median(first for first, _ in pairs) - median(second for _, second in pairs)


def _dev(folder: Path, *options: str) -> Start:
    """One whole `paygres dev --json`, ended by SIGTERM."""
    with create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    command = [
        "-m",
        "paygres.cli.main",
        "dev",
        "--json",
        "--data-dir",
        str(folder / "home"),
        "--port",
        str(port),
    ]
    with (folder / "dev.out").open("wb") as out, (folder / "dev.err").open("wb") as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *command, *options],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=clean_environment(),
        )
    try:
        ready = fulfilled = 0.0
        while not fulfilled:
            now = time.perf_counter() - began
            if process.poll() is not None or now > LIMIT_SECONDS:
                raise RuntimeError(f"paygres dev did not start: {(folder / 'dev.err').read_text()[-500:]}")
            if not ready and _answers(port):
                ready = time.perf_counter() - began
            if (folder / "dev.out").read_bytes().endswith(b"\n"):
                fulfilled = time.perf_counter() - began
            time.sleep(0.02)
        time.sleep(IDLE_SECONDS)
        api = next(pid for pid in children(process.pid) if {"paygres.server", "serve"} <= set(command_line(pid)))
        return Start(ready, fulfilled - ready, rss_mb(api))
    finally:
        stop(process)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1.0)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _postgres(folder: Path) -> tuple[float, float]:
    """Seconds that PostgreSQL alone needs: with initdb, and with its cluster there."""
    times: list[float] = []
    for _ in range(2):
        began = time.perf_counter()
        with EmbeddedPostgres(folder, durable=True):
            times.append(time.perf_counter() - began)
    return times[0], times[1]


def _timed(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=clean_environment())
    return (time.perf_counter() - began) * 1000
