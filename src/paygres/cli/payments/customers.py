"""`customers`: who paid, how often, how much."""

from typing import Any

from paygres.cli import values
from paygres.cli.call import Call, Command, Noun
from paygres.cli.money import amount
from paygres.cli.options import Parser


def _options(parser: Parser) -> None:
    parser.add_argument("--limit", type=values.limit, default=50, metavar="<count>", help="1 to 100 [50]")


def list_customers(call: Call) -> None:
    body = call.backend.call("GET", call.path("customers"), query={"limit": str(call.options.limit)})
    if call.screen.json:
        call.screen.answer(body)
    elif body["customers"]:
        call.screen.rows(
            ("Customer ID", "Email", "Name", "Payments", "Total Spend", "Last Payment", "Method", "Country"),
            [_row(call, customer) for customer in body["customers"]],
        )
    else:
        call.screen.say("No stripe customers found.")


def _row(call: Call, customer: dict[str, Any]) -> tuple[object, ...]:
    return (
        customer["providerCustomerId"],
        customer["email"],
        customer["name"],
        customer["paymentsCount"],
        amount(customer["totalSpend"], customer["totalSpendCurrency"]),
        call.when(customer["lastPaymentAt"]),
        _method(customer["paymentMethodBrand"], customer["paymentMethodLast4"]),
        customer["countryCode"],
    )


def _method(brand: str | None, last4: str | None) -> str | None:
    return f"{brand or 'card'} **** {last4}" if last4 else brand


NOUN = Noun({"list": Command("Customers", list_customers, _options)}, bare="list")
