"""What a paid purchase gives, and whether another history gives it too. Pure comparisons of three states: before
anything was bought, after a paid purchase, after the history in question."""

import re
from collections.abc import Sequence
from typing import Any

import orjson

from paygres.server.chaos.state import EVENT_TYPE, NEW, OBJECT, PAST, Change, Reading, Row, State, changes

_STRIPES_ID = re.compile(r"(cs|pi|ch|cus|in|sub|re|du)_\w+$")


def given(initial: State, paid: State, end: State, reading: Reading, claims: Sequence[str] | None) -> list[Change]:
    """The changes of `end` that a paid purchase makes too.

    A text counts only when it is the very text that a paid purchase gives: `failed` is no grant. A number counts when
    it moves the same way. With `claims` (the buyer's metadata) numbers count only when they are equal, or when the row
    names what is claimed: somebody who paid less and got less has nothing to answer for.
    """
    by_purchase = changes(initial, paid, reading)
    found = [
        change
        for change in changes(initial, end, reading)
        if any(_same_grant(change, other, claims) for other in by_purchase)
    ]
    if all(_weak(change) for change in by_purchase):
        return found
    return [change for change in found if not _weak(change)]


def missing(initial: State, paid: State, end: State, reading: Reading) -> list[Change]:
    """What a paid purchase gives and `end` lacks, as a change from `paid` to `end`. Less of it is not none of it."""
    return [
        change for change in changes(paid, end, reading) if not _weak(change) and _lacks(initial, change, end, reading)
    ]


def _lacks(initial: State, change: Change, end: State, reading: Reading) -> bool:
    if change.column is None:
        return change.after is None and change.before not in end[change.table]
    if _is_number(change.before):
        start = _initial(initial, change, reading)
        return change.before != start and (change.after if _is_number(change.after) else 0) == start
    return True


def surplus(initial: State, paid: State, end: State, reading: Reading) -> list[Change]:
    """What `end` has more of than a paid purchase gives: rows of the same kind, or a number that went further."""
    found: list[Change] = []
    for change in changes(paid, end, reading):
        if change.column is not None:
            further = _further(_initial(initial, change, reading), change)
        else:
            further = change.before is None and _shape(change.after) in map(_shape, paid[change.table])
        if further:
            found.append(change)
    return found


def doubled(states: Sequence[State], reading: Reading) -> list[Change]:
    """Of the states with neither, only the first, only the second and both of two events: what both gave although each
    of them gives it alone."""
    neither, first, second, both = states
    one, other, together = (changes(neither, state, reading) for state in (first, second, both))
    found: list[Change] = []
    for change in together:
        if change.column is None:
            alone = _count(change, one), _count(change, other)
            twice = min(alone) > 0 and _count(change, together) >= sum(alone)
        else:
            steps = [_step(c) for c in (*_same_place(change, one), *_same_place(change, other))]
            twice = len(steps) == 2 and steps[0] * steps[1] > 0 and _step(change) == sum(steps)
        if twice and change not in found:
            found.append(change)
    return found


def _count(change: Change, among: Sequence[Change]) -> int:
    """How many rows like this one came. Zero for one that went."""
    shape = _shape(change.after)
    came = (other.after for other in among if other.table == change.table and other.column is None)
    return 0 if change.after is None else sum(row is not None and _shape(row) == shape for row in came)


def _same_place(change: Change, among: Sequence[Change]) -> list[Change]:
    place = (change.table, change.key, change.column)
    return [other for other in among if (other.table, other.key, other.column) == place]


def _same_grant(change: Change, paid: Change, claims: Sequence[str] | None) -> bool:
    if change.table != paid.table or (change.column, change.key) != (paid.column, paid.key):
        return False
    if change.column is None:
        if (change.after is None) != (paid.after is None) or (change.before is None) != (paid.before is None):
            return False
        if change.after is None:
            return change.before == paid.before
        return _same_row(change.after, paid.after, claims)
    if _is_number(change.after) and _is_number(paid.after):
        return change.after == paid.after or (claims is None and _step(change) * _step(paid) > 0)
    return change.after == paid.after


def _same_row(row: Row, paid: Row, claims: Sequence[str] | None) -> bool:
    numbers_may_differ = claims is None or any(_claims(value, claims) for value in row.values())
    for column, value in row.items():
        other = paid[column]
        if value in (other, OBJECT) or isinstance(value, dict | list):
            continue
        if numbers_may_differ and _is_number(value) and _is_number(other) and value * other > 0:
            continue
        if isinstance(value, str) and isinstance(other, str) and _deadline(value) and _deadline(other):
            continue
        return False
    return True


def _claims(value: Any, claims: Sequence[str]) -> bool:
    return (isinstance(value, str) and value in claims) or (_is_number(value) and str(value) in claims)


def _further(start: float, change: Change) -> bool:
    """Whether a number went on the way the purchase went."""
    numbers = _is_number(change.after) and _is_number(change.before)
    return numbers and (change.after - change.before) * (change.before - start) > 0


def _initial(initial: State, change: Change, reading: Reading) -> float:
    key = reading.key_of(change.table)
    for row in initial[change.table]:
        if tuple(row[column] for column in key) == change.key:
            value = row[change.column or ""]
            return value if _is_number(value) else 0
    return 0


def _weak(change: Change) -> bool:
    """A note rather than a grant: an id of Stripe's, which event told, when something was."""
    value = change.after
    if change.column is None or not isinstance(value, str):
        return False
    return value in (PAST, NEW, OBJECT, EVENT_TYPE) or bool(_STRIPES_ID.match(value))


def _shape(row: Row | None) -> bytes:
    """A row without the names that Stripe gave: the same grant may be keyed by the intent and by the checkout."""
    told = {
        column: "(Stripe id)" if isinstance(value, str) and _STRIPES_ID.match(value) else value
        for column, value in (row or {}).items()
    }
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _step(change: Change) -> float:
    """How far a number went; 0 for anything else."""
    before = change.before if _is_number(change.before) else 0
    return change.after - before if _is_number(change.after) else 0


def _deadline(value: str) -> bool:
    return value.startswith("(in ")
