"""The developer's tables as comparable rows: what differs by nature (clocks, generated ids, which event told first) is
replaced by a word, and what is left is compared row by row."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from paygres.server.projections.events import EVENT_TYPES
from paygres.server.tables.developers_tables import Column, Table

Row = dict[str, Any]
State = dict[str, list[Row]]

NEW, PAST, EVENT, EVENT_TYPE, OBJECT = "(new)", "(past)", "(event id)", "(event type)", "(Stripe object)"
_OF_EVENTS = (EVENT, EVENT_TYPE, OBJECT)
_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EVENT_ID = re.compile(r"\bevt_[0-9a-zA-Z]+")
_TYPES = frozenset(EVENT_TYPES)
_SOON = 3600.0  # seconds: a time beyond it is a deadline, and deadlines are state


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `column` None: the whole row came (`before` None) or went (`after` None). `key`: the primary key,
    None when the row has no name that is the same in every run."""

    table: str
    key: tuple[Any, ...] | None
    column: str | None
    before: Any
    after: Any


@dataclass(slots=True)
class Reading:
    """How rows are made comparable. `now` is the run's start; `known` are ids that mean the same in every run;
    `named` are words for who pays and for what. `restless` columns differ between two plays of the same thing."""

    tables: Sequence[Table]
    now: float
    known: frozenset[str]
    named: frozenset[str]
    kept: dict[tuple[str, str], set[Any]] = field(default_factory=dict[tuple[str, str], set[Any]])
    restless: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def remember(self, rows: Mapping[str, list[Row]]) -> None:
        """What was there before anything was bought: generated ids among it keep their value."""
        for table in self.tables:
            for column in table.columns:
                self.kept[table.name, column.name] = {_hashable(row[column.name]) for row in rows[table.name]}
        self.known |= frozenset(_UUID.findall(orjson.dumps(rows).decode()))

    def state(self, rows: Mapping[str, list[Row]]) -> State:
        """Comparable rows, without those that only say which event came: a log is no state."""
        found: State = {}
        for table in self.tables:
            told = [{c.name: self._value(table, c, row[c.name]) for c in table.columns} for row in rows[table.name]]
            found[table.name] = [row for row in told if not self._is_log(row)]
        return found

    def learn(self, first: State, second: State) -> None:
        """Two plays of the same: columns that differ all the same say nothing."""
        for table in self.tables:
            for column in table.columns:
                one, other = (
                    Counter(_hashable(row[column.name]) for row in state[table.name]) for state in (first, second)
                )
                if one != other:
                    self.restless.add((table.name, column.name))

    def settled(self, state: State) -> State:
        """The same without what `learn` found."""
        if not self.restless:
            return state
        return {
            name: [
                {
                    column: NEW
                    if (name, column) in self.restless and _hashable(value) not in self.kept[name, column]
                    else value
                    for column, value in row.items()
                }
                for row in rows
            ]
            for name, rows in state.items()
        }

    def key_of(self, table: str) -> tuple[str, ...]:
        """The columns of its primary key."""
        found = next(t for t in self.tables if t.name == table)
        return tuple(column.name for column in found.columns if column.part_of_key)

    def _is_log(self, row: Row) -> bool:
        """It tells of an event, of no amount, and neither who paid nor for what."""
        if not any(isinstance(value, str) and value in _OF_EVENTS for value in row.values()):
            return False
        return not any(
            value in self.named if isinstance(value, str) else type(value) in (int, float) for value in row.values()
        )

    def _value(self, table: Table, column: Column, value: Any) -> Any:
        if value is None:
            return None
        if column.generated and _hashable(value) not in self.kept.get((table.name, column.name), ()):
            return NEW
        if column.type.startswith(("timestamp", "date")):
            return self._time(str(value))
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict) and "object" in value and "id" in value:
            return OBJECT
        if isinstance(value, dict | list):
            return orjson.loads(self._text(orjson.dumps(value).decode()))
        return value

    def _text(self, value: str) -> str:
        if value in _TYPES:
            return EVENT_TYPE
        told = _EVENT_ID.sub(EVENT, value)
        return _UUID.sub(lambda found: found.group() if found.group() in self.known else NEW, told)

    def _time(self, value: str) -> str:
        """Only what lies ahead is told, in hours."""
        try:
            at = datetime.fromisoformat(value)
        except ValueError:  # infinity, or before Christ
            return value
        seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - self.now
        return PAST if seconds < _SOON else f"(in {round(seconds / 3600)} h)"


def changes(before: State, after: State, reading: Reading) -> list[Change]:
    """Everything that differs, by table."""
    found: list[Change] = []
    for table in before:
        key = reading.key_of(table)
        old, old_rest = _keyed(before[table], key)
        new, new_rest = _keyed(after[table], key)
        for name in [*old, *(n for n in new if n not in old)]:
            one, other = old.get(name), new.get(name)
            if one is None or other is None:
                found.append(Change(table, name, None, one, other))
                continue
            found += [Change(table, name, c, one[c], other[c]) for c in one if one[c] != other[c]]
        gone, came = old_rest - new_rest, new_rest - old_rest
        found += [Change(table, None, None, orjson.loads(row), None) for row in gone.elements()]
        found += [Change(table, None, None, None, orjson.loads(row)) for row in came.elements()]
    return found


def _keyed(rows: Iterable[Row], key: tuple[str, ...]) -> tuple[dict[tuple[Any, ...], Row], Counter[bytes]]:
    """Rows by their primary key; those without a lasting one are counted."""
    named: dict[tuple[Any, ...], Row] = {}
    rest: Counter[bytes] = Counter()
    for row in rows:
        name = tuple(_hashable(row[column]) for column in key)
        if not key or any(isinstance(part, str) and _passing(part) for part in name) or name in named:
            rest[orjson.dumps(row, option=orjson.OPT_SORT_KEYS)] += 1
        else:
            named[name] = row
    return named, rest


def _passing(part: str) -> bool:
    return NEW in part or EVENT in part or part in (PAST, EVENT_TYPE)


def _hashable(value: Any) -> Any:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode() if isinstance(value, dict | list) else value
