"""Payment methods: a card becomes one when a buyer enters it or a token names it, a bank account when it is given. What
customers keep of them is saved_methods.py's part."""

from dataclasses import dataclass, field
from typing import Any

from paygres.sandbox import ids
from paygres.sandbox.objects import bank_debits, fields
from paygres.sandbox.objects.bank_debit_accounts import CURRENCIES
from paygres.sandbox.objects.cards import BRANDS, CARDS, Card, card_of
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, missing_parameter, no_such
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

COUNTRY = "US"
TYPES = ("card", *CURRENCIES)


@dataclass(frozen=True, slots=True)
class Buyer:
    """What somebody typed besides the card's number."""

    email: str | None = None
    name: str | None = None
    phone: str | None = None
    address: Object = field(default_factory=dict)
    exp_month: int = 12
    exp_year: int = 2034


def incorrect_number(param: str) -> Refusal:
    return Refusal(
        "Your card number is incorrect.", status=402, type="card_error", code="incorrect_number", param=param
    )


def create(work: Work, params: Params) -> Object:
    made = from_params(work, params)
    if "allow_redisplay" in params:
        work.change(made, allow_redisplay=params["allow_redisplay"])
    return made


def from_params(work: Work, params: Params, prefix: str = "") -> Object:
    """The payment method that a request describes. `prefix`: the parameter that holds the description."""
    kind = params.get("type", "card")
    if kind in CURRENCIES:
        return bank_debits.create_method(work, params, prefix)
    if kind != "card":
        raise Refusal(
            f"The sandbox simulates payment methods of the types {', '.join(f'`{one}`' for one in TYPES)} only.",
            param=f"{prefix}[type]" if prefix else "type",
        )
    card_params = params.get("card")
    if not card_params:
        raise missing_parameter("card")
    card = card_of(card_params.get("token") or card_params.get("number") or "")
    if card is None:
        raise incorrect_number("card[number]")
    _check_expiry(work, card_params)
    billing = params.get("billing_details", {})
    buyer = Buyer(
        email=billing.get("email") or None,
        name=billing.get("name") or None,
        phone=billing.get("phone") or None,
        address={"country": None, **(billing.get("address") or {})},
        exp_month=card_params.get("exp_month", 12),
        exp_year=_whole_year(card_params.get("exp_year", 2034)),
    )
    return make(work, card, buyer, metadata.from_params(params))


def make(work: Work, card: Card, buyer: Buyer, given_metadata: dict[str, str] | None = None) -> Object:
    details = card_details(card, buyer)
    return work.add(
        {
            "id": ids.new("payment_method"),
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": billing_details(buyer),
            "card": {
                **details,
                "checks": checks(card),
                "display_brand": card.brand,
                "networks": {"available": [card.brand]},
            },
            "created": work.now,
            "livemode": False,
            "metadata": given_metadata or {},
            "type": "card",
        },
        hidden={"number": card.number},
    )


def retrieve(work: Work, params: Params, id: str) -> Object:
    return find(work, id, "payment_method", in_path=True)


def find(work: Work, id: str, param: str, *, in_path: bool = False) -> Object:
    """A stored payment method, or a new one from a name such as `pm_card_visa` or `pm_success_at`."""
    found = work.get(id)
    if found is not None and found["object"] == "payment_method":
        return found
    card = card_of(id) if id.startswith("pm_card_") else None
    if card is not None:
        return make(work, card, Buyer(address={"country": None}))
    debit = bank_debits.debit_of(id) if id in bank_debits.NAMED else None
    if debit is not None:
        return bank_debits.make_method(work, debit, Buyer("buyer@example.com", "Test Buyer", address={"country": None}))
    raise no_such("PaymentMethod", id, param, status=404 if in_path else 400)


def card_behind(work: Work, payment_method: Object) -> Card:
    """The test card of a payment method of the type `card`."""
    return card_of(work.hidden(payment_method["id"])["number"]) or CARDS["4242424242424242"]


def remember(work: Work, payment_method: Object, **facts: Any) -> None:
    """What the payment method does not show: that it was used up (`used`), or set up for charges while its owner is
    away (`set_up`), or its mandate."""
    hidden = work.hidden(payment_method["id"])
    if any(hidden.get(name) != fact for name, fact in facts.items()):
        work.store.set_hidden(payment_method["id"], {**hidden, **facts})


def buyer_of(payment_method: Object) -> Buyer:
    """Who entered it."""
    told = payment_method["billing_details"]
    expiry: Object = payment_method["card"] if payment_method["type"] == "card" else {}
    return Buyer(
        told["email"],
        told["name"],
        told["phone"],
        told["address"],
        expiry.get("exp_month", 12),
        expiry.get("exp_year", 2034),
    )


def attach(work: Work, payment_method: Object, customer: str) -> None:
    if payment_method["customer"] != customer:
        work.change(payment_method, customer=customer)
        work.emit("payment_method.attached", payment_method)


def check_saving(card: Card) -> None:
    """Raises the 402 of a card that its bank does not let anybody save."""
    if card.code is not None and not card.attaches:
        raise Refusal(card.message, status=402, type="card_error", code=card.code, decline_code=card.decline_code)


def list_all(work: Work, params: Params) -> Page:
    links = {name: params.get(name) for name in ("customer", "type", "allow_redisplay")}
    return answer_list(work, "payment_method", params, "/v1/payment_methods", links=links)


def card_details(card: Card, buyer: Buyer) -> Object:
    """The fields that a payment method and a charge tell about a card alike."""
    return {
        "brand": card.brand,
        "country": card.country,
        "exp_month": buyer.exp_month,
        "exp_year": buyer.exp_year,
        "fingerprint": f"sandbox{card.number[-9:]}",
        "funding": card.funding,
        "last4": card.number[-4:],
        "three_d_secure_usage": {"supported": True},
        "regulated_status": "unregulated",
    }


def billing_details(buyer: Buyer) -> Object:
    return {
        "address": fields.address({"country": COUNTRY, **buyer.address}),
        "email": buyer.email,
        "name": buyer.name,
        "phone": buyer.phone,
    }


def checks(card: Card) -> Object:
    return dict(card.checks)


def brand_name(card: Card) -> str:
    return BRANDS.get(card.brand, card.brand)


def _whole_year(year: int) -> int:
    return year + 2000 if year < 100 else year


def _check_expiry(work: Work, card: Params) -> None:
    if "exp_month" in card and not 1 <= card["exp_month"] <= 12:
        raise _invalid_expiry("month")
    if "exp_year" in card and _whole_year(card["exp_year"]) < 1970 + work.now // 31_556_952:
        raise _invalid_expiry("year")


def _invalid_expiry(part: str) -> Refusal:
    return Refusal(
        f"Your card's expiration {part} is invalid.",
        status=402,
        type="card_error",
        code=f"invalid_expiry_{part}",
        param=f"card[exp_{part}]",
    )


ROUTES: Routes = {
    "POST /v1/payment_methods": create,
    "GET /v1/payment_methods/{payment_method}": retrieve,
    "GET /v1/payment_methods": list_all,
}
