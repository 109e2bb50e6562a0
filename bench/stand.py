"""The stand a benchmark runs on: durable PostgreSQL, Stripe's stand-in, our server, the floor beside it."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import asyncpg
import uvloop

from bench.buyers import JWT_SECRET, checkouts
from bench.events import SECRET
from bench.load import closed_loop, send
from bench.processes import Running, clean_environment, cpu_seconds, family_cpu_seconds, parent, running
from bench.report import percentile
from paygres.server.db.embedded import EmbeddedPostgres, Urls
from paygres.server.db.migrate import migrate

FLOOR_TABLES = Path(__file__).with_name("floor.sql")
CONNECT_SECONDS = 20.0
API_KEY = "ik_3c5d7e9f1a2b4c6d8e0f1a3b5c7d9e0f"


@dataclass(frozen=True, slots=True)
class Stand:
    """What is running: `postmaster` is PostgreSQL's first process, parent of all its others."""

    urls: Urls
    postmaster: int
    server: Running
    floor: Running


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured series. `rate` per second, times in ms; CPU per request, of all PostgreSQL processes."""

    rate: float
    p50: float
    p99: float
    server_cpu: float
    postgres_cpu: float


@contextmanager
def standing(
    folder: Path, *, script: str = "", latency: float | None = None, orders: bool = False, under: Sequence[str] = ()
) -> Iterator[Stand]:
    """Everything started and warm. `script` is SQL for the owner, as a developer would run it.

    `latency` (s) starts Stripe's stand-in and connects the server to it; without, nothing listens there.
    `orders` makes the floor mark orders paid. PostgreSQL runs `under` a command, where one is named.
    """
    with ExitStack() as stack:
        urls = stack.enter_context(EmbeddedPostgres(folder / "postgres", durable=True, under=under)).urls
        asyncio.run(migrate(urls.owner, server_role="paygres_server"))
        postmaster = asyncio.run(_prepare(urls, script))
        environment = clean_environment()
        stripe_url = "http://127.0.0.1:9"
        if latency is not None:
            arguments = ["-m", "bench.canned_stripe", "--latency", str(latency)]
            stripe_url = stack.enter_context(running("stripe", arguments, folder, environment)).line["url"]
        floor = ["-m", "bench.floor", "--database", urls.server_socket, "--stripe", stripe_url]
        floor += ["--orders"] if orders else []
        own = {
            "DATABASE_URL": urls.server_socket,
            "JWT_SECRET": JWT_SECRET,
            "ENCRYPTION_KEY": "8f7e6d5c4b3a29181706f5e4d3c2b1a09f8e7d6c",
            "ACCESS_API_KEY": API_KEY,
            "ACCESS_ANON_KEY": "anon_2b4d6f8a0c1e3a5c7e9b1d3f5a7c9e0b",
            "STRIPE_API_BASE": stripe_url,
            "PAYGRES_LIMITS": "off",  # or the budget for test mode (25 a second) is what is measured
            "PAYGRES_POOL_SIZE": "10",
            "STRIPE_TEST_WEBHOOK_SECRET": SECRET,
        }
        if latency is not None:
            own["STRIPE_TEST_SECRET_KEY"] = "sk_test_51Bench0000000000000000"
        serve = ["-m", "paygres.server", "serve", "--port", "0"]
        server = stack.enter_context(
            running("server", serve, folder, environment | own, lambda line: line.get("event") == "listening")
        )
        stand = Stand(urls, postmaster, server, stack.enter_context(running("floor", floor, folder, environment)))
        if latency is not None:
            _wait_until_connected(stand)
        else:
            time.sleep(0.5)  # the signing secret is stored after the server listens
        yield stand


async def _prepare(urls: Urls, script: str) -> int:
    """Runs the developer's script, makes the floor's tables; returns the postmaster's process id."""
    owner = await asyncpg.connect(urls.owner)
    try:
        if script:
            await owner.execute(script)
    finally:
        await owner.close()
    superuser = await asyncpg.connect(urls.superuser)
    try:
        off = [n for n in ("fsync", "synchronous_commit") if await superuser.fetchval(f"show {n}") != "on"]
        if off:
            raise RuntimeError(f"{', '.join(off)} is off: figures of a database that may lose payments")
        await superuser.execute(FLOOR_TABLES.read_text())
        return parent(await superuser.fetchval("select pg_backend_pid()"))
    finally:
        await superuser.close()


def _wait_until_connected(stand: Stand) -> None:
    """Until a checkout succeeds: the key of the environment is applied after the server listens."""
    give_up = time.monotonic() + CONNECT_SECONDS
    while True:
        outcome = uvloop.run(closed_loop(stand.server.port, checkouts(1, keyed=True), 1))
        if outcome.all_ok and outcome.latencies:
            return
        if time.monotonic() > give_up:
            outcome.insist(1)
        time.sleep(0.2)


def sample(stand: Stand, target: Running, requests: Sequence[bytes], clients: int) -> Sample:
    """Send the requests to `target` (the server or the floor) and read off what they cost."""
    before = cpu_seconds(target.pid), family_cpu_seconds(stand.postmaster)
    outcome = send(target.port, requests, clients)
    after = cpu_seconds(target.pid), family_cpu_seconds(stand.postmaster)
    count = len(requests)
    return Sample(
        rate=count / outcome.seconds,
        p50=percentile(outcome.latencies, 0.5) * 1000,
        p99=percentile(outcome.latencies, 0.99) * 1000,
        server_cpu=(after[0] - before[0]) / count * 1000,
        postgres_cpu=(after[1] - before[1]) / count * 1000,
    )


def note(benchmark: str, samples: Sequence[Sample], count: int) -> str:
    """One line of progress for the person waiting."""
    cpu, postgres = median(s.server_cpu for s in samples), median(s.postgres_cpu for s in samples)
    return f"bench: {benchmark}: {len(samples)} × {count} requests, {cpu:.2f} + {postgres:.2f} ms CPU each"
