"""`catalog`: products and prices of an environment together."""

from paygres.cli.call import Call, Command, Noun
from paygres.cli.payments import prices, products


def catalog(call: Call) -> None:
    """Two tables."""
    body = call.backend.call("GET", call.path("catalog"))
    if call.screen.json:
        call.screen.answer(body)
        return
    if not body["products"] and not body["prices"]:
        call.screen.say("No Stripe catalog records found.")
        return
    # The last column of either list is when it was synced, which says little here.
    call.screen.rows(products.COLUMNS[:-1], [products.row(call, p)[:-1] for p in body["products"]], title="Products")
    call.screen.rows(prices.COLUMNS[:-1], [prices.row(call, p)[:-1] for p in body["prices"]], title="Prices")


NOUN = Noun({"": Command("Products and prices", catalog)})
