"""Times as people read them: local, or UTC with a Z."""

from datetime import UTC, datetime


def moment(text: str | None, *, utc: bool = False) -> str:
    """`2026-03-01 14:02:12` for an ISO-8601 time with zone, with a `Z` in UTC; `-` when there is none."""
    if not text:
        return "-"
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    if utc:
        return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
