"""What tests of test clocks begin with: a clock, a subscriber in its time, a clock that has arrived."""

import os
import time
from pathlib import Path
from typing import Any

from tests.sandbox.running import Sandbox
from tests.sandbox.subscribing import LATE, subscriber

# 2026-01-01T00:00:00Z
NEW_YEAR = 1_767_225_600
DAY = 86_400
MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def month(number: int) -> int:
    """The first second of a month of 2026, counted from 0; 12 is the next year's first."""
    return NEW_YEAR + sum(MONTHS[:number]) * DAY


def clock_at(sandbox: Sandbox, frozen_time: int = NEW_YEAR, **more: Any) -> str:
    params: Any = {"frozen_time": frozen_time, **more}
    return sandbox.stripe.v1.test_helpers.test_clocks.create(params).id


def clocked_subscriber(sandbox: Sandbox, clock: str, card: str = "pm_card_visa") -> str:
    """A customer of the clock whose default payment method is the card."""
    return subscriber(sandbox, card, test_clock=clock)


def advance(sandbox: Sandbox, clock: str, to: int, seconds: float = 30) -> None:
    """Returns when the clock has arrived."""
    clocks = sandbox.stripe.v1.test_helpers.test_clocks
    clocks.advance(clock, {"frozen_time": to})
    until = time.monotonic() + seconds
    while clocks.retrieve(clock).status != "ready":
        assert time.monotonic() < until, "the clock did not arrive"
        time.sleep(0.005)


def advance_to_month(sandbox: Sandbox, clock: str, last: int, first: int = 0) -> None:
    """One month, then two at a time, an hour and a bit beyond the first second: invoices are finalized then."""
    for number in [*range(first + 1, last, 2), last]:
        advance(sandbox, clock, month(number) + 3700)


def busy(sandbox: Sandbox) -> float:
    """Seconds of processor time that the sandbox has used, where the system tells them; else of the clock on the
    wall, which also runs while others use the machine."""
    told = Path(f"/proc/{sandbox.process.pid}/stat")
    if not told.exists():
        return time.monotonic()
    user, system = told.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def events_of(sandbox: Sandbox, *objects: str, types: str | None = None, late: bool = False) -> list[dict[str, Any]]:
    """All events about these objects (by their own id, or the customer's or invoice's they name), oldest first; those
    that come seconds later by themselves only with `late`."""
    found: list[dict[str, Any]] = []
    params: Any = {"limit": 100}
    for event in sandbox.stripe.v1.events.list(params).auto_paging_iter():
        body = event.to_dict()
        if body["type"] in LATE and not late:
            continue
        about = body["data"]["object"]
        names = {about["id"], about.get("customer"), about.get("invoice"), about.get("subscription")}
        if names & set(objects) and (types is None or body["type"].startswith(types)):
            found.append(body)
    return found[::-1]
