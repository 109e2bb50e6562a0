"""Receiving purchases: events a second, answer times, CPU per event in server and PostgreSQL.

Each purchase is a burst of five to nine events about the same payment; with 16 clients events of one payment
are in flight together, as Stripe sends them. The checkouts they belong to exist before. The last series finds
10 000 purchases stored, to show what a year of trade costs.
"""

import asyncio
import itertools
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from bench.events import Purchase, delivery, keep_checkouts, purchase
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
    """One load, and what the original needed for it: events a second, p50 and CPU in ms."""

    label: str
    clients: int
    count: int
    rate: float
    p50: float | None
    postgres_cpu: float
    server_cpu: float = 1.8


EMPTY = (
    Series("1 client", clients=1, count=500, rate=146.0, p50=6.4, postgres_cpu=3.1),
    Series("16 clients", clients=16, count=1500, rate=344.0, p50=None, postgres_cpu=3.1),
)
FULL = Series("stored", clients=16, count=1500, rate=115.0, p50=None, postgres_cpu=12.8)


def run(plan: Plan, folder: Path) -> list[Figure]:
    """Three series; the tables grow from round to round by up to 250 purchases."""
    with standing(folder) as stand:
        warm = deliveries(stand, plan.size(400))
        for target in (stand.server, stand.floor):
            sample(stand, target, warm, 16)
        analyze(stand.urls.superuser)
        figures = [figure for series in EMPTY for figure in _measured(plan, stand, series)]
        stored = plan.size(STORED)
        store_purchases(stand.urls.superuser, stored)
        analyze(stand.urls.superuser)
        full = replace(FULL, label=f"16 clients, {stored} stored")
        return figures + _measured(plan, stand, full)


def deliveries(stand: Stand, count: int) -> list[bytes]:
    """About `count` signed events: whole purchases nobody has seen, their checkouts stored."""
    bought: list[Purchase] = []
    while sum(len(one.events) for one in bought) < count:
        number = next(_numbers)
        bought.append(purchase(f"bench{number:07d}", number))
    asyncio.run(keep_checkouts(stand.urls.superuser, bought))
    return [delivery(event) for one in bought for event in one.events]


def _measured(plan: Plan, stand: Stand, series: Series) -> list[Figure]:
    count = plan.size(series.count)

    def take(load: list[bytes]) -> tuple[Sample, Sample]:
        return sample(stand, stand.server, load, series.clients), sample(stand, stand.floor, load, series.clients)

    ours, floor = zip(*rounds(plan, lambda: deliveries(stand, count), take), strict=True)
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
