"""The server inside your own app: one process, one database, your function in the transaction of the event.

export DATABASE_URL=… JWT_SECRET=… ENCRYPTION_KEY=… STRIPE_TEST_SECRET_KEY=…   # as for the server
uvicorn app:app
"""

from fastapi import FastAPI, HTTPException

from paygres.server import Payments, StripeEvent, Transaction

payments = Payments.from_env()


@payments.on("checkout.session.completed", "checkout.session.async_payment_succeeded", environment="test")
async def fulfill_order(event: StripeEvent, tx: Transaction) -> None:
    order_id = (event.object["metadata"] or {}).get("order_id")
    order = await tx.fetchrow("select id, amount, currency from public.orders where id::text = $1 for update", order_id)
    if order is None:
        return
    if await event.fulfill(tx, "orders", key=str(order["id"]), amount=order["amount"], currency=order["currency"]):
        await tx.execute("update public.orders set status = 'paid' where id = $1", order["id"])


app = FastAPI(lifespan=payments.lifespan)


@app.get("/about")
async def about() -> dict[str, str]:
    """A route of yours, beside those of Paygres."""
    if not payments.listeners:
        raise HTTPException(500, "no listener is registered")
    return {"shop": "notebooks"}


app.mount("/", payments.asgi_app())
