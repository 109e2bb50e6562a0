"""The customer's credit balance (less than 0: a credit that the next invoices use up): each change of it is a
transaction; made by request or by an invoice, retrieved, updated and listed."""

from paygres.sandbox import ids
from paygres.sandbox.objects import fields
from paygres.sandbox.objects.routes import Params, Routes
from paygres.sandbox.spec.complete import Object
from paygres.sandbox.wire import metadata
from paygres.sandbox.wire.errors import Refusal, no_such
from paygres.sandbox.wire.lists import Page, answer_list
from paygres.sandbox.world import Work

KIND = "customer_balance_transaction"


def move(
    work: Work,
    customer: Object,
    amount: int,
    type: str,
    *,
    invoice: str | None = None,
    currency: str | None = None,
    description: str | None = None,
    given: dict[str, str] | None = None,
) -> Object:
    """Changes the balance by `amount` minor units, announces it as customer.updated, and answers the transaction."""
    code: str = currency or customer["currency"] or "usd"
    balance = customer["balance"] + amount
    made = work.add(
        {
            "id": ids.new(KIND),
            "object": KIND,
            "amount": amount,
            "created": work.now,
            "currency": code,
            "customer": customer["id"],
            "description": description,
            "ending_balance": balance,
            "invoice": invoice,
            "livemode": False,
            "metadata": given or {},
            "type": type,
        }
    )
    work.update_and_emit(customer, "customer.updated", balance=balance)
    return made


def create(work: Work, params: Params, customer: str) -> Object:
    owner = work.find_living("customer", customer, "customer", in_path=True)
    code = fields.currency(params["currency"], "currency")
    if owner["currency"] not in (None, code):
        raise Refusal(
            f"The currency {code} does not match the customer's currency {owner['currency']}.", param="currency"
        )
    return move(
        work,
        owner,
        params["amount"],
        "adjustment",
        currency=code,
        description=params.get("description"),
        given=metadata.from_params(params),
    )


def retrieve(work: Work, params: Params, customer: str, id: str) -> Object:
    return _find(work, customer, id)


def update(work: Work, params: Params, customer: str, id: str) -> Object:
    found = _find(work, customer, id)
    changes = fields.given(params, ("description",))
    changes["metadata"] = metadata.merged(found["metadata"], params.get("metadata"))
    work.change(found, **changes)
    return found


def list_all(work: Work, params: Params, customer: str) -> Page:
    work.find_living("customer", customer, "customer", in_path=True)
    links = {"customer": customer, "invoice": params.get("invoice")}
    return answer_list(work, KIND, params, f"/v1/customers/{customer}/balance_transactions", links=links)


def _find(work: Work, customer: str, id: str) -> Object:
    work.find_living("customer", customer, "customer", in_path=True)
    found = work.find(KIND, id, "transaction", in_path=True)
    if found["customer"] != customer:
        raise no_such(KIND, id, "transaction", status=404)
    return found


ROUTES: Routes = {
    "POST /v1/customers/{customer}/balance_transactions": create,
    "GET /v1/customers/{customer}/balance_transactions": list_all,
    "GET /v1/customers/{customer}/balance_transactions/{transaction}": retrieve,
    "POST /v1/customers/{customer}/balance_transactions/{transaction}": update,
}
