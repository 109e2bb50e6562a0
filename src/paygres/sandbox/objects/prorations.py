"""Prorations: what a change in the middle of a period gives back and costs, to the second."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

from paygres.sandbox.objects.sold_items import Planned, cost, rounded
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.world import Work


@dataclass(frozen=True, slots=True)
class Proration:
    """One line: a credit (`amount` < 0) or a charge in minor units for `start` to `end`. `item`: the item's id,
    empty while it does not exist."""

    amount: int
    price: Object
    quantity: int
    item: str
    start: int
    end: int
    description: str


# How much of a price its buyer pays after the percentages of the subscription's discounts.
Share = Callable[[Object], Fraction]


def of_change(
    work: Work, planned: Sequence[Planned], period: tuple[int, int], at: int, share: Share
) -> list[Proration]:
    """The prorations of all items that change at the second `at` of the period, credits first."""
    changed = [one for one in planned if one.is_billed_anew]
    credits = [_credit(work, one, period, at, share) for one in changed]
    charges = [_charge(work, one, period, at, share) for one in changed]
    return [one for one in (*credits, *charges) if one is not None]


def of_end(work: Work, items: Sequence[Object], at: int, share: Share) -> list[Proration]:
    """What is given back when the subscription ends at the second `at`."""
    found: list[Proration] = []
    for item in items:
        period = item["current_period_start"], item["current_period_end"]
        credit = _credit(work, Planned(item, None, None, {}), period, min(max(at, period[0]), period[1]), share)
        if credit is not None:
            found.append(credit)
    return found


def _credit(work: Work, one: Planned, period: tuple[int, int], at: int, share: Share) -> Proration | None:
    if one.before is None:
        return None
    price, quantity = one.before["price"], one.before.get("quantity") or 0
    amount = -_part(cost(price, quantity) * share(price), period, at)
    return _proration(work, amount, price, quantity, one, period, at, "Unused")


def _charge(work: Work, one: Planned, period: tuple[int, int], at: int, share: Share) -> Proration | None:
    if one.price is None:
        return None
    quantity = one.quantity or 0
    amount = _part(cost(one.price, quantity) * share(one.price), period, at)
    return _proration(work, amount, one.price, quantity, one, period, at, "Remaining")


def _part(whole: Fraction, period: tuple[int, int], at: int) -> int:
    start, end = period
    return rounded(whole * (end - at) / (end - start))


def _proration(
    work: Work, amount: int, price: Object, quantity: int, one: Planned, period: tuple[int, int], at: int, word: str
) -> Proration:
    product = work.get(price["product"]) or {}
    name = product.get("name") or price["nickname"] or ""
    times = f"{quantity} × " if quantity != 1 else ""
    description = f"{word} time on {times}{name} after {datetime.fromtimestamp(at, UTC):%d %b %Y}"
    return Proration(amount, price, quantity, one.before["id"] if one.before else "", at, period[1], description)
