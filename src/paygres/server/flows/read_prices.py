"""Read prices at Stripe that a checkout is about to sell and our mirror has not heard of: a plan is sold once (decision
record 0013), and the product says which plan a price belongs to."""

from collections.abc import Sequence

from paygres.server.errors import InvalidRequest, Upstream
from paygres.server.flows.apply_reads import apply_reads
from paygres.server.flows.connections import Connection
from paygres.server.flows.parts import Parts
from paygres.server.stripe_gateway.paths import path_of


async def read_prices(parts: Parts, connection: Connection, price_ids: Sequence[str], *, guest: bool) -> None:
    """Mirror each price and its product, up to the first that Stripe does not know: it will refuse the checkout.

    Raises what the gateway raises when Stripe cannot say, Upstream when our key may not read prices.
    """
    for price_id in price_ids:
        try:
            answer = await parts.gateway.request(
                connection.stripe_key, "get", path_of("/v1/prices", price_id), {"expand": ["product"]}, guest=guest
            )
        except InvalidRequest:  # no id at all
            return
        except Upstream as error:
            if not error.definite or error.code == "PAYMENT_CONFIG_INVALID":
                raise
            return
        price, product = answer.object, answer.object.get("product")
        told = [price]
        if isinstance(product, dict):  # each as it is told by itself; the product first, whose family the price has
            told = [product, {**price, "product": product["id"]}]
        await apply_reads(parts.db, connection, told, answer.as_of)
