"""Creating a checkout while Stripe answers at once: requests a second, and CPU per checkout in server and
PostgreSQL, for 1 and 16 clients, with and without an idempotency key."""

import sys
from pathlib import Path

from bench.buyers import checkouts
from bench.pace import rounds
from bench.report import Figure, Plan
from bench.stand import Sample, Stand, note, sample, standing
from bench.stored import analyze

NAME = "checkout"
SERVER_CPU_MS = 1.2
# What the original needed: (clients, keyed) -> requests a second; CPU of the server per request in ms.
REFERENCE_RATES = {(1, False): 133.0, (1, True): 99.0, (16, False): 353.0, (16, True): 0.4}
REFERENCE_SERVER_CPU_MS = 2.6
REFERENCE_POSTGRES_CPU_MS = 1.7
SIZES = {1: 400, 16: 1200}


def run(plan: Plan, folder: Path) -> list[Figure]:
    """Four series; in every round ours and the floor's follow each other."""
    with standing(folder, latency=0.0) as stand:
        for target in (stand.server, stand.floor):
            sample(stand, target, checkouts(plan.size(400), keyed=True), 16)  # the pools open
        analyze(stand.urls.superuser)
        return [
            figure for clients in (1, 16) for keyed in (False, True) for figure in _series(plan, stand, clients, keyed)
        ]


def _series(plan: Plan, stand: Stand, clients: int, keyed: bool) -> list[Figure]:
    count = plan.size(SIZES[clients])

    def prepare() -> tuple[list[bytes], list[bytes]]:
        return checkouts(count, keyed=keyed), checkouts(count, keyed=keyed)

    def take(load: tuple[list[bytes], list[bytes]]) -> tuple[Sample, Sample]:
        return sample(stand, stand.server, load[0], clients), sample(stand, stand.floor, load[1], clients)

    ours, floor = zip(*rounds(plan, prepare, take), strict=True)
    label = f"{clients} client{'s' if clients > 1 else ''}, {'keyed' if keyed else 'no key'}"
    print(note(f"{NAME}, {label}", ours, count), file=sys.stderr, flush=True)
    return [
        Figure(
            NAME,
            f"{label}: rate",
            "/s",
            [s.rate for s in ours],
            [s.rate for s in floor],
            reference=REFERENCE_RATES[clients, keyed],
        ),
        Figure(NAME, f"{label}: p50", "ms", [s.p50 for s in ours], [s.p50 for s in floor]),
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
            reference=REFERENCE_POSTGRES_CPU_MS,
        ),
    ]
