"""Which of these snapshots is the newest? A pure function of the set, never of the order of arrival.

Newest second first; inside it the object's lifecycle (terminal states win, amounts only grow, `created`
precedes all), then the chain of `*.updated` events, each of which must describe its predecessor.
What is still open is undecided. API reads lose ties against events. (decision 6)
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from paygres.server.projections.snapshots import Settled, Snapshot, StripeObject

Lifecycle = Callable[[StripeObject], tuple[int, ...]]


@dataclass(slots=True)
class _Telling:
    """Snapshots that say the same: siblings of one change count once."""

    raw: StripeObject
    canonical: Any
    snapshots: list[Snapshot] = field(default_factory=list)

    @property
    def speaker(self) -> Snapshot:
        return min(self.snapshots, key=_rank)

    @property
    def only_created(self) -> bool:
        return all((s.event_type or "").endswith(".created") for s in self.snapshots)


def settle(snapshots: Collection[Snapshot], lifecycle: Lifecycle) -> Settled:
    """The newest of a non-empty set of snapshots of ONE object; an event given twice counts once."""
    if len(snapshots) > 1:
        snapshots = list({s.event_id or id(s): s for s in snapshots}.values())
    if len(snapshots) == 1:
        (only,) = snapshots
        return Settled(only, only.deleted, undecided=False)
    deleted = any(s.deleted for s in snapshots)
    full = [s for s in snapshots if not s.bare] or list(snapshots)
    seconds = sorted({s.as_of for s in full if s.source == "event"})
    newest_event = seconds[-1] if seconds else None
    newest_read = max((s.as_of for s in full if s.source == "api"), default=None)
    if newest_event is None or (newest_read is not None and newest_read > newest_event):
        candidates = [s for s in full if s.source == "api" and s.as_of == newest_read]
        anchors: list[Snapshot] = []
    else:
        candidates = [s for s in full if s.source == "event" and s.as_of == newest_event]
        anchors = [s for s in full if s.source == "event" and len(seconds) > 1 and s.as_of == seconds[-2]]
    winner, decided = _newest_of_second(candidates, lifecycle, anchors)
    return Settled(winner.speaker, deleted, undecided=not decided)


def _newest_of_second(
    candidates: Sequence[Snapshot], lifecycle: Lifecycle, anchors: Sequence[Snapshot]
) -> tuple[_Telling, bool]:
    tellings = _tellings(candidates)
    tellings = _undominated(tellings, lifecycle)
    if len(tellings) > 1:
        tellings = [t for t in tellings if not t.only_created] or tellings
    if len(tellings) == 1:
        return tellings[0], True
    updates = sorted(
        ((s, t) for t in tellings for s in t.snapshots if s.previous_attributes is not None),
        key=lambda pair: _rank(pair[0]),
    )
    befores = {s.event_id: canonical(undo(s.raw, s.previous_attributes or {})) for s, _ in updates}
    last = [t for t in tellings if not any(befores[s.event_id] == t.canonical for s, told in updates if told is not t)]
    if len(last) == 1:
        return last[0], True
    start = _start(candidates, lifecycle, anchors)
    end = None if start is None else _walk(start.canonical, updates, befores)
    if end is not None:
        return end, True
    choice = max(tellings, key=lambda t: (lifecycle(t.raw), *_rank(t.speaker)))
    return choice, False


def _start(candidates: Sequence[Snapshot], lifecycle: Lifecycle, anchors: Sequence[Snapshot]) -> _Telling | None:
    """Where the second's chain began: its `*.created` event, else the settled state of the second before."""
    created = [s for s in candidates if (s.event_type or "").endswith(".created")]
    if created:
        return _tellings(created)[0]
    if not anchors:
        return None
    start, decided = _newest_of_second(anchors, lifecycle, ())
    return start if decided else None


def _walk(state: Any, updates: Sequence[tuple[Snapshot, _Telling]], befores: dict[str | None, Any]) -> _Telling | None:
    """Follow the chain of updates from a known state; None unless it uses every one of them."""
    remaining = list(updates)
    told: _Telling | None = None
    while remaining:
        step = next((pair for pair in remaining if befores[pair[0].event_id] == state), None)
        if step is None:
            return None
        remaining.remove(step)
        told = step[1]
        state = told.canonical
    return told


def _tellings(candidates: Sequence[Snapshot]) -> list[_Telling]:
    found: list[_Telling] = []
    for snapshot in sorted(candidates, key=_rank):
        said = canonical(snapshot.raw)
        same = next((t for t in found if t.canonical == said), None)
        if same is None:
            same = _Telling(snapshot.raw, said)
            found.append(same)
        same.snapshots.append(snapshot)
    return found


def _undominated(tellings: list[_Telling], lifecycle: Lifecycle) -> list[_Telling]:
    """Drop what another telling has left behind: nowhere further along, somewhere less far."""
    stages = [lifecycle(t.raw) for t in tellings]
    return [
        t
        for t, stage in zip(tellings, stages, strict=True)
        if not any(other != stage and all(o >= s for o, s in zip(other, stage, strict=True)) for other in stages)
    ]


def undo(after: StripeObject, previous: StripeObject) -> StripeObject:
    """The object before an update: `previous_attributes` put back, nested objects attribute by attribute."""
    before = dict(after)
    for key, value in previous.items():
        inner = before.get(key)
        before[key] = undo(inner, value) if isinstance(value, dict) and isinstance(inner, dict) else value
    return before


def canonical(value: Any) -> Any:
    """Equal when two renderings say the same: null counts as absent (Stripe writes null for "was not there")."""
    if isinstance(value, dict):
        kept = {k: canonical(v) for k, v in value.items() if v is not None}
        return {k: v for k, v in kept.items() if v != {}}
    if isinstance(value, list):
        return [canonical(v) for v in value]
    return value


def _rank(snapshot: Snapshot) -> tuple[str, str]:
    """An order that depends on nothing but the snapshot, so that a choice is the same everywhere."""
    return (snapshot.event_id or "", snapshot.event_type or repr(sorted(snapshot.raw.items(), key=str)))
