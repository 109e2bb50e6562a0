"""Promotion codes, which buyers type to get a coupon's discount: create, retrieve, update, list."""

import orjson

from paygres.sandbox import ids
from paygres.sandbox.objects import coupons
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, missing_parameter
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

# Codes are the same in capital and in small letters.
OF_CODE = "SELECT seq FROM links WHERE name = 'promotion_code.code' AND lower(value) = lower(?)"


def create(work: Work, params: Params) -> Object:
    promotion: Params = params["promotion"]
    if "coupon" not in promotion:
        raise missing_parameter("promotion[coupon]")
    coupon = work.find_living("coupon", promotion["coupon"], "promotion[coupon]")
    coupons.check_valid(work, coupon, "promotion[coupon]")
    code: str = params.get("code") or ids.letters(8).upper()
    if find_active(work, code) is not None:
        raise Refusal(f"An active promotion code with `code: {code}` already exists.", param="code")
    if "customer" in params:
        work.find_living("customer", params["customer"], "customer")
    restrictions: Params = params.get("restrictions", {})
    made = work.add(
        {
            "id": ids.new("promotion_code"),
            "object": "promotion_code",
            "active": params.get("active", True),
            "code": code,
            "created": work.now,
            "customer": params.get("customer"),
            "expires_at": params.get("expires_at"),
            "livemode": False,
            "max_redemptions": params.get("max_redemptions"),
            "metadata": metadata.from_params(params),
            "promotion": {"coupon": coupon["id"], "type": "coupon"},
            "restrictions": {
                "first_time_transaction": restrictions.get("first_time_transaction", False),
                "minimum_amount": restrictions.get("minimum_amount"),
                "minimum_amount_currency": restrictions.get("minimum_amount_currency"),
            },
            "times_redeemed": 0,
        }
    )
    work.emit("promotion_code.created", made)
    return made


def retrieve(work: Work, params: Params, id: str) -> Object:
    return work.find("promotion_code", id, "promotion_code", in_path=True)


def update(work: Work, params: Params, id: str) -> Object:
    code = work.find("promotion_code", id, "promotion_code", in_path=True)
    changes: Params = {"metadata": metadata.merged(code["metadata"], params.get("metadata"))}
    if "active" in params:
        changes["active"] = params["active"]
    return work.update_and_emit(code, "promotion_code.updated", **changes)


def list_all(work: Work, params: Params) -> Page:
    links = {
        "active": params.get("active"),
        "customer": params.get("customer"),
        "promotion.coupon": params.get("coupon"),
    }
    conditions = [(f"seq IN ({OF_CODE})", params["code"])] if "code" in params else []
    return answer_list(work, "promotion_code", params, "/v1/promotion_codes", links=links, conditions=conditions)


def find_active(work: Work, code: str) -> Object | None:
    """The active promotion code that a buyer means."""
    found = list_all(work, {"active": True, "code": code, "limit": 1}).bodies
    return orjson.loads(found[0]) if found else None


def check_usable(work: Work, code: Object, session: Object, param: str) -> None:
    """Raises `Refusal` when the session's buyer cannot use the code. `session`: its customer, currency, subtotal."""
    limits = code["restrictions"]
    most = code["max_redemptions"]
    over = code["expires_at"] is not None and code["expires_at"] <= work.now
    if not code["active"] or over or (most is not None and code["times_redeemed"] >= most):
        raise Refusal(f"This promotion code is no longer active: {code['code']}", param=param)
    if code["customer"] is not None and code["customer"] != session["customer"]:
        raise Refusal("This promotion code cannot be redeemed by this customer.", param=param)
    least = limits["minimum_amount"]
    if least is not None and (
        limits["minimum_amount_currency"] != session["currency"] or session["amount_subtotal"] < least
    ):
        raise Refusal("This promotion code needs a higher amount or another currency.", param=param)
    if limits["first_time_transaction"] and session["customer"] is not None:
        paid = work.store.page(work.account, "charge", links={"customer": session["customer"]}, limit=1)
        if paid:
            raise Refusal("This promotion code is for a customer's first purchase only.", param=param)


def redeem(work: Work, code: Object) -> None:
    redeemed = code["times_redeemed"] + 1
    most = code["max_redemptions"]
    work.change(code, times_redeemed=redeemed, active=code["active"] and (most is None or redeemed < most))


ROUTES: Routes = {
    "POST /v1/promotion_codes": create,
    "GET /v1/promotion_codes/{promotion_code}": retrieve,
    "POST /v1/promotion_codes/{promotion_code}": update,
    "GET /v1/promotion_codes": list_all,
}
