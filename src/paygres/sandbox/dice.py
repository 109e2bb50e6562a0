"""Seeded dice that do not depend on timing: each throw is a function of the seed, the dial and the name of what it is
thrown for, so the same requests meet the same faults, whatever else happens at the same time."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

# By these a request or an event is known again in another run. Ids, times, tokens and metadata differ from run to run.
MARKS = (
    "amount",
    "amount_due",
    "amount_total",
    "currency",
    "customer_email",
    "email",
    "mode",
    "name",
    "quantity",
    "status",
    "unit_amount",
)
SPAN = 2**64


class Dice:
    """`call` names things, `throw` answers a number from 0 to 1 for a name."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._called: Counter[str] = Counter()

    def call(self, sort: str, fields: Mapping[str, Any]) -> str:
        """A name for something of that sort with these fields: its marks, and how many alike came before it."""
        told = [f"{mark}={value}" for mark in MARKS if isinstance(value := fields.get(mark), str | int)]
        alike = " ".join((sort, *told))
        self._called[alike] += 1
        return f"{alike} #{self._called[alike]}"

    def throw(self, dial: str, name: str) -> float:
        digest = hashlib.blake2b(f"{self.seed}\n{dial}\n{name}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) / SPAN
