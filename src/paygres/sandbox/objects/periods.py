"""Billing periods: a start plus some days, weeks, months or years of the calendar, anchored at the first day."""

import calendar
from datetime import UTC, datetime

DAY = 24 * 3600


def later(anchor: int, interval: str, count: int) -> int:
    """The Unix second `count` intervals after `anchor`. A month that is too short ends on its last day."""
    if interval == "day":
        return anchor + count * DAY
    if interval == "week":
        return anchor + count * 7 * DAY
    months = count * (12 if interval == "year" else 1)
    start = datetime.fromtimestamp(anchor, UTC)
    month = start.year * 12 + start.month - 1 + months
    year, month_of_year = month // 12, month % 12 + 1
    day = min(start.day, calendar.monthrange(year, month_of_year)[1])
    return int(start.replace(year=year, month=month_of_year, day=day).timestamp())
