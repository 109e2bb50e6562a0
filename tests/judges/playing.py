"""Lets the three official libraries play the scenario, each in a process of its own, and makes what they gave
comparable: ids and whatever else differs from run to run become placeholders, numbered as they come."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.judges import installed

HERE = Path(__file__).parent
SCENARIO: dict[str, Any] = json.loads((HERE / "scenario.json").read_text("utf-8"))
LIBRARIES = ("stripe-python 15.2.1", "stripe-python 16.1.0", "stripe-node 23.1.0")

# ids: a short prefix, then letters and digits; secrets of intents add a second part.
ID = re.compile(r"^(?:[a-z]{2,10}_)+[A-Za-z0-9]{8,}(?:_secret_[A-Za-z0-9]+)?$")
URL = re.compile(r"^https?://(?!shop\.example\.com)")
# Unix seconds that come from the time of the run: from 2001, since amounts of the scenario are smaller, until 2030,
# where its test clock begins. What a test clock decides is compared to the second.
TIMES = range(1_000_000_000, 1_893_456_000)
# Different in each account, whatever happens in it.
OWN = frozenset(
    ("fingerprint", "invoice_prefix", "number", "authorization_code", "network_transaction_id", "transaction_id")
)


def play(library: str, url: str, key: str, run: str) -> dict[str, Any]:
    """Chapter -> what each step gave, as this library sees it."""
    return _ask(library, "play", url, key, run)


def verify(library: str, deliveries: list[dict[str, str]]) -> list[list[bool]]:
    """For each `{"payload", "signature", "secret"}`: accepted as it is, with a changed body, with another secret?"""
    return _ask(library, "verify", given=json.dumps(deliveries))


def _ask(library: str, *arguments: str, given: str = "") -> Any:
    name, version = library.split()
    if name == "stripe-node":
        command = [installed.node(), str(HERE / "drive_node.mjs"), str(installed.npm_packages())]
        environment: dict[str, str] = {}
    else:
        command = [sys.executable, str(HERE / "drive_python.py")]
        environment = installed.stripe_python(version)
    ended = subprocess.run(
        [*command, *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env={**os.environ, **environment},
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    said = json.loads(ended.stdout)
    assert said["version"] == version, said["version"]
    return said["answer"]


class Placeholders:
    """One run's ids, each as what it is the how manieth of."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._known: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def comparable(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self.comparable(one, key) for key, one in sorted(value.items())}
        if isinstance(value, list):
            return [self.comparable(one, name) for one in value]
        if isinstance(value, str):
            return self._text(value, name)
        return "<time>" if type(value) is int and value in TIMES else value

    def _text(self, value: str, name: str) -> str:
        value = value.replace(self._run, "<run>")
        if name in OWN:
            return f"<{name}>"
        if URL.match(value):
            return "<url>"
        if ID.match(value):
            return self._placeholder(value)
        return re.sub(r"\b(?:[a-z]{2,10}_)+[A-Za-z0-9]{14,}\b", lambda found: self._placeholder(found[0]), value)

    def _placeholder(self, id: str) -> str:
        if id not in self._known:
            prefix = id.rpartition("_")[0]
            if prefix.endswith("_secret"):
                prefix = f"secret of {self._placeholder(prefix.removesuffix('_secret'))}"
            self._counts[prefix] = self._counts.get(prefix, 0) + 1
            self._known[id] = f"<{prefix} {self._counts[prefix]}>"
        return self._known[id]


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two comparable values differ: `["/2/status: 'open' | 'paid'", …]`."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = sorted({*one, *other})
        return [
            line
            for name in names
            for line in differences(one.get(name, "(absent)"), other.get(name, "(absent)"), f"{path}/{name}")
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for place, (left, right) in pairs for line in differences(left, right, f"{path}/{place}")]
    if one == other:
        return []
    if isinstance(one, list) and isinstance(other, list) and all(isinstance(each, str) for each in [*one, *other]):
        one, other = (
            sorted((Counter(one) - Counter(other)).elements()),
            sorted((Counter(other) - Counter(one)).elements()),
        )
    return [f"{path}: {one!r} | {other!r}"]
