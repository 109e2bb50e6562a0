"""A developer's program, run by tests as a process of its own: uvicorn tests.flows.listening_program:app."""

import os

from starlette.applications import Starlette

from paygres.server import Payments, StripeEvent, Transaction

payments = Payments.from_env()


@payments.on("checkout.session.completed", environment="test")
async def pay_order(event: StripeEvent, tx: Transaction) -> None:
    order = event.object["metadata"]["order_id"]
    if await event.fulfill(tx, "orders", key=order, amount=2500, currency="usd"):
        await tx.execute("update public.orders set paid = paid + 1 where id = $1", order)
    await tx.execute("select pg_sleep($1)", float(os.environ.get("LISTENER_SLEEPS", "0")))


app = Starlette(lifespan=payments.lifespan)
app.mount("/", payments.asgi_app())
