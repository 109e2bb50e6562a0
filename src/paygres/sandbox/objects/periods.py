"""Billing periods: a start plus some days, weeks, months or years of the calendar, anchored at the first day."""

import calendar
from datetime import UTC, datetime

from paygres.sandbox.spec.complete import Object

DAY = 24 * 3600
# No interval is longer than this, so counting from here never passes a period.
LONGEST = {"day": DAY, "week": 7 * DAY, "month": 31 * DAY, "year": 366 * DAY}


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


def around(anchor: int, moment: int, recurring: Object) -> tuple[int, int]:
    """(start, end) of the period that holds `moment`, which starts it when it is a boundary. Before the anchor, the
    period is the one that the anchor ends. `recurring`: a price's interval and its count."""
    interval, count = recurring["interval"], recurring["interval_count"]
    if moment < anchor:
        return later(anchor, interval, -count), anchor
    passed = (moment - anchor) // (LONGEST[interval] * count)
    while later(anchor, interval, (passed + 1) * count) <= moment:
        passed += 1
    return later(anchor, interval, passed * count), later(anchor, interval, (passed + 1) * count)


def same_length(one: Object, other: Object) -> bool:
    """Whether two prices are billed in the same rhythm."""
    first, second = one["recurring"], other["recurring"]
    return (first["interval"], first["interval_count"]) == (second["interval"], second["interval_count"])
