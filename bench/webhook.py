"""Receiving events: events a second, answer times, CPU per event in server and PostgreSQL.

The load of `mix.py` is the one the original was measured with. The other is harder and nearer to Stripe's: each
purchase is a burst of five to nine large events about the same payment; with 16 clients events of one payment are in
flight together, as Stripe sends them; the checkouts they belong to exist before. The last series of each find 10 000
purchases stored, to show what a year of trade costs.
"""

import asyncio
import itertools
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from bench.events import Purchase, delivery, keep_checkouts, purchase
from bench.mix import mixed
from bench.pace import rounds
from bench.report import Figure, Plan
from bench.stand import Sample, Stand, note, sample, standing
from bench.stored import analyze, store_purchases

NAME = "webhook"
SERVER_CPU_MS = 0.9
POSTGRES_CPU_MS = 1.2
STORED = 10_000
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Series:
    """One load; where it is the original's, what the original needed: events a second, p50 and CPU in ms."""

    label: str
    clients: int
    count: int
    mixed: bool = False
    rate: float | None = None
    p50: float | None = None
    postgres_cpu: float | None = None

    @property
    def server_cpu(self) -> float | None:
        return 1.8 if self.mixed else None


EMPTY = (
    Series("mix, 1 client", clients=1, count=700, mixed=True, rate=146.0, p50=6.4, postgres_cpu=3.1),
    Series("mix, 16 clients", clients=16, count=1400, mixed=True, rate=344.0, postgres_cpu=3.1),
    Series("bursts, 1 client", clients=1, count=500),
    Series("bursts, 16 clients", clients=16, count=1500),
)
FULL = (
    Series("mix, 16 clients", clients=16, count=1400, mixed=True, rate=115.0, postgres_cpu=12.8),
    Series("bursts, 16 clients", clients=16, count=1500),
)


def run(plan: Plan, folder: Path) -> list[Figure]:
    """Six series; the tables grow from round to round by up to 250 purchases."""
    with standing(folder) as stand:
        warm = [*mixed(plan.size(700)), *deliveries(stand, plan.size(400))]
        for target in (stand.server, stand.floor):
            sample(stand, target, warm, 16)
        analyze(stand.urls.superuser)
        figures = [figure for series in EMPTY for figure in _measured(plan, stand, series)]
        stored = plan.size(STORED)
        store_purchases(stand.urls.superuser, stored)
        analyze(stand.urls.superuser)
        full = [replace(series, label=f"{series.label}, {stored} stored") for series in FULL]
        return figures + [figure for series in full for figure in _measured(plan, stand, series)]


def deliveries(stand: Stand, count: int) -> list[bytes]:
    """About `count` events, signed now: whole purchases nobody has seen, their checkouts stored."""
    return [delivery(event) for event in bursts(stand, count)]


def bursts(stand: Stand, count: int) -> list[bytes]:
    """The same, not signed yet."""
    bought: list[Purchase] = []
    while sum(len(one.events) for one in bought) < count:
        number = next(_numbers)
        bought.append(purchase(f"bench{number:07d}", number))
    asyncio.run(keep_checkouts(stand.urls.superuser, bought))
    return [event for one in bought for event in one.events]


def _measured(plan: Plan, stand: Stand, series: Series) -> list[Figure]:
    count = plan.size(series.count)

    def prepare() -> list[bytes]:
        return mixed(count) if series.mixed else deliveries(stand, count)

    def take(load: list[bytes]) -> tuple[Sample, Sample]:
        return sample(stand, stand.server, load, series.clients), sample(stand, stand.floor, load, series.clients)

    ours, floor = zip(*rounds(plan, prepare, take), strict=True)
    print(note(f"{NAME}, {series.label}", ours, count), file=sys.stderr, flush=True)
    return [
        Figure(
            NAME,
            f"{series.label}: {name}",
            unit,
            [read(s) for s in ours],
            [read(s) for s in floor],
            target=target,
            reference=reference,
        )
        for name, unit, read, target, reference in (
            ("rate", "/s", lambda s: s.rate, None, series.rate),
            ("p50", "ms", lambda s: s.p50, None, series.p50),
            ("p99", "ms", lambda s: s.p99, None, None),
            ("server CPU", "ms", lambda s: s.server_cpu, SERVER_CPU_MS, series.server_cpu),
            ("PostgreSQL CPU", "ms", lambda s: s.postgres_cpu, POSTGRES_CPU_MS, series.postgres_cpu),
        )
    ]
