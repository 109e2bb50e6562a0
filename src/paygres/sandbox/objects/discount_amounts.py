"""What coupons take off the lines of an invoice or of a checkout session: one after the other, each off what the one
before has left, shared out among the lines that it is for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from paygres.sandbox.spec.complete import Object


@dataclass(frozen=True, slots=True)
class Reduction:
    """A discount with its coupon. `products`: the ones it is for; none named means all."""

    id: str
    coupon: Object
    products: Sequence[str] = ()

    def is_for(self, product: str | None) -> bool:
        return not self.products or product in self.products


def reduce_lines(lines: Sequence[Object], reductions: Iterable[Reduction]) -> None:
    """Sets the `discount_amounts` of invoice lines. Prorations and credits stay as they are."""
    for line in lines:
        line["discount_amounts"] = []
    for one in reductions:
        fitting = [line for line in lines if line["discountable"] and line["amount"] > 0 and one.is_for(_product(line))]
        for line, share in zip(fitting, taken(one.coupon, [left_of(line) for line in fitting]), strict=True):
            if share:
                line["discount_amounts"].append({"amount": share, "discount": one.id})


def left_of(line: Object) -> int:
    """What an invoice line still costs, in minor units."""
    return line["amount"] - sum(one["amount"] for one in line["discount_amounts"] or ())


def totals(lines: Iterable[Object]) -> list[Object]:
    """The `total_discount_amounts` of an invoice."""
    found: dict[str, int] = {}
    for line in lines:
        for one in line["discount_amounts"] or ():
            found[one["discount"]] = found.get(one["discount"], 0) + one["amount"]
    return [{"amount": amount, "discount": id} for id, amount in found.items()]


def taken(coupon: Object, amounts: Sequence[int]) -> list[int]:
    """What the coupon takes off each of the amounts. A fixed amount is shared out by their size."""
    subtotal = sum(amounts)
    if coupon["percent_off"] is not None:
        whole = _rounded(subtotal * Decimal(str(coupon["percent_off"])) / 100)
    else:
        whole = min(coupon["amount_off"], subtotal)
    shares: list[int] = []
    left, rest = whole, subtotal
    for amount in amounts:
        share = _rounded(Decimal(left) * amount / rest) if rest else 0
        shares.append(share)
        left, rest = left - share, rest - amount
    return shares


def share_left(reductions: Iterable[Reduction], product: str | None) -> Fraction:
    """What the percentages leave of a price: prorations are made of that part alone."""
    left = Fraction(1)
    for one in reductions:
        if one.coupon["percent_off"] is not None and one.is_for(product):
            left *= 1 - Fraction(str(one.coupon["percent_off"])) / 100
    return left


def _product(line: Object) -> str | None:
    return (line["pricing"] or {}).get("price_details", {}).get("product")


def _rounded(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))
