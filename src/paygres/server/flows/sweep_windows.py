"""Which stretches of Stripe's list of events a sweep reads, and which second it may then call complete. No I/O."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from paygres.server.projections.events import EVENT_TYPES
from paygres.server.tables.sweeps import Claim

MOST_TYPES = 20  # in one request, says Stripe
KEPT_SECONDS = 30 * 86400 - 3600  # Stripe lists events for 30 days; an hour less, for clocks that differ
# An event may be listed some seconds after it was created. A second is complete when it was listed this long after it.
LAG_SECONDS = 60
SHORT_SECONDS = 120  # looked at every minute, so each second is looked at twice
LONG_SECONDS = 3600  # every hour, for what was listed later than anybody expects
OVERLAP_SECONDS = 60
LONGEST_WANTED = 86400  # how far back a suspected hole is looked for
UNDELIVERED_FIRST = 300  # a sweep longer than this asks first for what Stripe could not deliver

# What is missing is held until it is stored, oldest first: so many events, of five kilobytes or so.
MOST_HELD = 1000
FEW_LISTED = 50
FIRST_STEP = 3600
LONGEST_STEP = 86400


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seconds from `since` (included) to `until` (not included); None: to whatever Stripe lists."""

    since: int
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a sweep begins (Unix seconds). `lost`: something before that was never listed, and cannot be any more."""

    since: int
    lost: bool
    undelivered_first: bool


def plan(claim: Claim, now: float) -> Plan:
    """From the last complete second on, or from further back when it is time for the last hour or somebody asked."""
    wanted = [claim.complete_through + 1 - OVERLAP_SECONDS, int(now) - SHORT_SECONDS]
    if claim.long:
        wanted.append(int(now) - LONG_SECONDS)
    if claim.wanted_since is not None:
        wanted.append(max(claim.wanted_since, int(now) - LONGEST_WANTED))
    kept = int(now) - KEPT_SECONDS
    lost = claim.complete_through + 1 < kept
    since = max(min(wanted), claim.complete_from, kept)
    return Plan(since, lost, int(now) - since > UNDELIVERED_FIRST)


def earliest(connected_at: int, now: float) -> int:
    """Where the first sweep of an account begins: when it was connected, if Stripe still lists what happened then."""
    return max(connected_at, int(now) - KEPT_SECONDS + 600)


def complete_through(stretch: Stretch, as_of: int) -> int:
    """The last second of a stretch that is complete when its list was read from `as_of` (Stripe's clock) on."""
    settled = as_of - LAG_SECONDS
    return settled if stretch.until is None else min(settled, stretch.until - 1)


def groups(types: Collection[str] | None) -> list[Sequence[str]]:
    """The event types of each request; None: all we read."""
    wanted = EVENT_TYPES if types is None else sorted(set(types))
    return [wanted[at : at + MOST_TYPES] for at in range(0, len(wanted), MOST_TYPES)]


def step(since: int, seconds: int, until: int | None, now: float, *, divided: bool = False) -> Stretch:
    """The next stretch of at most `seconds`; the last one is open when `until` is. `divided`: one held too much."""
    end = since + seconds
    if until is not None:
        return Stretch(since, min(end, until))
    # One that ended inside the lag would not be complete, and what follows it could not be published. When the open one
    # holds too much it is divided there all the same, or it would be asked for for ever: what is not complete is not
    # published (complete_through), nor what does not touch it (sweeps.publish), and the next sweep looks at both again.
    return Stretch(since, None if end > now - (0 if divided else 2 * LAG_SECONDS) else end)


def shorter(stretch: Stretch, now: float) -> int | None:
    """Half the seconds of a stretch that holds too much; None when it cannot be divided."""
    length = (int(now) if stretch.until is None else stretch.until) - stretch.since
    return length // 2 if length > 1 else None
