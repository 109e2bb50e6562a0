"""The machine's pace, told by what a fixed loop costs; with a limit, only rounds at that pace count.

On a shared host the same instructions cost up to twice as much CPU time from one minute to the next. The loop knows
nothing of what is measured, so choosing rounds by it favours no outcome.
"""

import os
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from bench.report import Plan

Load = TypeVar("Load")
Taken = TypeVar("Taken")
TURNS = 100_000
LOOK_SECONDS = 0.2


def pace() -> float:
    """CPU time in ms of the loop on the slower of the cores; the best of three on each."""
    cores = os.sched_getaffinity(0)
    try:
        return max(_on(core) for core in cores)
    finally:
        os.sched_setaffinity(0, cores)


def _on(core: int) -> float:
    os.sched_setaffinity(0, {core})
    return min(_loop() for _ in range(3))


def _loop() -> float:
    began, total = time.process_time(), 0
    for number in range(TURNS):
        total += number * number
    return (time.process_time() - began) * 1000


def rounds(plan: Plan, prepare: Callable[[], Load], take: Callable[[Load], Taken]) -> list[Taken]:
    """`plan.rounds` of what `take` measures: each at the plan's pace before and after it, where it names one.

    Fewer when the plan's time is over; RuntimeError when there was none.
    """
    if plan.pace is None:
        return [take(prepare()) for _ in range(plan.rounds)]
    taken: list[Taken] = []
    thrown_away = 0
    while len(taken) < plan.rounds and time.monotonic() < plan.until:
        load = prepare()
        while pace() > plan.pace and time.monotonic() < plan.until:
            time.sleep(LOOK_SECONDS)
        one = take(load)
        if pace() > plan.pace:
            thrown_away += 1
        else:
            taken.append(one)
    if not taken:
        raise RuntimeError(f"the machine was never at a pace of {plan.pace} ms for a whole round")
    print(f"bench: {len(taken)} rounds at that pace, {thrown_away} thrown away", file=sys.stderr, flush=True)
    return taken
