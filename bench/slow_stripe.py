"""64 buyers at once while Stripe takes a second to answer each, with ten database connections: nobody may
wait for another, because nothing is held while Stripe thinks."""

import time
from pathlib import Path

from bench.buyers import checkouts
from bench.load import send
from bench.report import Figure, Plan
from bench.stand import standing

NAME = "slow-stripe"
BUYERS = 64
STRIPE_SECONDS = 1.0
ALL_WITHIN_SECONDS = 1.8


def run(plan: Plan, folder: Path) -> list[Figure]:
    """The first burst meets a server that has made one checkout so far; the others a warm one."""
    ours: list[float] = []
    floor: list[float] = []
    with standing(folder, latency=STRIPE_SECONDS) as stand:
        for _ in range(plan.rounds + 1):
            ours.append(send(stand.server.port, checkouts(BUYERS, keyed=True), BUYERS).seconds)
            time.sleep(0.3)
            floor.append(send(stand.floor.port, checkouts(BUYERS, keyed=True), BUYERS).seconds)
            time.sleep(0.3)
    label = f"{BUYERS} keyed checkouts at once, Stripe takes {STRIPE_SECONDS:.0f} s"
    return [
        Figure(NAME, f"{label}: all done, first burst", "s", ours[:1], floor[:1], target=ALL_WITHIN_SECONDS),
        Figure(NAME, f"{label}: all done", "s", ours[1:], floor[1:], target=ALL_WITHIN_SECONDS),
    ]
