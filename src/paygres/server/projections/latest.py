"""Which of these snapshots is the newest? A pure function of the set, never of the order of arrival.

Newest second first; inside it the object's lifecycle (terminal states win, amounts only grow, `created`
precedes all), then the chain of `*.updated` events, each of which must describe its predecessor.
What is still open is undecided. API reads lose ties against events. What two snapshots say is compared without
regard to the API version they were rendered in. (decision 6)
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from paygres.server.projections.renderings import Telling, canonical, telling
from paygres.server.projections.snapshots import Settled, Snapshot, StripeObject

Lifecycle = Callable[[StripeObject], tuple[int, ...]]


__all__ = ["Lifecycle", "alone", "canonical", "settle", "undo"]


@dataclass(slots=True)
class _Told:
    """Snapshots that say the same: siblings of one change count once."""

    says: Any
    snapshots: list[Snapshot] = field(default_factory=list)

    @property
    def speaker(self) -> Snapshot:
        """Which of them is kept: the newest API version says most."""
        first = self.snapshots[0]
        return first if len(self.snapshots) == 1 else max(self.snapshots, key=lambda s: s.api_version or "")

    @property
    def only_created(self) -> bool:
        return all((s.event_type or "").endswith(".created") for s in self.snapshots)


def alone(only: Snapshot) -> Settled:
    """What a snapshot settles to that nothing rivals."""
    return Settled(only, only.deleted, undecided=False)


def settle(snapshots: Collection[Snapshot], lifecycle: Lifecycle) -> Settled:
    """The newest of a non-empty set of snapshots of ONE object; an event given twice counts once."""
    if len(snapshots) > 1:
        snapshots = list({s.event_id or id(s): s for s in snapshots}.values())
    if len(snapshots) == 1:
        (only,) = snapshots
        return alone(only)
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
    if len(candidates) == 1:
        return Settled(candidates[0], deleted, undecided=False)
    winner, decided = _newest_of_second(candidates, lifecycle, anchors, telling([*candidates, *anchors]))
    return Settled(winner.speaker, deleted, undecided=not decided)


def _newest_of_second(
    candidates: Sequence[Snapshot], lifecycle: Lifecycle, anchors: Sequence[Snapshot], say: Telling
) -> tuple[_Told, bool]:
    told = _undominated(_grouped(candidates, say), lifecycle)
    if len(told) > 1:
        told = [t for t in told if not t.only_created] or told
    if len(told) == 1:
        return told[0], True
    updates = sorted(
        ((s, t) for t in told for s in t.snapshots if s.previous_attributes is not None),
        key=lambda pair: _rank(pair[0]),
    )
    befores = {s.event_id: say(undo(s.raw, s.previous_attributes or {})) for s, _ in updates}
    last = [t for t in told if not any(befores[s.event_id] == t.says for s, other in updates if other is not t)]
    if len(last) == 1:
        return last[0], True
    start = _start(candidates, lifecycle, anchors, say)
    end = None if start is None else _walk(start.says, updates, befores)
    if end is not None:
        return end, True
    choice = max(told, key=lambda t: (lifecycle(t.speaker.raw), *_rank(t.speaker)))
    return choice, False


def _start(
    candidates: Sequence[Snapshot], lifecycle: Lifecycle, anchors: Sequence[Snapshot], say: Telling
) -> _Told | None:
    """Where the second's chain began: its `*.created` event, else the settled state of the second before."""
    created = [s for s in candidates if (s.event_type or "").endswith(".created")]
    if created:
        return _grouped(created, say)[0]
    if not anchors:
        return None
    start, decided = _newest_of_second(anchors, lifecycle, (), say)
    return start if decided else None


def _walk(state: Any, updates: Sequence[tuple[Snapshot, _Told]], befores: dict[str | None, Any]) -> _Told | None:
    """Follow the chain of updates from a known state; None unless it uses every one of them."""
    remaining = list(updates)
    told: _Told | None = None
    while remaining:
        step = next((pair for pair in remaining if befores[pair[0].event_id] == state), None)
        if step is None:
            return None
        remaining.remove(step)
        told = step[1]
        state = told.says
    return told


def _grouped(snapshots: Sequence[Snapshot], say: Telling) -> list[_Told]:
    found: list[_Told] = []
    for snapshot in sorted(snapshots, key=_rank):
        says = say(snapshot.raw)
        same = next((t for t in found if t.says == says), None)
        if same is None:
            same = _Told(says)
            found.append(same)
        same.snapshots.append(snapshot)
    return found


def _undominated(told: list[_Told], lifecycle: Lifecycle) -> list[_Told]:
    """Drop what another telling has left behind: nowhere further along, somewhere less far."""
    stages = [lifecycle(t.speaker.raw) for t in told]
    return [
        t
        for t, stage in zip(told, stages, strict=True)
        if not any(other != stage and all(o >= s for o, s in zip(other, stage, strict=True)) for other in stages)
    ]


def undo(after: StripeObject, previous: StripeObject) -> StripeObject:
    """The object before an update: `previous_attributes` put back, nested objects attribute by attribute."""
    before = dict(after)
    for key, value in previous.items():
        inner = before.get(key)
        before[key] = undo(inner, value) if isinstance(value, dict) and isinstance(inner, dict) else value
    return before


def _rank(snapshot: Snapshot) -> tuple[str, str]:
    """An order that depends on nothing but the snapshot, so that a choice is the same everywhere."""
    return (snapshot.event_id or "", snapshot.event_type or repr(sorted(snapshot.raw.items(), key=str)))
