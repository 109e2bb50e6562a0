"""One run of the proof: rehearse without a storm, kill while deliveries go astray, let it heal, and compare."""

import asyncio
import contextlib
import datetime
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx2

from tests.crashes.buyers import KINDS, Buyers
from tests.crashes.programs import Cluster, Program
from tests.crashes.stage import Stage, standing
from tests.crashes.storm import POSTGRES, Storm
from tests.crashes.verdict import compare, missing
from tests.http.running import admin

DIALS = {"duplicate": 0.25, "drop": 0.15, "lose": 0.03, "delay": 1.0, "shuffle": True}
CALM = {"duplicate": 0, "drop": 0, "lose": 0, "delay": 0, "shuffle": False, "answers": []}
# Stripe fails reads of what only we read: a sweep ends early, an object is read later.
UNREADABLE = [{"status": 503, "path": path, "count": 3} for path in ("/v1/events", "/v1/invoice_payments")]
PAUSES = (0.0, 0.25)  # seconds between a recovery and the next kill: the first thing that is done is hit as well
ONCE = "sweeps.insert_sweep"  # in the life of an account: until it has had its turn, the account is swept as a new one
OPERATES = 3.0  # seconds between two things that an operator does
# What waits for a lease of the dead, or for a moment that is chosen with care; the long form waits, too.
HURRY = """
update payments.stripe_checkout_sessions set leased_until = now() - interval '1 s' where leased_until > now();
update payments.checkout_attempts set leased_until = now() - interval '1 s' where leased_until > now();
update payments.event_queue set leased_until = null where leased_until is not null;
update payments.refetch_queue set leased_until = null, next_attempt_at = now();
"""
# Seconds after the storm in which a program may still end: it was just starting when PostgreSQL died for the last time.
SETTLING = 10.0
UNFINISHED = """
select (select count(*) from payments.event_queue) as events,
       (select count(*) from payments.refetch_queue) as refetches,
       (select count(*) from payments.stripe_checkout_sessions where status in ('initialized', 'open')) as checkouts
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long: until `deliveries` have been sent and `kills` were made (None: every target had its turn), at most
    `seconds`. `hurry` ends leases of the dead at once, where the product would wait for half a minute."""

    seed: int
    deliveries: int
    kills: int | None
    seconds: float
    hurry: bool
    buyers: int = 10
    rest: float = 0.0  # of a buyer, in seconds, before the next visit
    beside: bool = False  # another server and another worker run, whom nobody kills


@dataclass
class Report:
    """What was done, and what is wrong (nothing, it is hoped)."""

    seed: int
    storm: Storm
    figures: dict[str, object] = field(default_factory=dict[str, object])
    faults: list[str] = field(default_factory=list[str])


Tell = Callable[[str], None]


def prove(plan: Plan, folder: Path, tell: Tell = lambda sentence: None) -> Report:
    """Runs it in `folder`, whose logs stay; call it from the main thread. Everything started here has ended then.
    `tell` hears of every phase and every kill."""
    cluster = Cluster(folder / "postgres")
    cluster.start()
    try:
        return asyncio.run(_prove(plan, cluster, folder, tell))
    finally:
        cluster.stop()


async def _prove(plan: Plan, cluster: Cluster, folder: Path, tell: Tell) -> Report:
    storm = Storm(plan.seed)
    report = Report(plan.seed, storm)
    began, since = time.monotonic(), datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")

    def passed(phase: str) -> None:
        report.figures[f"{phase} after, s"] = round(time.monotonic() - began, 1)
        tell(f"{phase}, {time.monotonic() - began:.0f} s")

    try:
        async with standing(cluster, folder, storm.strike, beside=plan.beside) as stage:
            passed("open")
            buyers = Buyers(stage, plan.seed)
            await asyncio.gather(*(buyers.one(kind) for kind in KINDS))
            await _delivered(stage)
            await stage.sim("faults", seed=plan.seed, **DIALS)
            passed("rehearsed")
            async with _falling(plan, stage, storm, tell):
                await _trade(plan, stage, storm, buyers, since)
            passed("storm over")
            await _heal(plan, stage, since)
            passed("healed")
            report.faults += buyers.faults
            report.figures |= {"orders": len(buyers.orders), "answers": dict(buyers.answers)} | await stage.counts()
            await compare(stage, buyers, report.faults, report.figures)
            passed("compared")
    except Exception as error:
        error.add_note("\n".join([f"seed {plan.seed}; kills:", *storm.history]))
        raise
    return report


async def _delivered(stage: Stage) -> None:
    give_up = time.monotonic() + 30
    while (await stage.counts())["pending"]:
        assert time.monotonic() < give_up, await stage.counts()
        await asyncio.sleep(0.05)


