"""`previous_attributes` as Stripe forms them: the old values of what changed, nested hashes in part, arrays whole,
null for what was absent."""

from typing import Any

Object = dict[str, Any]


def difference(before: Object, after: Object) -> Object:
    previous: Object = {}
    for name, value in after.items():
        old = before.get(name)
        if old == value:
            continue
        if isinstance(old, dict) and isinstance(value, dict):
            previous[name] = difference(old, value)
        else:
            previous[name] = old
    for name in before.keys() - after.keys():
        previous[name] = before[name]
    return previous
