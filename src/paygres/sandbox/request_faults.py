"""What the dials do to a request: it waits, is refused, or loses its connection, before the work or after it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from paygres.sandbox.faults import Faults
from paygres.sandbox.wire import form
from paygres.sandbox.wire.errors import Refusal, locked, rate_limited


class BrokenOff(Exception):
    """The answer does not reach the client whole; `how` is a word of `answer_rules.CONNECTIONS`."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


@dataclass(frozen=True, slots=True)
class Fault:
    """One that a request meets. The wait comes first."""

    wait: float = 0.0
    status: int | None = None
    connection: str | None = None
    should_retry: bool | None = None
    code: str | None = None

    async def happen(self) -> None:
        """Raises the `Refusal` or `BrokenOff`, if there is one."""
        if self.wait:
            await asyncio.sleep(self.wait)
        if self.connection is not None:
            raise BrokenOff(self.connection)
        if self.status is not None:
            raise self._refusal(self.status)

    def _refusal(self, status: int) -> Refusal:
        if status == 429:
            refusal = locked() if self.code == "lock_timeout" else rate_limited("global-rate")
        elif status >= 500:
            refusal = Refusal("An unknown error occurred", status=status, type="api_error")
        else:
            refusal = Refusal("The sandbox was told to refuse this request.", status=status)
        if self.should_retry is not None:
            refusal.headers["Stripe-Should-Retry"] = "true" if self.should_retry else "false"
        return refusal


# A dial's fault, and whether it happens after the work. Where several strike, the first ends the request.
BEFORE = {"rate_limit": Fault(status=429), "reset": Fault(connection="reset"), "error": Fault(status=500)}
AFTER = {
    "error_after": Fault(status=500),
    "reset_after": Fault(connection="reset"),
    "reset_in_body": Fault(connection="reset_in_body"),
    "truncate": Fault(connection="truncate"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """The faults that one request meets, known as soon as it has come."""

    before_work: tuple[Fault, ...]
    after_work: tuple[Fault, ...]

    async def before(self) -> None:
        for fault in self.before_work:
            await fault.happen()

    async def after(self) -> None:
        for fault in self.after_work:
            await fault.happen()


UNDISTURBED = Plan((), ())


def plan(dials: Faults, method: str, path: str, operation: Callable[[], str], encoded: bytes) -> Plan:
    """What happens to this request. `operation`: its endpoint, by which (and by its marks) it is known again in
    another run; its path may have an id that is new each time."""
    if not dials.disturbs_requests:
        return UNDISTURBED
    name = dials.dice.call(operation(), _form(encoded))
    before = [Fault(wait=dials.amount("slow_for"))] if dials.strikes("slow_start", name) else []
    after = [Fault(wait=dials.amount("latency"))] if dials.amount("latency") and method == "POST" else []
    if dials.strikes("slow", name):
        after.append(Fault(wait=dials.amount("slow_for")))
    for number, rule in enumerate(dials.rules):
        if rule.fits(method, path) and dials.dice.throw(f"answers {number}", name) < rule.share:
            rule.spend()
            fault = Fault(rule.wait, rule.status, rule.connection, rule.should_retry, rule.code)
            (after if rule.after else before).append(fault)
            if rule.status is not None or rule.connection is not None:
                break  # this one ends the request; those below keep their counts
    before += [fault for dial, fault in BEFORE.items() if dials.strikes(dial, name)]
    after += [fault for dial, fault in AFTER.items() if dials.strikes(dial, name)]
    return Plan(tuple(before), tuple(after))


def _form(encoded: bytes) -> form.Form:
    try:
        return form.decode(encoded)
    except Refusal:
        return {}
