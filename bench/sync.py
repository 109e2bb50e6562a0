"""A whole account mirrored: 5 000 products, 10 000 prices, 20 000 customers, 20 000 subscriptions, read page by page
from the sandbox. Once into empty tables, then again with nothing changed at Stripe; and the most memory the server
ever held. Everything shares the machine's cores."""

import asyncio
import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from bench.buyers import JWT_SECRET
from bench.processes import Running, clean_environment, cpu_seconds, family_cpu_seconds, parent, running
from bench.report import Figure, Plan
from paygres.server.db.embedded import EmbeddedPostgres, Urls
from paygres.server.db.migrate import migrate

NAME = "sync"
OBJECTS = {"products": 5_000, "prices": 10_000, "customers": 20_000, "subscriptions": 20_000}
SUBJECT = {"insforge_subject_type": "user", "insforge_subject_id": "user-{n}"}
WITHIN_SECONDS, WITHIN_MB = 11.0, 150.0
REFERENCE_SECONDS, REFERENCE_MB = 56.0, 312.0
API_KEY = "ik_3c5d7e9f1a2b4c6d8e0f1a3b5c7d9e0f"
LIMIT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Synced:
    """Seconds from request to answer; CPU seconds of server and PostgreSQL meanwhile; the server's peak so far, MB."""

    seconds: float
    server_cpu: float
    postgres_cpu: float
    peak: float


def run(plan: Plan, folder: Path) -> list[Figure]:
    """Every round has a database and a server of its own; the account is the same."""
    cold: list[Synced] = []
    warm: list[Synced] = []
    with running("sandbox", ["-m", "paygres.sandbox"], folder, clean_environment()) as sandbox:
        for number in range(min(plan.rounds, 3)):
            letters = "BenchAccount" + "abc"[number] * 3
            with _standing(folder / f"round-{number}", sandbox.line["url"]) as (server, postmaster):
                # Connected while the account is empty: the sync that comes with it has nothing to do.
                config = f"http://127.0.0.1:{server.port}/api/payments/stripe/test/config"
                _send("PUT", config, {"secretKey": f"sk_test_51{letters}{'0' * 40}"})
                objects = _seed(sandbox.line["url"], f"acct_1{letters}", plan)
                cold.append(_sync(server, postmaster, objects))
                warm.append(_sync(server, postmaster, objects))
    return [
        Figure(
            NAME,
            "55 000 objects into empty tables",
            "s",
            [s.seconds for s in cold],
            target=WITHIN_SECONDS,
            reference=REFERENCE_SECONDS,
        ),
        Figure(NAME, "the same, server CPU", "s", [s.server_cpu for s in cold], reference=18.5),
        Figure(NAME, "the same, PostgreSQL CPU", "s", [s.postgres_cpu for s in cold], reference=32.0),
        Figure(
            NAME,
            "55 000 objects, nothing changed",
            "s",
            [s.seconds for s in warm],
            target=WITHIN_SECONDS,
            reference=REFERENCE_SECONDS,
        ),
        Figure(
            NAME,
            "peak memory of the server",
            "MB",
            [s.peak for s in warm],
            target=WITHIN_MB,
            reference=REFERENCE_MB,
        ),
    ]


def _seed(sandbox_url: str, account: str, plan: Plan) -> dict[str, int]:
    """Every subscription says whose it is, as those sold by us do."""
    wanted: dict[str, Any] = {name: plan.size(count) for name, count in OBJECTS.items()}
    fields = {"subscriptions": {"metadata": SUBJECT}}
    made = _send("POST", f"{sandbox_url}/_sim/seed", {**wanted, "fields": fields, "account": account})
    return {name: made[name] for name in wanted}


@contextmanager
def _standing(folder: Path, stripe_url: str) -> Iterator[tuple[Running, int]]:
    """A durable PostgreSQL (its first process) and a server that is not connected yet."""
    folder.mkdir()
    folder.chmod(0o711)  # as root, PostgreSQL's own user has to pass through
    with ExitStack() as stack:
        urls = stack.enter_context(EmbeddedPostgres(folder / "postgres", durable=True)).urls
        asyncio.run(migrate(urls.owner, server_role="paygres_server"))
        own = {
            "DATABASE_URL": urls.server_socket,
            "JWT_SECRET": JWT_SECRET,
            "ENCRYPTION_KEY": "8f7e6d5c4b3a29181706f5e4d3c2b1a09f8e7d6c",
            "ACCESS_API_KEY": API_KEY,
            "ACCESS_ANON_KEY": "anon_2b4d6f8a0c1e3a5c7e9b1d3f5a7c9e0b",
            "STRIPE_API_BASE": stripe_url,
            "PAYGRES_LIMITS": "off",  # or the budget for test mode (25 a second) is what is measured
        }
        serve = ["-m", "paygres.server", "serve", "--port", "0"]
        server = running(
            "server", serve, folder, clean_environment() | own, lambda line: line.get("event") == "listening"
        )
        yield stack.enter_context(server), asyncio.run(_postmaster(urls))


async def _postmaster(urls: Urls) -> int:
    connection = await asyncpg.connect(urls.superuser)
    try:
        return parent(await connection.fetchval("select pg_backend_pid()"))
    finally:
        await connection.close()


def _sync(server: Running, postmaster: int, objects: dict[str, int]) -> Synced:
    """One sync from request to answer; raises unless every object was listed."""
    before = cpu_seconds(server.pid), family_cpu_seconds(postmaster)
    began = time.perf_counter()
    [result] = _send("POST", f"http://127.0.0.1:{server.port}/api/payments/stripe/test/sync")["results"]
    seconds = time.perf_counter() - began
    counts = {name: result["connection"]["lastSyncCounts"].get(name) for name in objects}
    if counts != objects or result["subscriptions"] is None:
        raise RuntimeError(f"not a whole sync: {result}")
    spent = cpu_seconds(server.pid) - before[0], family_cpu_seconds(postmaster) - before[1]
    return Synced(seconds, *spent, peak_mb(server.pid))


def peak_mb(pid: int) -> float:
    """The most resident memory the process ever had, in MB (10^6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"process {pid} has ended")


def _send(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {API_KEY}"}
    request = urllib.request.Request(url, json.dumps(body or {}).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as answer:
        return json.load(answer)
