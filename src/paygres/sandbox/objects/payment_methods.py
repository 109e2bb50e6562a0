"""Payment methods: a card becomes one when a buyer enters it or a token names it."""

from dataclasses import dataclass, field

from paygres.sandbox import ids
from paygres.sandbox.objects import bank_debits, fields
from paygres.sandbox.objects.cards import BRANDS, CARDS, Card, card_of
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, missing_parameter, no_such
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

COUNTRY = "US"


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
    if params.get("type") == bank_debits.TYPE:
        return bank_debits.create_method(work, params)
    if params.get("type", "card") != "card":
        raise Refusal("The sandbox simulates payment methods of the types `card` and `sepa_debit` only.", param="type")
    card_params = params.get("card")
    if not card_params:
        raise missing_parameter("card")
    card = card_of(card_params.get("token") or card_params.get("number") or "")
    if card is None:
        raise incorrect_number("card[number]")
    billing = params.get("billing_details", {})
    buyer = Buyer(
        email=billing.get("email") or None,
        name=billing.get("name") or None,
        phone=billing.get("phone") or None,
        address=billing.get("address") or {},
        exp_month=card_params.get("exp_month", 12),
        exp_year=card_params.get("exp_year", 2034),
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
                "checks": checks(),
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
    """A stored payment method, or a new one from a name such as `pm_card_visa`."""
    found = work.get(id)
    if found is not None and found["object"] == "payment_method":
        return found
    card = card_of(id) if id.startswith("pm_card_") else None
    if card is None:
        raise no_such("PaymentMethod", id, param, status=404 if in_path else 400)
    return make(work, card, Buyer())


def card_behind(work: Work, payment_method: Object) -> Card:
    return card_of(work.hidden(payment_method["id"])["number"]) or CARDS["4242424242424242"]


def attach(work: Work, payment_method: Object, customer: str) -> None:
    if payment_method["customer"] != customer:
        work.change(payment_method, customer=customer)
        work.emit("payment_method.attached", payment_method)


def check_saving(card: Card) -> None:
    """Raises the 402 of a card that its bank does not let anybody save."""
    if card.code is not None and not card.attaches:
        raise Refusal(card.message, status=402, type="card_error", code=card.code, decline_code=card.decline_code)


def attach_by_id(work: Work, params: Params, id: str) -> Object:
    customer = work.find_living("customer", params["customer"], "customer")
    payment_method = find(work, id, "payment_method", in_path=True)
    if payment_method["type"] == "card":
        check_saving(card_behind(work, payment_method))
    attach(work, payment_method, customer["id"])
    return payment_method


def list_all(work: Work, params: Params) -> Page:
    links = {"customer": params.get("customer"), "type": params.get("type")}
    return answer_list(work, "payment_method", params, "/v1/payment_methods", links=links)


def list_of_customer(work: Work, params: Params, customer: str) -> Page:
    work.find_living("customer", customer, "customer", in_path=True)
    links = {"customer": customer, "type": params.get("type")}
    return answer_list(work, "payment_method", params, f"/v1/customers/{customer}/payment_methods", links=links)


def card_details(card: Card, buyer: Buyer) -> Object:
    """The fields that a payment method and a charge tell about a card alike."""
    return {
        "brand": card.brand,
        "country": COUNTRY,
        "exp_month": buyer.exp_month,
        "exp_year": buyer.exp_year,
        "fingerprint": f"sandbox{card.number[-9:]}",
        "funding": "credit",
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


def checks() -> Object:
    return {"cvc_check": "pass"}


def brand_name(card: Card) -> str:
    return BRANDS.get(card.brand, card.brand)


ROUTES: Routes = {
    "POST /v1/payment_methods": create,
    "GET /v1/payment_methods/{payment_method}": retrieve,
    "POST /v1/payment_methods/{payment_method}/attach": attach_by_id,
    "GET /v1/payment_methods": list_all,
    "GET /v1/customers/{customer}/payment_methods": list_of_customer,
}
