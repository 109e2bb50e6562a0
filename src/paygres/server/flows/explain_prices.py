"""Why Stripe refuses to sell prices, as far as our mirror knows it better than Stripe's text (contract F42)."""

from collections.abc import Sequence

from paygres.server.db.database import Database
from paygres.server.tables import checkout_options


async def explain_prices(db: Database, environment: str, mode: str, price_ids: Sequence[str]) -> str | None:
    """What to do about the first line item that cannot be sold; None when the mirror finds nothing wrong."""
    known = {(one.environment, one.price_id): one for one in await checkout_options.sold_prices(db, price_ids)}
    other = "live" if environment == "test" else "test"
    recurring = False
    for place, price_id in enumerate(price_ids):
        item = f"lineItems.{place}.priceId"
        price = known.get((environment, price_id))
        if price is None and (other, price_id) in known:
            return (
                f"{item} is a price of {other}, and this checkout is in {environment}: use the price of {environment}."
            )
        if price is None:
            return (
                f"{item} is not among the prices of the connected Stripe account. GET /api/payments/stripe/"
                f"{environment}/catalog/prices lists them; a sync reads them anew."
            )
        if not price.active:
            return f"{item} is archived, or its product is: activate it in Stripe, or sell another price."
        if price.recurring and mode == "payment":
            return f"{item} is a recurring price: use mode `subscription`, or sell a one-time price."
        recurring = recurring or price.recurring
    if mode == "subscription" and not recurring:
        return "A checkout in mode `subscription` needs a recurring price, and these are one-time: use mode `payment`."
    return None
