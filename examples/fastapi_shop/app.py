"""A shop in FastAPI beside a Paygres server.

    export INSFORGE_URL=http://localhost:7130 INSFORGE_ANON_KEY=anon_… JWT_SECRET=…   # printed by `paygres dev --json`
    export PRICE_ID=price_… WEBHOOK_SECRET=whsec_…   # of a destination http://localhost:8000/hooks/paygres
    uvicorn app:app

Users are signed in by your own means; here a header stands in for that.
"""

import os
import sqlite3
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import RedirectResponse

from paygres import AsyncClient, SignatureError, verify_message
from paygres.contrib.fastapi import GuestPaymentsDep, install_error_handlers, payments_lifespan

PRICE, CENTS, CURRENCY = os.environ["PRICE_ID"], 1500, "usd"
HERE = os.environ.get("SHOP_URL", "http://localhost:8000")
database = sqlite3.connect(os.environ.get("SHOP_DATABASE", ":memory:"), check_same_thread=False, isolation_level=None)


@asynccontextmanager
async def tables(app: FastAPI) -> AsyncIterator[None]:
    database.execute("create table if not exists orders (id text primary key, owner text, status text not null)")
    database.execute("create table if not exists messages (id text primary key)")
    yield


app = FastAPI(lifespan=payments_lifespan(within=tables))
install_error_handlers(app)


@app.post("/orders", status_code=201)
async def order(x_user: Annotated[str | None, Header()] = None) -> dict[str, str]:
    ident = str(uuid.uuid4())
    database.execute("insert into orders values (?, ?, 'pending')", (ident, x_user))
    return {"id": ident}


@app.get("/orders/{ident}")
async def read(ident: str) -> dict[str, Any]:
    found = database.execute("select status from orders where id = ?", (ident,)).fetchone()
    if found is None:
        raise HTTPException(404, "No such order")
    return {"id": ident, "status": found[0]}


def users_client(request: Request, x_user: Annotated[str | None, Header()] = None) -> AsyncClient:
    client: AsyncClient = request.app.state.paygres
    return client.as_user(x_user) if x_user else client


@app.post("/orders/{ident}/checkout")
async def checkout(ident: str, client: Annotated[AsyncClient, Depends(users_client)]) -> RedirectResponse:
    made = await client.payments.stripe.create_checkout_session(
        "test",
        mode="payment",
        line_items=[{"price_id": PRICE, "quantity": 1}],
        success_url=f"{HERE}/orders/{ident}?checkout={{CHECKOUT_SESSION_ID}}",
        cancel_url=f"{HERE}/orders/{ident}",
        metadata={"order_id": ident},
        idempotency_key=f"order:{ident}",
    )
    assert made.checkout_session.url is not None  # an open session has one
    return RedirectResponse(made.checkout_session.url, status_code=303)


@app.get("/checkouts/{ident}")
async def came_back(ident: str, payments: GuestPaymentsDep) -> dict[str, Any]:
    """For the success page: what the buyer may be told. The order is marked by the webhook, not here."""
    found = await payments.stripe.get_checkout_session("test", ident, wait=10)
    return {"settled": found.settled, "paymentStatus": found.checkout_session.payment_status}


@app.post("/hooks/paygres")
async def told(request: Request) -> dict[str, bool]:
    try:
        message = verify_message(os.environ["WEBHOOK_SECRET"], request.headers, await request.body())
    except SignatureError as error:
        raise HTTPException(400, error.message) from None
    database.execute("begin immediate")
    try:
        new = database.execute("insert or ignore into messages values (?)", (message.id,)).rowcount == 1
        if new and message.type in ("fulfillment.granted", "fulfillment.reversed"):
            status = "paid" if message.type == "fulfillment.granted" else "refunded"
            database.execute("update orders set status = ? where id = ?", (status, message.fulfillment.key))
        database.execute("commit")
    except BaseException:
        database.execute("rollback")
        raise
    return {"handled": new}
