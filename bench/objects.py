"""Stripe objects at their real size: the fields a live account sends beyond those we read (objects.json).

All values are invented. `full` puts a test history's object over them.
"""

import json
from pathlib import Path
from typing import Any

FIELDS: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("objects.json").read_text())


def full(raw: dict[str, Any]) -> dict[str, Any]:
    """`raw` with every field a real object of its kind has."""
    return {**FIELDS.get(raw["object"], {}), **raw}
