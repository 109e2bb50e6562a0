"""Receiving purchases: events a second, answer times, CPU per event in server and PostgreSQL.

Each purchase is a burst of five to nine events about the same payment; with 16 clients events of one payment
are in flight together, as Stripe sends them. The checkouts they belong to exist before.
"""

import asyncio
import itertools
import sys
from pathlib import Path

from bench.events import delivery, keep_checkouts, purchase
from bench.report import Figure, Plan
from bench.stand import Sample, Stand, note, sample, standing

NAME = "webhook"
SERVER_CPU_MS = 0.9
POSTGRES_CPU_MS = 1.2
# What the original needed, on empty tables.
REFERENCE_RATES = {1: 146.0, 16: 344.0}
REFERENCE_P50_MS = {1: 6.4, 16: None}
REFERENCE_SERVER_CPU_MS = 1.8
REFERENCE_POSTGRES_CPU_MS = 3.1
SIZES = {1: 500, 16: 1500}
_numbers = itertools.count(1)


def run(plan: Plan, folder: Path) -> list[Figure]:
    """Two series; the tables grow from round to round by about 250 purchases."""
    with standing(folder) as stand:
        warm = deliveries(stand, plan.size(400))
        for target in (stand.server, stand.floor):
            sample(stand, target, warm, 16)
        return [figure for clients in (1, 16) for figure in _series(plan, stand, clients)]


def deliveries(stand: Stand, count: int) -> list[bytes]:
    """About `count` signed events: whole purchases nobody has seen, their checkouts stored."""
    bought = []
    while sum(len(one.events) for one in bought) < count:
        number = next(_numbers)
        bought.append(purchase(f"bench{number:07d}", number))
    asyncio.run(keep_checkouts(stand.urls.superuser, bought))
    return [delivery(event) for one in bought for event in one.events]


def _series(plan: Plan, stand: Stand, clients: int) -> list[Figure]:
    ours: list[Sample] = []
    floor: list[Sample] = []
    count = plan.size(SIZES[clients])
    for _ in range(plan.rounds):
        requests = deliveries(stand, count)
        ours.append(sample(stand, stand.server, requests, clients))
        floor.append(sample(stand, stand.floor, requests, clients))
    label = f"{clients} client{'s' if clients > 1 else ''}"
    print(note(f"{NAME}, {label}", ours, count), file=sys.stderr, flush=True)
    p50 = REFERENCE_P50_MS[clients]
    return [
        Figure(
            NAME,
            f"{label}: rate",
            "/s",
            [s.rate for s in ours],
            [s.rate for s in floor],
            reference=REFERENCE_RATES[clients],
        ),
        Figure(NAME, f"{label}: p50", "ms", [s.p50 for s in ours], [s.p50 for s in floor], reference=p50),
        Figure(NAME, f"{label}: p99", "ms", [s.p99 for s in ours], [s.p99 for s in floor]),
        Figure(
            NAME,
            f"{label}: server CPU",
            "ms",
            [s.server_cpu for s in ours],
            [s.server_cpu for s in floor],
            target=SERVER_CPU_MS,
            reference=REFERENCE_SERVER_CPU_MS,
        ),
        Figure(
            NAME,
            f"{label}: PostgreSQL CPU",
            "ms",
            [s.postgres_cpu for s in ours],
            [s.postgres_cpu for s in floor],
            target=POSTGRES_CPU_MS,
            reference=REFERENCE_POSTGRES_CPU_MS,
        ),
    ]
