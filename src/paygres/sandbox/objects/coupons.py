"""Coupons: create, retrieve, update, delete, list."""

from paygres.sandbox import ids
from paygres.sandbox.objects import fields
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, bad_parameter, missing_parameter
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work


def create(work: Work, params: Params) -> Object:
    if ("percent_off" in params) == ("amount_off" in params):
        raise Refusal("You must specify exactly one of `percent_off` and `amount_off`.", param="percent_off")
    percent: float | None = params.get("percent_off")
    if percent is not None and not 0 < percent <= 100:
        raise bad_parameter("Invalid percent_off: must be greater than 0 and at most 100", "percent_off")
    amount: int | None = params.get("amount_off")
    if amount is not None:
        if amount < 1:
            raise bad_parameter("Invalid positive integer", "amount_off", "parameter_invalid_integer")
        if "currency" not in params:
            raise missing_parameter("currency")
    duration: str = params.get("duration", "once")
    if (duration == "repeating") != ("duration_in_months" in params):
        raise Refusal(
            "`duration_in_months` is required if and only if `duration` is `repeating`.", param="duration_in_months"
        )
    id: str = params.get("id") or ids.letters(8)
    if work.get(id) is not None:
        raise Refusal("Coupon already exists.", code="resource_already_exists", param="id")
    products: list[str] = params.get("applies_to", {}).get("products", [])
    for place, product in enumerate(products):
        work.find_living("product", product, f"applies_to[products][{place}]")
    coupon = work.add(
        {
            "id": id,
            "object": "coupon",
            "amount_off": amount,
            "created": work.now,
            "currency": fields.currency(params["currency"], "currency") if amount is not None else None,
            "duration": duration,
            "duration_in_months": params.get("duration_in_months"),
            "livemode": False,
            "max_redemptions": params.get("max_redemptions"),
            "metadata": metadata.from_params(params),
            "name": params.get("name"),
            "percent_off": percent,
            "redeem_by": params.get("redeem_by"),
            "times_redeemed": 0,
            "valid": True,
        },
        hidden={"products": products},
    )
    work.emit("coupon.created", coupon)
    return coupon


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find_living("coupon", id, "coupon", in_path=True)


def update(work: Work, params: Params, id: str) -> Object:
    coupon = work.find_living("coupon", id, "coupon", in_path=True)
    changes = fields.given(params, ("name",))
    changes["metadata"] = metadata.merged(coupon["metadata"], params.get("metadata"))
    return work.update_and_emit(coupon, "coupon.updated", **changes)


def delete(work: Work, params: Params, id: str) -> Object:
    """Discounts that were given already stay."""
    coupon = work.find_living("coupon", id, "coupon", in_path=True)
    tombstone = work.bury(coupon)
    work.emit("coupon.deleted", coupon)
    return tombstone


def list_all(work: Work, params: Params) -> Page:
    return answer_list(work, "coupon", params, "/v1/coupons")


def check_valid(work: Work, coupon: Object, param: str) -> None:
    """Raises `Refusal` for a coupon that is over."""
    most = coupon["max_redemptions"]
    used_up = most is not None and coupon["times_redeemed"] >= most
    if used_up or (coupon["redeem_by"] is not None and coupon["redeem_by"] <= work.now):
        raise Refusal(f"Coupon expired: {coupon['id']}", code="coupon_expired", param=param)


def redeem(work: Work, coupon: Object) -> None:
    redeemed = coupon["times_redeemed"] + 1
    most = coupon["max_redemptions"]
    work.change(coupon, times_redeemed=redeemed, valid=most is None or redeemed < most)


ROUTES: Routes = {
    "POST /v1/coupons": create,
    "GET /v1/coupons/{coupon}": retrieve,
    "POST /v1/coupons/{coupon}": update,
    "DELETE /v1/coupons/{coupon}": delete,
    "GET /v1/coupons": list_all,
}
