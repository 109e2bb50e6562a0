"""`python -m bench.floor`: the least a server of this kind can do, to measure beside ours.

Starlette, uvicorn with our settings and asyncpg. A webhook: verify the signature, store the payload in one
statement (with --orders, one that also marks the order paid). A checkout: one call to Stripe with aiohttp,
one insert. No tokens, row-level security, projections, idempotency or retries; a crash loses the buyer.
"""

import argparse
import asyncio
import gc
import hashlib
import hmac
import json
import socket
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp
import asyncpg
import orjson
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.buyers import CHECKOUT
from bench.events import ROUTE, SECRET

KEEP = "insert into bench.events (id, type, payload) values ($1, $2, $3) on conflict do nothing"
KEEP_AND_PAY = f"""
with kept as ({KEEP} returning payload)
update bench.orders o set status = 'paid' from kept
 where o.id::text = kept.payload #>> '{{data,object,metadata,order_id}}'
"""
CREATED = "insert into bench.checkouts (id, session_id, raw) values ($1, $2, $3)"


def create_app(database_url: str, stripe_url: str, statement: str) -> Starlette:
    """Two routes, at the same paths as ours, so that the same bytes can be sent to both."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=0)
        async with (
            asyncpg.create_pool(database_url, min_size=1, max_size=10, reset=_keep) as app.state.pool,
            aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as app.state.http,
        ):
            yield

    async def webhook(request: Request) -> Response:
        payload = await request.body()
        _verify(payload, request.headers["stripe-signature"])
        event = orjson.loads(payload)
        await request.app.state.pool.execute(statement, event["id"], event["type"], payload.decode())
        return Response(b'{"received":true}', media_type="application/json")

    async def checkout(request: Request) -> Response:
        asked = orjson.loads(await request.body())
        row_id = uuid.uuid4()
        params = {
            "mode": asked["mode"],
            "success_url": asked["successUrl"],
            "cancel_url": asked["cancelUrl"],
            "client_reference_id": str(row_id),
            "line_items[0][price]": asked["lineItems"][0]["priceId"],
            "line_items[0][quantity]": "1",
            "metadata[checkout]": str(row_id),
        }
        headers = {"Authorization": "Bearer sk_test_0", "Content-Type": "application/x-www-form-urlencoded"}
        url = f"{stripe_url}/v1/checkout/sessions"
        async with request.app.state.http.post(url, data=urlencode(params), headers=headers) as answer:
            raw = await answer.read()
        session = orjson.loads(raw)
        await request.app.state.pool.execute(CREATED, row_id, session["id"], raw.decode())
        shown = {"id": str(row_id), "checkoutSessionId": session["id"], "url": session["url"]}
        return Response(orjson.dumps({"checkoutSession": shown}), 201, media_type="application/json")

    routes = [Route(ROUTE, webhook, methods=["POST"]), Route(CHECKOUT, checkout, methods=["POST"])]
    return Starlette(routes=routes, lifespan=lifespan)


def _verify(payload: bytes, header: str) -> None:
    parts = dict(part.split("=", 1) for part in header.split(","))
    mac = hmac.new(SECRET.encode(), parts["t"].encode() + b"." + payload, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(mac, parts["v1"]) or abs(time.time() - int(parts["t"])) > 300:
        raise ValueError("signature")


async def _keep(connection: Any) -> None:
    """Instead of asyncpg's reset: no round trip, as in ours."""


async def serve(app: Starlette) -> None:
    """With the settings of `python -m paygres.server serve`, its garbage collection included."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=65,
        timeout_graceful_shutdown=20,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
        await asyncio.sleep(0.005)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    print(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}), flush=True)
    await running


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--stripe", default="http://127.0.0.1:9")
    parser.add_argument("--orders", action="store_true")
    given = parser.parse_args()
    uvloop.run(serve(create_app(given.database, given.stripe, KEEP_AND_PAY if given.orders else KEEP)))