@asynccontextmanager
async def _falling(plan: Plan, stage: Stage, storm: Storm, tell: Tell) -> AsyncIterator[None]:
    """Within the block whoever the storm picks is killed, and started again."""
    fallen: asyncio.Queue[str] = asyncio.Queue()
    programs: dict[str, Cluster | Program] = {
        POSTGRES: stage.cluster,
        "server": stage.server,
        "worker": stage.worker,
    }

    def kill(victim: str) -> None:
        programs[victim].kill()
        fallen.put_nowait(victim)

    pauses = itertools.cycle(PAUSES)

    async def raise_again() -> None:
        while True:
            await asyncio.sleep(next(pauses))
            storm.rage()
            victim = await fallen.get()
            began = time.monotonic()
            await _start(stage, victim)
            await _supervise(stage)
            if plan.hurry:
                await stage.force(HURRY)
            storm.history[-1] += f"; up again after {time.monotonic() - began:.1f} s"
            tell(f"{storm.history[-1]}; {len(storm.hits)} of {len(storm.targets)} targets")

    storm.kill = kill
    raising = asyncio.create_task(raise_again())
    try:
        yield
    finally:
        storm.raging = False
        raising.cancel()
        await asyncio.gather(raising, return_exceptions=True)
        storm.raging = False
    if raising.done() and not raising.cancelled() and raising.exception() is not None:
        raise RuntimeError("somebody did not get up again") from raising.exception()
    if stage.cluster.is_down:
        stage.cluster.start()
    await _supervise(stage)
    await stage.server.listens(stage.port)  # it may have been about to, when the storm ended


async def _supervise(stage: Stage) -> None:
    """A program that could not start, because PostgreSQL died just then, has ended with a sentence."""
    if not stage.server.runs:
        await stage.start_server()
    for program in (stage.worker, *stage.beside):
        if not program.runs:
            program.start()


async def _start(stage: Stage, victim: str) -> None:
    if victim == POSTGRES:
        stage.cluster.start()
    elif victim == "server":
        await stage.start_server()
    else:
        stage.worker.start()


async def _trade(plan: Plan, stage: Stage, storm: Storm, buyers: Buyers, since: str) -> None:
    """Buyers come and go, an operator operates, until enough was delivered and enough have died, or time is over."""
    give_up = time.monotonic() + plan.seconds
    enough = asyncio.Event()

    async def visit() -> None:
        while not enough.is_set():
            await buyers.one()
            await asyncio.sleep(plan.rest)

    async def watch() -> None:
        while time.monotonic() < give_up:
            killed = not storm.missed if plan.kills is None else len(storm.history) >= plan.kills
            if killed and (await stage.counts())["posted"] >= plan.deliveries:
                break
            await asyncio.sleep(0.25)
        enough.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(watch())
        for _ in range(plan.buyers):
            group.create_task(visit())
        operating = group.create_task(_operate_now_and_then(stage, storm, since))
        await enough.wait()
        operating.cancel()


async def _operate_now_and_then(stage: Stage, storm: Storm, since: str) -> None:
    """An operator, who may meet a death as buyers do, and tries something else then."""
    while True:
        await stage.sim("faults", answers=UNREADABLE)
        if any(target.boundary.statement == ONCE for target in storm.missed):
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                await stage.force("delete from payments.sweeps")
        for path, asked in (
            ("sync", {}),
            ("events/backfill", {"since": since}),
            ("events/retry", {"status": "failed"}),
        ):
            with contextlib.suppress(httpx2.TransportError):
                await stage.api.post(f"/api/paygres/test/{path}", headers=admin(), json=asked)
            await asyncio.sleep(OPERATES)


async def _heal(plan: Plan, stage: Stage, since: str) -> None:
    """No more faults. Stripe's retries and the sweep bring what is missing, checkouts nobody paid run out, the worker
    finishes what is begun. In a hurry an operator helps: fetches what did not arrive, tries at once what waits."""
    await stage.sim("faults", **CALM)
    await stage.force("alter sequence public.stumbles increment 12 restart 1")  # stumbles over nothing any more
    began = time.monotonic()
    give_up = began + (120 if plan.hurry else 600)
    while True:
        if time.monotonic() < began + SETTLING:
            await _supervise(stage)
        for session in await stage.listed("/v1/checkout/sessions", status="open"):
            await stage.sim("expire", session=session["id"])
        if plan.hurry:
            await stage.force(HURRY)
            for status in ("failed", "pending", "parked"):
                await _operate(stage, "retry", status=status)
        left = (await stage.rows(UNFINISHED))[0] | {"deliveries": (await stage.counts())["pending"]}
        if not left["deliveries"]:
            left["missing"] = len(await missing(stage))
            if not any(left.values()):
                return
            if plan.hurry and left["missing"]:
                await _operate(stage, "backfill", since=since)
        if time.monotonic() > give_up:
            queued = await stage.rows("select * from payments.event_queue limit 5")
            ended = [one.last_words() for one in (stage.server, stage.worker) if not one.runs]
            raise TimeoutError(f"it does not heal: {left}, {queued}; ended by themselves: {ended}")
        await asyncio.sleep(0.3 if plan.hurry else 3.0)


async def _operate(stage: Stage, action: str, **asked: str) -> None:
    answer = await stage.api.post(f"/api/paygres/test/events/{action}", headers=admin(), json=asked)
    assert answer.status_code == 200, answer.text
