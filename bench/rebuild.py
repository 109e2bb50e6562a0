"""The mirror made anew from a ledger of a million events: copies of one history with all kinds of objects at their real
size. `python -m paygres.server rebuild` on the machine's cores, with PostgreSQL beside it; into empty tables, and once
more over the full ones. That the tables are right is a test's matter; here they are only counted."""

import asyncio
import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import orjson

from bench.buyers import JWT_SECRET
from bench.objects import full
from bench.processes import clean_environment, family_cpu_seconds, parent
from bench.report import Figure, Plan
from paygres.server.db.embedded import EmbeddedPostgres, Urls
from paygres.server.db.migrate import migrate
from tests.histories import START, Event, purchase
from tests.subscription_histories import subscribed

NAME = "rebuild"
EVENTS = 1_000_000
GOAL = 3_000.0
_BATCH = 1_000
_MARK = "c0000000"
COPY = Path(__file__).with_name("rebuild.sql").read_text().partition("-- name: copy\n")[2]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Events folded a second; CPU an event in microseconds, of the command and of PostgreSQL."""

    rate: float
    command_cpu: float
    postgres_cpu: float


def run(plan: Plan, folder: Path) -> list[Figure]:
    """One round: a million events take long enough."""
    with EmbeddedPostgres(folder / "postgres", durable=True) as postgres:
        urls = postgres.urls
        asyncio.run(migrate(urls.owner, server_role="paygres_server"))
        events = asyncio.run(_fill(urls, EVENTS // 20 if plan.quick else EVENTS))
        postmaster = asyncio.run(_postmaster(urls))
        empty = _rebuild(urls, events, postmaster)
        again = _rebuild(urls, events, postmaster)
    thousands = f"{events // 1000} 000 events"
    return [
        Figure(NAME, f"{thousands} into empty tables", "events/s", [empty.rate], target=GOAL, above=True),
        Figure(NAME, "the same, CPU of the command", "µs/event", [empty.command_cpu]),
        Figure(NAME, "the same, CPU of PostgreSQL", "µs/event", [empty.postgres_cpu]),
        Figure(NAME, f"{thousands} over full tables", "events/s", [again.rate]),
    ]


def history(name: str) -> list[Event]:
    """Of a customer: two purchases, one refunded in part, and a subscription renewed twice; objects at real size."""
    subject = ("user", f"user_{name}")
    found = [
        *purchase(f"{name}a", subject=subject, at=START),
        *purchase(f"{name}b", at=START + 40, declines=1, refunded=500),
        *subscribed(f"{name}s", subject=subject, at=START + 80, renewals=2, declines=1, refunded=400),
    ]
    for number, event in enumerate(found):
        event["data"]["object"] = full(event["data"]["object"])
        event["id"] = f"evt_{name}_{number}"
    return found


async def _fill(urls: Urls, wanted: int) -> int:
    connection = await asyncpg.connect(urls.superuser)
    try:
        told = history(_MARK)
        await connection.executemany(
            "insert into payments.stripe_snapshots (environment, account_id, object_type, object_id, as_of, source,"
            " event_id, event_type, payload) values ('test', 'acct_1', $1, $2, $3, 'event', $4, $5, $6)",
            [
                (
                    event["data"]["object"]["object"],
                    event["data"]["object"]["id"],
                    event["created"],
                    event["id"],
                    event["type"],
                    json.dumps(event, indent=2),
                )
                for event in told
            ],
        )
        newest = await connection.fetchval("select max(seq) from payments.stripe_snapshots")
        copies = wanted // len(told)
        for first in range(1, copies, _BATCH):
            await connection.execute(COPY, first, min(first + _BATCH, copies) - 1, _MARK, newest)
        await connection.execute("vacuum analyze payments.stripe_snapshots")
        return copies * len(told)
    finally:
        await connection.close()


async def _postmaster(urls: Urls) -> int:
    connection = await asyncpg.connect(urls.superuser)
    try:
        return parent(await connection.fetchval("select pg_backend_pid()"))
    finally:
        await connection.close()


def _rebuild(urls: Urls, events: int, postmaster: int) -> Rebuilt:
    own = {
        "DATABASE_URL": urls.server_socket,
        "JWT_SECRET": JWT_SECRET,
        "ENCRYPTION_KEY": "8f7e6d5c4b3a29181706f5e4d3c2b1a09f8e7d6c",
    }
    command = [sys.executable, "-m", "paygres.server", "rebuild", "--environment", "test"]
    before = _children_cpu(), family_cpu_seconds(postmaster)
    began = time.perf_counter()
    done = subprocess.run(command, env=clean_environment() | own, stdout=subprocess.PIPE, check=True)
    seconds = time.perf_counter() - began
    [report] = orjson.loads(done.stdout)["results"]
    if report["failed"] or not report["payments"]:
        raise RuntimeError(f"not rebuilt: {report}")
    print(f"bench: {events} events in {seconds:.1f} s: {report['objects']}", file=sys.stderr, flush=True)
    spent = _children_cpu() - before[0], family_cpu_seconds(postmaster) - before[1]
    return Rebuilt(events / seconds, *(cpu * 1e6 / events for cpu in spent))


def _children_cpu() -> float:
    """Of processes that have ended; PostgreSQL has not."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
