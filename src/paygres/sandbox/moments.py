"""A moment as people write it: ISO 8601, or Unix seconds."""

import re
from datetime import UTC, date, datetime

# Beyond these a moment is a typing error, such as milliseconds; SQLite and Stripe's integers would take them.
EARLIEST, LATEST = 946_684_800, 4_102_444_800  # 2000-01-01, 2100-01-01


def read_moment(text: str) -> float:
    """Unix seconds of `2026-01-31`, `2026-01-31T10:00:00Z` or `1769853600`. Without an offset it is UTC. Raises
    ValueError with a sentence."""
    given = text.strip()
    try:
        if re.fullmatch(r"\d+(\.\d+)?", given) and len(given.partition(".")[0]) > 8:
            moment = float(given)
        else:
            found = datetime.fromisoformat(given)
            moment = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except ValueError:
        raise ValueError(
            f"{given!r} is no time; write it as 2026-01-31T10:00:00Z, 2026-01-31 or in Unix seconds"
        ) from None
    if not EARLIEST <= moment <= LATEST:
        raise ValueError(f"{given!r} is not between the years 2000 and 2100")
    return moment


def moment_of(value: object) -> float:
    """The same of a value from YAML or JSON: a text, a number, a date."""
    if isinstance(value, datetime):
        return read_moment(value.isoformat())
    if isinstance(value, date):
        return read_moment(value.isoformat())
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{value!r} is no time")
    return read_moment(str(value))
