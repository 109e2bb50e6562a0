"""What a coupon takes off a checkout session: asked for when the session is created, or by the promotion code that a
buyer types on the page."""

from paygres.sandbox.objects import coupons, fields, promotion_codes
from paygres.sandbox.objects.discount_amounts import taken
from paygres.sandbox.objects.line_items import SMALLEST_TOTAL
from paygres.sandbox.objects.routes import Params
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire.errors import Refusal, missing_parameter
from paygres.sandbox.world import Work


def given(work: Work, params: Params, session: Object, items: list[Object]) -> Object:
    """The fields of a new session that its `discounts` decide; the items are reduced in place. `session`: its mode,
    currency, customer and subtotal."""
    asked: list[Params] = params.get("discounts") or []
    if len(asked) > 1:
        raise Refusal("You can only specify one discount.", param="discounts")
    if asked and "allow_promotion_codes" in params:
        raise Refusal(
            "You may only specify one of these parameters: allow_promotion_codes, discounts.", param="discounts"
        )
    if not asked:
        return {}
    [one] = asked
    if "promotion_code" in one:
        param = "discounts[0][promotion_code]"
        code = work.find("promotion_code", one["promotion_code"], param)
        promotion_codes.check_usable(work, code, session, param)
        return _reduced(work, session, items, code["promotion"]["coupon"], code["id"], param)
    if "coupon" not in one:
        raise missing_parameter("discounts[0][coupon]")
    return _reduced(work, session, items, one["coupon"], None, "discounts[0][coupon]")


def typed(work: Work, session: Object, text: str) -> Object:
    """Gives the open session the discount of the code that its buyer typed; answers the session. Raises `Refusal` with
    a sentence for the buyer."""
    if not session["allow_promotion_codes"]:
        raise Refusal("This checkout takes no promotion codes.")
    code = promotion_codes.find_active(work, text.strip()) if text.strip() else None
    if code is None:
        raise Refusal("This code is invalid.")
    promotion_codes.check_usable(work, code, session, "promotion_code")
    hidden = work.hidden(session["id"])
    coupon = code["promotion"]["coupon"]
    changes = _reduced(work, session, hidden["line_items"], coupon, code["id"], "promotion_code")
    work.store.set_hidden(session["id"], hidden)
    work.change(session, **changes)
    intent = work.get(hidden["intent"]) if "intent" in hidden else None
    if intent is not None and session["amount_total"]:
        work.change(intent, amount=session["amount_total"])
    return session


def take_back(work: Work, session: Object) -> Object:
    """Without the code that its buyer had typed, the open session costs again what it did; answers the session."""
    if not session["allow_promotion_codes"]:
        raise Refusal("The discount of this checkout cannot be taken back.")
    hidden = work.hidden(session["id"])
    for item in hidden["line_items"]:
        item |= {"amount_discount": 0, "amount_total": item["amount_subtotal"]}
    work.store.set_hidden(session["id"], hidden)
    total = session["amount_subtotal"]
    work.change(
        session,
        amount_total=total,
        discounts=[],
        payment_status="unpaid" if total else "no_payment_required",
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    )
    intent = work.get(hidden["intent"]) if "intent" in hidden else None
    if intent is not None and total:
        work.change(intent, amount=total)
    return session


def redeem(work: Work, session: Object) -> None:
    """Counts the discount of a session that was completed."""
    for one in session["discounts"]:
        coupon = work.get(one["coupon"])
        if coupon is not None and not coupon.get("deleted"):
            coupons.redeem(work, coupon)
        code = work.get(one["promotion_code"]) if one["promotion_code"] else None
        if code is not None:
            promotion_codes.redeem(work, code)


def _reduced(
    work: Work, session: Object, items: list[Object], coupon_id: str, code_id: str | None, param: str
) -> Object:
    coupon = work.find_living("coupon", coupon_id, param)
    coupons.check_valid(work, coupon, param)
    if coupon["currency"] not in (None, session["currency"]):
        raise Refusal(
            f"The coupon {coupon_id} takes off {coupon['currency']}, but this Checkout Session is in "
            f"{session['currency']}.",
            param=param,
        )
    products: list[str] = work.hidden(coupon_id).get("products", [])
    for item in items:
        item |= {"amount_discount": 0, "amount_total": item["amount_subtotal"]}
    off = _take(coupon, [one for one in items if not products or one["price"]["product"] in products])
    total = session["amount_subtotal"] - off
    if 0 < total < SMALLEST_TOTAL and session["mode"] == "payment" and session["currency"] not in fields.ZERO_DECIMAL:
        least = fields.money(SMALLEST_TOTAL, session["currency"])
        raise Refusal(
            f"The Checkout Session's total amount due must add up to at least {least}", code="amount_too_small"
        )
    return {
        "amount_total": total,
        "discounts": [{"coupon": coupon_id, "promotion_code": code_id}],
        "payment_status": "unpaid" if total else "no_payment_required",
        "total_details": {"amount_discount": off, "amount_shipping": 0, "amount_tax": 0},
    }


def _take(coupon: Object, items: list[Object]) -> int:
    """Reduces the items; answers by how much altogether."""
    shares = taken(coupon, [item["amount_subtotal"] for item in items])
    for item, share in zip(items, shares, strict=True):
        item |= {"amount_discount": share, "amount_total": item["amount_subtotal"] - share}
    return sum(shares)
