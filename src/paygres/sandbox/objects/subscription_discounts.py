"""Discounts that stay: of a subscription from its start or from a change on, for one invoice, some months or for ever;
and those of an invoice made by hand. Each is an object of its own that remembers its coupon."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from paygres.sandbox import ids
from paygres.sandbox.objects import coupons, periods, promotion_codes
from paygres.sandbox.objects.discount_amounts import Reduction, share_left
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal, missing_parameter, no_such
from paygres.sandbox.world import Work

MOST = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """A discount that a request asks for. `present`: the id of one that is kept."""

    coupon: Object
    code: Object | None = None
    present: str | None = None


def read(
    work: Work, given: Sequence[Params], *, customer: str, currency: str, subtotal: int, present: Sequence[str] = ()
) -> list[Wanted]:
    """What `discounts` ask for; raises `Refusal`. `present`: the ids that may be kept by `discount`."""
    if len(given) > MOST:
        raise Refusal(f"You can specify up to {MOST} discounts.", param="discounts")
    wanted: list[Wanted] = []
    for place, one in enumerate(given):
        param = f"discounts[{place}]"
        if len(one) != 1:
            raise Refusal(
                "You must specify exactly one of `coupon`, `promotion_code` and `discount`.",
                param=param,
                code="parameter_missing" if not one else "parameters_exclusive",
            )
        if "discount" in one:
            if one["discount"] not in present:
                raise no_such("discount", one["discount"], f"{param}[discount]")
            wanted.append(Wanted(work.hidden(one["discount"])["coupon"], present=one["discount"]))
            continue
        wanted.append(_new(work, one, param, {"customer": customer, "currency": currency, "amount_subtotal": subtotal}))
    return wanted


def made(
    work: Work,
    wanted: Iterable[Wanted],
    *,
    customer: str,
    subscription: str | None = None,
    invoice: str | None = None,
    session: str | None = None,
) -> list[Object]:
    """The discounts as objects; new ones are redeemed, and announced by `announce`."""
    found: list[Object] = []
    for one in wanted:
        if one.present is not None:
            found.append(work.find("discount", one.present, "discount"))
            continue
        months = one.coupon["duration_in_months"] if one.coupon["duration"] == "repeating" else None
        discount = work.add(
            {
                "id": ids.new("discount"),
                "object": "discount",
                "checkout_session": session,
                "customer": customer,
                "end": periods.later(work.now, "month", months) if months else None,
                "invoice": invoice,
                "promotion_code": one.code["id"] if one.code else None,
                "source": {"coupon": one.coupon["id"], "type": "coupon"},
                "start": work.now,
                "subscription": subscription,
            },
            hidden={"coupon": one.coupon, "products": work.hidden(one.coupon["id"]).get("products", [])},
        )
        # A checkout session counts its discount when it is completed.
        if session is None:
            _redeem(work, one)
        found.append(discount)
    return found


def announce(work: Work, discounts: Iterable[Object]) -> None:
    for one in discounts:
        work.emit("customer.discount.created", one)


def announce_end(work: Work, discounts: Iterable[Object], *, automatic: bool = False) -> None:
    for one in discounts:
        work.emit("customer.discount.deleted", one, automatic=automatic)


def ids_of(discounts: Iterable[Object]) -> list[str]:
    return [one["id"] for one in discounts]


def reductions_of(work: Work, discounts: Iterable[str], at: int, *, used_too: bool = False) -> list[Reduction]:
    """What the discounts with these ids take off an invoice for a period that begins at `at`. `used_too`: also those
    for one invoice that have had it."""
    found: list[Reduction] = []
    for id in discounts:
        discount, hidden = work.get(id), work.hidden(id)
        if discount is not None and not _is_over(discount, {**hidden, "used": False} if used_too else hidden, at):
            found.append(Reduction(id, hidden["coupon"], tuple(hidden["products"])))
    return found


def as_reductions(work: Work, wanted: Iterable[Wanted]) -> list[Reduction]:
    """The same before there are discounts."""
    return [
        Reduction(one.present or ids.new("discount"), one.coupon, work.hidden(one.coupon["id"]).get("products", ()))
        for one in wanted
    ]


def share_of(work: Work, subscription: Object) -> Callable[[Object], Fraction]:
    """How much of a price the subscription pays now: what prorations are made of."""
    reductions = reductions_of(work, subscription.get("discounts") or (), work.now, used_too=True)
    return lambda price: share_left(reductions, price["product"])


def use(work: Work, invoice: Object) -> None:
    """The invoice is finalized: a discount for one invoice has had its own."""
    for one in invoice["total_discount_amounts"] or ():
        hidden = work.hidden(one["discount"])
        if one["amount"] and not hidden.get("used"):
            work.store.set_hidden(one["discount"], {**hidden, "used": True})


def over_at(work: Work, subscription: Object, at: int) -> list[Object]:
    """The subscription's discounts that have ended when a period begins at `at`."""
    found = [work.find("discount", id, "discount") for id in subscription["discounts"]]
    return [one for one in found if _is_over(one, work.hidden(one["id"]), at)]


def _is_over(discount: Object, hidden: Object, at: int) -> bool:
    used_up = hidden["coupon"]["duration"] == "once" and bool(hidden.get("used"))
    return used_up or (discount["end"] is not None and discount["end"] <= at)


def _new(work: Work, one: Params, param: str, sold: Object) -> Wanted:
    code: Object | None = None
    if "promotion_code" in one:
        param = f"{param}[promotion_code]"
        code = work.find("promotion_code", one["promotion_code"], param)
        promotion_codes.check_usable(work, code, sold, param)
        coupon = work.find_living("coupon", code["promotion"]["coupon"], param)
    elif "coupon" in one:
        param = f"{param}[coupon]"
        coupon = work.find_living("coupon", one["coupon"], param)
    else:
        raise missing_parameter(f"{param}[coupon]")
    coupons.check_valid(work, coupon, param)
    if coupon["currency"] not in (None, sold["currency"]):
        raise Refusal(
            f"The coupon {coupon['id']} takes off {coupon['currency']}, but this is in {sold['currency']}.", param=param
        )
    return Wanted(coupon, code)


def _redeem(work: Work, one: Wanted) -> None:
    coupon = work.get(one.coupon["id"])
    if coupon is not None and not coupon.get("deleted"):
        coupons.redeem(work, coupon)
    if one.code is not None:
        promotion_codes.redeem(work, one.code)


def remove(work: Work, params: Params, id: str) -> Object:
    """`DELETE /v1/subscriptions/{id}/discount`: all of them, as a change with `discounts=` does."""
    subscription = work.find("subscription", id, "id", in_path=True)
    if not subscription["discounts"]:
        raise Refusal("No active discount for subscription: " + id, status=404, code="resource_missing")
    gone = [work.find("discount", one, "discount") for one in subscription["discounts"]]
    announce_end(work, gone)
    work.update_and_emit(subscription, "customer.subscription.updated", discounts=[])
    return {name: value for name, value in gone[0].items() if name != "end"} | {"deleted": True}


ROUTES: Routes = {"DELETE /v1/subscriptions/{subscription_exposed_id}/discount": remove}
